// SPDX-License-Identifier: Apache-2.0
// Who is told that a key changed, and of what happened to it: WATCH, blocked clients, client-side
// caches, keyspace notifications. Declared here, implemented above.
//
// All are told under the lock of the key's shard: they note, and do nothing that waits.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/store/key.h"

namespace mikura::engine {

namespace store {
struct Access;
}

// The classes of notify-keyspace-events, with its letters.
enum class EventClass : uint32_t {
  kGeneric = 1u << 0,    // g
  kString = 1u << 1,     // $
  kList = 1u << 2,       // l
  kSet = 1u << 3,        // s
  kHash = 1u << 4,       // h
  kSortedSet = 1u << 5,  // z
  kExpired = 1u << 6,    // x
  kEvicted = 1u << 7,    // e
  kStream = 1u << 8,     // t
  kKeyMiss = 1u << 9,    // m
  kModule = 1u << 10,    // d
  kNew = 1u << 11,       // n
};

// Hears of the events whose class is in the mask it was set with.
class KeyEventSink {
 public:
  virtual ~KeyEventSink() = default;
  virtual void OnEvent(EventClass event_class, std::string_view event, int database,
                       const Key& key) = 0;
};

// Those who may want to know of every change of a key.
enum class KeyObserverKind : uint8_t { kWatch, kWaiters, kTracking, kPrefixes };
inline constexpr int kKeyObserverKinds = 4;

// Hears of changes of the keys of those shards for which it said so (Keyspace::SetObserved).
class KeyObserver {
 public:
  virtual ~KeyObserver() = default;
  virtual void OnTouched(int database, const Key& key) = 0;
  // The shard's keys of `database` are about to go, and those of `replacement` to take their place
  // (-1: none do). All shards are locked; `access` sees only what has not expired, and removes
  // nothing.
  virtual void OnDatabaseReplaced(uint32_t /*shard*/, int /*database*/, int /*replacement*/,
                                  const store::Access& /*access*/) {}
  // One or all databases were emptied. Shards may be locked still, or none; also told to those that
  // observe no shard.
  virtual void OnFlushed() {}
};

}  // namespace mikura::engine
