// SPDX-License-Identifier: Apache-2.0
#include "control/metadata/store_watchers.h"

#include <utility>

namespace mikura::control {

struct StoreWatchers::Watcher {
  Watcher(std::string watched_prefix, std::function<void()> callback)
      : prefix(std::move(watched_prefix)), changed(std::move(callback)) {}

  void Call() EXCLUDES(mutex) {
    MutexLock lock(mutex);
    if (changed) changed();
  }
  void End() EXCLUDES(mutex) {
    MutexLock lock(mutex);
    changed = nullptr;
  }

  const std::string prefix;
  Mutex mutex;
  std::function<void()> changed GUARDED_BY(mutex);
};

bool Touches(const Write& write, std::string_view prefix) {
  const std::string_view key = write.key;
  if (key.substr(0, prefix.size()) == prefix) return true;
  return write.kind == Write::Kind::kDeletePrefix && prefix.substr(0, key.size()) == key;
}

std::shared_ptr<void> StoreWatchers::Add(std::string prefix, std::function<void()> changed) {
  auto watcher = std::make_shared<Watcher>(std::move(prefix), std::move(changed));
  {
    MutexLock lock(mutex_);
    watchers_.push_back(watcher);
  }
  // The handle owns the watcher through its deleter and ends it before letting go.
  return {watcher.get(), [watcher](Watcher* ended) { ended->End(); }};
}

void StoreWatchers::Notify(const std::vector<Write>& writes) {
  std::vector<std::shared_ptr<Watcher>> touched;
  {
    MutexLock lock(mutex_);
    std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
    for (const auto& weak : watchers_) {
      auto watcher = weak.lock();
      if (watcher == nullptr) continue;
      for (const Write& write : writes) {
        if (!Touches(write, watcher->prefix)) continue;
        touched.push_back(std::move(watcher));
        break;
      }
    }
  }
  for (const auto& watcher : touched) watcher->Call();
}

}  // namespace mikura::control
