// SPDX-License-Identifier: Apache-2.0
#include "control/model/user_group.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

User Named(const std::string& id, const std::string& name, const std::string& engine = "redis") {
  User user;
  user.id = id;
  user.name = name;
  user.engine = engine;
  return user;
}

ApiErrorCode CodeOf(const std::string& engine, const std::vector<User>& users) {
  UserGroup group;
  group.engine = engine;
  const auto checked = CheckMembers(group, users);
  return checked.ok() ? ApiErrorCode::kInternalFailure : checked.error().code;
}

TEST(UserGroups, NeedADefaultUserInRedisAndNotInValkey) {
  EXPECT_EQ(CodeOf("redis", {}), ApiErrorCode::kDefaultUserRequired);
  EXPECT_EQ(CodeOf("redis", {Named("a", "app")}), ApiErrorCode::kDefaultUserRequired);
  EXPECT_EQ(CodeOf("redis", {Named("mine", "default")}), ApiErrorCode::kInternalFailure);
  EXPECT_EQ(CodeOf("valkey", {Named("a", "app")}), ApiErrorCode::kInternalFailure);
}

TEST(UserGroups, HaveEachNameOnceAndUsersOfTheirEngine) {
  EXPECT_EQ(CodeOf("redis", {Named("default", "default"), Named("mine", "default")}),
            ApiErrorCode::kDuplicateUserName);
  EXPECT_EQ(CodeOf("redis", {Named("default", "default"), Named("a", "app", "valkey")}),
            ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(CodeOf("valkey", {Named("default", "default"), Named("a", "app", "valkey")}),
            ApiErrorCode::kInternalFailure);
}

}  // namespace
}  // namespace mikura::control
