// SPDX-License-Identifier: Apache-2.0
// Commands that see a part of a hash: some fields at random, or the next ones of an iteration.
#include "engine/commands/command_families.h"
#include "engine/commands/hash_editor.h"
#include "engine/commands/long_reply.h"
#include "engine/commands/random_picks.h"
#include "engine/commands/scan_options.h"

namespace mikura::engine {
namespace {

// The live fields of a hash by number. While some fields are due, which is for some milliseconds
// only, their positions are looked up once, in O(n).
class LiveFields {
 public:
  LiveFields(const HashValue& hash, UnixMillis now) : hash_(hash) {
    if (hash.first_deadline() > now) return;
    has_due_ = true;
    uint64_t position = 0;
    for (HashValue::Cursor c(hash); !c.at_end(); c.Next(), ++position) {
      if (!c.field().IsDue(now)) positions_.push_back(position);
    }
  }

  const HashValue& hash() const { return hash_; }
  bool has_due() const { return has_due_; }
  uint64_t size() const { return has_due_ ? positions_.size() : hash_.size(); }
  HashField At(uint64_t number) const {
    return hash_.At(has_due_ ? positions_[static_cast<size_t>(number)] : number);
  }

 private:
  const HashValue& hash_;
  bool has_due_ = false;
  std::vector<uint64_t> positions_;
};

// In RESP3, pairs are arrays of two.
void ReplyPick(wire::RespWriter& reply, const HashField& field, bool with_values) {
  if (with_values && reply.version() > 2) reply.Array(2);
  reply.Bulk(field.name);
  if (with_values) reply.Bulk(field.value);
}

void ReplyPickCount(wire::RespWriter& reply, uint64_t picks, bool with_values) {
  reply.Array(static_cast<size_t>(picks) * (with_values && reply.version() == 2 ? 2 : 1));
}

void ReplyWithRepetitions(CommandContext& ctx, const LiveFields& fields, uint64_t count,
                          bool with_values) {
  ReplyPickCount(ctx.reply, count, with_values);
  const auto make_walk = [&](const HashValue& copy) {
    return RandomWalk(copy.size(), count,
                      [&copy, with_values](wire::RespWriter& reply, uint64_t at) {
                        ReplyPick(reply, copy.At(at), with_values);
                      });
  };
  if (!fields.has_due() && ReplyLater(ctx.keys, ctx.reply, fields.hash(), count, make_walk)) return;
  RandomSource random;
  for (uint64_t i = 0; i < count; ++i) {
    ReplyPick(ctx.reply, fields.At(random.Below(fields.size())), with_values);
  }
}

void ReplyDifferent(CommandContext& ctx, const LiveFields& fields, uint64_t count,
                    bool with_values) {
  count = std::min(count, fields.size());
  ReplyPickCount(ctx.reply, count, with_values);
  const bool is_sample = count == fields.size() || IsLargeSample(count, fields.size());
  if (is_sample && !fields.has_due()) {
    const auto make_walk = [&](const HashValue& copy) {
      return SampleWalk(HashValue::Cursor(copy), copy.size(), count,
                        [with_values](wire::RespWriter& reply, const HashValue::Cursor& cursor) {
                          ReplyPick(reply, cursor.field(), with_values);
                        });
    };
    if (ReplyLater(ctx.keys, ctx.reply, fields.hash(), count, make_walk)) return;
  }
  if (count == fields.size()) {
    for (uint64_t i = 0; i < count; ++i) ReplyPick(ctx.reply, fields.At(i), with_values);
    return;
  }
  RandomSource random;
  for (const uint64_t number : PickDifferent(random, fields.size(), count)) {
    ReplyPick(ctx.reply, fields.At(number), with_values);
  }
}

FaultOr<> HRandFieldCount(CommandContext& ctx) {
  const std::optional<int64_t> count = TakeCount(ctx, ctx.args[2]);
  if (!count) return Ok();
  const bool with_values = ctx.args.size() > 3;
  if (ctx.args.size() > 4 || (with_values && !EqualsIgnoreCase(ctx.args[3], "WITHVALUES"))) {
    return Fault::kSyntax;
  }
  if (with_values && (*count < -INT64_MAX / 2 || *count > INT64_MAX / 2)) {
    ctx.reply.Error("ERR", "value is out of range");
    return Ok();
  }
  ASSIGN_OR_RETURN(const HashView& hash, ctx.keys.View<HashValue>(ctx.key_list[0]));
  if (!hash || *count == 0 || LiveSize(*hash, ctx.now()) == 0) {
    ctx.reply.Array(0);
    return Ok();
  }
  const LiveFields fields(*hash, ctx.now());
  if (*count > 0) {
    ReplyDifferent(ctx, fields, static_cast<uint64_t>(*count), with_values);
  } else if (IsReplyBounded(static_cast<uint64_t>(-*count), hash->size(), hash->content_bytes())) {
    ReplyWithRepetitions(ctx, fields, static_cast<uint64_t>(-*count), with_values);
  } else {
    ctx.reply.Error("ERR", "value is out of range");
  }
  return Ok();
}

// HRANDFIELD key [count [WITHVALUES]] -> a field; or up to count different ones; or, of a negative
// count, as many with repetitions. Cost: O(count * log n).
FaultOr<> HRandField(CommandContext& ctx) {
  if (ctx.args.size() > 2) return HRandFieldCount(ctx);
  ASSIGN_OR_RETURN(const HashView& hash, ctx.keys.View<HashValue>(ctx.key_list[0]));
  if (!hash || LiveSize(*hash, ctx.now()) == 0) {
    ctx.reply.Null();
    return Ok();
  }
  const LiveFields fields(*hash, ctx.now());
  RandomSource random;
  ctx.reply.Bulk(fields.At(random.Below(fields.size())).name);
  return Ok();
}

// HSCAN key cursor [MATCH pattern] [COUNT n] [NOVALUES] -> the next cursor, and fields with their
// values. A field that is there during a whole iteration is returned at least once.
FaultOr<> HScan(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const uint64_t cursor, ParseScanCursor(ctx.args[2]));
  ASSIGN_OR_RETURN(const HashView& hash, ctx.keys.View<HashValue>(ctx.key_list[0]));
  ScanReply reply;
  if (!hash) {
    reply.Write(ctx.reply, 0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const ScanOptions options,
                   ParseScanOptions(ScanKind::kHash, ctx.args.subspan(3)));
  const uint64_t next =
      hash->Scan(cursor, static_cast<uint64_t>(options.count), [&](const HashField& field) {
        if (field.IsDue(ctx.now()) || !options.Matches(field.name)) return;
        reply.Add(field.name);
        if (!options.no_values) reply.Add(field.value);
      });
  reply.Write(ctx.reply, next);
  return Ok();
}

constexpr CommandSpec kHashScanCommands[] = {
    {.name = "HRANDFIELD",
     .handler = HRandField,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclHash,
     .group = "hash",
     .since = "6.2.0",
     .summary = "Returns fields at random.",
     .tips = "nondeterministic_output",
     .key_access = "RO access"},
    {.name = "HSCAN",
     .handler = HScan,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.8.0",
     .summary = "Iterates over the fields of a hash.",
     .tips = "nondeterministic_output",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> HashScanCommands() { return kHashScanCommands; }

}  // namespace mikura::engine
