// SPDX-License-Identifier: Apache-2.0
#include "engine/store/entry.h"

#include "engine/collections/hash_value.h"

namespace mikura::engine::store {
namespace {

size_t VarintBytes(size_t value) {
  size_t bytes = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++bytes;
  }
  return bytes;
}

char* WriteVarint(char* out, size_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

size_t ReadVarint(const char*& p) {
  size_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<uint8_t>(*p++);
    value |= size_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
}

uint8_t KindOf(const EntryContent& content) {
  if (content.collection != nullptr) return kKindCollection;
  if (content.block != nullptr) return kKindExternal;
  if (content.type == ValueType::kString) return 0;
  return static_cast<uint8_t>((static_cast<uint8_t>(content.type) + 1) << kKindShift);
}

}  // namespace

EntryParts ParseLongEntry(const char* bytes) {
  const char* p = bytes + 1;
  EntryParts parts{};
  parts.flags = static_cast<uint8_t>(bytes[0]);
  parts.key_length = ReadVarint(p);
  parts.value_length = ReadVarint(p);
  parts.fields = static_cast<uint32_t>(p - bytes);
  parts.key = parts.fields;
  if (parts.flags & kHasDeadline) parts.key += sizeof(UnixMillis);
  if (parts.flags & kHasMemcached) parts.key += kMemcachedBytes;
  if (parts.flags & kHasAccess) parts.key += kAccessBytes;
  return parts;
}

Attributes Entry::attributes() const {
  Attributes attributes;
  const char* p = bytes_ + ParseEntry(bytes_).fields;
  if (flags() & kHasDeadline) {
    std::memcpy(&attributes.deadline, p, sizeof attributes.deadline);
    p += sizeof attributes.deadline;
  }
  if (flags() & kHasMemcached) {
    attributes.has_memcached = true;
    std::memcpy(&attributes.memcached_flags, p, sizeof attributes.memcached_flags);
    p += sizeof attributes.memcached_flags;
    std::memcpy(&attributes.cas, p, sizeof attributes.cas);
    attributes.memcached_state = static_cast<uint8_t>(p[sizeof attributes.cas]);
  }
  return attributes;
}

size_t Entry::memory_bytes() const {
  const EntryParts parts = ParseEntry(bytes_);
  size_t outside = 0;
  if (IsExternalKind(parts.flags)) outside = BlockOf(parts)->memory_bytes();
  if (IsCollectionKind(parts.flags)) outside = collection()->memory_bytes();
  return AllocatedBytes(parts.total()) + outside;
}

EntryContent EntryContent::Of(const Entry& entry) {
  EntryContent content;
  content.type = entry.type();
  content.uses = entry.use_counter();
  content.key = entry.key();
  content.attributes = entry.attributes();
  content.has_access = entry.has_access();
  if (content.has_access) content.access = entry.access();
  content.block = entry.block();
  content.collection = entry.collection();
  if (!content.is_reference()) content.value_length = entry.value().size();
  return content;
}

UnixMillis Entry::CollectionDeadline() const {
  const collections::Collection* const object = collection();
  return object != nullptr ? object->next_deadline()
                           : collections::HashValue::FirstDeadlineOf(value());
}

Timing EntryContent::timing(std::string_view value) const {
  Timing timing{attributes.deadline};
  if (collection != nullptr) {
    timing.elements = collection->next_deadline();
  } else if (type == ValueType::kHash) {
    timing.elements = collections::HashValue::FirstDeadlineOf(value);
  }
  return timing;
}

size_t EntryContent::total() const {
  const size_t in_entry = is_reference() ? sizeof block : value_length;
  return 1 + VarintBytes(key.size()) + VarintBytes(in_entry) +
         (attributes.deadline != kNoDeadline ? sizeof attributes.deadline : 0) +
         (attributes.has_memcached ? kMemcachedBytes : 0) + (has_access ? kAccessBytes : 0) +
         key.size() + in_entry;
}

char* EntryContent::Write(char* out) const {
  uint8_t flags = KindOf(*this) | uses;
  if (attributes.deadline != kNoDeadline) flags |= kHasDeadline;
  if (attributes.has_memcached) flags |= kHasMemcached;
  if (has_access) flags |= kHasAccess;
  *out++ = static_cast<char>(flags);
  out = WriteVarint(out, key.size());
  out = WriteVarint(out, is_reference() ? sizeof block : value_length);
  if (attributes.deadline != kNoDeadline) {
    std::memcpy(out, &attributes.deadline, sizeof attributes.deadline);
    out += sizeof attributes.deadline;
  }
  if (attributes.has_memcached) out = attributes.WriteMemcached(out);
  if (has_access) {
    std::memcpy(out, &access, kAccessBytes);
    out += kAccessBytes;
  }
  if (!key.empty()) std::memcpy(out, key.data(), key.size());
  out += key.size();
  if (block != nullptr) std::memcpy(out, &block, sizeof block);
  if (collection != nullptr) std::memcpy(out, &collection, sizeof collection);
  return out;
}

}  // namespace mikura::engine::store
