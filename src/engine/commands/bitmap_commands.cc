// SPDX-License-Identifier: Apache-2.0
// Commands that treat strings as rows of bits.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/bit_offset.h"
#include "engine/commands/bit_operations.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/preparation.h"
#include "engine/commands/string_growth.h"

namespace mikura::engine {
namespace {

FaultOr<> ReplyError(CommandContext& ctx, std::string_view text) {
  ctx.reply.Error("ERR", text);
  return Ok();
}

// SETBIT key offset bit -> the bit that was there. Cost: O(1), but for bytes that are added.
FaultOr<> SetBit(CommandContext& ctx) {
  const std::optional<uint64_t> offset = ParseBitOffset(ctx, ctx.args[2]);
  if (!offset) return ReplyError(ctx, kBadBitOffset);
  const std::optional<int64_t> bit = ParseInt64(ctx.args[3]);
  if (!bit || *bit < 0 || *bit > 1) {
    return ReplyError(ctx, "bit is not an integer or out of range");
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(store::Found found, ctx.keys.FindString(key));
  const auto at = static_cast<size_t>(*offset / 8);
  if (found && found.entry.value().size() > at &&
      ReadField(found.entry.value(), *offset, 1) == static_cast<uint64_t>(*bit)) {
    ctx.reply.Integer(*bit);  // nothing changes, for nobody
    return Ok();
  }
  ASSIGN_OR_RETURN(char* const bytes, GrowString(ctx.keys, key, found, at + 1));
  const uint64_t old = ReadField({bytes, at + 1}, *offset, 1);
  WriteField(bytes, *offset, 1, static_cast<uint64_t>(*bit));
  ctx.keys.Notify(EventClass::kString, "setbit", key);
  AddEffect(ctx, {"SETBIT", key.name, ctx.args[2], ctx.args[3]});
  ctx.reply.Integer(static_cast<int64_t>(old));
  return Ok();
}

FaultOr<> GetBit(CommandContext& ctx) {
  const std::optional<uint64_t> offset = ParseBitOffset(ctx, ctx.args[2]);
  if (!offset) return ReplyError(ctx, kBadBitOffset);
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(ctx.key_list[0]));
  const std::string_view value = found ? found.entry.value() : std::string_view();
  ctx.reply.Integer(static_cast<int64_t>(ReadField(value, *offset, 1)));
  return Ok();
}

// A range of bits or bytes as a client gives it.
struct WantedRange {
  int64_t start = 0;
  int64_t end = -1;
  bool in_bits = false;
};
struct BitRange {
  uint64_t first = 0;
  uint64_t last = 0;
};

// BIT or BYTE.
FaultOr<bool> ParseUnit(std::string_view word) {
  if (EqualsIgnoreCase(word, "BIT")) return true;
  if (EqualsIgnoreCase(word, "BYTE")) return false;
  return Fault::kSyntax;
}

// The bits that are meant in a string of `size` bytes; nullopt when there are none.
std::optional<BitRange> BitsOf(WantedRange range, size_t size) {
  const auto total = static_cast<int64_t>(range.in_bits ? size * 8 : size);
  if (range.start < 0) range.start = std::max<int64_t>(range.start + total, 0);
  if (range.end < 0) range.end = std::max<int64_t>(range.end + total, 0);
  range.end = std::min(range.end, total - 1);
  if (range.start > range.end) return std::nullopt;
  const auto first = static_cast<uint64_t>(range.start);
  const auto last = static_cast<uint64_t>(range.end);
  if (range.in_bits) return BitRange{first, last};
  return BitRange{first * 8, last * 8 + 7};
}

// What BITCOUNT and BITPOS do with the bits of a value; the replies' number.
using BitSearch = int64_t (*)(std::string_view value, const BitRange& bits, bool bit, bool has_end);

int64_t CountSet(std::string_view value, const BitRange& bits, bool, bool) {
  return static_cast<int64_t>(CountOnes(value, bits.first, bits.last));
}

int64_t FindFirst(std::string_view value, const BitRange& bits, bool bit, bool has_end) {
  std::optional<uint64_t> place = FindBit(value, bit, bits.first, bits.last);
  if (!place && !bit && !has_end) place = value.size() * 8;
  return place ? static_cast<int64_t>(*place) : -1;
}

class BitReply final : public ReplyComputation {
 public:
  BitReply(store::CollectionMemory& memory, const store::Found& found, BitSearch search,
           const BitRange& bits, bool bit, bool has_end)
      : value_(memory, found), search_(search), bits_(bits), bit_(bit), has_end_(has_end) {}
  void Write(wire::RespWriter& reply) override {
    reply.Integer(search_(value_.text(), bits_, bit_, has_end_));
  }

