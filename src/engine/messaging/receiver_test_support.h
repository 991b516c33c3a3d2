// SPDX-License-Identifier: Apache-2.0
// Receivers that remember what was pushed to them, and a loop that has some: for tests.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/messaging/receiver.h"

namespace mikura::engine {

class FakeReceiver final : public Receiver {
 public:
  FakeReceiver(uint64_t id, uint32_t loop, int version = 2)
      : Receiver(id, loop), version_(version) {}

  int resp_version() const override { return version_; }
  void Push(PushOrder order, std::string_view head, const Message&,
            std::string_view part) override {
    orders.push_back(order);
    received.push_back(OnOneLine(std::string(head) + std::string(part)));
  }
  void Push(PushOrder, std::string_view text) override {
    received.push_back(OnOneLine(std::string(text)));
  }
  void DeliverWaiting() override {
    if (deliver_waiting) deliver_waiting();
  }
  void CountMemory(int64_t bytes) override { memory += bytes; }
  TrackingMode& tracking() override { return mode; }
  bool is_subscriber() const override { return !subscriptions.empty(); }
  void PublishState() override { ++published; }

  std::vector<std::string> received;  // line ends shown as blanks
  std::vector<PushOrder> orders;      // of all that was pushed with a head
  std::function<void()> deliver_waiting;
  int64_t memory = 0;
  TrackingMode mode;
  int published = 0;

 private:
  static std::string OnOneLine(std::string text) {
    for (size_t at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at)) {
      text.replace(at, 2, " ");
    }
    return text;
  }

  int version_;
};

class FakeLoop final : public ReceiverFinder {
 public:
  Receiver* FindReceiver(uint64_t id) override {
    const auto found = clients.find(id);
    return found == clients.end() ? nullptr : found->second;
  }
  std::map<uint64_t, Receiver*> clients;
};

}  // namespace mikura::engine
