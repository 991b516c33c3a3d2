// SPDX-License-Identifier: Apache-2.0
// A client as one that messages are pushed to. Owned by its session; used on the thread of its
// event loop only.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "engine/messaging/client_subscriptions.h"
#include "engine/messaging/message.h"
#include "engine/messaging/tracking_mode.h"

namespace mikura::engine {

// Where a push stands that a client's own command caused: other pushes stand behind the replies of
// commands that ran before.
enum class PushOrder : uint8_t { kBeforeReply, kAfterReply };

class Receiver {
 public:
  Receiver(uint64_t id, uint32_t loop) : id_(id), loop_(loop) {}
  virtual ~Receiver() = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  uint64_t id() const { return id_; }
  uint32_t loop() const { return loop_; }

  // Which protocol it speaks now: 2 or 3.
  virtual int resp_version() const = 0;
  // Sends `head`, and then `part` of `message`, of which a large one is not copied.
  virtual void Push(PushOrder order, std::string_view head, const Message& message,
                    std::string_view part) = 0;
  // Sends text.
  virtual void Push(PushOrder order, std::string_view text) = 0;
  // Hands out now what was posted to the loop's clients: it was sent before what the client's
  // running command is about to change.
  virtual void DeliverWaiting() = 0;
  // How it tracks keys; PublishState() when that has changed.
  virtual TrackingMode& tracking() = 0;
  virtual bool is_subscriber() const = 0;
  virtual void PublishState() = 0;
  // Memory that is kept for the client, as a change.
  virtual void CountMemory(int64_t bytes) = 0;

  // The first byte of what is pushed: RESP3 tells it from replies.
  char push_mark() const { return resp_version() >= 3 ? '>' : '*'; }

  ClientSubscriptions subscriptions;
  std::set<std::string> tracked_prefixes;  // of a client that tracks in broadcasting mode

 private:
  const uint64_t id_;
  const uint32_t loop_;
};

// The clients of one event loop, found by id.
class ReceiverFinder {
 public:
  virtual ~ReceiverFinder() = default;
  // Null when the loop has no such client.
  virtual Receiver* FindReceiver(uint64_t id) = 0;
};

}  // namespace mikura::engine
