// SPDX-License-Identifier: Apache-2.0
#include "control/model/user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/model/secret_hash.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPassword[] = "a-password-of-20-ch!";

ApiErrorCode CodeOf(const ApiResult<>& result) {
  return result.ok() ? ApiErrorCode::kInternalFailure : result.error().code;
}

TEST(Users, KeepPasswordsAsHashesAlone) {
  User user = BuiltInDefaultUser("0", "r");
  ASSERT_TRUE(SetAuthentication(user, {.passwords = {kPassword}}).ok());
  EXPECT_EQ(user.AuthenticationType(), "password");
  EXPECT_THAT(ToJson(user), Not(HasSubstr(kPassword)));
  EXPECT_THAT(ToJson(user), HasSubstr(HashSecret(kPassword)));
  const auto again = UserFromJson(ToJson(user));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->password_hashes, user.password_hashes);
}

TEST(Users, BecomeALineOfAnAclFile) {
  User user;
  user.name = "app";
  user.access_string = "on  ~app:* +@read";
  ASSERT_TRUE(SetAuthentication(user, {.passwords = {kPassword}}).ok());
  EXPECT_EQ(AccessLineOf(user), "user app on ~app:* +@read #" + HashSecret(kPassword));
  ASSERT_TRUE(SetAuthentication(user, {.no_password_required = true}).ok());
  EXPECT_EQ(AccessLineOf(user), "user app on ~app:* +@read nopass");
}

TEST(Users, HaveOneWayToAuthenticate) {
  User user;
  const auto code = [&](const AskedAuthentication& asked) {
    return CodeOf(SetAuthentication(user, asked));
  };
  EXPECT_EQ(code({}), ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(code({.passwords = {"short"}}), ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(code({.passwords = {std::string(129, 'x')}}), ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(code({.passwords = {"with a blank in the middle"}}),
            ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(code({.passwords = {kPassword, kPassword, kPassword}}),
            ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(code({.passwords = {kPassword}, .no_password_required = true}),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(code({.type = "password", .passwords = {kPassword}}),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(code({.type = "no-password-required", .mode_passwords = {kPassword}}),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(code({.type = "iam"}), ApiErrorCode::kInvalidParameterValue);
  EXPECT_TRUE(SetAuthentication(user, {.type = "password", .mode_passwords = {kPassword}}).ok());
}

TEST(Users, AccessStringsLeavePasswordsAlone) {
  for (const char* text :
       {"on >secret", "on nopass", "reset", "on #abc", "ON RESETPASS", "", " "}) {
    EXPECT_EQ(CodeOf(CheckAccessString(text, nullptr)), ApiErrorCode::kInvalidParameterValue)
        << text;
  }
  EXPECT_TRUE(CheckAccessString("on ~* +@all", nullptr).ok());
}

TEST(Users, AccessStringsAreReadAsTheEngineReadsThem) {
  const AccessRuleCheck check = [](std::string_view rules) -> Status {
    if (rules == "on +get") return Ok();
    return Error{"Unknown command"};
  };
  EXPECT_TRUE(CheckAccessString("on +get", &check).ok());
  const auto refused = CheckAccessString("on +nothing", &check);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("Unknown command"));
}

TEST(Users, NamesAreOneWord) {
  EXPECT_TRUE(CheckUserName("app-1").ok());
  for (const char* name : {"", "a b", "%link", "a\nuser x on", "a\"b"}) {
    EXPECT_FALSE(CheckUserName(name).ok()) << name;
  }
}

}  // namespace
}  // namespace mikura::control
