// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/held_value.h"

#include "engine/persistence/dump_payload.h"
#include "engine/persistence/rdb_value_writer.h"

namespace mikura::engine {

HeldValue::HeldValue(store::CollectionMemory& memory, const store::Found& found)
    : collection_(nullptr, ReleaseCopy{&memory}) {
  if (!found) return;
  const store::Entry& entry = found.entry;
  type_ = entry.type();
  if (collections::Collection* const object = entry.collection()) {
    object->Acquire();
    collection_.reset(object);
    is_object_ = true;
  } else if (entry.is_external()) {
    block_ = entry.Share();
  } else {
    bytes_ = entry.value();
    if (*type_ != store::ValueType::kString) {
      collection_.reset(OpenPacked(memory, *type_, bytes_).release());
    }
  }
}

bool HeldValue::IsStill(const store::Found& found) const {
  if (!found) return !exists();
  if (!exists() || found.entry.type() != *type_) return false;
  if (is_object_) return found.entry.collection() == collection_.get();
  if (block_) return found.entry.is_external() && found.entry.value().data() == text().data();
  return found.entry.collection() == nullptr && found.entry.value() == bytes_;
}

std::string MakeDumpPayload(const HeldValue& value) {
  return value.collection() != nullptr ? MakeDumpPayload(*value.collection())
                                       : MakeDumpPayload(value.text());
}

}  // namespace mikura::engine
