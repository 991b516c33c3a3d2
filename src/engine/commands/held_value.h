// SPDX-License-Identifier: Apache-2.0
// A key's value as it was at one moment, for whoever goes on with it when the key's shard is free
// for others. Taking it costs O(1), but for values that lie in their entries, which are small.
//
// It stays as it is: an object, or a block of bytes, that has more than one owner is never changed
// (collections/collection.h, store/value_block.h). And as long as it is held, nothing else has its
// address; so a key that has that address has had no other value meanwhile, or has it again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/collections/collection.h"
#include "engine/commands/long_reply.h"
#include "engine/store/shard.h"

namespace mikura::engine {

class HeldValue {
 public:
  // `found`: of a key whose shard is locked; of an absent one, or an expired one, nothing is held.
  HeldValue(store::CollectionMemory& memory, const store::Found& found);
  HeldValue(const HeldValue&) = delete;
  HeldValue& operator=(const HeldValue&) = delete;

  // Whether the key has that very value; or is absent still. Its shard is locked.
  bool IsStill(const store::Found& found) const;

  bool exists() const { return type_.has_value(); }
  // Only of one that exists.
  store::ValueType type() const { return *type_; }
  // Of a string.
  std::string_view text() const { return block_ ? block_.view() : std::string_view(bytes_); }
  // Null for strings, and when nothing is held.
  const collections::Collection* collection() const { return collection_.get(); }
  // The same as what it is known to be; null when nothing is held.
  template <typename T>
  const T* As() const {
    return static_cast<const T*>(collection_.get());
  }

 private:
  std::optional<store::ValueType> type_;
  bool is_object_ = false;
  std::string bytes_;  // of a value that lies in its entry
  store::SharedValue block_;
  CollectionCopy collection_;
};

// The bytes that DUMP returns of it.
std::string MakeDumpPayload(const HeldValue& value);

}  // namespace mikura::engine
