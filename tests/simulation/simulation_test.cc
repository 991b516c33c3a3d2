// SPDX-License-Identifier: Apache-2.0
// Some seeds in every build; tests/simulation/simulation_test.py runs many.
#include <gtest/gtest.h>

#include "tests/simulation/history.h"
#include "tests/simulation/scenario.h"

namespace mikura::simulation {
namespace {

TEST(Simulation, NoSeedBreaksARule) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_EQ(RunScenario(seed, Mutant::kNone).violation, "") << "seed " << seed;
  }
}

TEST(Simulation, TheSameSeedGivesTheSameRun) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const Outcome one = RunScenario(seed, Mutant::kNone);
    const Outcome other = RunScenario(seed, Mutant::kNone);
    EXPECT_EQ(one.acknowledged, other.acknowledged);
    EXPECT_EQ(one.partial_syncs, other.partial_syncs);
    EXPECT_GT(one.acknowledged, 20u);
  }
}

Operation Write(int64_t value, Micros began, Micros ended) {
  return {.is_write = true, .value = value, .began = began, .ended = ended, .acknowledged = true};
}

Operation Read(int64_t value, Micros began, Micros ended) {
  return {.value = value, .began = began, .ended = ended, .acknowledged = true};
}

std::string VerdictOn(const std::vector<Operation>& operations,
                      const std::vector<std::pair<int, int64_t>>& writes) {
  History history;
  for (const Operation& operation : operations) history.Begin(operation);
  history.Check(writes);
  return history.violation().substr(0, 2);
}

TEST(SimulationHistory, WhatIsInOrderPasses) {
  EXPECT_EQ(VerdictOn({Write(1, 0, 10), Read(1, 5, 15), Write(2, 12, 30), Read(2, 20, 25)},
                      {{0, 1}, {0, 2}}),
            "");
}

TEST(SimulationHistory, ALostWriteIsFound) {
  EXPECT_EQ(VerdictOn({Write(1, 0, 10), Write(2, 11, 20)}, {{0, 2}}), "V1");
}

TEST(SimulationHistory, AValueThatWasReadAndIsLostIsFound) {
  EXPECT_EQ(VerdictOn({Read(7, 0, 10)}, {}), "V1");
}

TEST(SimulationHistory, AReadOfThePastIsFound) {
  EXPECT_EQ(VerdictOn({Write(1, 0, 10), Write(2, 11, 20), Read(1, 21, 30)}, {{0, 1}, {0, 2}}),
            "V4");
}

TEST(SimulationHistory, WritesInAnotherOrderAreFound) {
  EXPECT_EQ(VerdictOn({Write(1, 0, 10), Write(2, 11, 20)}, {{0, 2}, {0, 1}}), "V4");
}

TEST(SimulationHistory, AReadOfTheFutureIsFound) {
  EXPECT_EQ(VerdictOn({Read(1, 0, 10), Write(1, 11, 20)}, {{0, 1}}), "V4");
}

TEST(SimulationHistory, TwoWhoAcknowledgeAreFound) {
  History history;
  history.NoteReply(1, 0, 5);
  history.NoteReply(2, 1, 6);
  EXPECT_EQ(history.violation(), "");
  history.NoteReply(1, 0, 7);
  EXPECT_EQ(history.violation().substr(0, 2), "V2");
}

}  // namespace
}  // namespace mikura::simulation