 private:
  const HeldValue value_;
  const BitSearch search_;
  const BitRange bits_;
  const bool bit_;
  const bool has_end_;
};

void ReplyBits(CommandContext& ctx, const store::Found& found, BitSearch search,
               const BitRange& bits, bool bit = false, bool has_end = false) {
  constexpr uint64_t kBitsAtOnce = uint64_t{8} << 20;
  if (bits.last - bits.first >= kBitsAtOnce && MayReplyLater(ctx)) {
    ReplyFrom(
        ctx,
        std::make_shared<BitReply>(CollectionMemoryOf(ctx.keys), found, search, bits, bit, has_end),
        1);
  } else {
    ctx.reply.Integer(search(found.entry.value(), bits, bit, has_end));
  }
}

// BITCOUNT key [start end [BYTE | BIT]] -> how many bits are set. Cost: O(n).
FaultOr<> BitCount(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(ctx.key_list[0]));
  if (!found) {
    ctx.reply.Integer(0);
    return Ok();
  }
  const std::string_view value = found.entry.value();
  WantedRange range;
  if (ctx.args.size() == 4 || ctx.args.size() == 5) {
    ASSIGN_OR_RETURN(range.start, ToInteger(ctx.args[2]));
    ASSIGN_OR_RETURN(range.end, ToInteger(ctx.args[3]));
    if (range.start < 0 && range.end < 0 && range.start > range.end) {
      ctx.reply.Integer(0);
      return Ok();
    }
    if (ctx.args.size() == 5) {
      ASSIGN_OR_RETURN(range.in_bits, ParseUnit(ctx.args[4]));
    }
  } else if (ctx.args.size() != 2) {
    return Fault::kSyntax;
  }
  const std::optional<BitRange> bits = BitsOf(range, value.size());
  if (bits) {
    ReplyBits(ctx, found, CountSet, *bits);
  } else {
    ctx.reply.Integer(0);
  }
  return Ok();
}

// BITPOS key bit [start [end [BYTE | BIT]]] -> the first such bit, or -1. A string goes on with
// zeros unless an end is given.
FaultOr<> BitPos(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int64_t bit, ToInteger(ctx.args[2]));
  if (bit != 0 && bit != 1) return ReplyError(ctx, "The bit argument must be 1 or 0.");
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(ctx.key_list[0]));
  if (!found) {
    ctx.reply.Integer(bit == 1 ? -1 : 0);
    return Ok();
  }
  const std::string_view value = found.entry.value();
  if (ctx.args.size() > 6) return Fault::kSyntax;
  WantedRange range;
  if (ctx.args.size() > 3) {
    ASSIGN_OR_RETURN(range.start, ToInteger(ctx.args[3]));
  }
  const bool has_end = ctx.args.size() > 4;
  if (ctx.args.size() > 5) {
    ASSIGN_OR_RETURN(range.in_bits, ParseUnit(ctx.args[5]));
  }
  if (has_end) {
    ASSIGN_OR_RETURN(range.end, ToInteger(ctx.args[4]));
  }
  const std::optional<BitRange> bits = BitsOf(range, value.size());
  if (bits) {
    ReplyBits(ctx, found, FindFirst, *bits, bit == 1, has_end);
  } else {
    ctx.reply.Integer(-1);
  }
  return Ok();
}

struct NamedCombination {
  std::string_view name;
  BitCombination combination;
  size_t sources_min = 1;
};
constexpr NamedCombination kCombinations[] = {
    {"AND", BitCombination::kAnd},        {"OR", BitCombination::kOr},
    {"XOR", BitCombination::kXor},        {"NOT", BitCombination::kNot},
    {"DIFF", BitCombination::kDiff, 2},   {"DIFF1", BitCombination::kDiff1, 2},
    {"ANDOR", BitCombination::kAndOr, 2}, {"ONE", BitCombination::kOne},
};

