// SPDX-License-Identifier: Apache-2.0
#include "engine/access/access_users.h"

#include <gtest/gtest.h>

namespace mikura::engine::access {
namespace {

constexpr std::string_view kCategories[] = {"read", "write", "admin"};
constexpr uint32_t kRead = 1;
constexpr uint32_t kWrite = 2;
constexpr uint32_t kAdmin = 4;

AccessCatalog TestCatalog() {
  AccessCatalog catalog(kCategories);
  catalog.Add("get", kRead, {});
  catalog.Add("set", kWrite, {});
  const CommandNumber config = catalog.Add("config", 0, {});
  catalog.Add("config|get", kAdmin, config);
  catalog.Add("config|set", kAdmin, config);
  catalog.Add("select", 0, {});
  return catalog;
}

class Access : public testing::Test {
 protected:
  std::string Set(std::string_view name, std::vector<std::string_view> rules) {
    const Status status = users_.Set(name, rules);
    return status.ok() ? users_.Find(name)->Text() : status.error().message;
  }
  Denial Ask(std::string_view user, std::string_view command, std::vector<KeyUse> keys = {},
             std::vector<ChannelUse> channels = {}, std::string_view argument = {}) {
    const RequestUse use{*users_.catalog().Find(command), argument, keys, channels};
    return users_.Find(user)->Check(use).denial;
  }

