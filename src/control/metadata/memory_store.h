// SPDX-License-Identifier: Apache-2.0
// The metadata store in memory: for tests, and the plainest statement of what a store does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "control/metadata/metadata_store.h"
#include "control/metadata/store_watchers.h"

namespace mikura::control {

class MemoryStore final : public MetadataStore {
 public:
  Result<std::optional<Revision>> Transact(const std::vector<Compare>& compares,
                                           const std::vector<Write>& writes) override
      EXCLUDES(mutex_);
  Result<std::optional<KeyValue>> Get(std::string_view key) override EXCLUDES(mutex_);
  Result<std::vector<KeyValue>> List(std::string_view prefix) override EXCLUDES(mutex_);
  std::shared_ptr<void> Watch(std::string prefix, std::function<void()> changed) override;

 private:
  bool Holds(const Compare& compare) const REQUIRES(mutex_);
  void Apply(const Write& write) REQUIRES(mutex_);

  StoreWatchers watchers_;
  Mutex mutex_;
  std::map<std::string, KeyValue, std::less<>> keys_ GUARDED_BY(mutex_);
  Revision revision_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mikura::control
