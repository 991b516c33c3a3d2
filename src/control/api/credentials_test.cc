// SPDX-License-Identifier: Apache-2.0
#include "control/api/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/metadata/memory_store.h"

namespace mikura::control {
namespace {

TEST(Credentials, ANewPairLooksLikeOneOfAws) {
  MemoryStore store;
  const auto credential = CreateCredential(store, ManualClock(7));
  ASSERT_TRUE(credential.ok());
  EXPECT_THAT(credential->access_key_id, testing::MatchesRegex("AKIA[A-Z2-7]{16}"));
  EXPECT_THAT(credential->secret, testing::MatchesRegex("[A-Za-z0-9+/]{40}"));
  EXPECT_EQ(credential->account_id, "000000000000");
}

TEST(Credentials, AStoredPairIsFoundWithItsSecret) {
  MemoryStore store;
  const auto created = CreateCredential(store, ManualClock(7), "123456789012");
  const auto found = FindCredential(store, created->access_key_id);
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->secret, created->secret);
  EXPECT_EQ((*found)->account_id, "123456789012");
  EXPECT_EQ((*found)->created, 7);
}

TEST(Credentials, AnUnknownKeyIsNotFound) {
  MemoryStore store;
  EXPECT_EQ(FindCredential(store, "AKIAX")->has_value(), false);
}

TEST(Credentials, ADeletedPairIsGone) {
  MemoryStore store;
  const std::string kept = CreateCredential(store, ManualClock())->access_key_id;
  const std::string deleted = CreateCredential(store, ManualClock())->access_key_id;
  EXPECT_EQ(*DeleteCredential(store, deleted), true);
  EXPECT_EQ(*DeleteCredential(store, deleted), false);
  const auto list = ListCredentials(store);
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().access_key_id, kept);
}

TEST(Credentials, AnAccountHasTwelveDigits) {
  MemoryStore store;
  EXPECT_FALSE(CreateCredential(store, ManualClock(), "12345678901").ok());
  EXPECT_FALSE(CreateCredential(store, ManualClock(), "12345678901x").ok());
}

TEST(Credentials, ADamagedRecordIsAnErrorThatNamesIt) {
  MemoryStore store;
  ASSERT_TRUE(store.Transact({}, {Write::Put("/ec/v1/credentials/AKIAX", "{")}).ok());
  const auto found = FindCredential(store, "AKIAX");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().message, "the credential record /ec/v1/credentials/AKIAX is damaged");
}

}  // namespace
}  // namespace mikura::control
