// SPDX-License-Identifier: Apache-2.0
// Who wants to hear of a change, shared by the implementations of MetadataStore.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "control/metadata/metadata_store.h"

namespace mikura::control {

class StoreWatchers {
 public:
  // The handle's destructor waits for a running callback, so after it nothing is called any more.
  // It must therefore not be destroyed by its own callback.
  std::shared_ptr<void> Add(std::string prefix, std::function<void()> changed) EXCLUDES(mutex_);

  // Calls everybody whose prefix one of `writes` touches, each once. The caller holds no lock.
  void Notify(const std::vector<Write>& writes) EXCLUDES(mutex_);

 private:
  struct Watcher;

  Mutex mutex_;
  // Shared by the subscriber's handle, which ends it, and by a Notify() that is calling it.
  std::vector<std::weak_ptr<Watcher>> watchers_ GUARDED_BY(mutex_);
};

// Whether `write` can change a key under `prefix`.
bool Touches(const Write& write, std::string_view prefix);

}  // namespace mikura::control
