// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/sort_request.h"

#include <string>

#include "base/numbers.h"
#include "engine/commands/command_support.h"
#include "engine/commands/fault_replies.h"
#include "engine/commands/sort_pattern.h"

namespace mikura::engine {
namespace {

enum class SortWord : uint8_t { kAscending, kDescending, kAlpha, kLimit, kStore, kBy, kGet, kNone };

struct SortOption {
  std::string_view name;
  SortWord word;
  size_t operands;
};
constexpr SortOption kSortOptions[] = {
    {"ASC", SortWord::kAscending, 0}, {"DESC", SortWord::kDescending, 0},
    {"ALPHA", SortWord::kAlpha, 0},   {"LIMIT", SortWord::kLimit, 2},
    {"STORE", SortWord::kStore, 1},   {"BY", SortWord::kBy, 1},
    {"GET", SortWord::kGet, 1},
};

// One option behind another, with its operands: kNone where none is, or an operand is missing.
class SortOptions {
 public:
  explicit SortOptions(std::span<const std::string_view> args) : args_(args) {}

  bool at_end() const { return at_ >= args_.size(); }
  // Where the operands of the last one are.
  size_t operand() const { return at_ - operands_; }
  std::string_view operand_text(size_t index) const { return args_[operand() + index]; }

  SortWord Next() {
    for (const SortOption& option : kSortOptions) {
      if (!EqualsIgnoreCase(args_[at_], option.name)) continue;
      if (args_.size() - at_ - 1 < option.operands) return SortWord::kNone;
      operands_ = option.operands;
      at_ += 1 + operands_;
      return option.word;
    }
    return SortWord::kNone;
  }

 private:
  std::span<const std::string_view> args_;
  size_t at_ = 2;
  size_t operands_ = 0;
};

// Patterns may name any key: only who may read all of them may use one.
bool MayReadAllKeys(CommandContext& ctx) {
  return ctx.services.access.MayReadAllKeys(ctx.client, ctx.spec, ctx.args);
}

std::optional<Fault> ParseLimit(const SortOptions& options, SortRequest& request) {
  const std::optional<int64_t> start = ParseInt64(options.operand_text(0));
  const std::optional<int64_t> count = ParseInt64(options.operand_text(1));
  if (!start || !count) return Fault::kNotAnInteger;
  request.limit_start = *start;
  request.limit_count = *count;
  return std::nullopt;
}

// The error text, when BY or GET is denied.
std::string_view TakePattern(CommandContext& ctx, SortWord word, std::string_view pattern,
                             SortRequest& request) {
  if (word == SortWord::kGet) {
    if (!MayReadAllKeys(ctx)) {
      return "GET option of SORT denied due to insufficient ACL permissions.";
    }
    request.gets.push_back(pattern);
    return {};
  }
  request.by = pattern;
  if (!SortPattern(pattern).has_star()) {
    request.keeps_order = true;
  } else if (!MayReadAllKeys(ctx)) {
    return "BY option of SORT denied due to insufficient ACL permissions.";
  }
  return {};
}

std::nullopt_t ReplyFault(CommandContext& ctx, Fault fault) {
  const FaultReply& words = ReplyFor(fault);
  ctx.reply.Error(words.code, words.message);
  return std::nullopt;
}

}  // namespace

std::optional<SortRequest> ParseSort(CommandContext& ctx) {
  SortRequest request;
  SortOptions options(ctx.args);
  const bool may_store = (ctx.spec.flags & kWrite) != 0;
  while (!options.at_end()) {
    const SortWord word = options.Next();
    switch (word) {
      case SortWord::kAscending:
      case SortWord::kDescending:
        request.is_descending = word == SortWord::kDescending;
        break;
      case SortWord::kAlpha:
        request.is_alphabetic = true;
        break;
      case SortWord::kLimit:
        if (const auto fault = ParseLimit(options, request)) return ReplyFault(ctx, *fault);
        break;
      case SortWord::kStore:
        if (!may_store) return ReplyFault(ctx, Fault::kSyntax);
        request.stores = true;
        break;
      case SortWord::kBy:
      case SortWord::kGet:
        if (const auto text = TakePattern(ctx, word, options.operand_text(0), request);
            !text.empty()) {
          ctx.reply.Error("ERR", text);
          return std::nullopt;
        }
        break;
      case SortWord::kNone:
        return ReplyFault(ctx, Fault::kSyntax);
    }
  }
  return request;
}

void FindSortKeys(std::span<const std::string_view> args, std::vector<KeyPlace>& places) {
  constexpr uint32_t kDestination = 2;  // its place among the row's key_specs
  places.push_back({1, 0});
  std::optional<uint32_t> destination;
  SortOptions options(args);
  while (!options.at_end()) {
    const SortWord word = options.Next();
    if (word == SortWord::kNone) break;
    if (word == SortWord::kStore) destination = static_cast<uint32_t>(options.operand());
  }
  if (destination) places.push_back({*destination, kDestination});
}

bool SortReadsUnnamedKeys(std::span<const std::string_view> args) {
  SortOptions options(args);
  while (!options.at_end()) {
    const SortWord word = options.Next();
    if (word == SortWord::kNone) return false;
    if ((word == SortWord::kBy || word == SortWord::kGet) &&
        SortPattern(options.operand_text(0)).has_star()) {
      return true;
    }
  }
  return false;
}

}  // namespace mikura::engine
