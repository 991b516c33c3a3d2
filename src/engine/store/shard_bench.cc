// SPDX-License-Identifier: Apache-2.0
// Nanoseconds of one GET and SET in the data alone: batches of 64 random keys, as an event loop has
// them, with and without prefetch. The argument is the number of keys.
#include <benchmark/benchmark.h>

#include <array>
#include <random>
#include <string>

#include "engine/store/bench_keyspace.h"

namespace mikura::engine::store {
namespace {

constexpr size_t kBatch = 64;
constexpr Access kAccess{1'750'000'000'000, true};

struct Batch {
  std::array<std::array<char, BenchKeyspace::kKeyBytes>, kBatch> names;
  std::array<Key, kBatch> keys;
};

void Draw(Batch& batch, std::mt19937_64& random, uint64_t key_count) {
  for (auto& name : batch.names) BenchKeyspace::Name(random() % key_count, name.data());
}

void HashAndPrefetch(BenchKeyspace& keyspace, Batch& batch, bool prefetch) {
  for (size_t i = 0; i < kBatch; ++i) {
    batch.keys[i] = keyspace.hasher()({batch.names[i].data(), batch.names[i].size()});
  }
  if (!prefetch) return;
  std::vector<const char*> buckets;
  for (const Key& key : batch.keys) {
    buckets.push_back(keyspace.shard(key).HintedBucket(0, key));
  }
  for (const char* bucket : buckets) store::HashTable::LoadLine(bucket);
  for (size_t i = 0; i < buckets.size(); ++i) {
    buckets[i] = keyspace.shard(batch.keys[i]).HintedEntry(buckets[i], batch.keys[i]).at;
  }
  for (const char* entry : buckets) store::HashTable::LoadEntry(entry);
}

std::unique_ptr<BenchKeyspace> Filled(uint64_t keys) {
  auto keyspace = std::make_unique<BenchKeyspace>();
  const std::string value(64, 'v');
  for (uint64_t i = 0; i < keys; ++i) keyspace->Set(i, value, kNoDeadline, kAccess.now);
  return keyspace;
}

template <typename Command>
void RunBatches(benchmark::State& state, bool prefetch, Command command) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const auto keyspace = Filled(keys);
  std::mt19937_64 random(1);
  std::vector<Batch> batches(256);
  for (Batch& batch : batches) Draw(batch, random, keys);
  size_t next = 0;
  for (auto unused : state) {
    Batch& batch = batches[next++ % batches.size()];
    HashAndPrefetch(*keyspace, batch, prefetch);
    for (const Key& key : batch.keys) command(keyspace->shard(key), key);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

void Get(benchmark::State& state, bool prefetch) {
  std::array<char, 64> reply{};
  RunBatches(state, prefetch, [&](Shard& shard, const Key& key) {
    const Found found = shard.Find(0, key, kAccess);
    const std::string_view value = found.entry.value();
    std::memcpy(reply.data(), value.data(), value.size());
    benchmark::DoNotOptimize(reply);
  });
}
BENCHMARK_CAPTURE(Get, prefetched, true)->Arg(2000)->Arg(1000000);
BENCHMARK_CAPTURE(Get, plain, false)->Arg(1000000);

void Set(benchmark::State& state, bool prefetch) {
  const std::string value(64, 'w');
  RunBatches(state, prefetch, [&](Shard& shard, const Key& key) {
    benchmark::DoNotOptimize(shard.SetString(0, key, value, {}, kAccess).ok());
  });
}
BENCHMARK_CAPTURE(Set, prefetched, true)->Arg(2000)->Arg(1000000);
BENCHMARK_CAPTURE(Set, plain, false)->Arg(1000000);

// Keys that were not there, the resizing they cause included.
void Insert(benchmark::State& state) {
  auto keyspace = std::make_unique<BenchKeyspace>();
  const std::string value(32, 'v');
  uint64_t number = 0;
  for (auto unused : state) keyspace->Set(number++, value, kNoDeadline, kAccess.now);
}
BENCHMARK(Insert)->Iterations(1000000);

void HashKey(benchmark::State& state) {
  const std::string name(static_cast<size_t>(state.range(0)), 'k');
  const KeyHasher hasher(1);
  for (auto unused : state) benchmark::DoNotOptimize(hasher(name));
}
BENCHMARK(HashKey)->Arg(16)->Arg(32);

void ExpireStepOnIdleShard(benchmark::State& state) {
  BenchKeyspace keyspace;
  keyspace.Set(1, "v", kAccess.now + 1'000'000, kAccess.now);
  Shard& shard = *keyspace.shards()[0];
  for (auto unused : state) benchmark::DoNotOptimize(shard.ExpireStep(kAccess.now, 10));
}
BENCHMARK(ExpireStepOnIdleShard);

}  // namespace
}  // namespace mikura::engine::store

BENCHMARK_MAIN();
