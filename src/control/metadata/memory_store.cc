// SPDX-License-Identifier: Apache-2.0
#include "control/metadata/memory_store.h"

#include <utility>

namespace mikura::control {

Result<std::optional<Revision>> MemoryStore::Transact(const std::vector<Compare>& compares,
                                                      const std::vector<Write>& writes) {
  Revision revision = 0;
  {
    MutexLock lock(mutex_);
    for (const Compare& compare : compares) {
      if (!Holds(compare)) return std::optional<Revision>();
    }
    if (writes.empty()) return std::optional<Revision>(revision_);
    ++revision_;
    for (const Write& write : writes) Apply(write);
    revision = revision_;
  }
  watchers_.Notify(writes);
  return std::optional<Revision>(revision);
}

bool MemoryStore::Holds(const Compare& compare) const {
  const auto found = keys_.find(compare.key);
  switch (compare.kind) {
    case Compare::Kind::kAbsent:
      return found == keys_.end();
    case Compare::Kind::kPresent:
      return found != keys_.end();
    case Compare::Kind::kModRevision:
      return found != keys_.end() && found->second.mod_revision == compare.mod_revision;
  }
  return false;
}

void MemoryStore::Apply(const Write& write) {
  switch (write.kind) {
    case Write::Kind::kPut: {
      auto [entry, created] = keys_.try_emplace(write.key);
      KeyValue& kv = entry->second;
      if (created) {
        kv.key = write.key;
        kv.create_revision = revision_;
      }
      kv.value = write.value;
      kv.mod_revision = revision_;
      break;
    }
    case Write::Kind::kDelete:
      keys_.erase(write.key);
      break;
    case Write::Kind::kDeletePrefix: {
      auto at = keys_.lower_bound(write.key);
      while (at != keys_.end() && at->first.compare(0, write.key.size(), write.key) == 0) {
        at = keys_.erase(at);
      }
      break;
    }
  }
}

Result<std::optional<KeyValue>> MemoryStore::Get(std::string_view key) {
  MutexLock lock(mutex_);
  const auto found = keys_.find(key);
  if (found == keys_.end()) return std::optional<KeyValue>();
  return std::optional<KeyValue>(found->second);
}

Result<std::vector<KeyValue>> MemoryStore::List(std::string_view prefix) {
  MutexLock lock(mutex_);
  std::vector<KeyValue> listed;
  for (auto at = keys_.lower_bound(prefix); at != keys_.end(); ++at) {
    if (at->first.compare(0, prefix.size(), prefix) != 0) break;
    listed.push_back(at->second);
  }
  return listed;
}

std::shared_ptr<void> MemoryStore::Watch(std::string prefix, std::function<void()> changed) {
  return watchers_.Add(std::move(prefix), std::move(changed));
}

}  // namespace mikura::control
