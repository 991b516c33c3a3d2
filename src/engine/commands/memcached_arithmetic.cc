// SPDX-License-Identifier: Apache-2.0
// incr, decr and ma; INCREMENT and DECREMENT of the binary protocol.
#include <charconv>
#include <cstring>

#include "engine/commands/memcached_entry.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_replies.h"
#include "wire/memcached_binary_writer.h"
#include "wire/memcached_lines.h"
#include "wire/memcached_numbers.h"

namespace mikura::engine {
namespace {

using wire::MemcachedCommand;
using wire::MemcachedRequest;

// Decimal text of a number, on the stack.
class Digits {
 public:
  explicit Digits(uint64_t number)
      : size_(static_cast<size_t>(std::to_chars(text_, text_ + sizeof text_, number).ptr - text_)) {
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[20];
  size_t size_;
};

// The sum wraps at 2^64, the difference stops at 0.
uint64_t Apply(uint64_t value, uint64_t delta, bool subtract) {
  if (!subtract) return value + delta;
  return value > delta ? value - delta : 0;
}

// Writes `text` over the value of an entry of memcached's: a shorter number is followed by blanks,
// so that the length stays, and with it the entry's state.
FaultOr<> OverwriteBlock(MemcachedContext& ctx, store::Found& found, std::string_view text,
                         uint64_t cas) {
  const size_t old_size = found.entry.value().size();
  const size_t size = text.size() > old_size ? text.size() : old_size;
  store::Attributes attributes = found.entry.attributes();
  attributes.cas = cas;
  if (size > old_size) attributes.memcached_state = 0;
  RETURN_IF_ERROR(ctx.keys.SetAttributes(found, *ctx.key, attributes));
  ASSIGN_OR_RETURN(char* bytes, ctx.keys.ResizeString(found, *ctx.key, size));
  std::memcpy(bytes, text.data(), text.size());
  std::memset(bytes + text.size(), ' ', size - text.size());
  LogMemcachedSet(ctx, found.entry.value(), attributes);
  ctx.keys.Notify(EventClass::kString, "incrby", *ctx.key);
  return Ok();
}

// The same for an entry of a Redis client's: the plain number, which INCR can read again.
FaultOr<> OverwritePlain(MemcachedContext& ctx, const store::Found& found, std::string_view text) {
  const store::Attributes attributes = found.entry.attributes();
  ASSIGN_OR_RETURN([[maybe_unused]] const store::Found stored,
                   ctx.keys.SetString(*ctx.key, text, attributes));
  ctx.keys.effects().Add(ctx.keys.database(), {"SET", ctx.key->name, text, "KEEPTTL"});
  ctx.keys.Notify(EventClass::kString, "incrby", *ctx.key);
  return Ok();
}

// What came of a request.
struct Sum {
  MemcachedOutcome outcome = MemcachedOutcome::kOk;
  uint64_t number = 0;   // the new number, after kOk
  bool created = false;  // the entry was missing and was made
};

// Adds the request's number to the value, or takes it away.
Sum AddTo(MemcachedContext& ctx, const MemcachedRequest& request, store::Found& found,
          bool subtract) {
  const auto value = wire::ReadMemcachedUnsigned(found.entry.value());
  if (!value) return {MemcachedOutcome::kNotNumeric};
  const uint64_t number = Apply(*value, request.number, subtract);
  const Digits digits(number);
  const uint64_t cas = request.meta.Has('E') ? request.explicit_cas : NewMemcachedCas(ctx);
  const FaultOr<> written = found.entry.attributes().has_memcached
                                ? OverwriteBlock(ctx, found, digits.view(), cas)
                                : OverwritePlain(ctx, found, digits.view());
  if (!written.ok()) return {MemcachedOutcome::kOutOfMemory};
  (subtract ? ctx.counters.decr_hits : ctx.counters.incr_hits).Add();
  return {MemcachedOutcome::kOk, number};
}

void CountMiss(MemcachedContext& ctx, bool subtract) {
  (subtract ? ctx.counters.decr_misses : ctx.counters.incr_misses).Add();
}

// The entry that flag N of ma leaves on a miss: the initial number.
FaultOr<> VivifyNumber(MemcachedContext& ctx, const MemcachedRequest& request) {
  store::Attributes attributes;
  attributes.has_memcached = true;
  attributes.deadline = MemcachedDeadline(request.vivify_ttl, ctx.now());
  attributes.cas = request.meta.Has('E') ? request.explicit_cas : NewMemcachedCas(ctx);
  const Digits digits(request.initial);
  return StoreMemcached(ctx, digits.view(), attributes);
}

// The counter of the request as it is to be: compared (flag C), changed, or made (flag N).
Sum Increment(MemcachedContext& ctx, const MemcachedRequest& request, bool subtract) {
  store::Found found = FindMemcached(ctx);
  if (found) {
    // In memcached's order: an empty value is no number, whatever its CAS.
    if (found.entry.value().empty()) return {MemcachedOutcome::kNotNumeric};
    if (request.meta.Has('C') && MemcachedCas(found.entry) != request.cas) {
      return {MemcachedOutcome::kExists};
    }
    return AddTo(ctx, request, found, subtract);
  }
  if (HoldsOtherType(ctx)) return {MemcachedOutcome::kOtherType};
  CountMiss(ctx, subtract);
  if (!request.meta.Has('N')) return {MemcachedOutcome::kNotFound};
  if (!VivifyNumber(ctx, request).ok()) return {MemcachedOutcome::kOutOfMemory};
  return {MemcachedOutcome::kOk, request.initial, true};
}

// The success of ma: its flags in order, T taking effect where it stands, and the number.
void ReplyNumber(MemcachedContext& ctx, const MemcachedRequest& request, uint64_t number,
                 bool created) {
  store::Found found = PeekMemcached(ctx);
  const UnixMillis stored_deadline = found ? found.entry.deadline() : ctx.now();
  UnixMillis deadline = created ? store::kNoDeadline : stored_deadline;
  const size_t begin = ctx.out.size();
  const Digits digits(number);
  if (request.meta.Has('v')) {
    ctx.out.Append("VA ");
    AppendNumber(ctx.out, digits.view().size());
  } else {
    ctx.out.Append("HD");
  }
  for (wire::MetaFlagReader flag(request.meta_flags); flag.Next();) {
    if (flag.letter() == 'c') {
      AppendNumberFlag(ctx.out, 'c', found ? MemcachedCas(found.entry) : 0);
    } else if (flag.letter() == 't') {
      AppendTtlFlag(ctx.out, deadline, ctx.now());
    } else if (flag.letter() == 'T') {
      deadline = MemcachedDeadline(request.exptime, ctx.now());
    } else if (flag.letter() == 'N' && created) {
      deadline = stored_deadline;
    } else if (flag.letter() == 'O') {
      ctx.out.Append(' ');
      ctx.out.Append(flag.word());
    } else if (flag.letter() == 'k') {
      AppendKeyFlag(ctx.out, request.key, request.key_is_binary);
    }
  }
  ctx.out.Append("\r\n");
  if (request.meta.Has('v')) {
    ctx.out.Append(digits.view());
    ctx.out.Append("\r\n");
  }
  const bool is_kept = !found || SetMemcachedDeadline(ctx, found, deadline).ok();
  // As memcached has it, q does not hide that the entry was created.
  if (is_kept && (created || !request.noreply)) return;
  ctx.out.Truncate(begin);
  if (!is_kept) ctx.out.Append(wire::kMemcachedOutOfMemory);
}

}  // namespace

void RunIncrement(MemcachedContext& ctx, const MemcachedRequest& request) {
  const Sum sum = Increment(ctx, request, request.command == MemcachedCommand::kDecr);
  if (sum.outcome != MemcachedOutcome::kOk) return ReplyOutcome(ctx, request, sum.outcome);
  if (request.noreply) return;
  if (request.is_binary) {
    const store::Found found = PeekMemcached(ctx);
    const uint64_t cas = found ? MemcachedCas(found.entry) : 0;
    return wire::WriteBinaryNumber(ctx.out, request, sum.number, cas);
  }
  AppendNumber(ctx.out, sum.number);
  ctx.out.Append("\r\n");
}

void RunMetaArithmetic(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_meta.Add();
  const Sum sum = Increment(ctx, request, request.mode == 'D');
  switch (sum.outcome) {
    case MemcachedOutcome::kOk:
      return ReplyNumber(ctx, request, sum.number, sum.created);
    case MemcachedOutcome::kExists:
      return AppendMetaStatus(ctx.out, "EX", request);
    case MemcachedOutcome::kNotFound:
      return AppendMetaStatus(ctx.out, "NF", request);
    default:
      return ctx.out.Append(OutcomeLine(sum.outcome));
  }
}

}  // namespace mikura::engine
