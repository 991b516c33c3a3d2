// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/evictor.h"

#include <algorithm>

#include "engine/keyspace/keyspace.h"

namespace mikura::engine {
namespace {

using store::AccessTracking;
using store::EvictionDomain;
using store::EvictionOrder;
using store::EvictionSettings;

constexpr uint64_t kEvictionsPerCommand = 512;
constexpr uint64_t kBytesPerFurtherEviction = 32;  // of the command itself: a long one may do more
constexpr int64_t kToleranceDivisor = 128;  // 0.8 % above the limit while keys are being evicted
constexpr int kSampleAttempts = 16;
constexpr int kJudgementsMax = 64;  // for one eviction
constexpr int kForceAfter = 48;     // then keys go although they were used
constexpr size_t kSamplesMax = 64;
// A cache of up to so many bytes has one domain. With sixteen, one of a few hundred keys would have
// a handful in each, and too few writers get in each other's way in one this small.
constexpr uint64_t kOneDomainLimitBytes = uint64_t{64} << 20;
constexpr size_t kBuildBudget = 256;           // keys for one command while queues are filled
constexpr size_t kMaintenanceBuildSteps = 16;  // such steps in one turn of background work
constexpr int kMaintenanceEvictions = 256;

uint64_t NextRandom(uint64_t& state) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  return mixed ^ (mixed >> 31);
}

// Whether another thread runs a script, or visits all shards.
bool IsScriptElsewhere(Keyspace& keyspace) {
  ScriptToken& token = keyspace.script_token();
  if (token.is_mine()) return false;
  if (!token.EnterFor(Keyspace::kPatience)) return true;
  token.Leave();
  return false;
}

// False when a script runs elsewhere and has the shard, perhaps for long.
bool LockUnlessScript(Keyspace& keyspace, uint32_t shard)
    TRY_ACQUIRE(true, keyspace.lock(shard)) NO_THREAD_SAFETY_ANALYSIS {
  while (!keyspace.lock(shard).LockFor(Keyspace::kPatience)) {
    if (IsScriptElsewhere(keyspace)) return false;
  }
  return true;
}

}  // namespace

Evictor::~Evictor() = default;

Evictor::ThreadState& Evictor::State() {
  return states_.load(std::memory_order_acquire)[ThreadIndex()];
}

EvictionSettings Evictor::settings() const {
  const uint64_t word = policy_.load(std::memory_order_acquire);
  EvictionSettings settings;
  settings.policy.order = static_cast<EvictionOrder>(word & 0xFF);
  settings.policy.volatile_only = (word >> 8 & 1) != 0;
  settings.samples = static_cast<uint32_t>(word >> 32);
  settings.tracking = keyspace_.tracking();
  return settings;
}

void Evictor::Configure(const EvictionSettings& settings, uint64_t limit_bytes) {
  MutexLock lock(configure_mutex_);
  if (owned_states_ == nullptr && settings.policy.order != EvictionOrder::kNone) {
    owned_states_ = std::make_unique<ThreadState[]>(kThreadsMax);
    for (uint32_t i = 0; i < kThreadsMax; ++i) owned_states_[i].random = uint64_t{i} << 32;
    states_.store(owned_states_.get(), std::memory_order_release);
  }
  AccessTracking tracking = settings.tracking;
  if (!tracking.enabled() && wants_times_.load(std::memory_order_relaxed)) {
    tracking = AccessTracking::Lru();
  }
  if (keyspace_.tracking() != tracking) {
    tracking_since_.store(SystemClock().NowMillis(), std::memory_order_relaxed);
  }
  keyspace_.set_tracking(tracking);
  limit_bytes_.store(limit_bytes, std::memory_order_relaxed);
  const bool wants_queues = settings.policy.order == EvictionOrder::kS3Fifo && limit_bytes != 0;
  const bool has_queues = has_queues_.load(std::memory_order_relaxed);
  const uint32_t shards_per_domain =
      limit_bytes <= kOneDomainLimitBytes ? kShardCount : kShardCount / kDomainsMax;
  if (has_queues && (!wants_queues || queues_are_volatile_ != settings.policy.volatile_only ||
                     shards_per_domain_ != shards_per_domain)) {
    DetachQueues();
  }
  // Released after the rows: a thread that sees a policy sees its row too.
  policy_.store(static_cast<uint64_t>(settings.policy.order) |
                    uint64_t{settings.policy.volatile_only} << 8 | uint64_t{settings.samples} << 32,
                std::memory_order_release);
  if (wants_queues && !has_queues_.load(std::memory_order_relaxed)) {
    AttachQueues(settings.policy.volatile_only, shards_per_domain);
  }
}

