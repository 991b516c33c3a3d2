// SPDX-License-Identifier: Apache-2.0
// Commands that read strings.
#include <algorithm>
#include <memory>
#include <utility>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/computation.h"
#include "engine/commands/held_value.h"
#include "engine/commands/longest_common_subsequence.h"
#include "engine/commands/shared_reply.h"

namespace mikura::engine {
namespace {

// GET key -> the value, or null. Errors: kWrongType. Cost: O(1), one copy of the value.
FaultOr<> Get(CommandContext& ctx) {
  const store::Found found = ctx.keys.Find(ctx.key_list[0]);
  if (!found) {
    ctx.reply.Null();
  } else if (found.entry.type() == store::ValueType::kString) {
    ReplyValue(ctx.reply, found.entry);
  } else {
    return Fault::kWrongType;
  }
  return Ok();
}

// MGET key ... -> a value or null each; null, too, for other types.
FaultOr<> MGet(CommandContext& ctx) {
  ctx.reply.Array(ctx.key_list.size());
  for (const Key& key : ctx.key_list) {
    const store::Found found = ctx.keys.Find(key);
    if (found && found.entry.type() == store::ValueType::kString) {
      ReplyValue(ctx.reply, found.entry);
    } else {
      ctx.reply.Null();
    }
  }
  return Ok();
}

FaultOr<> StrLen(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(ctx.key_list[0]));
  ctx.reply.Integer(found ? static_cast<int64_t>(found.entry.value().size()) : 0);
  return Ok();
}

// A part that is large, of a large value, is not copied.
void ReplyPart(wire::RespWriter& reply, const store::Entry& entry, size_t start, size_t length) {
  constexpr size_t kCopiedMax = 16 << 10;
  const std::string_view value = entry.value();
  if (length >= kCopiedMax) {
    const size_t left_out = value.size() - start - length;
    if (std::optional<wire::SharedBytes> shared = ShareLargeValue(reply.out(), entry, left_out)) {
      shared->RemovePrefix(start);
      return reply.BulkShared(std::move(*shared));
    }
  }
  reply.Bulk(value.substr(start, length));
}

// GETRANGE key start end -> the bytes between, ends included; negative counts from the end.
FaultOr<> GetRange(CommandContext& ctx) {
  ASSIGN_OR_RETURN(int64_t start, ToInteger(ctx.args[2]));
  ASSIGN_OR_RETURN(int64_t end, ToInteger(ctx.args[3]));
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(ctx.key_list[0]));
  const std::string_view value = found ? found.entry.value() : std::string_view();
  const auto size = static_cast<int64_t>(value.size());
  if (start < 0 && end < 0 && start > end) {
    ctx.reply.Bulk("");
    return Ok();
  }
  if (start < 0) start = std::max<int64_t>(size + start, 0);
  if (end < 0) end = std::max<int64_t>(size + end, 0);
  end = std::min(end, size - 1);
  if (size == 0 || start > end) {
    ctx.reply.Bulk("");
  } else {
    const auto length = static_cast<size_t>(end - start + 1);
    ReplyPart(ctx.reply, found.entry, static_cast<size_t>(start), length);
  }
  return Ok();
}

struct LcsOptions {
  bool length_only = false;
  bool indexes = false;
  bool with_match_length = false;
  int64_t match_length_min = 0;
};

FaultOr<LcsOptions> ParseLcsOptions(std::span<const std::string_view> words) {
  LcsOptions options;
  for (size_t i = 0; i < words.size(); ++i) {
    if (EqualsIgnoreCase(words[i], "IDX")) {
      options.indexes = true;
    } else if (EqualsIgnoreCase(words[i], "LEN")) {
      options.length_only = true;
    } else if (EqualsIgnoreCase(words[i], "WITHMATCHLEN")) {
      options.with_match_length = true;
    } else if (EqualsIgnoreCase(words[i], "MINMATCHLEN") && i + 1 < words.size()) {
      ASSIGN_OR_RETURN(options.match_length_min, ToInteger(words[++i]));
      options.match_length_min = std::max<int64_t>(options.match_length_min, 0);
    } else {
      return Fault::kSyntax;
    }
  }
  return options;
}

void ReplyRange(wire::RespWriter& reply, size_t first, size_t length) {
  reply.Array(2);
  reply.Integer(static_cast<int64_t>(first));
  reply.Integer(static_cast<int64_t>(first + length - 1));
}

