// SPDX-License-Identifier: Apache-2.0
// The words of SORT and SORT_RO.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/commands/command_context.h"

namespace mikura::engine {

struct SortRequest {
  bool is_descending = false;
  bool is_alphabetic = false;
  bool keeps_order = false;  // BY without a '*': nothing is compared
  int64_t limit_start = 0;
  int64_t limit_count = -1;  // negative: all
  std::optional<std::string_view> by;
  std::vector<std::string_view> gets;
  bool stores = false;  // the last key of the row is the destination
};

// Nullopt after an error reply.
std::optional<SortRequest> ParseSort(CommandContext& ctx);

// KeyFinder of SORT: the key, and that behind the last STORE.
void FindSortKeys(std::span<const std::string_view> args, std::vector<KeyPlace>& places);

// CommandSpec::reads_unnamed_keys: whether a pattern makes it look at other keys.
bool SortReadsUnnamedKeys(std::span<const std::string_view> args);

}  // namespace mikura::engine
