// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/script_cache.h"

#include "base/numbers.h"

namespace mikura::engine::scripting {
namespace {

size_t HeldBytes(const Script& script) { return sizeof(Script) + script.body.size() + 100; }

}  // namespace

ScriptPtr ScriptCache::Find(std::string_view sha1) {
  const MutexLock lock(mutex_);
  const auto found = scripts_.find(sha1);
  if (found == scripts_.end()) return nullptr;
  found->second.script->was_used.store(true, std::memory_order_relaxed);
  return found->second.script;
}

ScriptPtr ScriptCache::Add(const ScriptPtr& script, Origin origin) {
  const MutexLock lock(mutex_);
  const auto [place, is_new] = scripts_.try_emplace(script->sha1);
  Held& held = place->second;
  if (is_new) {
    held.script = script;
    script->was_dropped.store(false, std::memory_order_relaxed);
    bytes_ += HeldBytes(*script);
    eval_bytes_ += HeldBytes(*script);
    eval_order_.push_back(script->sha1);
    held.order = std::prev(eval_order_.end());
  }
  if (origin == Origin::kScriptLoad && !held.is_permanent) {
    held.is_permanent = true;
    eval_bytes_ -= HeldBytes(*held.script);
    eval_order_.erase(held.order);
  }
  ScriptPtr kept = held.script;
  kept->was_used.store(!is_new, std::memory_order_relaxed);
  MakeRoom(kept->sha1);
  return kept;
}

// Takes the oldest that was not used since it was last looked at; never `keep`.
void ScriptCache::MakeRoom(std::string_view keep) {
  while (eval_order_.size() > kEvalScriptsMax || eval_bytes_ > kEvalBytesMax) {
    const auto oldest = eval_order_.begin();
    if (*oldest == keep && eval_order_.size() == 1) return;
    const auto held = scripts_.find(*oldest);
    const Script& script = *held->second.script;
    if (*oldest == keep || script.was_used.exchange(false, std::memory_order_relaxed)) {
      eval_order_.splice(eval_order_.end(), eval_order_, oldest);
      continue;
    }
    script.was_dropped.store(true, std::memory_order_relaxed);
    bytes_ -= HeldBytes(script);
    eval_bytes_ -= HeldBytes(script);
    eval_order_.erase(oldest);
    scripts_.erase(held);
  }
}

void ScriptCache::Flush() {
  const MutexLock lock(mutex_);
  for (const auto& [sha1, held] : scripts_) {
    held.script->was_dropped.store(true, std::memory_order_relaxed);
  }
  scripts_.clear();
  eval_order_.clear();
  bytes_ = eval_bytes_ = 0;
  generation_.fetch_add(1, std::memory_order_release);
}

size_t ScriptCache::script_count() const {
  const MutexLock lock(mutex_);
  return scripts_.size();
}

size_t ScriptCache::memory_bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

bool ScriptCacheReader::NoticeFlush() {
  const uint64_t now = cache_.generation();
  if (now == generation_) return false;
  generation_ = now;
  last_ = nullptr;
  by_sha1_.clear();
  by_body_.clear();
  return true;
}

ScriptPtr ScriptCacheReader::Find(std::string_view sha1) {
  if (last_ != nullptr && last_->sha1 == sha1 && IsKept(last_)) return last_;
  const std::string name = ToLower(sha1);
  const auto seen = by_sha1_.find(name);
  if (seen != by_sha1_.end() && IsKept(seen->second)) return last_ = seen->second;
  ScriptPtr script = cache_.Find(name);
  if (script != nullptr) Remember(script);
  return script;
}

Result<ScriptPtr> ScriptCacheReader::FindOrMake(std::string_view body) {
  if (last_ != nullptr && last_->body == body && IsKept(last_)) return last_;
  const auto seen = by_body_.find(body);
  if (seen != by_body_.end() && IsKept(seen->second)) return last_ = seen->second;
  ASSIGN_OR_RETURN(ScriptPtr script, MakeScript(body));
  return script;
}

void ScriptCacheReader::Keep(const ScriptPtr& script, ScriptCache::Origin origin) {
  if (origin == ScriptCache::Origin::kEval && script == last_ && IsKept(script)) return;
  const auto seen = by_sha1_.find(script->sha1);
  const bool is_known = origin == ScriptCache::Origin::kEval && seen != by_sha1_.end() &&
                        seen->second == script &&
                        !script->was_dropped.load(std::memory_order_relaxed);
  if (!is_known) Remember(cache_.Add(script, origin));
}

void ScriptCacheReader::Remember(const ScriptPtr& script) {
  if (script->body.size() > kSeenBodyBytesMax) return;
  if (by_sha1_.size() >= kSeenMax) {
    by_sha1_.clear();
    by_body_.clear();
  }
  by_sha1_.insert_or_assign(script->sha1, script);
  by_body_.insert_or_assign(script->body, script);
}

}  // namespace mikura::engine::scripting