  AccessUsers users_{TestCatalog()};
};

TEST_F(Access, ANewUserMayNothing) {
  EXPECT_EQ(Set("u", {}), "user u off resetchannels -@all");
  EXPECT_EQ(Ask("u", "get"), Denial::kCommand);
  EXPECT_EQ(users_.Find("default")->Text(), "user default on nopass ~* &* +@all");
  EXPECT_TRUE(users_.Find("default")->is_unrestricted());
}

TEST_F(Access, RulesAddAndTakeAway) {
  EXPECT_EQ(Set("u", {"+@read", "+config", "-config|set"}),
            "user u off resetchannels -@all +@read +config -config|set");
  EXPECT_EQ(Ask("u", "get"), Denial::kNone);
  EXPECT_EQ(Ask("u", "set"), Denial::kCommand);
  EXPECT_EQ(Ask("u", "config|get"), Denial::kNone);
  EXPECT_EQ(Ask("u", "config|set"), Denial::kCommand);
  EXPECT_EQ(Set("u", {"-config", "-get"}), "user u off resetchannels -@all +@read -config -get");
  EXPECT_EQ(Ask("u", "config|get"), Denial::kCommand);
  EXPECT_EQ(Ask("u", "get"), Denial::kCommand);
  EXPECT_EQ(Set("u", {"allcommands"}), "user u off resetchannels +@all");
}

TEST_F(Access, AFirstArgumentMayBeAllowedAlone) {
  Set("u", {"+select|0"});
  EXPECT_EQ(Ask("u", "select", {}, {}, "0"), Denial::kNone);
  EXPECT_EQ(Ask("u", "select", {}, {}, "1"), Denial::kCommand);
  EXPECT_EQ(Set("u", {"+config|get|x"}),
            "Error in ACL SETUSER modifier '+config|get|x': Allowing first-arg of a subcommand is "
            "not supported");
}

TEST_F(Access, KeysAreReadAndWrittenByPattern) {
  Set("u", {"+@all", "%R~r*", "%W~w*", "~b"});
  EXPECT_EQ(Ask("u", "get", {{"r1", kReadsKey}}), Denial::kNone);
  EXPECT_EQ(Ask("u", "set", {{"r1", kWritesKey}}), Denial::kKey);
  EXPECT_EQ(Ask("u", "set", {{"w1", kReadsKey | kWritesKey}}), Denial::kKey);
  EXPECT_EQ(Ask("u", "set", {{"b", kReadsKey | kWritesKey}}), Denial::kNone);
  EXPECT_EQ(Set("u", {"%W~r*"}), "user u off ~r* %W~w* ~b resetchannels +@all");
}

TEST_F(Access, APatternOfChannelsIsComparedAsItStands) {
  Set("u", {"+@all", "&c*"});
  EXPECT_EQ(Ask("u", "get", {}, {{"c1", false}}), Denial::kNone);
  EXPECT_EQ(Ask("u", "get", {}, {{"c*", true}}), Denial::kNone);
  EXPECT_EQ(Ask("u", "get", {}, {{"c1*", true}}), Denial::kChannel);
}

TEST_F(Access, ASelectorAllowsARequestAsAWhole) {
  Set("u", {"+get", "~a", "(+set ~b)"});
  EXPECT_EQ(Ask("u", "get", {{"a", kReadsKey}}), Denial::kNone);
  EXPECT_EQ(Ask("u", "set", {{"b", kWritesKey}}), Denial::kNone);
  EXPECT_EQ(Ask("u", "get", {{"b", kReadsKey}}), Denial::kKey);
  EXPECT_EQ(Set("u", {"(+get", "~c)"}),
            "user u off ~a resetchannels -@all +get (~b resetchannels -@all +set) (~c "
            "resetchannels -@all +get)");
  EXPECT_EQ(Set("u", {"clearselectors"}), "user u off ~a resetchannels -@all +get");
  EXPECT_EQ(Set("u", {"(+get"}), "Unmatched parenthesis in acl selector starting at '(+get'.");
}

TEST_F(Access, WrongRulesChangeNothing) {
  Set("u", {"+get"});
  for (const std::string_view rule : {"%~x", "%X~x", "%", "%R", "+", "-", "foo", "+foo", "+@foo",
                                      "-get|x", "~a b", "#12", "<nope", "(%)", "(+get foo)"}) {
    EXPECT_TRUE(Set("u", {"on", rule}).starts_with("Error in ACL SETUSER modifier")) << rule;
  }
  EXPECT_EQ(users_.Find("u")->Text(), "user u off resetchannels -@all +get");
  EXPECT_TRUE(Set("u", {"allkeys", "~b"}).find("Adding a pattern after the *") !=
              std::string::npos);
}

TEST_F(Access, PasswordsAreKeptAsHashes) {
  EXPECT_EQ(Set("u", {"on", ">pw"}),
            "user u on #30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4 "
            "resetchannels -@all");
  EXPECT_TRUE(users_.Find("u")->AcceptsPassword("pw"));
  EXPECT_FALSE(users_.Find("u")->AcceptsPassword("other"));
  Set("u", {"off"});
  EXPECT_FALSE(users_.Find("u")->AcceptsPassword("pw"));
  Set("u", {"on", "<pw"});
  EXPECT_FALSE(users_.Find("u")->AcceptsPassword("pw"));
  Set("u", {"nopass"});
  EXPECT_TRUE(users_.Find("u")->AcceptsPassword("anything"));
}

TEST_F(Access, AFileReplacesAllUsersOrNone) {
  Set("u", {"on", "nopass", "+get", "(~x +set)"});
  Set("v", {"on"});
  const std::string text = users_.Text();
  users_.Remove("v");
  const uint64_t before = users_.version();
  auto changed = users_.Load(text, "file");
  ASSERT_TRUE(changed.ok());
  EXPECT_TRUE(changed->empty());
  EXPECT_GT(users_.version(), before);
  EXPECT_EQ(users_.Text(), text);
  auto failed = users_.Load("user a on\nfoo\nuser a off\nuser b +foo\n", "file");
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.error().message.find("file:2:"), std::string::npos);
  EXPECT_NE(failed.error().message.find("file:3:"), std::string::npos);
  EXPECT_NE(failed.error().message.find("file:4:"), std::string::npos);
  EXPECT_EQ(users_.Text(), text);
  changed = users_.Load("user u off\n", "file");
  EXPECT_EQ(*changed, (std::vector<std::string>{"u", "v"}));
}

TEST_F(Access, TheLogCountsWhatIsDeniedAgain) {
  AccessLogEntry entry{.reason = "command", .context = "toplevel", .object = "get", .user = "u"};
  entry.created_at = 1000;
  users_.log().Add(entry);
  entry.created_at = 2000;
  users_.log().Add(entry);
  entry.object = "set";
  users_.log().Add(entry);
  const auto newest = users_.log().Newest(10);
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].object, "set");
  EXPECT_EQ(newest[1].count, 2u);
  EXPECT_EQ(newest[1].updated_at, 2000);
  users_.log().Clear();
  EXPECT_TRUE(users_.log().Newest(10).empty());
}

}  // namespace
}  // namespace mikura::engine::access
