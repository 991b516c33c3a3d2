// SPDX-License-Identifier: Apache-2.0
// Patterns of SORT's BY and GET: "weight_*", "object_*->name", "#".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/commands/command_context.h"

namespace mikura::engine {

class SortPattern {
 public:
  explicit SortPattern(std::string_view text);

  // Whether the pattern names keys. One without a '*' names none.
  bool has_star() const { return star_ != std::string_view::npos; }
  bool is_element() const { return text_ == "#"; }

  // What the pattern means for `element`, in `value`; false when there is nothing: no such key or
  // field, or another type. Takes the shard of the key when it may take more (ctx.collected).
  bool Lookup(CommandContext& ctx, std::string_view element, std::string& value) const;

 private:
  std::string_view text_;
  size_t star_;
  std::string_view postfix_;               // behind the '*', without the field
  std::optional<std::string_view> field_;  // behind "->"
};

}  // namespace mikura::engine
