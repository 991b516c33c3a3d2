// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/access_workflow.h"

#include "control/metadata/metadata_keys.h"
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kAccount[] = "000000000000";
constexpr char kRegion[] = "ap-northeast-1";

class Access : public ReconcilerFixture {
 protected:
  void Put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(store_.Transact({}, {Write::Put(key, value)})->has_value());
  }
  void PutUser(const std::string& id, const std::string& status, const std::string& rules) {
    User user;
    user.id = id;
    user.account = kAccount;
    user.region = kRegion;
    user.name = id == "mine" ? "default" : id;
    user.engine = "redis";
    user.status = status;
    user.access_string = rules;
    user.password_hashes = {std::string(64, 'a')};
    Put(UsersPrefix(kAccount, kRegion) + id, ToJson(user));
  }
  void PutUserGroup(const std::string& id, const std::string& status,
                    const std::vector<std::string>& users) {
    UserGroup group;
    group.id = id;
    group.account = kAccount;
    group.region = kRegion;
    group.engine = "redis";
    group.status = status;
    group.user_ids = users;
    Put(UserGroupsPrefix(kAccount, kRegion) + id, ToJson(group));
  }
  void Want(const std::string& id, const AccessWish& wish) {
    ReplicationGroup group = Group(id);
    group.status = kStatusModifying;
    group.access.wanted = wish;
    Put(ReplicationGroupKey(kAccount, kRegion, id), ToJson(group));
  }
  std::string UserStatus(const std::string& id) {
    const auto kv = *store_.Get(UsersPrefix(kAccount, kRegion) + id);
    return kv ? UserFromJson(kv->value)->status : "gone";
  }
  std::string UserGroupStatus(const std::string& id) {
    const auto kv = *store_.Get(UserGroupsPrefix(kAccount, kRegion) + id);
    return kv ? UserGroupFromJson(kv->value)->status : "gone";
  }
  std::string UsersOf(const std::string& cluster) { return host_.node(Node(cluster)).access.users; }
};

TEST_F(Access, NodesAreOpenWithoutUsersAndTokens) {
  CreateGroup("demo", 2);
  Settle();
  EXPECT_EQ(UsersOf("demo-002"), "user default on ~* &* +@all nopass\n");
  EXPECT_EQ(host_.node(Node("demo-001")).access.link, host_.node(Node("demo-002")).access.link);
}

TEST_F(Access, UsersWithoutCachesBecomeActiveAndVanishAtOnce) {
  PutUser("app", "creating", "on ~* +@all");
  PutUserGroup("g", "creating", {"default", "app"});
  Settle();
  EXPECT_EQ(UserStatus("app"), "active");
  EXPECT_EQ(UserGroupStatus("g"), "active");
  PutUser("app", "deleting", "on ~* +@all");
  PutUserGroup("g", "deleting", {"default"});
  Settle();
  EXPECT_EQ(UserStatus("app"), "gone");
  EXPECT_EQ(UserGroupStatus("g"), "gone");
}

TEST_F(Access, AUserIsActiveWhenAllNodesHaveIt) {
  PutUser("app", "active", "on ~app:* +@read");
  PutUserGroup("g", "active", {"default", "app"});
  CreateGroup("demo", 2);
  Settle();
  Want("demo", {.user_group_ids = {"g"}, .tls_mode = "required"});
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(Group("demo").access.applied, Group("demo").access.wanted);
  EXPECT_THAT(UsersOf("demo-002"), HasSubstr("user app on ~app:* +@read #aaa"));
  EXPECT_THAT(UsersOf("demo-002"), HasSubstr("user default on ~* &* +@all nopass\n"));
  host_.RefuseAccess(true);
  PutUser("app", "modifying", "on ~app:* +@all");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Step());
  EXPECT_EQ(UserStatus("app"), "modifying");
  host_.RefuseAccess(false);
  Settle();
  EXPECT_EQ(UserStatus("app"), "active");
  EXPECT_THAT(UsersOf("demo-001"), HasSubstr("user app on ~app:* +@all #aaa"));
  EXPECT_EQ(UsersOf("demo-001"), UsersOf("demo-002"));
}

