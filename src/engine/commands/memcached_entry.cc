// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_entry.h"

#include <fmt/format.h>

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mikura::engine {
namespace {

constexpr int64_t kRelativeMax = 60 * 60 * 24 * 30;  // seconds
constexpr uint64_t kContentBit = uint64_t{1} << 63;
constexpr int kCounterBits = 20;

bool IsString(const store::Found& found) {
  return found && found.entry.type() == store::ValueType::kString;
}

// The words "flags cas deadline state" of an effect; deadline -1: none.
class AttributeWords {
 public:
  explicit AttributeWords(const store::Attributes& attributes)
      : flags_(attributes.memcached_flags),
        cas_(attributes.cas),
        deadline_(attributes.deadline == store::kNoDeadline ? -1 : attributes.deadline),
        state_(attributes.memcached_state & ~kMemcachedFetched) {}
  std::string_view flags() const { return {flags_.data(), flags_.size()}; }
  std::string_view cas() const { return {cas_.data(), cas_.size()}; }
  std::string_view deadline() const { return {deadline_.data(), deadline_.size()}; }
  std::string_view state() const { return {state_.data(), state_.size()}; }

 private:
  fmt::format_int flags_;
  fmt::format_int cas_;
  fmt::format_int deadline_;
  fmt::format_int state_;
};

void LogAttributes(MemcachedContext& ctx, const store::Attributes& attributes) {
  if (!ctx.keys.effects().active()) return;
  const AttributeWords words(attributes);
  ctx.keys.effects().Add(ctx.keys.database(), {"MIKURA.ATTRIBUTES", ctx.key->name, words.flags(),
                                               words.cas(), words.deadline(), words.state()});
}

bool HasPassed(UnixMillis deadline, UnixMillis now) { return deadline <= now; }

}  // namespace

UnixMillis MemcachedDeadline(int64_t exptime, UnixMillis now) {
  if (exptime == 0) return store::kNoDeadline;
  if (exptime < 0) return now;
  const int64_t millis = exptime * 1000;
  return exptime <= kRelativeMax ? now + millis : millis;
}

uint64_t MemcachedCas(const store::Entry& entry, const store::Attributes& attributes) {
  if (attributes.has_memcached) return attributes.cas;
  const std::string_view value = entry.value();
  return XXH3_64bits(value.data(), value.size()) | kContentBit;
}

uint64_t NewMemcachedCas(MemcachedContext& ctx) {
  if (!ctx.settings.cas_enabled) return 0;
  const uint64_t next = ctx.keys.NextCas(*ctx.key);
  const uint64_t time = static_cast<uint64_t>(ctx.now()) << kCounterBits;
  // The shard counts on from the highest CAS it has stored, so usually `next` lies above the
  // clock's value already; not so after a pause, or after a client made up a CAS of its own (flag
  // E).
  if (next >= time && next < kContentBit) return next;
  constexpr uint64_t kCounterMask = (uint64_t{1} << kCounterBits) - 1;
  return time | (next & kCounterMask);
}

store::Attributes MemcachedAttributes(const store::Entry& entry) {
  store::Attributes attributes = entry.attributes();
  if (!attributes.has_memcached) {
    attributes.cas = MemcachedCas(entry);
    attributes.has_memcached = true;
  }
  return attributes;
}

store::Found FindMemcached(MemcachedContext& ctx) {
  const store::Found found = ctx.keys.Find(*ctx.key);
  return IsString(found) ? found : store::Found();
}

store::Found PeekMemcached(MemcachedContext& ctx) {
  const store::Found found = ctx.keys.Peek(*ctx.key);
  return IsString(found) ? found : store::Found();
}

bool HoldsOtherType(MemcachedContext& ctx) {
  const store::Found found = ctx.keys.Peek(*ctx.key);
  return found && !IsString(found);
}

FaultOr<> StoreMemcached(MemcachedContext& ctx, std::string_view value,
                         const store::Attributes& attributes) {
  // A deadline that has passed already makes no difference here: as in memcached the entry is
  // stored, and whoever asks for it meets an expired one.
  ASSIGN_OR_RETURN([[maybe_unused]] const store::Found stored,
                   ctx.keys.SetString(*ctx.key, value, attributes));
  ctx.counters.total_items.Add();
  LogMemcachedSet(ctx, value, attributes);
  ctx.keys.Notify(EventClass::kString, "set", *ctx.key);
  return Ok();
}

FaultOr<> SetMemcachedAttributes(MemcachedContext& ctx, store::Found& found,
                                 const store::Attributes& attributes) {
  if (HasPassed(attributes.deadline, ctx.now())) {
    EraseMemcached(ctx);
    return Ok();
  }
  RETURN_IF_ERROR(ctx.keys.SetAttributes(found, *ctx.key, attributes));
  LogAttributes(ctx, attributes);
  return Ok();
}

FaultOr<> SetMemcachedDeadline(MemcachedContext& ctx, store::Found& found, UnixMillis deadline) {
  if (HasPassed(deadline, ctx.now())) {
    EraseMemcached(ctx);
    return Ok();
  }
  if (found.entry.deadline() == deadline) return Ok();
  RETURN_IF_ERROR(ctx.keys.SetDeadline(found, *ctx.key, deadline));
  ctx.keys.Notify(EventClass::kGeneric, deadline == store::kNoDeadline ? "persist" : "expire",
                  *ctx.key);
  if (!ctx.keys.effects().active()) return Ok();
  if (deadline == store::kNoDeadline) {
    ctx.keys.effects().Add(ctx.keys.database(), {"PERSIST", ctx.key->name});
    return Ok();
  }
  const fmt::format_int text(deadline);
  ctx.keys.effects().Add(ctx.keys.database(),
                         {"PEXPIREAT", ctx.key->name, {text.data(), text.size()}});
  return Ok();
}

FaultOr<> ExtendMemcached(MemcachedContext& ctx, store::Found& found, std::string_view piece,
                          bool before, uint64_t cas) {
  store::Attributes attributes = MemcachedAttributes(found.entry);
  attributes.cas = cas;
  attributes.memcached_state = 0;
  // Attributes first: when the value then finds no room, only the CAS has moved.
  RETURN_IF_ERROR(ctx.keys.SetAttributes(found, *ctx.key, attributes));
  const size_t old_size = found.entry.value().size();
  ASSIGN_OR_RETURN(char* bytes, ctx.keys.ResizeString(found, *ctx.key, old_size + piece.size()));
  if (before) {
    std::memmove(bytes + piece.size(), bytes, old_size);
    std::memcpy(bytes, piece.data(), piece.size());
  } else {
    std::memcpy(bytes + old_size, piece.data(), piece.size());
  }
  ctx.keys.Notify(EventClass::kString, before ? "prepend" : "append", *ctx.key);
  if (before) {
    LogMemcachedSet(ctx, found.entry.value(), attributes);
    return Ok();
  }
  ctx.keys.effects().Add(ctx.keys.database(), {"APPEND", ctx.key->name, piece});
  LogAttributes(ctx, attributes);
  return Ok();
}

void LogMemcachedSet(MemcachedContext& ctx, std::string_view value,
                     const store::Attributes& attributes) {
  if (!ctx.keys.effects().active()) return;
  const AttributeWords words(attributes);
  ctx.keys.effects().Add(ctx.keys.database(), {"MIKURA.SET", ctx.key->name, value, words.flags(),
                                               words.cas(), words.deadline(), words.state()});
}

bool EraseMemcached(MemcachedContext& ctx) {
  if (!ctx.keys.Erase(*ctx.key)) return false;
  ctx.keys.effects().Add(ctx.keys.database(), {"DEL", ctx.key->name});
  ctx.keys.Notify(EventClass::kGeneric, "del", *ctx.key);
  return true;
}

}  // namespace mikura::engine
