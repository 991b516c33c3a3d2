// SPDX-License-Identifier: Apache-2.0
// How what is pushed to clients gets into their output. Implemented by the event loop; on its
// thread.
#pragma once

#include <string>
#include <string_view>

#include "engine/messaging/receiver.h"

namespace mikura::engine {

class Session;

class PushPort {
 public:
  virtual ~PushPort() = default;

  // ---- For the session's receiver.
  // Behind what was sent before; `part` lies in `message` when that is not null.
  virtual void Push(Session& session, PushOrder order, std::string_view head,
                    const Message* message, std::string_view part) = 0;
  // Delivers what was posted to this loop, inside a command of `session`, if that is allowed.
  virtual void DeliverInside(Session& session) = 0;
  // Shows its client's state to other threads.
  virtual void PublishState(Session& session) = 0;

  // ---- For the batch of requests.
  virtual bool HasWaiting() const = 0;
  // Sends the replies that the batch holds.
  virtual void SendReplies() = 0;
  // Allows a command of `session`, until EndInside(), to have what was posted delivered where its
  // reply has come to. Sends the replies that the batch holds.
  virtual void BeginInside(Session& session) = 0;
  virtual void EndInside() = 0;
  // Delivers what was posted to this loop; the batch's output is empty. What goes to `session` is
  // appended to that, or returned when it has to stand behind the reply.
  virtual std::string DeliverAround(Session& session, bool all_behind) = 0;
};

// A client's session as a receiver.
class SessionReceiver final : public Receiver {
 public:
  SessionReceiver(Session& session, uint64_t id, uint32_t loop, PushPort& port)
      : Receiver(id, loop), session_(session), port_(port) {}

  int resp_version() const override;
  void Push(PushOrder order, std::string_view head, const Message& message,
            std::string_view part) override {
    port_.Push(session_, order, head, &message, part);
  }
  void Push(PushOrder order, std::string_view text) override {
    port_.Push(session_, order, text, nullptr, {});
  }
  void DeliverWaiting() override { port_.DeliverInside(session_); }
  TrackingMode& tracking() override;
  bool is_subscriber() const override;
  void PublishState() override { port_.PublishState(session_); }
  void CountMemory(int64_t bytes) override;

 private:
  Session& session_;
  PushPort& port_;
};

}  // namespace mikura::engine