void Evictor::BeginTimes() {
  wants_times_.store(true, std::memory_order_relaxed);
  if (keyspace_.tracking().enabled()) return;
  tracking_since_.store(SystemClock().NowMillis(), std::memory_order_relaxed);
  keyspace_.BeginTracking(AccessTracking::Lru());
}

// Domains that are not needed have no shards.
void Evictor::AttachQueues(bool volatile_only, uint32_t shards_per_domain) {
  uint32_t first_shard = 0;
  for (auto& domain : domains_) {
    if (domain == nullptr) domain = std::make_unique<EvictionDomain>(gauge_);
    domain->Assign(first_shard, std::min(shards_per_domain, kShardCount - first_shard));
    first_shard = std::min(kShardCount, first_shard + shards_per_domain);
  }
  keyspace_.ForEachShard({}, [&](uint32_t index, store::Shard& shard) {
    shard.SetEvictionDomain(domains_[index / shards_per_domain].get(), index % shards_per_domain,
                            volatile_only);
  });
  queues_are_volatile_ = volatile_only;
  shards_per_domain_ = shards_per_domain;
  queues_are_built_.store(false, std::memory_order_relaxed);
  has_queues_.store(true, std::memory_order_release);
}

void Evictor::DetachQueues() {
  has_queues_.store(false, std::memory_order_relaxed);
  keyspace_.ForEachShard(
      {}, [](uint32_t, store::Shard& shard) { shard.SetEvictionDomain(nullptr, 0, false); });
  for (auto& domain : domains_) {
    domain->Reset();
    domain->FreeDiscarded(SIZE_MAX);
  }
}

void Evictor::RestartQueues() {
  if (!has_queues_.load(std::memory_order_acquire)) return;
  for (auto& domain : domains_) domain->Reset();
  queues_are_built_.store(false, std::memory_order_relaxed);
}

uint64_t Evictor::MemoryBytes() const {
  if (!has_queues_.load(std::memory_order_acquire)) return 0;
  uint64_t bytes = 0;
  for (const auto& domain : domains_) bytes += domain->memory_bytes();
  return bytes;
}

// Exact for limits so small that what threads have not yet reported could exceed them.
int64_t Evictor::UsedBytes(int64_t limit) const {
  constexpr int64_t kUnreportedMax = kThreadsMax * store::MemoryGauge::kFlushBytes;
  // What was flushed is as good as free: nothing has to go for it.
  const int64_t used =
      limit < kUnreportedMax ? gauge_.ExactBytes() : gauge_.UsedBytesSeenBy(ThreadIndex());
  return used - keyspace_.reclaimer().waiting_bytes();
}

