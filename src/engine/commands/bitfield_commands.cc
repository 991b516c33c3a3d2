// SPDX-License-Identifier: Apache-2.0
// BITFIELD: integers of any width inside strings.
#include <algorithm>
#include <vector>

#include "engine/commands/bit_offset.h"
#include "engine/commands/bit_operations.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/string_growth.h"

namespace mikura::engine {
namespace {

using Wide = __int128;  // every sum of two fields

struct FieldType {
  bool is_signed = false;
  unsigned bits = 0;

  Wide max() const { return (Wide{1} << (is_signed ? bits - 1 : bits)) - 1; }
  Wide min() const { return is_signed ? -(Wide{1} << (bits - 1)) : Wide{0}; }
  // The number whose lowest bits these are.
  Wide FromBits(uint64_t value) const {
    const Wide number = value;
    return is_signed && number > max() ? number - (Wide{1} << bits) : number;
  }
  uint64_t ToBits(Wide number) const {
    const auto value = static_cast<uint64_t>(number);
    return bits == 64 ? value : value & ((uint64_t{1} << bits) - 1);
  }
};

enum class Overflow : uint8_t { kWrap, kSaturate, kFail };
enum class FieldAction : uint8_t { kGet, kSet, kAdd };

struct FieldOperation {
  FieldAction action = FieldAction::kGet;
  FieldType type;
  uint64_t offset = 0;
  int64_t operand = 0;
  Overflow overflow = Overflow::kWrap;

  uint64_t bytes_needed() const { return (offset + type.bits - 1) / 8 + 1; }
};

// "i1" to "i64", "u1" to "u63".
std::optional<FieldType> ParseFieldType(std::string_view text) {
  if (text.empty() || (text[0] != 'i' && text[0] != 'u')) return std::nullopt;
  const bool is_signed = text[0] == 'i';
  const std::optional<int64_t> bits = ParseInt64(text.substr(1));
  if (!bits || *bits < 1 || *bits > (is_signed ? 64 : 63)) return std::nullopt;
  return FieldType{is_signed, static_cast<unsigned>(*bits)};
}

std::optional<Overflow> ParseOverflow(std::string_view word) {
  if (EqualsIgnoreCase(word, "WRAP")) return Overflow::kWrap;
  if (EqualsIgnoreCase(word, "SAT")) return Overflow::kSaturate;
  if (EqualsIgnoreCase(word, "FAIL")) return Overflow::kFail;
  return std::nullopt;
}

struct ParsedFields {
  std::vector<FieldOperation> operations;
  bool only_reads = true;
  uint64_t bytes_needed = 0;  // by those that write
};

class FieldParser {
 public:
  explicit FieldParser(CommandContext& ctx) : ctx_(ctx) {}

  // False after an error reply. Errors: kSyntax, kNotAnInteger.
  FaultOr<bool> Parse(ParsedFields& parsed) {
    while (at_ < ctx_.args.size()) {
      if (Next("OVERFLOW", 1)) {
        const std::optional<Overflow> overflow = ParseOverflow(ctx_.args[at_ + 1]);
        if (!overflow) return Complain("Invalid OVERFLOW type specified");
        overflow_ = *overflow;
        at_ += 2;
        continue;
      }
      FieldOperation operation;
      ASSIGN_OR_RETURN(const bool is_whole, ParseOperation(operation));
      if (!is_whole) return false;
      if (operation.action != FieldAction::kGet) {
        parsed.only_reads = false;
        parsed.bytes_needed = std::max(parsed.bytes_needed, operation.bytes_needed());
      }
      parsed.operations.push_back(operation);
    }
    return true;
  }

 private:
  // Whether `word` is next, and so many others behind it.
  bool Next(std::string_view word, size_t others) const {
    return at_ + others < ctx_.args.size() && EqualsIgnoreCase(ctx_.args[at_], word);
  }

  FaultOr<bool> Complain(std::string_view text) {
    ctx_.reply.Error("ERR", text);
    return false;
  }

  FaultOr<bool> ParseOperation(FieldOperation& operation) {
    if (Next("GET", 2)) {
      operation.action = FieldAction::kGet;
    } else if (Next("SET", 3)) {
      operation.action = FieldAction::kSet;
    } else if (Next("INCRBY", 3)) {
      operation.action = FieldAction::kAdd;
    } else {
      return Fault::kSyntax;
    }
    const std::optional<FieldType> type = ParseFieldType(ctx_.args[at_ + 1]);
    if (!type) {
      return Complain(
          "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
          "i64 is.");
    }
    std::string_view place = ctx_.args[at_ + 2];
    const bool counts_fields = !place.empty() && place[0] == '#';
    if (counts_fields) place.remove_prefix(1);
    const std::optional<uint64_t> offset =
        ParseBitOffset(ctx_, place, counts_fields ? type->bits : 1);
    if (!offset) return Complain(kBadBitOffset);
    operation.type = *type;
    operation.offset = *offset;
    operation.overflow = overflow_;
    at_ += 3;
    if (operation.action == FieldAction::kGet) return true;
    ASSIGN_OR_RETURN(operation.operand, ToInteger(ctx_.args[at_]));
    ++at_;
    return true;
  }

