// SPDX-License-Identifier: Apache-2.0
// Keyspace notifications: publishes what happens to keys.
#pragma once

#include <atomic>

#include "engine/keyspace/key_events.h"
#include "engine/messaging/pubsub.h"

namespace mikura::engine {

class KeyEventPublisher final : public KeyEventSink {
 public:
  explicit KeyEventPublisher(PubSub& pubsub) : pubsub_(pubsub) {}

  // Bits of wire/event_letters.h. Returns the classes to listen to: EventClass.
  uint32_t Configure(uint32_t bits);

  void OnEvent(EventClass event_class, std::string_view event, int database,
               const Key& key) override;

 private:
  PubSub& pubsub_;
  std::atomic<uint32_t> places_{0};  // publishes nothing but itself
};

}  // namespace mikura::engine