bool Evictor::MakeRoom(uint64_t limit_bytes, uint64_t wanted_bytes, UnixMillis now) {
  // A replica takes what its primary sends; the primary's evictions come with it.
  if (!keyspace_.may_expire()) return true;
  const EvictionSettings settings = this->settings();
  const auto limit = static_cast<int64_t>(limit_bytes);
  if (settings.policy.order == EvictionOrder::kNone) {
    return limit_bytes >= kLimitBytesMin && UsedBytes(limit) <= limit;
  }
  const auto wanted = static_cast<int64_t>(wanted_bytes);
  const uint64_t budget = kEvictionsPerCommand + wanted_bytes / kBytesPerFurtherEviction;
  const int64_t before = UsedBytes(limit);
  uint64_t evicted = 0;
  for (; evicted < budget; ++evicted) {
    if (UsedBytes(limit) + wanted <= limit) return limit_bytes >= kLimitBytesMin;
    if (!EvictOne(settings, now)) break;
  }
  if (limit_bytes < kLimitBytesMin) return false;
  const int64_t used = UsedBytes(limit);
  // A budget that is used up is no error yet, the next commands go on where this one stopped: near
  // the limit, and far above it (the limit was lowered) when the command takes less than it freed.
  const bool goes_down = evicted == budget && used + wanted <= before;
  const int64_t tolerance = evicted > 0 ? limit / kToleranceDivisor : 0;
  if (used <= limit + tolerance || goes_down) return true;
  // A script has what would have to go, for as long as it runs: the command finds out itself
  // whether it has to wait for it.
  return IsScriptElsewhere(keyspace_) && PickShard(settings.policy.volatile_only, State()) >= 0;
}

bool Evictor::EvictOne(const EvictionSettings& settings, UnixMillis now) {
  return settings.policy.order == EvictionOrder::kS3Fifo ? EvictQueued(now)
                                                         : EvictSampled(settings, now);
}

void Evictor::Maintain(UnixMillis now) {
  if (has_queues_.load(std::memory_order_acquire)) {
    for (size_t i = 0; i < kMaintenanceBuildSteps && !BuildStep(kBuildBudget); ++i) {
    }
  }
  const uint64_t limit = limit_bytes_.load(std::memory_order_relaxed);
  const EvictionSettings settings = this->settings();
  if (limit == 0 || settings.policy.order == EvictionOrder::kNone || !keyspace_.may_expire())
    return;
  for (int i = 0; i < kMaintenanceEvictions; ++i) {
    if (UsedBytes(static_cast<int64_t>(limit)) <= static_cast<int64_t>(limit)) return;
    if (!EvictOne(settings, now)) return;
  }
}

// ---- By samples

uint64_t Evictor::EvictableKeys(uint32_t shard, bool volatile_only) const {
  const store::Shard& counted = keyspace_.UnlockedShard(shard);
  uint64_t keys = 0;
  for (int database = 0; database < keyspace_.database_count(); ++database) {
    keys += volatile_only ? counted.volatile_key_count(database) : counted.key_count(database);
  }
  return keys;
}

// One of four random shards, by its share of their keys: with even shards any, and with uneven ones
// those that hold most. When all are empty, the next one that is not; -1 when there is none.
int Evictor::PickShard(bool volatile_only, ThreadState& state) const {
  uint64_t total = 0;
  int picked = -1;
  for (int i = 0; i < 4; ++i) {
    const auto shard = static_cast<uint32_t>(NextRandom(state.random) % kShardCount);
    const uint64_t keys = EvictableKeys(shard, volatile_only);
    total += keys;
    if (keys > 0 && NextRandom(state.random) % total < keys) picked = static_cast<int>(shard);
  }
  const auto first = static_cast<uint32_t>(NextRandom(state.random) % kShardCount);
  for (uint32_t i = 0; picked < 0 && i < kShardCount; ++i) {
    const uint32_t shard = (first + i) % kShardCount;
    if (EvictableKeys(shard, volatile_only) > 0) picked = static_cast<int>(shard);
  }
  return picked;
}

