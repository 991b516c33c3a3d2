// SPDX-License-Identifier: Apache-2.0
// Who may use a node, given by the agent to a stand-in for the engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "control/agent/host_agent_fixture.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using std::chrono_literals::operator""h;

class AgentAccess : public HostAgentFixture {
 protected:
  AgentAccess() { Open(); }
  void Open(std::chrono::hours certificate_left_min = 10h) {
    AgentTimings timings = Timings();
    timings.certificate_life = 100h;
    timings.certificate_left_min = certificate_left_min;
    HostAgentFixture::Open(timings);
  }
  int Mode(const std::string& name) const {
    struct stat seen {};
    EXPECT_EQ(stat(Path(name).c_str(), &seen), 0) << name;
    return static_cast<int>(seen.st_mode & 0777);
  }

  const NodeAccess open_{.users = "user default on nopass +@all\n", .link = "demo"};
};

TEST_F(AgentAccess, IsThereFromTheStartAndAfterARestart) {
  ASSERT_TRUE(agent_->SetAccess("a", open_).ok());
  EXPECT_FALSE(agent_->HasAccess("a", open_));
  Start();
  EXPECT_TRUE(agent_->HasAccess("a", open_));
  for (const char* name : {"nodes/a/users.acl", "nodes/a/access.conf", "link.key", "tls/ca.key"}) {
    EXPECT_EQ(Mode(name), 0600) << name;
  }
  Open();
  EXPECT_TRUE(agent_->HasAccess("a", open_));
}

TEST_F(AgentAccess, ChangesOnTheRunningNode) {
  ASSERT_TRUE(agent_->SetAccess("a", open_).ok());
  Start();
  NodeAccess closed{.users = "user default off\n",
                    .link = "demo",
                    .tls_mode = "required",
                    .addresses = {address_}};
  EXPECT_FALSE(agent_->HasAccess("a", closed));
  ASSERT_TRUE(agent_->SetAccess("a", closed).ok());
  EXPECT_TRUE(agent_->HasAccess("a", closed));
  EXPECT_FALSE(agent_->HasAccess("a", open_));
  EXPECT_THAT(Text("nodes/a/access.conf"), HasSubstr("port-tls required\n"));
  EXPECT_EQ(Mode("nodes/a/tls.key"), 0600);
  ASSERT_TRUE(agent_->SetAccess("a", open_).ok());
  EXPECT_TRUE(agent_->HasAccess("a", open_));
}

TEST_F(AgentAccess, CertificatesAreRenewedBeforeTheyEnd) {
  NodeAccess access = open_;
  access.tls_mode = "required";
  access.addresses = {address_};
  ASSERT_TRUE(agent_->SetAccess("a", access).ok());
  Start();
  EXPECT_TRUE(agent_->HasAccess("a", access));
  const std::string first = Text("nodes/a/tls.crt");
  // As if time had passed: what is left is less than what has to be.
  Open(200h);
  EXPECT_FALSE(agent_->HasAccess("a", access));
  ASSERT_TRUE(agent_->SetAccess("a", access).ok());
  EXPECT_NE(Text("nodes/a/tls.crt"), first);
}

TEST_F(AgentAccess, NodesOfOneGroupShareASecretThatOthersDoNotKnow) {
  NodeAccess other = open_;
  other.link = "other";
  ASSERT_TRUE(agent_->SetAccess("a", open_).ok());
  ASSERT_TRUE(agent_->SetAccess("b", open_).ok());
  ASSERT_TRUE(agent_->SetAccess("c", other).ok());
  EXPECT_EQ(Text("nodes/a/users.acl"), Text("nodes/b/users.acl"));
  EXPECT_NE(Text("nodes/a/users.acl"), Text("nodes/c/users.acl"));
  const std::string config = Text("nodes/a/access.conf");
  const size_t at = config.find("masterauth ") + std::string("masterauth ").size();
  EXPECT_THAT(Text("nodes/a/users.acl"), Not(HasSubstr(config.substr(at, 64))));
}

TEST_F(AgentAccess, ANodeThatCannotBeToldWhoMayUseItIsNotStarted) {
  ASSERT_TRUE(agent_->SetAccess("a", open_).ok());
  // A directory where a file has to be: not even root can write it.
  std::filesystem::remove(Path("nodes/a/users.acl"));
  std::filesystem::create_directories(Path("nodes/a/users.acl/x"));
  EXPECT_FALSE(agent_->SetAccess("a", open_).ok());
  EXPECT_FALSE(agent_->Start({.id = "a", .endpoint = {address_, 6379}, .memory_bytes = 1}).ok());
  std::filesystem::remove_all(Path("nodes/a/users.acl"));
  ASSERT_TRUE(agent_->SetAccess("a", open_).ok());
  Start();
}

}  // namespace
}  // namespace mikura::control
