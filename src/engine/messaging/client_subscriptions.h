// SPDX-License-Identifier: Apache-2.0
// Names that clients subscribe to, as one event loop knows them: who is to get what.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/store/key.h"

namespace mikura::engine {

class Receiver;

enum class SubscriptionKind : uint8_t { kChannel, kPattern, kShardChannel };
inline constexpr size_t kSubscriptionKinds = 3;

// Seeded: clients choose the names.
struct NameHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming)
  KeyHasher hasher;
  size_t operator()(std::string_view name) const { return hasher.Hash(name); }
};
template <typename Value>
using NameMap = std::unordered_map<std::string, Value, NameHash, std::equal_to<>>;

// The subscribers of each name among the clients of one loop, in no order.
using LoopNames = NameMap<std::vector<Receiver*>>;
using LoopName = LoopNames::value_type;

// What one client has subscribed to, and its place among the subscribers of each name.
struct ClientSubscriptions {
  std::array<std::unordered_map<LoopName*, size_t>, kSubscriptionKinds> places;

  size_t count(SubscriptionKind kind) const { return places[static_cast<size_t>(kind)].size(); }
  bool empty() const { return places[0].empty() && places[1].empty() && places[2].empty(); }
};

}  // namespace mikura::engine
