// SPDX-License-Identifier: Apache-2.0
// Publishes to a server that speaks SNS' query protocol.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "control/http/http_client.h"
#include "control/model/event.h"

namespace mikura::control {

enum class PublishOutcome {
  kPublished,
  kRefused,      // this topic or message is not taken: trying again would not help
  kUnreachable,  // nobody is there, or not for now
};

// Who can tell of an event; called by one thread at a time.
class EventPublisher {
 public:
  virtual ~EventPublisher() = default;

  // Tells of the event at event.topic; may block for seconds. `problem`: why not, in words.
  virtual PublishOutcome Publish(const Event& event, std::string& problem) = 0;
};

struct SnsAccess {
  HttpUrl endpoint;
  std::string access_key_id;
  std::string secret;
};

class SnsClient final : public EventPublisher {
 public:
  SnsClient(SnsAccess access, const Clock& clock, std::chrono::milliseconds timeout)
      : access_(std::move(access)), clock_(clock), timeout_(timeout) {}

  PublishOutcome Publish(const Event& event, std::string& problem) override;

 private:
  HttpRequest RequestFor(const Event& event) const;

  const SnsAccess access_;
  const Clock& clock_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace mikura::control
