// SPDX-License-Identifier: Apache-2.0
// The part of Shard that chooses and removes keys to make room.
#include <algorithm>
#include <array>

#include "base/check.h"
#include "engine/store/shard.h"

namespace mikura::engine::store {
namespace {

constexpr uint64_t kPositions = uint64_t{1} << 32;
constexpr size_t kChainsPerSample = 16;  // looked at before the expiry wheel is asked
constexpr size_t kChainEntriesMax = 64;  // of one chain; more than a chain ever has in practice
constexpr uint64_t kUntrackedIdle = 1 << 24;  // longer than any idle time that is tracked

bool IsEligible(const EvictionSettings& settings, Entry entry) {
  return !settings.policy.volatile_only || entry.has_deadline();
}

// The higher, the sooner the entry is to go. Whole seconds and counters tie often: then the entry
// with fewer uses goes.
uint64_t ScoreOf(const EvictionSettings& settings, Entry entry, UnixMillis now) {
  const uint64_t unused = kUseCounterMask - entry.use_counter();
  const AccessTracking tracking = settings.tracking;
  switch (settings.policy.order) {
    case EvictionOrder::kLru: {
      const uint64_t idle =
          entry.has_access() ? AccessTracking::IdleSeconds(entry.access(), now) : kUntrackedIdle;
      return idle * 4 + unused;
    }
    case EvictionOrder::kLfu: {
      const uint32_t counter = entry.has_access() ? tracking.Counter(entry.access(), now)
                                                  : AccessTracking::kCounterStart;
      return (AccessTracking::kCounterMax - counter) * 4 + unused;
    }
    case EvictionOrder::kTtl:
      return UINT64_MAX - static_cast<uint64_t>(entry.deadline());
    default:
      return 0;
  }
}

// Gathers candidates of one table.
class Sampler {
 public:
  Sampler(const EvictionSettings& settings, const HashTable& keys, int database, UnixMillis now,
          std::span<EvictionCandidate> out)
      : settings_(settings), keys_(keys), database_(database), now_(now), out_(out) {}

  size_t count() const { return count_; }
  bool full() const { return count_ == out_.size(); }

  // Some chains from a random position on. Within a chain it begins at a random entry: the order
  // there is that of insertion.
  void TakeChains(uint64_t random) {
    uint64_t position = static_cast<uint32_t>(random);
    for (size_t i = 0; i < kChainsPerSample && !full(); ++i) {
      const ChainRange range = keys_.ChainAt(static_cast<uint32_t>(position));
      TakeChain(range.head, random >> 32);
      position = range.end == kPositions ? 0 : range.end;
    }
  }
  // The entries at a position.
  void TakePosition(uint32_t position) {
    keys_.ForEach(keys_.ChainOf(position), [&](Bucket*, uint32_t, Entry entry) {
      if (IsEligible(settings_, entry) && keys_.PositionOfEntry(entry) == position) Add(entry);
    });
  }

 private:
  void TakeChain(Bucket* head, uint64_t random) {
    std::array<char*, kChainEntriesMax> entries;
    size_t size = 0;
    keys_.ForEach(head, [&](Bucket*, uint32_t, Entry entry) {
      if (size < entries.size() && IsEligible(settings_, entry)) entries[size++] = entry.bytes();
    });
    for (size_t i = 0; i < size && !full(); ++i) Add(Entry(entries[(random + i) % size]));
  }
  void Add(Entry entry) {
    if (full()) return;
    out_[count_++] = {ScoreOf(settings_, entry, now_), keys_.PositionOfEntry(entry), database_};
  }

