// SPDX-License-Identifier: Apache-2.0
// The settings of memcached that tune what this engine has not: remembered and shown by `stats
// settings`, so that tools which set and read them go on working.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "engine/commands/memcached_classes.h"

namespace mikura::engine {

class MemcachedTuning {
 public:
  // `start`: what differs from the defaults of memcached 1.6.18, by name in `stats settings`.
  explicit MemcachedTuning(const std::map<std::string, std::string>& start = {});

  // From any thread; a leaf lock.
  std::string Get(const std::string& name) const EXCLUDES(mutex_);
  void Set(const std::string& name, std::string value) EXCLUDES(mutex_);
  // The classes that growth_factor, chunk_size and slab_chunk_max give.
  MemcachedClasses MakeClasses() const;
  bool IsOn(const std::string& name) const { return Get(name) == "yes"; }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::string> values_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
