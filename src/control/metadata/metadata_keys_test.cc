// SPDX-License-Identifier: Apache-2.0
#include "control/metadata/metadata_keys.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(MetadataKeys, NameAccountRegionKindAndResource) {
  EXPECT_EQ(ReplicationGroupKey("0", "r", "demo"), "/ec/v1/acct/0/r/rg/demo");
  EXPECT_EQ(CacheClusterKey("0", "r", "demo-001"), "/ec/v1/acct/0/r/cc/demo-001");
  EXPECT_EQ(SubnetGroupKey("0", "r", "sn"), "/ec/v1/acct/0/r/subnetgrp/sn");
  EXPECT_EQ(NodeSpecKey("n"), "/ec/v1/node/n/spec");
  EXPECT_EQ(ShardStateKey("demo-1f/0001"), "/ec/v1/shard/demo-1f/0001/state");
}

TEST(MetadataKeys, TellTheKindsApart) {
  EXPECT_TRUE(IsReplicationGroupKey("/ec/v1/acct/0/r/rg/demo"));
  EXPECT_FALSE(IsReplicationGroupKey("/ec/v1/acct/0/r/cc/demo"));
  EXPECT_FALSE(IsReplicationGroupKey("/ec/v1/acct/0/r/rg/"));
  EXPECT_FALSE(IsReplicationGroupKey("/ec/v1/acct/0/rg/demo"));
  EXPECT_FALSE(IsReplicationGroupKey("/ec/v1/acct/0/r/ec2/rg/x"));
  EXPECT_TRUE(IsCacheClusterKey("/ec/v1/acct/0/r/cc/demo"));
}

TEST(MetadataKeys, EventsSortByTime) {
  EXPECT_LT(EventKey(999, 5), EventKey(1000, 1));
  EXPECT_LT(EventKey(1000, 1), EventKey(1000, 16));
}

}  // namespace
}  // namespace mikura::control