  const EvictionSettings& settings_;
  const HashTable& keys_;
  const int database_;
  const UnixMillis now_;
  const std::span<EvictionCandidate> out_;
  size_t count_ = 0;
};

}  // namespace

// A database chosen by its share of the keys that may go; -1 when there are none.
int Shard::PickDatabase(bool volatile_only, uint64_t random) const {
  const auto weight = [&](int database) {
    return volatile_only ? volatile_key_count(database) : key_count(database);
  };
  uint64_t total = 0;
  for (int database = 0; database < database_count_; ++database) total += weight(database);
  if (total == 0) return -1;
  uint64_t left = random % total;
  int database = 0;
  for (; left >= weight(database); ++database) left -= weight(database);
  return database;
}

size_t Shard::SampleForEviction(const EvictionSettings& settings, uint64_t random, UnixMillis now,
                                std::span<EvictionCandidate> out) const {
  const int database = PickDatabase(settings.policy.volatile_only, random >> 20);
  if (database < 0) return 0;
  const Table& table = *TableAt(database);
  Sampler sampler(settings, table.keys(), database, now, out);
  const bool next_to_expire = settings.policy.order == EvictionOrder::kTtl;
  if (!next_to_expire) sampler.TakeChains(random);
  // Keys with a deadline may be too rare to be met by chance; the wheel knows where they are.
  if (settings.policy.volatile_only && sampler.count() == 0) {
    std::array<uint32_t, 4> positions;
    const size_t count = table.PeekDeadlines(next_to_expire, random >> 32, positions);
    for (size_t i = 0; i < count; ++i) sampler.TakePosition(positions[i]);
  }
  // The wheel's first items may all be of keys that went.
  if (next_to_expire && sampler.count() == 0) sampler.TakeChains(random);
  return sampler.count();
}

bool Shard::Evict(const EvictionSettings& settings, const EvictionCandidate& candidate,
                  UnixMillis now) {
  Table* table = TableAt(candidate.database);
  if (table == nullptr || !table->keys().has_chains()) return false;
  const HashTable& keys = table->keys();
  Place place;
  keys.ForEach(keys.ChainOf(candidate.position), [&](Bucket* bucket, uint32_t index, Entry entry) {
    if (!IsEligible(settings, entry) || keys.PositionOfEntry(entry) != candidate.position) return;
    if (ScoreOf(settings, entry, now) < candidate.score) return;  // used since
    place = {bucket, index, entry.bytes()};
  });
  if (place.entry == nullptr) return false;
  EvictEntry(candidate.database, *table, place, true);
  return true;
}

// is_queued: the key still has its item in the queues, if there are queues.
void Shard::EvictEntry(int database, Table& table, const Place& place, bool is_queued) {
  const Entry entry(place.entry);
  const Key key = hasher_(entry.key());
  listener_.OnEvicted(database, key, entry);
  evicted_total_.Add(1);
  if (is_queued) {
    Remove(database, table, key, place);
  } else {
    RemoveUntracked(table, key, place);
  }
}

// ---- Queues

void Shard::SetEvictionDomain(EvictionDomain* domain, uint32_t index, bool volatile_only) {
  DCHECK(index < EvictionDomain::kShardsMax);
  domain_ = domain;
  domain_index_ = static_cast<uint16_t>(index);
  tracks_volatile_only_ = volatile_only;
}

bool Shard::EvictTaken(const EvictionDomain::Taken& taken, UnixMillis now, bool force) {
  // The policy, or the size of the domains, has just changed.
  if (domain_ != taken.domain || domain_index_ != taken.item.shard) return false;
  Place place;
  int where = 0;
  for (int database = 0; database < database_count_ && place.entry == nullptr; ++database) {
    const Table* table = TableAt(database);
    if (table == nullptr || !table->keys().has_chains()) continue;
    const HashTable& keys = table->keys();
    keys.ForEach(keys.ChainOf(taken.item.position), [&](Bucket* bucket, uint32_t i, Entry entry) {
      if (!IsTracked(entry.deadline()) || keys.PositionOfEntry(entry) != taken.item.position) {
        return;
      }
      place = {bucket, i, entry.bytes()};
      where = database;
    });
  }
  Entry entry(place.entry);
  const bool exists = place.entry != nullptr;
  const bool has_expired = exists && entry.deadline() <= now;
  const uint8_t uses = exists && !has_expired ? entry.use_counter() : 0;
  const size_t bytes = exists ? entry.memory_bytes() : 0;
  switch (domain_->Judge(taken, exists, uses, bytes, force)) {
    case EvictionDomain::Verdict::kForget:
      return false;
    case EvictionDomain::Verdict::kKeep:
      entry.set_use_counter(EvictionDomain::KeptUses(taken, uses));
      return false;
    case EvictionDomain::Verdict::kEvict:
      EvictEntry(where, *TableAt(where), place, false);
      return true;
  }
  return false;
}

bool Shard::BuildEvictionDomain(size_t budget) {
  if (domain_ == nullptr) return true;
  EvictionDomain::BuildCursor cursor = domain_->built();
  if (cursor.shard != domain_index_) return true;  // somebody else was faster
  size_t seen = 0;
  while (seen < budget && cursor.database < database_count_) {
    const Table* table = TableAt(cursor.database);
    if (table == nullptr || !table->keys().has_chains() || cursor.position >= kPositions) {
      ++cursor.database;
      cursor.position = 0;
      continue;
    }
    const HashTable& keys = table->keys();
    const ChainRange range = keys.ChainAt(static_cast<uint32_t>(cursor.position));
    keys.ForEach(range.head, [&](Bucket*, uint32_t, Entry entry) {
      ++seen;
      const uint32_t position = keys.PositionOfEntry(entry);
      // A chain of a growing table may reach into positions that have their own.
      if (!IsTracked(entry.deadline()) || position < cursor.position || position >= range.end) {
        return;
      }
      domain_->AddBuilt({position, domain_index_, SizeCodeOf(entry.memory_bytes())});
    });
    ++seen;
    cursor.position = range.end;
  }
  const bool done = cursor.database >= database_count_;
  if (done) cursor = {cursor.shard + 1, 0, 0};
  domain_->SetBuilt(cursor);
  return done;
}

}  // namespace mikura::engine::store
