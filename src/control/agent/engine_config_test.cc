// SPDX-License-Identifier: Apache-2.0
#include "control/agent/engine_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

NodeLaunch Launch(EngineKind kind) {
  return {.id = "demo-001-1f2e3d4c",
          .kind = kind,
          .endpoint = {"127.42.0.3", 7000},
          .memory_bytes = 402653184,
          .threads = 2,
          .primary = {}};
}

TEST(EngineConfig, OfARedisNodeListensForRespAlone) {
  const std::string text =
      EngineConfigText(Launch(EngineKind::kRedis), PathsOf("/data", "demo-001-1f2e3d4c"));
  for (const char* line :
       {"node-id demo-001-1f2e3d4c\n", "bind 127.42.0.3\n", "\nport 7000\n", "memcached-port 0\n",
        "threads 2\n", "maxmemory 402653184\n", "dir /data/nodes/demo-001-1f2e3d4c\n",
        "logfile /data/nodes/demo-001-1f2e3d4c/engine.log\n", "admin-socket /data/run/"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("replicaof 127")));
}

TEST(EngineConfig, RestrictsWhatIsTheServicesBusiness) {
  const std::string text = EngineConfigText(Launch(EngineKind::kRedis), PathsOf("/data", "x"));
  const size_t begin = text.find("\nrestricted-commands ");
  ASSERT_NE(begin, std::string::npos);
  const std::string line = text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1) + " ";
  for (const char* name : {" config ", " acl|setuser ", " psync ", " replicaof ", " shutdown "}) {
    EXPECT_THAT(line, HasSubstr(name));
  }
  EXPECT_THAT(EngineConfigText(Launch(EngineKind::kMemcached), PathsOf("/data", "x")),
              Not(HasSubstr("restricted-commands")));
}

TEST(EngineConfig, OfAMemcachedNodeListensForMemcachedAlone) {
  const std::string text = EngineConfigText(Launch(EngineKind::kMemcached), PathsOf("/data", "x"));
  EXPECT_THAT(text, HasSubstr("\nport 0\n"));
  EXPECT_THAT(text, HasSubstr("memcached-port 7000\n"));
}

TEST(EngineConfig, OfAMemcachedNodeWithTlsHasNoPlainPort) {
  NodeLaunch launch = Launch(EngineKind::kMemcached);
  launch.serves_tls = true;
  const std::string text = EngineConfigText(launch, PathsOf("/data", "x"));
  EXPECT_THAT(text, HasSubstr("\nmemcached-port 0\n"));
  EXPECT_THAT(text, HasSubstr("\nmemcached-tls-port 7000\n"));
}

TEST(EngineConfig, OfAReplicaNamesItsPrimary) {
  NodeLaunch launch = Launch(EngineKind::kValkey);
  launch.primary = {"127.42.0.4", 6379};
  EXPECT_THAT(EngineConfigText(launch, PathsOf("/data", "x")),
              HasSubstr("replicaof 127.42.0.4 6379\n"));
}

TEST(EngineConfig, NamesTheVersionThatWasAskedFor) {
  NodeLaunch launch = Launch(EngineKind::kRedis);
  EXPECT_THAT(EngineConfigText(launch, PathsOf("/data", "x")), Not(HasSubstr("shown-")));
  launch.engine_version = "7.1.0";
  EXPECT_THAT(EngineConfigText(launch, PathsOf("/data", "x")),
              HasSubstr("\nshown-version 7.1.0\n"));
  launch.kind = EngineKind::kValkey;
  launch.engine_version = "8.0.1";
  EXPECT_THAT(EngineConfigText(launch, PathsOf("/data", "x")),
              HasSubstr("\nshown-version 7.2.4\nshown-valkey-version 8.0.1\n"));
}

TEST(EngineConfig, HoldsTheSettingsOfTheLaunch) {
  NodeLaunch launch = Launch(EngineKind::kRedis);
  launch.settings = {{"client-output-buffer-limit", "normal 0 0 0 slave 1 1 1 pubsub 2 2 2"},
                     {"maxmemory-policy", "volatile-lru"},
                     {"notify-keyspace-events", ""}};
  const std::string text = EngineConfigText(launch, PathsOf("/data", "x"));
  EXPECT_THAT(text, HasSubstr("maxmemory-policy volatile-lru\n"));
  EXPECT_THAT(text, HasSubstr("notify-keyspace-events \"\"\n"));
  EXPECT_THAT(text,
              HasSubstr("client-output-buffer-limit normal 0 0 0 slave 1 1 1 pubsub 2 2 2\n"));
}

TEST(EngineConfig, QuotesPathsWithBlanks) {
  const std::string text = EngineConfigText(Launch(EngineKind::kRedis), PathsOf("/my \"d", "x"));
  EXPECT_THAT(text, HasSubstr("dir \"/my \\\"d/nodes/x\"\n"));
}

TEST(NodePaths, ASocketPathFitsForTheLongestDataDirectory) {
  const std::string longest(DataDirBytesMax(), 'd');
  EXPECT_EQ(PathsOf(longest, std::string(60, 'n')).admin_socket.size(), 107u);
}

TEST(NodePaths, DifferentNodesHaveDifferentSockets) {
  EXPECT_NE(PathsOf("/d", "a-001").admin_socket, PathsOf("/d", "a-002").admin_socket);
}

}  // namespace
}  // namespace mikura::control