void Evictor::FillPool(const EvictionSettings& settings, uint32_t shard, ThreadState& state,
                       UnixMillis now) {
  std::array<store::EvictionCandidate, kSamplesMax> samples;
  const size_t wanted = std::min<size_t>(settings.samples, kSamplesMax);
  size_t count = 0;
  {
    // A script may have it for long; an event loop must not wait for that.
    if (!LockUnlessScript(keyspace_, shard)) return;
    count = keyspace_.LockedShard(shard).SampleForEviction(settings, NextRandom(state.random), now,
                                                           std::span(samples).first(wanted));
    keyspace_.lock(shard).Unlock();
  }
  for (size_t i = 0; i < count; ++i) state.pool.Add({samples[i], shard});
}

bool Evictor::EvictSampled(const EvictionSettings& settings, UnixMillis now) {
  ThreadState& state = State();
  for (int attempt = 0; attempt < kSampleAttempts; ++attempt) {
    // The next key to expire is looked for in several shards; the others are alike.
    const uint32_t shards = settings.policy.order == EvictionOrder::kTtl ? 4 : 1;
    for (uint32_t i = 0; i < shards; ++i) {
      const int shard = PickShard(settings.policy.volatile_only, state);
      if (shard < 0) return false;
      if (settings.policy.order == EvictionOrder::kRandom) state.pool.Clear();
      FillPool(settings, static_cast<uint32_t>(shard), state, now);
    }
    while (!state.pool.empty()) {
      const EvictionPool::Item best = state.pool.TakeBest();
      if (!LockUnlessScript(keyspace_, best.shard)) return false;
      const bool is_gone = keyspace_.LockedShard(best.shard).Evict(settings, best.candidate, now);
      keyspace_.lock(best.shard).Unlock();
      if (is_gone) return true;
    }
  }
  return false;
}

// ---- By queues

// A domain chosen by its share of all bytes; null when all are empty.
EvictionDomain* Evictor::PickDomain(uint64_t random) {
  uint64_t total = 0;
  for (const auto& domain : domains_) total += domain->key_bytes();
  if (total == 0) return nullptr;
  uint64_t left = random % total;
  for (const auto& domain : domains_) {
    if (left < domain->key_bytes()) return domain.get();
    left -= domain->key_bytes();
  }
  return domains_.back().get();  // they have changed meanwhile
}

bool Evictor::EvictQueued(UnixMillis now) {
  if (!has_queues_.load(std::memory_order_acquire)) return false;
  ThreadState& state = State();
  BuildStep(kBuildBudget);
  for (int step = 0; step < kJudgementsMax; ++step) {
    EvictionDomain* domain = PickDomain(NextRandom(state.random));
    if (domain == nullptr) {
      if (BuildStep(kBuildBudget)) return false;
      continue;
    }
    const auto taken = domain->Take();
    if (!taken.has_value()) continue;
    if (!LockUnlessScript(keyspace_, taken->shard)) {
      domain->GiveBack(*taken);
      return false;
    }
    const bool is_gone =
        keyspace_.LockedShard(taken->shard).EvictTaken(*taken, now, step >= kForceAfter);
    keyspace_.lock(taken->shard).Unlock();
    if (is_gone) return true;
  }
  return false;
}

// Gives about `budget` keys to their domains; true when all shards are done.
bool Evictor::BuildStep(size_t budget) {
  if (queues_are_built_.load(std::memory_order_relaxed)) return true;
  size_t left = budget;
  for (const auto& domain : domains_) {
    domain->FreeDiscarded(4);
    while (const std::optional<uint32_t> next = domain->NextToBuild()) {
      if (left == 0) return false;
      const uint32_t shard = *next;
      if (!LockUnlessScript(keyspace_, shard)) return false;
      const uint64_t keys = EvictableKeys(shard, false) + 1;  // an empty shard is work too
      keyspace_.LockedShard(shard).BuildEvictionDomain(left);
      keyspace_.lock(shard).Unlock();
      left -= std::min<size_t>(left, keys);
    }
  }
  queues_are_built_.store(true, std::memory_order_relaxed);
  return true;
}

}  // namespace mikura::engine
