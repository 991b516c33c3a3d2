// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/address_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/metadata/memory_store.h"
#include "control/reconciler/fake_runtime.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Addresses : public ::testing::Test {
 protected:
  std::vector<std::string> Take(const std::vector<std::string>& owners) {
    const auto reserved = ReserveAddresses(store_, host_, owners, 6379);
    EXPECT_TRUE(store_.Transact(reserved->compares, reserved->writes)->has_value());
    return reserved->addresses;
  }

  CrashPoint crash_;
  MemoryStore store_;
  FakeRuntime host_{crash_};
};

TEST_F(Addresses, BeginAt127_42_0_1AndGoOn) {
  EXPECT_THAT(Take({"a", "b"}), ElementsAre("127.42.0.1", "127.42.0.2"));
  EXPECT_THAT(Take({"c"}), ElementsAre("127.42.0.3"));
}

TEST_F(Addresses, LeaveOutTheFirstAndLastOfEach256) {
  ASSERT_TRUE(
      store_.Transact({}, {Write::Put("/ec/v1/ip/cursor/loopback", std::to_string(0x7f2a00fe))})
          .ok());
  EXPECT_THAT(Take({"a"}), ElementsAre("127.42.1.1"));
}

TEST_F(Addresses, BeginAgainAfterTheLastAndLeaveOutThoseTaken) {
  Take({"a"});
  ASSERT_TRUE(
      store_.Transact({}, {Write::Put("/ec/v1/ip/cursor/loopback", std::to_string(0x7ffefffe))})
          .ok());
  EXPECT_THAT(Take({"b"}), ElementsAre("127.42.0.2"));
}

TEST_F(Addresses, AreNotGivenTwiceToReadersOfTheSameState) {
  const auto first = ReserveAddresses(store_, host_, {"a"}, 6379);
  const auto second = ReserveAddresses(store_, host_, {"b"}, 6379);
  EXPECT_TRUE(store_.Transact(first->compares, first->writes)->has_value());
  EXPECT_FALSE(store_.Transact(second->compares, second->writes)->has_value());
}

TEST_F(Addresses, SayWhenThePortIsTakenEverywhere) {
  host_.TakePortEverywhere(true);
  const auto refused = ReserveAddresses(store_, host_, {"a"}, 6379);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("port 6379 is taken"));
}

}  // namespace
}  // namespace mikura::control
