// SPDX-License-Identifier: Apache-2.0
// PFADD, PFCOUNT, PFMERGE and what looks inside. Values are strings that clients may write too.
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/hyperloglog_editor.h"
#include "engine/commands/string_growth.h"

namespace mikura::engine {
namespace {

// Absent, or a HyperLogLog by its header. Errors: kWrongType, kNoHyperLogLog.
FaultOr<store::Found> FindSketch(CommandContext& ctx, const Key& key) {
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(key));
  if (found && FormOf(found.entry.value()) == HyperLogLogForm::kNone) return Fault::kNoHyperLogLog;
  return found;
}

int64_t SparseBytesMax(CommandContext& ctx) {
  return ctx.services.encoding_limits.hll_sparse_bytes.load(std::memory_order_relaxed);
}

// Stores `bytes` in place of what was found, whose deadline stays.
FaultOr<> Store(CommandContext& ctx, const Key& key, store::Found& found, std::string_view bytes) {
  if (!found) {
    const FaultOr<store::Found> stored = ctx.keys.SetString(key, bytes, {});
    if (!stored.ok()) return stored.error();
    return Ok();
  }
  ASSIGN_OR_RETURN(char* const target, ReshapeString(ctx.keys, key, found, bytes.size()));
  std::memcpy(target, bytes.data(), bytes.size());
  return Ok();
}

// Adds elements to a dense value where it lies. Returns whether a register was raised.
FaultOr<bool> AddToDense(CommandContext& ctx, const Key& key, store::Found& found) {
  const char* registers = found.entry.value().data() + kHyperLogLogHeaderBytes;
  char* bytes = nullptr;  // once something changes
  for (const std::string_view element : ctx.args.subspan(2)) {
    const HyperLogLogMark mark = MarkOf(element);
    if (DenseRegister(registers, mark.position) >= mark.value) continue;
    if (bytes == nullptr) {
      ASSIGN_OR_RETURN(bytes, ReshapeString(ctx.keys, key, found, kHyperLogLogDenseBytes));
      DropEstimate(bytes);
      registers = bytes + kHyperLogLogHeaderBytes;
    }
    SetDenseRegister(bytes + kHyperLogLogHeaderBytes, mark.position, mark.value);
  }
  return bytes != nullptr;
}

// The same for a sparse value, or none, which is made.
FaultOr<bool> AddToSparse(CommandContext& ctx, const Key& key, store::Found& found) {
  // From here on it pays to look at registers first.
  constexpr size_t kManyElements = 8;
  HyperLogLogEditor editor(SparseBytesMax(ctx));
  bool changed = !found;
  if (!found) {
    editor.Clear();
  } else if (!editor.Load(found.entry.value())) {
    return Fault::kBrokenHyperLogLog;
  }
  if (ctx.args.size() > kManyElements) editor.RememberRegisters();
  for (const std::string_view element : ctx.args.subspan(2)) {
    if (editor.Raise(MarkOf(element))) changed = true;
  }
  if (!changed) return false;
  editor.DropEstimate();
  RETURN_IF_ERROR(Store(ctx, key, found, editor.value()));
  return true;
}

// PFADD key [element ...] -> 1 when the estimate may have changed. Cost: O(elements) when dense,
// times the size of the value when sparse; no memory but that of the value.
FaultOr<> PfAdd(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(store::Found found, FindSketch(ctx, key));
  const bool is_dense = found && FormOf(found.entry.value()) == HyperLogLogForm::kDense;
  ASSIGN_OR_RETURN(const bool changed,
                   is_dense ? AddToDense(ctx, key, found) : AddToSparse(ctx, key, found));
  if (changed) {
    ctx.keys.Notify(EventClass::kString, "pfadd", key);
    ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  }
  ctx.reply.Integer(changed ? 1 : 0);
  return Ok();
}

// The estimate of one key, which is kept in the value for the next time. A replica keeps it too,
// for itself.
FaultOr<> CountOne(CommandContext& ctx, const Key& key) {
  ASSIGN_OR_RETURN(store::Found found, FindSketch(ctx, key));
  if (!found) {
    ctx.reply.Integer(0);
    return Ok();
  }
  const std::string_view value = found.entry.value();
  if (const std::optional<uint64_t> kept = KeptEstimate(value)) {
    ctx.reply.Integer(static_cast<int64_t>(*kept));
    return Ok();
  }
  const std::optional<HyperLogLogHistogram> histogram = HistogramOf(value);
  if (!histogram) return Fault::kBrokenHyperLogLog;
  const uint64_t estimate = Estimate(*histogram);
  ctx.reply.Integer(static_cast<int64_t>(estimate));
  const FaultOr<char*> bytes = ReshapeString(ctx.keys, key, found, value.size());
  if (!bytes.ok()) return Ok();  // no memory: it is computed again
  KeepEstimate(*bytes, estimate);
  if (ctx.services.control.IsPrimary()) AddEffect(ctx, {"PFCOUNT", key.name});
  return Ok();
}

// Raises `registers` to those of a key, when it exists. Errors: those of FindSketch, and
// kBrokenHyperLogLog.
FaultOr<store::Found> MergeKey(CommandContext& ctx, const Key& key, HyperLogLogArray& registers) {
  ASSIGN_OR_RETURN(const store::Found found, FindSketch(ctx, key));
  if (found && !MergeInto(found.entry.value(), registers)) return Fault::kBrokenHyperLogLog;
  return found;
}

// PFCOUNT key ... -> the estimate for all keys together. Cost: O(1) when it is kept, otherwise some
// ten microseconds for each key.
FaultOr<> PfCount(CommandContext& ctx) {
  if (ctx.key_list.size() == 1) return CountOne(ctx, ctx.key_list[0]);
  HyperLogLogArray registers{};
  for (const Key& key : ctx.key_list) {
    RETURN_IF_ERROR(MergeKey(ctx, key, registers));
  }
  ctx.reply.Integer(static_cast<int64_t>(Estimate(HistogramOf(registers))));
  return Ok();
}

// PFMERGE destination [source ...]: the destination is one of what is merged.
FaultOr<> PfMerge(CommandContext& ctx) {
  HyperLogLogArray registers{};
  bool is_dense = false;
  for (const Key& key : ctx.key_list) {
    ASSIGN_OR_RETURN(const store::Found found, MergeKey(ctx, key, registers));
    if (found && FormOf(found.entry.value()) == HyperLogLogForm::kDense) is_dense = true;
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(store::Found found, FindSketch(ctx, key));
  HyperLogLogEditor editor(SparseBytesMax(ctx));
  if (!found) {
    editor.Clear();
  } else if (!editor.Load(found.entry.value())) {
    return Fault::kBrokenHyperLogLog;
  }
  if (is_dense) editor.MakeDense();
  for (uint32_t i = 0; i < kHyperLogLogRegisters; ++i) {
    if (registers[i] != 0) editor.Raise({i, registers[i]});
  }
  editor.DropEstimate();
  RETURN_IF_ERROR(Store(ctx, key, found, editor.value()));
  ctx.keys.Notify(EventClass::kString, "pfadd", key);
  ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  ctx.reply.Ok();
  return Ok();
}

// Makes the value dense: true when it was not.
FaultOr<bool> MakeDense(CommandContext& ctx, store::Found& found) {
  const Key& key = ctx.key_list[0];
  HyperLogLogEditor editor(SparseBytesMax(ctx));
  if (!editor.Load(found.entry.value())) return Fault::kBrokenHyperLogLog;
  if (editor.is_dense()) return false;
  editor.MakeDense();
  RETURN_IF_ERROR(Store(ctx, key, found, editor.value()));
  AddEffect(ctx, {"PFDEBUG", "TODENSE", key.name});
  return true;
}

FaultOr<> ReplyRegisters(CommandContext& ctx, store::Found& found) {
  RETURN_IF_ERROR(MakeDense(ctx, found));
  const char* const registers = found.entry.value().data() + kHyperLogLogHeaderBytes;
  ctx.reply.Array(kHyperLogLogRegisters);
  for (uint32_t i = 0; i < kHyperLogLogRegisters; ++i) {
    ctx.reply.Integer(DenseRegister(registers, i));
  }
  return Ok();
}

// The runs of a sparse value: "z:10 v:1,2 Z:16372".
FaultOr<> ReplyRuns(CommandContext& ctx, const store::Found& found) {
  const std::string_view value = found.entry.value();
  if (FormOf(value) == HyperLogLogForm::kDense) {
    ctx.reply.Error("ERR", "HLL encoding is not sparse");
    return Ok();
  }
  if (!HistogramOf(value)) return Fault::kBrokenHyperLogLog;
  std::string text;
  for (std::string_view runs = value.substr(kHyperLogLogHeaderBytes); !runs.empty();) {
    const SparseRun run = FirstRun(runs);
    if (!text.empty()) text += ' ';
    if (run.value != 0) {
      text += fmt::format("v:{},{}", run.value, run.length);
    } else {
      text += fmt::format("{}:{}", run.bytes == 1 ? 'z' : 'Z', run.length);
    }
    runs.remove_prefix(run.bytes);
  }
  ctx.reply.Bulk(text);
  return Ok();
}

// PFDEBUG GETREG | DECODE | ENCODING | TODENSE key
FaultOr<> PfDebug(CommandContext& ctx) {
  const std::string_view what = ctx.args[1];
  ASSIGN_OR_RETURN(store::Found found, FindSketch(ctx, ctx.key_list[0]));
  if (!found) {
    ctx.reply.Error("ERR", "The specified key does not exist");
    return Ok();
  }
  if (EqualsIgnoreCase(what, "GETREG")) return ReplyRegisters(ctx, found);
  if (EqualsIgnoreCase(what, "DECODE")) return ReplyRuns(ctx, found);
  if (EqualsIgnoreCase(what, "ENCODING")) {
    const bool is_dense = FormOf(found.entry.value()) == HyperLogLogForm::kDense;
    ctx.reply.Simple(is_dense ? "dense" : "sparse");
    return Ok();
  }
  if (EqualsIgnoreCase(what, "TODENSE")) {
    ASSIGN_OR_RETURN(const bool changed, MakeDense(ctx, found));
    ctx.reply.Integer(changed ? 1 : 0);
    return Ok();
  }
  ctx.reply.Error("ERR", fmt::format("Unknown PFDEBUG subcommand '{}'", what));
  return Ok();
}

// Whether dense registers keep what was put into them, and leave their neighbours alone.
bool RegistersKeepValues() {
  char registers[kHyperLogLogDenseBytes - kHyperLogLogHeaderBytes] = {};
  const auto value_of = [](uint32_t position, uint32_t round) {
    return static_cast<uint8_t>((position * 31 + round * 17) & 63);
  };
  for (uint32_t round = 0; round < 20; ++round) {
    for (uint32_t i = 0; i < kHyperLogLogRegisters; ++i) {
      SetDenseRegister(registers, i, value_of(i, round));
    }
    for (uint32_t i = 0; i < kHyperLogLogRegisters; ++i) {
      if (DenseRegister(registers, i) != value_of(i, round)) return false;
    }
  }
  return true;
}

// Whether estimates stay near the truth, and do not depend on the form.
bool EstimatesAreNear() {
  constexpr uint64_t kElements = 200'000;
  HyperLogLogEditor sparse(kHyperLogLogDenseBytes);
  HyperLogLogArray registers{};
  sparse.Clear();
  uint64_t checkpoint = 1;
  for (uint64_t i = 1; i <= kElements; ++i) {
    const std::string_view element(reinterpret_cast<const char*>(&i), sizeof i);
    const HyperLogLogMark mark = MarkOf(element);
    registers[mark.position] = std::max(registers[mark.position], mark.value);
    sparse.Raise(mark);
    if (i != checkpoint && i != kElements) continue;
    checkpoint *= 10;
    const uint64_t estimate = Estimate(HistogramOf(registers));
    const auto histogram = HistogramOf(sparse.value());
    if (!histogram || Estimate(*histogram) != estimate) return false;
    const double standard_error = 1.04 / std::sqrt(double{kHyperLogLogRegisters});
    const double allowed = std::ceil(standard_error * 6 * static_cast<double>(i));
    const double error = std::abs(static_cast<double>(estimate) - static_cast<double>(i));
    if (error > allowed) return false;
  }
  return true;
}

// PFSELFTEST: some milliseconds, in which the loop does nothing else.
FaultOr<> PfSelfTest(CommandContext& ctx) {
  if (!RegistersKeepValues()) {
    ctx.reply.Error("TESTFAILED", "a register lost its value");
  } else if (!EstimatesAreNear()) {
    ctx.reply.Error("TESTFAILED", "an estimate is too far from the truth");
  } else {
    ctx.reply.Ok();
  }
  return Ok();
}

constexpr KeySpec kMergeKeys[] = {KeysInRange("RW access insert", 1, 1),
                                  KeysInRange("RO access", 2, -1)};

constexpr CommandSpec kHyperLogLogCommands[] = {
    {.name = "PFADD",
     .handler = PfAdd,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHyperLogLog,
     .group = "hyperloglog",
     .since = "2.8.9",
     .summary = "Adds elements to a HyperLogLog.",
     .key_access = "RW insert"},
    {.name = "PFCOUNT",
     .handler = PfCount,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kReadOnly | kMayReplicate,
     .acl = kAclHyperLogLog,
     .group = "hyperloglog",
     .since = "2.8.9",
     .summary = "Estimates how many different elements HyperLogLogs have seen together.",
     .key_access = "RW access",
     .key_notes = "RW because it may change the internal representation of the key, and propagate "
                  "to replicas"},
    {.name = "PFMERGE",
     .handler = PfMerge,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kWrite | kDenyOom,
     .acl = kAclHyperLogLog,
     .group = "hyperloglog",
     .since = "2.8.9",
     .summary = "Merges HyperLogLogs into one.",
     .key_specs = kMergeKeys},
    {.name = "PFDEBUG",
     .handler = PfDebug,
     .arity = Exactly(3),
     .keys = OneKeyAt(2),
     .flags = kWrite | kDenyOom | kAdmin,
     .acl = kAclHyperLogLog,
     .group = "hyperloglog",
     .since = "2.8.9",
     .summary = "Shows the registers or the form of a HyperLogLog.",
     .key_access = "RW access"},
    {.name = "PFSELFTEST",
     .handler = PfSelfTest,
     .arity = Exactly(1),
     .flags = kAdmin,
     .acl = kAclHyperLogLog,
     .group = "hyperloglog",
     .since = "2.8.9",
     .summary = "Tests registers and estimates of HyperLogLogs."},
};

}  // namespace

std::span<const CommandSpec> HyperLogLogCommands() { return kHyperLogLogCommands; }

}  // namespace mikura::engine