// Stores what was combined; an empty string only removes what was there.
FaultOr<> StoreCombined(CommandContext& ctx, const Key& key, std::string_view bytes) {
  if (bytes.empty()) {
    if (!ctx.keys.Erase(key)) return Ok();
    ctx.keys.Notify(EventClass::kGeneric, "del", key);
    AddEffect(ctx, {"DEL", key.name});
    return Ok();
  }
  const FaultOr<store::Found> stored = ctx.keys.SetString(key, bytes, {});
  if (!stored.ok()) return stored.error();
  ctx.keys.Notify(EventClass::kString, "set", key);
  ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  return Ok();
}

struct PreparedCombination final : Preparation {
  using Preparation::Preparation;
  void Compute() override {
    std::vector<std::string_view> sources;
    for (size_t i = 0; i < held_count(); ++i) sources.push_back(held(i).text());
    bytes = CombineBits(combination, sources);
  }

  BitCombination combination = BitCombination::kAnd;
  std::string bytes;
};

// The sources under all keys but the first, combined; of no meaning when that is done elsewhere.
std::string CombineSources(CommandContext& ctx, BitCombination combination,
                           const std::vector<std::string_view>& sources) {
  constexpr size_t kBytesAtOnce = 1 << 20;
  size_t bytes = 0;
  for (const std::string_view source : sources) bytes += source.size();
  if (bytes > kBytesAtOnce) {
    const auto prepared = Prepare<PreparedCombination>(ctx, [&](PreparedCombination& next) {
      next.combination = combination;
      for (size_t i = 1; i < ctx.key_list.size(); ++i) next.Hold(ctx, i);
    });
    if (ctx.outcome == RunOutcome::kPreparing) return {};
    if (prepared) return std::move(prepared->bytes);
  }
  return CombineBits(combination, sources);
}

// BITOP operation destination source ... -> the length of the result. Cost: O(n), and memory for
// the result.
FaultOr<> BitOp(CommandContext& ctx) {
  const auto* const named =
      std::find_if(std::begin(kCombinations), std::end(kCombinations),
                   [&](const auto& row) { return EqualsIgnoreCase(row.name, ctx.args[1]); });
  if (named == std::end(kCombinations)) return Fault::kSyntax;
  const std::span<const Key> keys = ctx.key_list.subspan(1);
  if (named->combination == BitCombination::kNot && keys.size() != 1) {
    return ReplyError(ctx, "BITOP NOT must be called with a single source key.");
  }
  if (keys.size() < named->sources_min) {
    return ReplyError(ctx, "BITOP " + std::string(named->name) +
                               " must be called with at least two source keys.");
  }
  std::vector<std::string_view> sources;
  for (const Key& key : keys) {
    ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(key));
    sources.push_back(found ? found.entry.value() : std::string_view());
  }
  const std::string bytes = CombineSources(ctx, named->combination, sources);
  if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  RETURN_IF_ERROR(StoreCombined(ctx, ctx.key_list[0], bytes));
  ctx.reply.Integer(static_cast<int64_t>(bytes.size()));
  return Ok();
}

constexpr KeySpec kBitOpKeys[] = {KeysInRange("OW update", 2, 2), KeysInRange("RO access", 3, -1)};

constexpr CommandSpec kBitmapCommands[] = {
    {.name = "SETBIT",
     .handler = SetBit,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .group = "bitmap",
     .since = "2.2.0",
     .summary = "Sets or clears a bit of a string.",
     .key_access = "RW access update"},
    {.name = "GETBIT",
     .handler = GetBit,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclBitmap,
     .group = "bitmap",
     .since = "2.2.0",
     .summary = "Returns a bit of a string.",
     .key_access = "RO access"},
    {.name = "BITCOUNT",
     .handler = BitCount,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclBitmap,
     .group = "bitmap",
     .since = "2.6.0",
     .summary = "Counts the bits that are set in a string.",
     .key_access = "RO access"},
    {.name = "BITPOS",
     .handler = BitPos,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclBitmap,
     .group = "bitmap",
     .since = "2.8.7",
     .summary = "Finds the first bit of a string that is set, or clear.",
     .key_access = "RO access"},
    {.name = "BITOP",
     .handler = BitOp,
     .arity = AtLeast(4),
     .keys = KeysFrom(2, -1, 1),
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .group = "bitmap",
     .since = "2.6.0",
     .summary = "Combines strings bit by bit, and stores the result.",
     .key_specs = kBitOpKeys},
};

}  // namespace

std::span<const CommandSpec> BitmapCommands() { return kBitmapCommands; }

}  // namespace mikura::engine
