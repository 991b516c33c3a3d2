// SPDX-License-Identifier: Apache-2.0
// Runs seeds, and says for each that breaks a rule how to run it again.
//
//   replication_simulation [--first SEED] [--seeds COUNT] [--threads COUNT] [--mutant NAME] [--stop
//   1]
//
// --stop 1: ends with the first seed that breaks a rule.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/numbers.h"
#include "tests/simulation/scenario.h"

namespace {

using mikura::simulation::Mutant;
using mikura::simulation::NameOf;
using mikura::simulation::Outcome;

struct Options {
  uint64_t first = 0;
  uint64_t seeds = 1000;
  uint64_t threads = 1;
  uint64_t stops = 0;
  Mutant mutant = Mutant::kNone;
};

struct Totals {
  std::mutex mutex;
  std::atomic<uint64_t> violations{0};
  uint64_t first_violation = UINT64_MAX;
  uint64_t stuck = 0;
  uint64_t acknowledged = 0;
  uint64_t promotions = 0;
  uint64_t full_syncs = 0;
  uint64_t partial_syncs = 0;
};

bool Parse(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--mutant") {
      int found = -1;
      for (int mutant = 0; mutant < mikura::simulation::kMutants; ++mutant) {
        if (std::strcmp(NameOf(static_cast<Mutant>(mutant)), argv[i + 1]) == 0) found = mutant;
      }
      if (found < 0) return false;
      options.mutant = static_cast<Mutant>(found);
      continue;
    }
    const auto number = mikura::ParseUint64(argv[i + 1]);
    if (!number) return false;
    const std::pair<std::string_view, uint64_t*> numbers[] = {{"--first", &options.first},
                                                              {"--seeds", &options.seeds},
                                                              {"--threads", &options.threads},
                                                              {"--stop", &options.stops}};
    const auto found = std::find_if(std::begin(numbers), std::end(numbers),
                                    [name](const auto& one) { return one.first == name; });
    if (found == std::end(numbers)) return false;
    *found->second = *number;
  }
  return argc % 2 == 1;
}

void Note(Totals& totals, const Options& options, uint64_t seed, const Outcome& outcome) {
  const std::lock_guard lock(totals.mutex);
  totals.acknowledged += outcome.acknowledged;
  totals.promotions += outcome.promotions;
  totals.full_syncs += outcome.full_syncs;
  totals.partial_syncs += outcome.partial_syncs;
  totals.stuck += outcome.is_stuck ? 1 : 0;
  if (outcome.violation.empty()) return;
  ++totals.violations;
  totals.first_violation = std::min(totals.first_violation, seed);
  if (totals.violations > 10) return;
  fmt::print("seed {}: {}\n  again: replication_simulation --first {} --seeds 1 --mutant {}\n",
             seed, outcome.violation, seed, NameOf(options.mutant));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, options)) {
    fmt::print("wrong arguments; see replication_simulation.cc\n");
    return 2;
  }
  Totals totals;
  std::atomic<uint64_t> next{0};
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < std::max<uint64_t>(1, options.threads); ++i) {
    threads.emplace_back([&] {
      for (uint64_t n = next++; n < options.seeds; n = next++) {
        if (options.stops != 0 && totals.violations != 0) return;
        const uint64_t seed = options.first + n;
        Note(totals, options, seed, mikura::simulation::RunScenario(seed, options.mutant));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fmt::print(
      "{} seeds, {} violations (first seed {}), {} without anybody to elect; {} requests "
      "acknowledged, {} promotions, {} full and {} partial syncs\n",
      options.seeds, totals.violations.load(),
      totals.violations.load() == 0 ? "-" : std::to_string(totals.first_violation), totals.stuck,
      totals.acknowledged, totals.promotions, totals.full_syncs, totals.partial_syncs);
  return totals.violations == 0 ? 0 : 1;
}
