// SPDX-License-Identifier: Apache-2.0
// Users and user groups as a client sees them; a test plays the reconciler with Settle().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/api/elasticache/actions_fixture.h"
#include "control/model/user.h"
#include "control/model/user_group.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPassword[] = "Passwords.member.1=a-password-of-20-chr";

class UserActions : public ElastiCacheActions {
 protected:
  std::string CreateUser(const std::string& id, const std::string& name,
                         const std::string& more = kPassword) {
    return Outcome("CreateUser", "UserId=" + id + "&UserName=" + name +
                                     "&Engine=redis&AccessString=on+~*+%2B@all&" + more);
  }
  std::string CreateGroup(const std::string& id, const std::string& ids) {
    return Outcome("CreateUserGroup", "UserGroupId=" + id + "&Engine=redis" + ids);
  }
  // As the reconciler does when no cache uses them.
  void Settle() {
    const auto users = client_.store().List(UsersPrefix(kAccount, kRegion));
    for (const KeyValue& kv : *users) {
      User user = *UserFromJson(kv.value);
      const bool gone = user.status == "deleting";
      user.status = "active";
      Store(gone ? Write::Delete(kv.key) : Write::Put(kv.key, ToJson(user)));
    }
    const auto groups = client_.store().List(UserGroupsPrefix(kAccount, kRegion));
    for (const KeyValue& kv : *groups) {
      UserGroup group = *UserGroupFromJson(kv.value);
      const bool gone = group.status == "deleting";
      group.status = "active";
      group.applied_user_ids = group.user_ids;
      Store(gone ? Write::Delete(kv.key) : Write::Put(kv.key, ToJson(group)));
    }
  }
};

TEST_F(UserActions, CreateShowsTheUserWithoutItsPasswords) {
  const HttpResponse response = client_.Call(
      "CreateUser", "UserId=App&UserName=app&Engine=Redis&AccessString=on+~app:*+%2B@read&" +
                        std::string(kPassword));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, Not(HasSubstr("a-password")));
  EXPECT_EQ(ApiTestClient::Texts(response, "UserId"), "app");
  EXPECT_EQ(ApiTestClient::Texts(response, "Status"), "creating");
  EXPECT_EQ(ApiTestClient::Texts(response, "Engine"), "redis");
  EXPECT_EQ(ApiTestClient::Texts(response, "AccessString"), "on ~app:* +@read");
  EXPECT_EQ(ApiTestClient::Texts(response, "PasswordCount"), "1");
  EXPECT_EQ(ApiTestClient::Texts(response, "ARN"),
            "arn:aws:elasticache:ap-northeast-1:000000000000:user:app");
  const auto records = client_.store().List("/");
  for (const KeyValue& kv : *records) EXPECT_THAT(kv.value, Not(HasSubstr("a-password")));
}

