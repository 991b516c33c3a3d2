// SPDX-License-Identifier: Apache-2.0
#include "control/model/group_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/model/secret_hash.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kOne[] = "token-number-one-1";
constexpr char kTwo[] = "token-number-two-2";
constexpr char kThree[] = "token-number-three";

GroupAccess Made(const AskedAccess& asked) {
  GroupAccess access;
  EXPECT_TRUE(SetAccess(access, asked, 1).ok());
  return access;
}

ApiErrorCode CodeOf(const AskedAccess& asked) {
  GroupAccess access;
  const auto set = SetAccess(access, asked, 1);
  return set.ok() ? ApiErrorCode::kInternalFailure : set.error().code;
}

ApiErrorCode ChangeCode(GroupAccess access, const AskedAccess& asked) {
  const auto changed = ChangeAccess(access, asked, 2);
  return changed.ok() ? ApiErrorCode::kInternalFailure : changed.error().code;
}

TEST(GroupAccess, TokensAndUserGroupsNeedTls) {
  EXPECT_EQ(CodeOf({.auth_token = kOne}), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(CodeOf({.user_groups_to_add = {"g"}}), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(CodeOf({.tls_mode = kTlsPreferred}), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(CodeOf({.tls_enabled = true, .auth_token = "short"}),
            ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(CodeOf({.tls_enabled = true, .auth_token = "has a / in the middle"}),
            ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(CodeOf({.tls_enabled = true, .auth_token = kOne, .user_groups_to_add = {"g"}}),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(Made({.tls_enabled = true}).wanted.tls_mode, kTlsRequired);
}

TEST(GroupAccess, ARotatedTokenIsValidBesideTheOneBeforeUntilOneIsSet) {
  GroupAccess access = Made({.tls_enabled = true, .auth_token = kOne});
  ASSERT_TRUE(ChangeAccess(access, {.auth_token = kTwo, .auth_token_strategy = "ROTATE"}, 7).ok());
  EXPECT_THAT(access.wanted.auth_token_hashes, ElementsAre(HashSecret(kOne), HashSecret(kTwo)));
  EXPECT_EQ(access.auth_token_changed_at, 7);
  ASSERT_TRUE(ChangeAccess(access, {.auth_token = kThree}, 8).ok());
  EXPECT_THAT(access.wanted.auth_token_hashes, ElementsAre(HashSecret(kTwo), HashSecret(kThree)));
  ASSERT_TRUE(ChangeAccess(access, {.auth_token = kThree, .auth_token_strategy = "SET"}, 9).ok());
  EXPECT_THAT(access.wanted.auth_token_hashes, ElementsAre(HashSecret(kThree)));
}

TEST(GroupAccess, AFirstTokenLocksNobodyOutUntilItIsSet) {
  GroupAccess access = Made({.tls_enabled = true});
  ASSERT_TRUE(ChangeAccess(access, {.auth_token = kOne, .auth_token_strategy = "ROTATE"}, 2).ok());
  EXPECT_TRUE(access.wanted.serves_without_token);
  ASSERT_TRUE(ChangeAccess(access, {.auth_token = kOne, .auth_token_strategy = "SET"}, 3).ok());
  EXPECT_FALSE(access.wanted.serves_without_token);
}

TEST(GroupAccess, TheTokenIsDeletedOnlyTowardsAUserGroup) {
  GroupAccess access = Made({.tls_enabled = true, .auth_token = kOne});
  EXPECT_EQ(ChangeCode(access, {.auth_token_strategy = "DELETE"}),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ChangeCode(access, {.user_groups_to_add = {"g"}}),
            ApiErrorCode::kInvalidParameterCombination);
  ASSERT_TRUE(
      ChangeAccess(access, {.auth_token_strategy = "DELETE", .user_groups_to_add = {"g"}}, 2).ok());
  EXPECT_THAT(access.wanted.auth_token_hashes, IsEmpty());
  EXPECT_THAT(access.wanted.user_group_ids, ElementsAre("g"));
}

TEST(GroupAccess, HasOneUserGroup) {
  GroupAccess access = Made({.tls_enabled = true, .user_groups_to_add = {"g"}});
  EXPECT_EQ(ChangeCode(access, {.user_groups_to_add = {"h"}}),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ChangeCode(access, {.user_groups_to_remove = {"h"}}),
            ApiErrorCode::kInvalidParameterValue);
  ASSERT_TRUE(
      ChangeAccess(access, {.user_groups_to_add = {"h"}, .user_groups_to_remove = {"g"}}, 2).ok());
  EXPECT_THAT(access.wanted.user_group_ids, ElementsAre("h"));
  ASSERT_TRUE(ChangeAccess(access, {.remove_user_groups = true}, 3).ok());
  EXPECT_THAT(access.wanted.user_group_ids, IsEmpty());
}

TEST(GroupAccess, TlsIsTurnedOnAndOffByWayOfPreferred) {
  GroupAccess access = Made({});
  EXPECT_EQ(ChangeCode(access, {.tls_enabled = true, .tls_mode = kTlsRequired}),
            ApiErrorCode::kInvalidParameterCombination);
  ASSERT_TRUE(ChangeAccess(access, {.tls_enabled = true, .tls_mode = kTlsPreferred}, 2).ok());
  ASSERT_TRUE(ChangeAccess(access, {.tls_mode = kTlsRequired}, 3).ok());
  EXPECT_EQ(ChangeCode(access, {.tls_enabled = false}), ApiErrorCode::kInvalidParameterCombination);
  ASSERT_TRUE(ChangeAccess(access, {.tls_mode = kTlsPreferred}, 4).ok());
  ASSERT_TRUE(ChangeAccess(access, {.tls_enabled = false}, 5).ok());
  EXPECT_EQ(access.wanted.tls_mode, "");
}

}  // namespace
}  // namespace mikura::control
