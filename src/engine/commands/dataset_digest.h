// SPDX-License-Identifier: Apache-2.0
// The digests of DEBUG DIGEST, computed as Redis does: equal data have equal digests, on both.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "engine/keyspace/keyspace.h"
#include "engine/store/entry.h"

namespace mikura::engine {

class Digest {
 public:
  // Adds something whose order does not matter.
  void Toggle(std::string_view bytes);
  void Toggle(const Digest& other);
  // Adds something whose order does.
  void Mix(std::string_view bytes);
  std::string hex() const;

 private:
  std::array<uint8_t, 20> bytes_ = {};
};

// Of a value with its type and its deadline.
void AddToDigest(Digest& digest, store::CollectionMemory& memory, const store::Entry& entry);

// Of all keys of all databases. Takes the locks of the shards one by one; nothing is held. Cost:
// about a microsecond for each element of each value.
Digest DigestOfAll(Keyspace& keyspace, UnixMillis now);

}  // namespace mikura::engine