TEST_F(UserActions, TheDefaultUserIsThereAndStaysAsItIs) {
  EXPECT_EQ(Text("DescribeUsers", "", "UserId"), "default");
  EXPECT_EQ(Text("DescribeUsers", "UserId=default", "Type"), "no-password");
  EXPECT_EQ(CreateUser("default", "x"), "400 UserAlreadyExists");
  EXPECT_EQ(Outcome("ModifyUser", "UserId=default&AccessString=on"), "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("DeleteUser", "UserId=default"), "400 InvalidParameterValue");
}

TEST_F(UserActions, ModifyWaitsForTheUserToBeActive) {
  ASSERT_EQ(CreateUser("app", "app"), "200 ");
  EXPECT_EQ(CreateUser("APP", "other"), "400 UserAlreadyExists");
  EXPECT_EQ(Outcome("ModifyUser", "UserId=app&AccessString=off"), "400 InvalidUserState");
  Settle();
  EXPECT_EQ(Outcome("ModifyUser", "UserId=app"), "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("ModifyUser", "UserId=app&AccessString=on&AppendAccessString=off"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("ModifyUser", "UserId=app&AppendAccessString=%3Esecret"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Text("ModifyUser", "UserId=app&AppendAccessString=-del", "AccessString"),
            "on ~* +@all -del");
  EXPECT_EQ(Text("DescribeUsers", "UserId=app", "Status"), "modifying");
  Settle();
  EXPECT_EQ(Text("ModifyUser", "UserId=app&NoPasswordRequired=true", "Type"), "no-password");
  EXPECT_EQ(Outcome("ModifyUser", "UserId=nobody&AccessString=on"), "404 UserNotFound");
}

TEST_F(UserActions, IamIsRefused) {
  EXPECT_EQ(CreateUser("app", "app", "AuthenticationMode.Type=iam"), "400 InvalidParameterValue");
}

TEST_F(UserActions, GroupsNeedADefaultUserAndEachNameOnce) {
  ASSERT_EQ(CreateUser("app", "app"), "200 ");
  ASSERT_EQ(CreateUser("mine", "default"), "200 ");
  EXPECT_EQ(CreateGroup("g", "&UserIds.member.1=app"), "400 DefaultUserRequired");
  EXPECT_EQ(CreateGroup("g", "&UserIds.member.1=mine&UserIds.member.2=default"),
            "400 DuplicateUserName");
  EXPECT_EQ(CreateGroup("g", "&UserIds.member.1=default&UserIds.member.2=nobody"),
            "404 UserNotFound");
  EXPECT_EQ(CreateGroup("g", "&UserIds.member.1=default&UserIds.member.2=app"), "200 ");
  EXPECT_EQ(CreateGroup("g", "&UserIds.member.1=default"), "400 UserGroupAlreadyExists");
  EXPECT_EQ(Outcome("ModifyUserGroup", "UserGroupId=g&UserIdsToRemove.member.1=app"),
            "400 InvalidUserGroupState");
  Settle();
  EXPECT_EQ(Outcome("ModifyUserGroup", "UserGroupId=g&UserIdsToRemove.member.1=default"),
            "400 DefaultUserRequired");
  const HttpResponse changed =
      client_.Call("ModifyUserGroup",
                   "UserGroupId=g&UserIdsToRemove.member.1=default&UserIdsToAdd.member.1=mine");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_THAT(ApiTestClient::Texts(changed, "UserIdsToAdd"), HasSubstr("mine"));
  EXPECT_THAT(ApiTestClient::Texts(changed, "UserIds"), HasSubstr("<member>default</member>"));
  Settle();
  EXPECT_EQ(Text("DescribeUsers", "UserId=mine", "UserGroupIds"), "<member>g</member>");
  EXPECT_EQ(Outcome("DeleteUser", "UserId=mine"), "400 DefaultUserAssociatedToUserGroup");
}

TEST_F(UserActions, ADeletedUserLeavesItsGroups) {
  ASSERT_EQ(CreateUser("app", "app"), "200 ");
  ASSERT_EQ(CreateGroup("g", "&UserIds.member.1=default&UserIds.member.2=app"), "200 ");
  Settle();
  EXPECT_EQ(Text("DeleteUser", "UserId=app", "Status"), "deleting");
  EXPECT_EQ(Text("DescribeUserGroups", "UserGroupId=g", "Status"), "modifying");
  Settle();
  EXPECT_EQ(Outcome("DescribeUsers", "UserId=app"), "404 UserNotFound");
  EXPECT_EQ(Text("DescribeUserGroups", "UserGroupId=g", "UserIds"), "<member>default</member>");
  EXPECT_EQ(Text("DeleteUserGroup", "UserGroupId=g", "Status"), "deleting");
  Settle();
  EXPECT_EQ(Outcome("DescribeUserGroups", "UserGroupId=g"), "404 UserGroupNotFound");
}

TEST_F(UserActions, DescribeFiltersAndPages) {
  for (int i = 10; i < 35; ++i) {
    ASSERT_EQ(CreateUser(fmt::format("u{}", i), fmt::format("n{}", i)), "200 ");
  }
  EXPECT_EQ(Text("DescribeUsers",
                 "Filters.member.1.Name=UserName&Filters.member.1.Values.member.1=n12", "UserId"),
            "u12");
  EXPECT_EQ(
      Outcome("DescribeUsers", "Filters.member.1.Name=Colour&Filters.member.1.Values.member.1=red"),
      "400 InvalidParameterValue");
  EXPECT_EQ(Text("DescribeUsers", "Engine=valkey", "UserId"), "");
  const std::string marker = Text("DescribeUsers", "MaxRecords=20", "Marker");
  EXPECT_THAT(Text("DescribeUsers", "MaxRecords=20&Marker=" + marker, "UserId"), HasSubstr("u34"));
}

TEST_F(UserActions, AReplicationGroupHasAWholeUserGroupOverTls) {
  const auto create = [&](const std::string& id, const std::string& more) {
    return Outcome("CreateReplicationGroup", "ReplicationGroupId=" + id +
                                                 "&ReplicationGroupDescription=d"
                                                 "&CacheNodeType=cache.t3.micro" +
                                                 more);
  };
  const std::string tls = "&TransitEncryptionEnabled=true";
  ASSERT_EQ(CreateGroup("g", "&UserIds.member.1=default"), "200 ");
  EXPECT_EQ(create("demo", "&UserGroupIds.member.1=g"), "400 InvalidParameterCombination");
  EXPECT_EQ(create("demo", tls + "&UserGroupIds.member.1=no"), "404 UserGroupNotFound");
  EXPECT_EQ(create("demo", tls + "&UserGroupIds.member.1=g"), "400 InvalidUserGroupState");
  EXPECT_EQ(create("demo", "&AtRestEncryptionEnabled=true"), "400 InvalidParameterValue");
  EXPECT_EQ(create("demo", "&AuthToken=0123456789abcdef"), "400 InvalidParameterCombination");
  EXPECT_EQ(create("demo", "&TransitEncryptionMode=preferred"), "400 InvalidParameterCombination");
  Settle();
  ASSERT_EQ(create("demo", tls + "&UserGroupIds.member.1=g"), "200 ");
  ASSERT_EQ(create("token", tls + "&TransitEncryptionMode=preferred&AuthToken=0123456789abcdef"),
            "200 ");
  const HttpResponse shown = client_.Call("DescribeReplicationGroups", "ReplicationGroupId=token");
  EXPECT_EQ(ApiTestClient::Texts(shown, "AuthTokenEnabled"), "true");
  EXPECT_EQ(ApiTestClient::Texts(shown, "TransitEncryptionEnabled"), "true");
  EXPECT_EQ(ApiTestClient::Texts(shown, "TransitEncryptionMode"), "preferred");
  EXPECT_EQ(ApiTestClient::Texts(shown, "AtRestEncryptionEnabled"), "false");
  EXPECT_EQ(Text("DescribeUserGroups", "UserGroupId=g", "ReplicationGroups"),
            "<member>demo</member>");
  EXPECT_EQ(Outcome("DeleteUserGroup", "UserGroupId=g"), "400 InvalidUserGroupState");
  EXPECT_EQ(Text("DescribeCacheClusters", "CacheClusterId=token-001", "AuthTokenEnabled"), "true");
}

TEST_F(UserActions, HaveTags) {
  ASSERT_EQ(
      CreateUser("app", "app", std::string(kPassword) + "&Tags.Tag.1.Key=a&Tags.Tag.1.Value=1"),
      "200 ");
  const std::string arn = "ResourceName=arn:aws:elasticache:ap-northeast-1:000000000000:user:app";
  EXPECT_EQ(Text("ListTagsForResource", arn, "Value"), "1");
  EXPECT_EQ(Outcome("AddTagsToResource", arn + "&Tags.Tag.1.Key=b&Tags.Tag.1.Value=2"), "200 ");
  EXPECT_EQ(Text("ListTagsForResource", arn, "Value"), "1 2");
  EXPECT_EQ(Outcome("ListTagsForResource", arn + "x"), "404 UserNotFound");
}

TEST_F(UserActions, TheEngineOfAUserIsChanged) {
  ASSERT_EQ(CreateUser("app", "app"), "200 ");
  Settle();
  EXPECT_EQ(Outcome("ModifyUser", "UserId=app&Engine=memcached"), "400 InvalidParameterValue");
  EXPECT_EQ(Text("ModifyUser", "UserId=app&Engine=Valkey", "Engine"), "valkey");
  EXPECT_EQ(Text("DescribeUsers", "UserId=app", "MinimumEngineVersion"), "7.2");
  Settle();
  EXPECT_EQ(Text("ModifyUser", "UserId=app&Engine=redis", "Engine"), "redis");
}

TEST_F(UserActions, TheEngineOfAGroupIsChangedBeforeThatOfItsUsers) {
  ASSERT_EQ(CreateUser("app", "default"), "200 ");
  Settle();
  ASSERT_EQ(CreateGroup("g", "&UserIds.member.1=app"), "200 ");
  Settle();
  EXPECT_EQ(Outcome("ModifyUser", "UserId=app&Engine=valkey"), "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("ModifyUserGroup", "UserGroupId=g"), "400 InvalidParameterCombination");
  EXPECT_EQ(Text("ModifyUserGroup", "UserGroupId=g&Engine=valkey", "Engine"), "valkey");
  EXPECT_EQ(Text("DescribeUserGroups", "UserGroupId=g", "Status"), "modifying");
  Settle();
  EXPECT_EQ(Outcome("ModifyUser", "UserId=app&Engine=valkey"), "200 ");
  Settle();
  EXPECT_EQ(Outcome("ModifyUserGroup", "UserGroupId=g&Engine=redis"), "400 InvalidParameterValue");
}

TEST_F(UserActions, AGroupThatARedisCacheUsesStaysOfRedis) {
  ASSERT_EQ(CreateUser("app", "default"), "200 ");
  Settle();
  ASSERT_EQ(CreateGroup("g", "&UserIds.member.1=app"), "200 ");
  Settle();
  const std::string create =
      "ReplicationGroupDescription=x&CacheNodeType=cache.t3.micro&TransitEncryptionEnabled=true"
      "&UserGroupIds.member.1=g&ReplicationGroupId=";
  ASSERT_EQ(Outcome("CreateReplicationGroup", create + "r&Engine=redis"), "200 ");
  EXPECT_EQ(Outcome("ModifyUserGroup", "UserGroupId=g&Engine=valkey"), "400 InvalidParameterValue");
}

TEST_F(UserActions, ServerlessCachesAreListedAndNone) {
  ASSERT_EQ(CreateUser("app", "default"), "200 ");
  Settle();
  EXPECT_THAT(
      client_.Call("CreateUserGroup", "UserGroupId=g&Engine=redis&UserIds.member.1=app").body,
      HasSubstr("<ServerlessCaches></ServerlessCaches>"));
}

}  // namespace
}  // namespace mikura::control