  CommandContext& ctx_;
  size_t at_ = 2;
  Overflow overflow_ = Overflow::kWrap;
};

// The number that the field shall hold; nullopt: it stays as it is.
std::optional<Wide> NewNumber(const FieldOperation& operation, Wide old) {
  const FieldType& type = operation.type;
  Wide number = operation.operand;
  if (operation.action == FieldAction::kAdd) {
    number += old;
  } else if (!type.is_signed) {
    number = static_cast<uint64_t>(operation.operand);  // a negative one is too large
  }
  if (number >= type.min() && number <= type.max()) return number;
  switch (operation.overflow) {
    case Overflow::kFail:
      return std::nullopt;
    case Overflow::kSaturate:
      return number > type.max() ? type.max() : type.min();
    case Overflow::kWrap:
      break;
  }
  return type.FromBits(type.ToBits(number));
}

// False when all that would be written is there already.
bool MayChange(const ParsedFields& parsed, std::string_view value) {
  if (value.size() < parsed.bytes_needed) return true;
  return std::any_of(
      parsed.operations.begin(), parsed.operations.end(), [value](const FieldOperation& operation) {
        if (operation.action == FieldAction::kGet) return false;
        const FieldType& type = operation.type;
        const Wide old = type.FromBits(ReadField(value, operation.offset, type.bits));
        const std::optional<Wide> number = NewNumber(operation, old);
        return number && *number != old;
      });
}

// Runs one operation on `bytes` and replies. True when it has changed something: a value that grew
// for it has changed too.
bool RunOnField(CommandContext& ctx, const FieldOperation& operation, std::string_view value,
                char* bytes, bool grows) {
  const FieldType& type = operation.type;
  const Wide old = type.FromBits(ReadField(value, operation.offset, type.bits));
  if (operation.action == FieldAction::kGet) {
    ctx.reply.Integer(static_cast<int64_t>(old));
    return false;
  }
  const std::optional<Wide> number = NewNumber(operation, old);
  if (!number) {
    ctx.reply.Null();
    return false;
  }
  if (bytes != nullptr) {
    WriteField(bytes, operation.offset, type.bits, type.ToBits(*number));
  }
  ctx.reply.Integer(static_cast<int64_t>(operation.action == FieldAction::kSet ? old : *number));
  return *number != old || grows;
}

FaultOr<> RunFields(CommandContext& ctx, bool may_write) {
  ParsedFields parsed;
  ASSIGN_OR_RETURN(const bool is_whole, FieldParser(ctx).Parse(parsed));
  if (!is_whole) return Ok();
  if (!parsed.only_reads && !may_write) {
    ctx.reply.Error("ERR", "BITFIELD_RO only supports the GET subcommand");
    return Ok();
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(store::Found found, ctx.keys.FindString(key));
  std::string_view value = found ? found.entry.value() : std::string_view();
  char* bytes = nullptr;
  const bool grows = !parsed.only_reads && value.size() < parsed.bytes_needed;
  if (!parsed.only_reads && MayChange(parsed, value)) {
    ASSIGN_OR_RETURN(bytes, GrowString(ctx.keys, key, found, parsed.bytes_needed));
    value = found.entry.value();
  }
  ctx.reply.Array(parsed.operations.size());
  bool has_written = false;
  for (const FieldOperation& operation : parsed.operations) {
    has_written |= RunOnField(ctx, operation, value, bytes, grows);
  }
  if (has_written) ctx.keys.Notify(EventClass::kString, "setbit", key);
  if (has_written || grows) ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  return Ok();
}

// BITFIELD key [OVERFLOW WRAP | SAT | FAIL] [GET type offset | SET type offset value | INCRBY type
// offset number] ... -> a number or null for each.
FaultOr<> BitField(CommandContext& ctx) { return RunFields(ctx, true); }
FaultOr<> BitFieldReadOnly(CommandContext& ctx) { return RunFields(ctx, false); }

constexpr CommandSpec kBitfieldCommands[] = {
    {.name = "BITFIELD",
     .handler = BitField,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclBitmap,
     .group = "bitmap",
     .since = "3.2.0",
     .summary = "Reads and changes integers of any width in a string.",
     .key_access = "RW access update variable_flags",
     .key_notes = "Fields are read, or changed, or both."},
    {.name = "BITFIELD_RO",
     .handler = BitFieldReadOnly,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclBitmap,
     .group = "bitmap",
     .since = "6.0.0",
     .summary = "Reads integers of any width in a string.",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> BitfieldCommands() { return kBitfieldCommands; }

}  // namespace mikura::engine
