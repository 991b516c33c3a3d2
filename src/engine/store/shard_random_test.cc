// SPDX-License-Identifier: Apache-2.0
// The shard against a plain map under random changes.
#include <gtest/gtest.h>

#include <set>

#include "engine/store/store_test_model.h"

namespace mikura::engine::store {
namespace {

class ShardAgainstMap : public testing::TestWithParam<int> {};

TEST_P(ShardAgainstMap, HoldsTheSameAfterAnyChanges) {
  const int seed = GetParam();
  const int key_space = seed % 3 == 0 ? 100 : seed % 3 == 1 ? 2000 : 20000;
  ModelledShard model(seed, key_space);
  for (int round = 0; round < 24 && !testing::Test::HasFatalFailure(); ++round) {
    const int growth = round % 6 < 3 ? 85 : 20;
    for (int i = 0; i < 1500; ++i) model.Change(growth);
    if (model.Pick(4) == 0) model.Swap(model.Pick(3), model.Pick(3));
    if (model.Pick(6) == 0) model.Detach(model.Pick(3));
    model.Compare();
    if (round % 5 == 4) model.ExpireAll();
  }
  // With everything gone the only memory left is that of empty tables and wheels.
  for (int database = 0; database < ModelledShard::kDatabases; ++database) model.Detach(database);
  model.DropKept();
  EXPECT_LT(model.keys().allocator().gauge().ExactBytes(), 3000);
  EXPECT_GT(model.marked(), 10u);
  EXPECT_EQ(static_cast<int64_t>(model.keys().shard().used_bytes()),
            model.keys().allocator().gauge().ExactBytes());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ShardAgainstMap, testing::Range(1, 13));

class ScanUnderChange : public testing::TestWithParam<int> {};

TEST_P(ScanUnderChange, SeesEveryKeyThatIsThereAllTheTime) {
  ModelledShard model(GetParam(), 3000);
  model.keys().may_expire = false;
  const int growth = GetParam() % 2 == 0 ? 95 : 10;  // growing or shrinking during the scan
  for (int i = 0; i < 8000; ++i) model.Change(growth == 95 ? 30 : 95);
  const auto before = model.Contents();
  model.removed().clear();
  const Access at_the_beginning{0, false};  // nothing counts as expired
  CollectingConsumer consumer;
  std::optional<uint64_t> cursor = 0;
  while (cursor.has_value()) {
    cursor = model.keys().shard().Scan(0, *cursor, 1 + model.Pick(40), at_the_beginning, consumer);
    for (int i = 0; i < 40; ++i) model.Change(growth);
  }
  size_t always = 0;
  for (const auto& [name, value] : before) {
    if (name[0] != '0' || model.removed().contains(name)) continue;
    ++always;
    EXPECT_TRUE(consumer.seen.contains(name)) << name;
  }
  EXPECT_GT(always, 10u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ScanUnderChange, testing::Range(1, 9));

}  // namespace
}  // namespace mikura::engine::store