TEST_F(Access, ADeletedUserIsTakenFromTheNodesBeforeItVanishes) {
  PutUser("app", "active", "on ~* +@all");
  PutUserGroup("g", "active", {"default", "app"});
  CreateGroup("demo", 2);
  Settle();
  Want("demo", {.user_group_ids = {"g"}, .tls_mode = "required"});
  Settle();
  host_.RefuseAccess(true);
  PutUser("app", "deleting", "on ~* +@all");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Step());
  EXPECT_EQ(UserStatus("app"), "deleting");
  host_.RefuseAccess(false);
  PutUserGroup("g", "modifying", {"default"});
  Settle();
  EXPECT_EQ(UserStatus("app"), "gone");
  EXPECT_EQ(UserGroupStatus("g"), "active");
  EXPECT_THAT(UsersOf("demo-001"), Not(HasSubstr("app")));
}

TEST_F(Access, WithoutItsUserGroupACacheIsClosed) {
  CreateGroup("demo", 1, false);
  Settle();
  Want("demo", {.user_group_ids = {"lost"}, .tls_mode = "required"});
  Settle();
  EXPECT_EQ(UsersOf("demo-001"), "user default off\n");
}

TEST_F(Access, ANodeHasItFromItsStart) {
  CreateGroup("demo", 2);
  Settle();
  Want("demo", {.auth_token_hashes = {std::string(64, 'b')}, .tls_mode = "preferred"});
  Settle();
  const NodeAccess before = host_.node(Node("demo-002")).access;
  EXPECT_THAT(before.users, HasSubstr("#bbb"));
  EXPECT_EQ(before.tls_mode, "preferred");
  EXPECT_THAT(before.addresses, ElementsAre(Cluster("demo-002").nodes[0].endpoint.address,
                                            Group("demo").primary_endpoint.address,
                                            Group("demo").reader_endpoint.address));
  // It cannot be told anything any more, only started.
  host_.RefuseAccess(true);
  host_.Kill(Node("demo-002"));
  Step();
  Step();
  EXPECT_EQ(host_.node(Node("demo-002")).access, before);
}

TEST_F(Access, ATokenThatIsRotatedInIsNotNeededYet) {
  CreateGroup("demo", 1, false);
  Settle();
  AccessWish wish{.auth_token_hashes = {std::string(64, 'b')},
                  .serves_without_token = true,
                  .tls_mode = "preferred"};
  Want("demo", wish);
  Settle();
  EXPECT_EQ(UsersOf("demo-001"), "user default on ~* &* +@all nopass\n");
  wish.serves_without_token = false;
  Want("demo", wish);
  Settle();
  EXPECT_EQ(UsersOf("demo-001"), "user default on ~* &* +@all #" + std::string(64, 'b') + "\n");
}

TEST_F(Access, AFailoverKeepsIt) {
  CreateGroup("demo", 3);
  Settle();
  Want("demo", {.auth_token_hashes = {std::string(64, 'b')}, .tls_mode = "required"});
  Settle();
  host_.Kill(Node("demo-001"));
  Settle();
  EXPECT_EQ(Shard("demo").primary, Node("demo-002"));
  for (const char* cluster : {"demo-001", "demo-002", "demo-003"}) {
    EXPECT_THAT(UsersOf(cluster), HasSubstr("#bbb")) << cluster;
  }
}

TEST_F(Access, EventsTellWhatBecameOfIt) {
  PutUser("app", "creating", "on ~* +@all");
  PutUserGroup("people", "creating", {"app"});
  CreateGroup("demo", 2);
  Settle();
  AccessWish wish;
  wish.user_group_ids = {"people"};
  Want("demo", wish);
  PutUser("app", "modifying", "on ~* +get");
  Settle();
  Want("demo", {});
  PutUserGroup("people", "deleting", {"app"});
  PutUser("app", "deleting", "on ~* +get");
  Settle();
  std::vector<std::string> told = Events();
  std::erase_if(told,
                [](const std::string& message) { return message.find("ser") == message.npos; });
  EXPECT_THAT(told, ElementsAre("app: User created", "people: User group created",
                                "demo: User groups, AUTH token or transit encryption modified",
                                "app: User modified",
                                "demo: User groups, AUTH token or transit encryption modified",
                                "app: User deleted", "people: User group deleted"));
}

}  // namespace
}  // namespace mikura::control
