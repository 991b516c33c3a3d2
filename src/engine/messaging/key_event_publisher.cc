// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/key_event_publisher.h"

#include <string>

#include "wire/event_letters.h"

namespace mikura::engine {
namespace {

constexpr bool IsLetter(EventClass event_class, char letter) {
  return static_cast<uint32_t>(event_class) == 1u << wire::kEventClassLetters.find(letter);
}
static_assert(IsLetter(EventClass::kGeneric, 'g') && IsLetter(EventClass::kString, '$') &&
              IsLetter(EventClass::kList, 'l') && IsLetter(EventClass::kSet, 's') &&
              IsLetter(EventClass::kHash, 'h') && IsLetter(EventClass::kSortedSet, 'z') &&
              IsLetter(EventClass::kExpired, 'x') && IsLetter(EventClass::kEvicted, 'e') &&
              IsLetter(EventClass::kStream, 't') && IsLetter(EventClass::kKeyMiss, 'm') &&
              IsLetter(EventClass::kModule, 'd') && IsLetter(EventClass::kNew, 'n'));

}  // namespace

uint32_t KeyEventPublisher::Configure(uint32_t bits) {
  const uint32_t places = bits & (wire::kEventsByKey | wire::kEventsByName);
  places_.store(places, std::memory_order_relaxed);
  return places == 0 ? 0 : bits & wire::kEventClassBits;
}

void KeyEventPublisher::OnEvent(EventClass, std::string_view event, int database, const Key& key) {
  if (pubsub_.is_idle()) return;
  const uint32_t places = places_.load(std::memory_order_relaxed);
  const std::string number = std::to_string(database);
  std::string channel;
  channel.reserve(key.name.size() + event.size() + 32);
  if ((places & wire::kEventsByKey) != 0) {
    channel.append("__keyspace@").append(number).append("__:").append(key.name);
    pubsub_.Publish(SubscriptionKind::kChannel, channel, event);
  }
  if ((places & wire::kEventsByName) != 0) {
    channel.assign("__keyevent@").append(number).append("__:").append(event);
    pubsub_.Publish(SubscriptionKind::kChannel, channel, key.name);
  }
}

}  // namespace mikura::engine
