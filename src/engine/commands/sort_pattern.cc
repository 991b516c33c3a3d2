// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/sort_pattern.h"

#include "engine/collections/hash_value.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {
namespace {

// A key that no word named. Its shard is held already, unless the command may take more.
void TakeShard(CommandContext& ctx, const Key& key) NO_THREAD_SAFETY_ANALYSIS {
  if (ctx.collected == nullptr || ctx.collected->test(key.shard())) return;
  ctx.keyspace.lock(key.shard()).Lock();
  ctx.collected->set(key.shard());
}

}  // namespace

SortPattern::SortPattern(std::string_view text)
    // As Redis reads it: a zero byte ends the search for what has a meaning.
    : text_(text), star_(text.substr(0, text.find('\0')).find('*')) {
  if (!has_star()) return;
  postfix_ = text.substr(star_ + 1);
  const std::string_view searched = postfix_.substr(0, postfix_.find('\0'));
  const size_t arrow = searched.find("->");
  if (arrow == std::string_view::npos || arrow + 2 >= searched.size()) return;
  field_ = postfix_.substr(arrow + 2);
  postfix_ = postfix_.substr(0, arrow);
}

bool SortPattern::Lookup(CommandContext& ctx, std::string_view element, std::string& value) const {
  if (is_element()) {
    value = element;
    return true;
  }
  if (!has_star()) return false;
  std::string name;
  name.reserve(star_ + element.size() + postfix_.size());
  name.append(text_.substr(0, star_)).append(element).append(postfix_);
  const Key key = ctx.keyspace.hasher()(name);
  TakeShard(ctx, key);
  const store::Found found = ctx.keys.Find(key);
  if (!found) return false;
  if (!field_) {
    if (found.entry.type() != store::ValueType::kString) return false;
    value = found.entry.value();
    return true;
  }
  if (found.entry.type() != store::ValueType::kHash) return false;
  const CollectionView<collections::HashValue> hash(ctx.keys.node_memory(), found.entry);
  const auto at = hash->Find(*field_);
  if (!at || at->IsDue(ctx.now())) return false;
  value = at->value;
  return true;
}

}  // namespace mikura::engine
