// SPDX-License-Identifier: Apache-2.0
// Writes collections in RDB form, in encodings that Redis 7.0 reads. (Hashes with deadlines of
// fields need Redis 7.4.)
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/collections/collection.h"
#include "engine/collections/tree_node.h"
#include "engine/persistence/rdb_output.h"
#include "engine/store/entry.h"

namespace mikura::engine {

// Where a long value goes: called with a buffer that has grown large, and empties it. Errors end
// the writing.
using RdbFlush = std::function<Status(std::string& buffer)>;
// Calls `flush` when so much has gathered in `out` that it is worth it. Errors: those of `flush`.
Status FlushWhenLarge(std::string& out, const RdbFlush& flush);

// The type byte with which the collection is written.
uint8_t RdbTypeOf(const collections::Collection& value);
// Its body, behind type and key. Cost: a step for each element. texts: see AppendRdbText; who
// flushes `out` empties them too.
Status AppendRdbCollection(std::string& out, const collections::Collection& value,
                           const RdbFlush& flush, RdbPlainTexts* texts = nullptr);

// Appends the packed bytes of a collection that has no tree; false for others.
bool AppendIfPacked(const collections::Collection& value, std::string& out);

// The collection that an entry's packed bytes are, of the type. They outlive it.
std::unique_ptr<collections::Collection> OpenPacked(collections::NodeMemory& memory,
                                                    store::ValueType type, std::string_view packed);

}  // namespace mikura::engine