void ReplyMatches(wire::RespWriter& reply, const LcsResult& result, const LcsOptions& options) {
  const auto wanted = [&](const LcsMatch& match) {
    return static_cast<int64_t>(match.length) >= options.match_length_min;
  };
  reply.Map(2);
  reply.Bulk("matches");
  reply.Array(
      static_cast<size_t>(std::count_if(result.matches.begin(), result.matches.end(), wanted)));
  for (const LcsMatch& match : result.matches) {
    if (!wanted(match)) continue;
    reply.Array(options.with_match_length ? 3 : 2);
    ReplyRange(reply, match.first_a, match.length);
    ReplyRange(reply, match.first_b, match.length);
    if (options.with_match_length) reply.Integer(static_cast<int64_t>(match.length));
  }
  reply.Bulk("len");
  reply.Integer(static_cast<int64_t>(result.common.size()));
}

void ReplyLcs(wire::RespWriter& reply, const LcsResult& result, const LcsOptions& options) {
  if (options.indexes) {
    ReplyMatches(reply, result, options);
  } else if (options.length_only) {
    reply.Integer(static_cast<int64_t>(result.common.size()));
  } else {
    reply.Bulk(result.common);
  }
}

class LcsReply final : public ReplyComputation {
 public:
  LcsReply(store::CollectionMemory& memory, const store::Found& a, const store::Found& b,
           const LcsOptions& options)
      : a_(memory, a), b_(memory, b), options_(options) {}
  void Write(wire::RespWriter& reply) override {
    ReplyLcs(reply, LongestCommonSubsequence(a_.text(), b_.text()), options_);
  }

 private:
  const HeldValue a_;
  const HeldValue b_;
  const LcsOptions options_;
};

// LCS key key [LEN | IDX ...] -> the longest common subsequence. Cost: O(n * m), time and memory.
FaultOr<> Lcs(CommandContext& ctx) {
  store::Found found[2];
  for (size_t i = 0; i < 2; ++i) {
    const FaultOr<store::Found> one = ctx.keys.FindString(ctx.key_list[i]);
    if (!one.ok()) {
      ctx.reply.Error("ERR", "The specified keys must contain string values");
      return Ok();
    }
    found[i] = *one;
  }
  ASSIGN_OR_RETURN(const LcsOptions options, ParseLcsOptions(ctx.args.subspan(3)));
  if (options.length_only && options.indexes) {
    ctx.reply.Error("ERR", "If you want both the length and indexes, please just use IDX.");
    return Ok();
  }
  const std::string_view a = found[0] ? found[0].entry.value() : std::string_view();
  const std::string_view b = found[1] ? found[1].entry.value() : std::string_view();
  if (LcsTableBytes(a.size(), b.size()) > ctx.services.string_bytes_max) {
    ctx.reply.Error("ERR",
                    "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    return Ok();
  }
  constexpr size_t kTableBytesAtOnce = 1 << 20;
  if (LcsTableBytes(a.size(), b.size()) > kTableBytesAtOnce && MayReplyLater(ctx)) {
    store::CollectionMemory& memory = CollectionMemoryOf(ctx.keys);
    ReplyFrom(ctx, std::make_shared<LcsReply>(memory, found[0], found[1], options), a.size());
  } else {
    ReplyLcs(ctx.reply, LongestCommonSubsequence(a, b), options);
  }
  return Ok();
}

constexpr CommandSpec kStringCommands[] = {
    {.name = "GET",
     .handler = Get,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Returns the string value of a key.",
     .key_access = "RO access"},
    {.name = "MGET",
     .handler = MGet,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kReadOnly | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Returns the string values of several keys.",
     .tips = "request_policy:multi_shard",
     .key_access = "RO access"},
    {.name = "STRLEN",
     .handler = StrLen,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "2.2.0",
     .summary = "Returns the number of bytes of a string.",
     .key_access = "RO"},
    {.name = "GETRANGE",
     .handler = GetRange,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclString,
     .group = "string",
     .since = "2.4.0",
     .summary = "Returns a part of a string.",
     .key_access = "RO access"},
    {.name = "SUBSTR",
     .handler = GetRange,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Older name of GETRANGE.",
     .key_access = "RO access"},
    {.name = "LCS",
     .handler = Lcs,
     .arity = AtLeast(3),
     .keys = KeysFrom(1, 2, 1),
     .flags = kReadOnly,
     .acl = kAclString,
     .group = "string",
     .since = "7.0.0",
     .summary = "Finds the longest common subsequence of two strings.",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> StringCommands() { return kStringCommands; }

}  // namespace mikura::engine
