// SPDX-License-Identifier: Apache-2.0
// The part of Shard that changes packed collections where they lie. Order as in shard_change.cc.
#include <cstring>

#include "base/check.h"
#include "engine/store/shard.h"

namespace mikura::engine::store {
namespace {

using collections::PackedSplice;

// Whether as many bytes say how long a value of either size is.
bool SameLengthBytes(size_t before, size_t after) { return (before < 0x80) == (after < 0x80); }

// Writes the length of an entry's value over one that takes as many bytes, which are one or two.
void RewriteLength(char* entry, const EntryParts& parts, size_t length) {
  char* const end = entry + parts.fields;
  if (length < 0x80) {
    end[-1] = static_cast<char>(length);
    return;
  }
  end[-2] = static_cast<char>(length | 0x80);
  end[-1] = static_cast<char>(length >> 7);
}

// Makes the change in the value's own bytes: `old_header` stands there in front of the elements.
void SpliceInPlace(char* value, size_t old_header, std::string_view header,
                   const PackedSplice& splice) {
  char* const elements = value + header.size();
  const auto move_before = [&] {
    std::memmove(elements, splice.before().data(), splice.before().size());
  };
  const auto move_behind = [&] {
    std::memmove(elements + splice.offset + splice.added.size(), splice.behind().data(),
                 splice.behind().size());
  };
  // What moves towards the begin goes first: the other part's new place may be over its old one.
  if (header.size() < old_header) {
    move_before();
    move_behind();
  } else {
    if (splice.added.size() != splice.removed || header.size() != old_header) move_behind();
    if (header.size() != old_header) move_before();
  }
  std::memcpy(value, header.data(), header.size());
  std::memcpy(elements + splice.offset, splice.added.data(), splice.added.size());
}

void WriteSpliced(char* out, std::string_view header, const PackedSplice& splice) {
  for (const std::string_view part : {header, splice.before(), splice.added, splice.behind()}) {
    if (!part.empty()) std::memcpy(out, part.data(), part.size());
    out += part.size();
  }
}

}  // namespace

FaultOr<bool> Shard::SplicePacked(int database, const Key& key, std::string_view header,
                                  const PackedSplice& splice) {
  Table& table = *TableAt(database);
  const Place place = table.keys().Lookup(key);
  if (place.entry == nullptr) return false;
  const Entry entry(place.entry);
  const std::string_view value = entry.value();
  const char* const value_end = value.data() + value.size();
  const char* const elements_end = splice.elements.data() + splice.elements.size();
  const size_t size = header.size() + splice.size();
  if (elements_end != value_end || splice.elements.size() > value.size() ||
      size > kInlineValueMax || entry.element_deadline() != kNoDeadline) {
    return false;
  }
  const size_t old_header = value.size() - splice.elements.size();
  walks_.Settle(table.keys(), table.keys().ChainOf(PositionOf(key.hash)));
  const EntryParts parts = ParseEntry(place.entry);
  if (SameLengthBytes(value.size(), size) &&
      SameClass(parts.total(), parts.total() - value.size() + size)) {
    SpliceInPlace(place.entry + parts.key + parts.key_length, old_header, header, splice);
    RewriteLength(place.entry, parts, size);
    return true;
  }
  EntryContent content = EntryContent::Of(entry);
  content.value_length = size;
  char* value_out;
  char* const bytes = NewBytes(table, content, value_out);
  if (bytes == nullptr) return Fault::kOutOfMemory;
  WriteSpliced(value_out, header, splice);
  table.keys().Replace(place, allocator_.RefOf(bytes));
  table.keys().FreeEntry(entry);
  return true;
}

}  // namespace mikura::engine::store
