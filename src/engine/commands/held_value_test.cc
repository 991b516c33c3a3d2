// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/held_value.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/collections/list_value.h"
#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

class HeldValueTest : public testing::Test {
 protected:
  // Holds the value of "key" and calls visit(held) with nothing locked; then tells whether the key
  // still has it.
  template <typename Visit>
  bool IsStillAfter(const Visit& visit) NO_THREAD_SAFETY_ANALYSIS {
    std::optional<HeldValue> held;
    OnKey([&](const store::Found& found) {
      held.emplace(runner_.keyspace().allocator().collections(), found);
    });
    visit(*held);
    bool is_still = false;
    OnKey([&](const store::Found& found) { is_still = held->IsStill(found); });
    return is_still;
  }
  bool IsStillAfterCommand(std::string_view line) {
    return IsStillAfter([&](const HeldValue&) { runner_.Run(line); });
  }
  template <typename Visit>
  void OnKey(const Visit& visit) NO_THREAD_SAFETY_ANALYSIS {
    Keyspace& keyspace = runner_.keyspace();
    const Key key = keyspace.hasher()("key");
    ShardGuard guard(keyspace.lock(key.shard()));
    const store::Access access = keyspace.AccessAt(runner_.clock().NowMillis());
    visit(keyspace.LockedShard(key.shard()).Peek(0, key, access));
  }
  void FillList(size_t elements) {
    for (size_t i = 0; i < elements; ++i) runner_.Run(fmt::format("RPUSH key element{}", i));
  }

  CommandRunner runner_;
};

TEST_F(HeldValueTest, OfAnAbsentKeyIsNothing) {
  EXPECT_TRUE(IsStillAfter([](const HeldValue& held) { EXPECT_FALSE(held.exists()); }));
  EXPECT_FALSE(IsStillAfterCommand("SET key value"));
}

TEST_F(HeldValueTest, OfASmallStringIsItsText) {
  runner_.Run("SET key value");
  EXPECT_TRUE(IsStillAfter([](const HeldValue& held) { EXPECT_EQ(held.text(), "value"); }));
  EXPECT_TRUE(IsStillAfterCommand("SET key value"));
  EXPECT_FALSE(IsStillAfterCommand("APPEND key s"));
  EXPECT_FALSE(IsStillAfterCommand("DEL key"));
}

TEST_F(HeldValueTest, OfALargeStringStaysAsItWas) {
  runner_.Run("SETRANGE key 99999 x");
  EXPECT_TRUE(IsStillAfterCommand("EXPIRE key 100"));
  EXPECT_FALSE(IsStillAfter([&](const HeldValue& held) {
    EXPECT_EQ(runner_.Run("SETRANGE key 0 changed"), ":100000 ");
    EXPECT_EQ(held.text()[0], '\0');
    EXPECT_EQ(held.text().back(), 'x');
  }));
}

TEST_F(HeldValueTest, OfASmallListIsItsElements) {
  runner_.Run("RPUSH key a b");
  EXPECT_TRUE(IsStillAfter([](const HeldValue& held) {
    ASSERT_NE(held.collection(), nullptr);
    EXPECT_EQ(held.As<collections::ListValue>()->At(1), "b");
  }));
  EXPECT_FALSE(IsStillAfterCommand("RPUSH key c"));
  EXPECT_FALSE(IsStillAfter([&](const HeldValue&) {
    runner_.Run("DEL key");
    runner_.Run("SADD key a b");
  }));
}

TEST_F(HeldValueTest, OfALargeListStaysAsItWas) {
  FillList(2000);
  EXPECT_TRUE(IsStillAfterCommand("EXPIRE key 100"));
  EXPECT_FALSE(IsStillAfter([&](const HeldValue& held) {
    runner_.Run("LSET key 0 changed");
    EXPECT_EQ(held.As<collections::ListValue>()->At(0), "element0");
  }));
  EXPECT_FALSE(IsStillAfterCommand("DEL key"));
}

TEST_F(HeldValueTest, GivesItsMemoryBack) {
  const auto bytes_after_removal = [&] {
    FillList(20000);
    EXPECT_FALSE(IsStillAfterCommand("DEL key"));
    runner_.keyspace().allocator().collections().DeleteQueued();
    return runner_.keyspace().gauge().ExactBytes();
  };
  const int64_t once = bytes_after_removal();
  EXPECT_EQ(bytes_after_removal(), once);
}

}  // namespace
}  // namespace mikura::engine
