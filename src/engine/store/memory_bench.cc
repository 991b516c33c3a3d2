// SPDX-License-Identifier: Apache-2.0
// Resident bytes per key: 16-byte keys, 32-byte values, 1,024 shards, in one fresh process.
//
//   mikura_store_memory KEYS [SECONDS]   with SECONDS, keys get deadlines spread over that time
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/store/bench_keyspace.h"

namespace mikura::engine::store {
namespace {

double ResidentBytes() {
  long size = 0;
  long resident = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  CHECK(file != nullptr && std::fscanf(file, "%ld %ld", &size, &resident) == 2);
  (void)std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void Measure(uint64_t keys, int64_t seconds) {
  constexpr UnixMillis kNow = 1'750'000'000'000;
  const double before = ResidentBytes();
  BenchKeyspace keyspace;
  const double empty = ResidentBytes();
  const std::string value(32, 'v');
  for (uint64_t i = 0; i < keys; ++i) {
    const auto spread = static_cast<int64_t>((i * 2654435761u) % 1'000'003);
    const UnixMillis deadline = seconds == 0 ? kNoDeadline : kNow + spread * seconds / 1000;
    keyspace.Set(i, value, deadline, kNow);
  }
  const double full = ResidentBytes();
  uint64_t counted = 0;
  for (const auto& shard : keyspace.shards()) counted += shard->used_bytes();
  const auto count = static_cast<double>(keys);
  fmt::print(
      "{} keys, deadlines {}: {:.1f} B resident per key, {:.1f} counted, {:.1f} in spans; "
      "empty {:.0f} KB more than the bare process\n",
      keys, seconds == 0 ? "none" : "set", (full - before) / count,
      static_cast<double>(counted) / count,
      static_cast<double>(keyspace.allocator().span_bytes()) / count, (empty - before) / 1024);
}

}  // namespace
}  // namespace mikura::engine::store

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print("usage: mikura_store_memory KEYS [SECONDS]\n");
    return 2;
  }
  mikura::engine::store::Measure(std::strtoull(argv[1], nullptr, 10),
                                 argc > 2 ? std::strtoll(argv[2], nullptr, 10) : 0);
  return 0;
}
