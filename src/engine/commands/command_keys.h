// SPDX-License-Identifier: Apache-2.0
// Which words of a request are keys.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/commands/command_spec.h"
#include "engine/store/key.h"

namespace mikura::engine {

// Appends the places of the keys, in the order of the row's specifications. The number of words
// must fit the row. Cost: O(words).
void FindKeyPlaces(const CommandSpec& spec, std::span<const std::string_view> args,
                   std::vector<KeyPlace>& places);

// The same, hashed. `scratch` is reused.
void FindKeys(const CommandSpec& spec, std::span<const std::string_view> args,
              const KeyHasher& hasher, std::vector<KeyPlace>& scratch, std::vector<Key>& keys);

}  // namespace mikura::engine
