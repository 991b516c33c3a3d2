// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/keyspace/key_access.h"

namespace mikura::engine {

// Makes the string that was found under `key` at least `size` bytes long, zeros in the gap; makes
// it when nothing was found. Returns the bytes, which the caller is about to change: what a
// memcached client compares is renewed. Errors: kOutOfMemory; nothing has changed then.
FaultOr<char*> GrowString(KeyAccess& keys, const Key& key, store::Found& found, size_t size);

// The same, but exactly `size` bytes long.
FaultOr<char*> ReshapeString(KeyAccess& keys, const Key& key, store::Found& found, size_t size);

}  // namespace mikura::engine
