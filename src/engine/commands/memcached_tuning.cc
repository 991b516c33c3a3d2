// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_tuning.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace mikura::engine {
namespace {

// Defaults of memcached 1.6.18.
constexpr std::pair<const char*, const char*> kDefaults[] = {
    {"growth_factor", "1.25"},
    {"chunk_size", "48"},
    {"reqs_per_event", "20"},
    {"hashpower_init", "0"},
    {"slab_reassign", "yes"},
    {"slab_automove", "1"},
    {"slab_automove_ratio", "0.80"},
    {"slab_automove_window", "30"},
    {"slab_automove_freeratio", "0.010"},
    {"slab_chunk_max", "524288"},
    {"lru_crawler", "yes"},
    {"lru_crawler_sleep", "100"},
    {"lru_crawler_tocrawl", "0"},
    {"tail_repair_time", "0"},
    {"hash_algorithm", "murmur3"},
    {"lru_maintainer_thread", "yes"},
    {"lru_segmented", "yes"},
    {"hot_lru_pct", "20"},
    {"warm_lru_pct", "40"},
    {"hot_max_factor", "0.20"},
    {"warm_max_factor", "2.00"},
    {"temp_lru", "no"},
    {"temporary_ttl", "61"},
    {"worker_logbuf_size", "65536"},
    {"read_buf_mem_limit", "0"},
    {"track_sizes", "no"},
    {"inline_ascii_response", "no"},
};

}  // namespace

MemcachedTuning::MemcachedTuning(const std::map<std::string, std::string>& start) {
  for (const auto& [name, value] : kDefaults) values_[name] = value;
  for (const auto& [name, value] : start) values_[name] = value;
}

std::string MemcachedTuning::Get(const std::string& name) const {
  MutexLock lock(mutex_);
  const auto found = values_.find(name);
  CHECK(found != values_.end());
  return found->second;
}

MemcachedClasses MemcachedTuning::MakeClasses() const {
  const auto number = [this](const char* name) {
    return std::max(0.0, std::strtod(Get(name).c_str(), nullptr));
  };
  return MemcachedClasses(number("growth_factor"), static_cast<size_t>(number("chunk_size")),
                          static_cast<size_t>(number("slab_chunk_max")));
}

void MemcachedTuning::Set(const std::string& name, std::string value) {
  MutexLock lock(mutex_);
  values_[name] = std::move(value);
}

}  // namespace mikura::engine
