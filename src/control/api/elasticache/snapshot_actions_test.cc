// SPDX-License-Identifier: Apache-2.0
// Snapshots as a client sees them; a test stands in for the reconciler.
#include "control/api/elasticache/snapshot_actions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "control/api/api_test_client.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/snapshot.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

constexpr char kAccount[] = "000000000000";
constexpr char kRegion[] = "ap-northeast-1";

class SnapshotActions : public ::testing::Test {
 protected:
  SnapshotActions() {
    CHECK(Outcome("CreateReplicationGroup",
                  "ReplicationGroupId=demo&ReplicationGroupDescription=d&Engine=valkey&Port=7000"
                  "&CacheNodeType=cache.t3.small&NumCacheClusters=2") == "200 ");
    CHECK(Outcome("CreateCacheCluster",
                  "CacheClusterId=solo&Engine=redis&CacheNodeType=cache.t3.micro"
                  "&NumCacheNodes=1") == "200 ");
    CHECK(Outcome("CreateCacheCluster",
                  "CacheClusterId=mc&Engine=memcached&CacheNodeType=cache.t3.micro"
                  "&NumCacheNodes=1") == "200 ");
  }

  std::string Outcome(const std::string& action, const std::string& parameters) {
    return client_.Outcome(action, parameters);
  }
  std::string Body(const std::string& action, const std::string& parameters) {
    return client_.Call(action, parameters).body;
  }
  std::string Text(const std::string& action, const std::string& parameters,
                   const std::string& element) {
    return client_.Text(action, parameters, element);
  }
  template <typename Record, typename Parse, typename Edit>
  void EditRecord(const std::string& key, Parse parse, Edit edit) {
    Record record = *parse((*client_.store().Get(key))->value);
    edit(record);
    CHECK(client_.store().Transact({}, {Write::Put(key, ToJson(record))}).ok());
  }
  void GroupIs(std::string_view status) {
    EditRecord<ReplicationGroup>(ReplicationGroupKey(kAccount, kRegion, "demo"),
                                 ReplicationGroupFromJson, [&](ReplicationGroup& group) {
                                   group.status = status;
                                   group.active_snapshot.clear();
                                 });
    for (const char* id : {"demo-001", "demo-002"}) ClusterIs(id, status);
  }
  void ClusterIs(const std::string& id, std::string_view status) {
    EditRecord<CacheCluster>(CacheClusterKey(kAccount, kRegion, id), CacheClusterFromJson,
                             [&](CacheCluster& cluster) {
                               cluster.status = status;
                               cluster.active_snapshot.clear();
                             });
  }
  void SnapshotIs(const std::string& name, std::string_view status,
                  std::string_view source = kSourceManual) {
    EditRecord<Snapshot>(SnapshotKey(kAccount, kRegion, name), SnapshotFromJson,
                         [&](Snapshot& snapshot) {
                           snapshot.status = status;
                           snapshot.source = source;
                           snapshot.copied_from.clear();
                         });
  }
  void MakeSnapshot(const std::string& name) {
    GroupIs(kStatusAvailable);
    ASSERT_EQ(Outcome("CreateSnapshot", "ReplicationGroupId=demo&SnapshotName=" + name), "200 ");
    SnapshotIs(name, kStatusAvailable);
    GroupIs(kStatusAvailable);
  }
  void SetBuckets() {
    CHECK(client_.store()
              .Transact({}, {Write::Put(std::string(kBucketFolderKey), "/srv/buckets")})
              .ok());
  }

  ApiTestClient client_{"elasticache", "2015-02-02", {ElastiCacheService()}};
};

TEST_F(SnapshotActions, ANewOneTellsWhatItIsOf) {
  GroupIs(kStatusAvailable);
  const std::string body = Body("CreateSnapshot", "ReplicationGroupId=DEMO&SnapshotName=S1");
  for (const char* part :
       {"<SnapshotName>s1</SnapshotName>", "<ReplicationGroupId>demo</ReplicationGroupId>",
        "<SnapshotStatus>creating</SnapshotStatus>", "<SnapshotSource>manual</SnapshotSource>",
        "<Engine>valkey</Engine>", "<CacheNodeType>cache.t3.small</CacheNodeType>",
        "<Port>7000</Port>", "<NumNodeGroups>1</NumNodeGroups>", "<NodeGroupId>0001</NodeGroupId>",
        "<ARN>arn:aws:elasticache:ap-northeast-1:000000000000:snapshot:s1</ARN>"}) {
    EXPECT_THAT(body, HasSubstr(part));
  }
  EXPECT_EQ(Text("DescribeReplicationGroups", "", "Status").substr(0, 12), "snapshotting");
}

TEST_F(SnapshotActions, TheSourceMustBeAvailable) {
  EXPECT_EQ(Outcome("CreateSnapshot", "ReplicationGroupId=demo&SnapshotName=s"),
            "400 InvalidReplicationGroupState");
  EXPECT_EQ(Outcome("CreateSnapshot", "CacheClusterId=solo&SnapshotName=s"),
            "400 InvalidCacheClusterState");
  ClusterIs("solo", kStatusAvailable);
  EXPECT_EQ(Outcome("CreateSnapshot", "CacheClusterId=solo&SnapshotName=s"), "200 ");
  EXPECT_EQ(Outcome("CreateSnapshot", "CacheClusterId=solo&SnapshotName=s2"),
            "400 InvalidCacheClusterState");
  EXPECT_EQ(Outcome("DeleteCacheCluster", "CacheClusterId=solo"), "400 InvalidCacheClusterState");
}

TEST_F(SnapshotActions, FailWithTheCodesOfTheService) {
  GroupIs(kStatusAvailable);
  EXPECT_EQ(Outcome("CreateSnapshot", "SnapshotName=s"), "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("CreateSnapshot", "CacheClusterId=a&ReplicationGroupId=b&SnapshotName=s"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("CreateSnapshot", "ReplicationGroupId=no&SnapshotName=s"),
            "404 ReplicationGroupNotFoundFault");
  EXPECT_EQ(Outcome("CreateSnapshot", "CacheClusterId=no&SnapshotName=s"),
            "404 CacheClusterNotFound");
  EXPECT_EQ(Outcome("CreateSnapshot", "CacheClusterId=mc&SnapshotName=s"),
            "400 SnapshotFeatureNotSupportedFault");
  EXPECT_EQ(Outcome("CreateSnapshot", "ReplicationGroupId=demo&SnapshotName=automatic.x"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("DescribeSnapshots", "SnapshotName=no"), "404 SnapshotNotFoundFault");
  EXPECT_EQ(Outcome("DescribeSnapshots", "SnapshotSource=other"), "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("DescribeSnapshots", "MaxRecords=51"), "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("DeleteSnapshot", "SnapshotName=no"), "404 SnapshotNotFoundFault");
  EXPECT_EQ(Outcome("CopySnapshot", "SourceSnapshotName=no&TargetSnapshotName=t"),
            "404 SnapshotNotFoundFault");
  MakeSnapshot("s");
  EXPECT_EQ(Outcome("CreateSnapshot", "ReplicationGroupId=demo&SnapshotName=s"),
            "400 SnapshotAlreadyExistsFault");
}

TEST_F(SnapshotActions, TwentyADayAreEnough) {
  for (int i = 0; i < 20; ++i) MakeSnapshot(fmt::format("s{}", i));
  EXPECT_EQ(Outcome("CreateSnapshot", "ReplicationGroupId=demo&SnapshotName=more"),
            "400 SnapshotQuotaExceededFault");
  client_.clock().Advance(std::chrono::hours(24));
  EXPECT_EQ(Outcome("CreateSnapshot", "ReplicationGroupId=demo&SnapshotName=more"), "200 ");
}

TEST_F(SnapshotActions, AreFilteredAndPaged) {
  MakeSnapshot("s");
  ClusterIs("solo", kStatusAvailable);
  ASSERT_EQ(Outcome("CreateSnapshot", "CacheClusterId=solo&SnapshotName=t"), "200 ");
  SnapshotIs("t", kStatusAvailable, kSourceAutomated);
  EXPECT_EQ(Text("DescribeSnapshots", "", "SnapshotName"), "s t");
  EXPECT_EQ(Text("DescribeSnapshots", "SnapshotSource=system", "SnapshotName"), "t");
  EXPECT_EQ(Text("DescribeSnapshots", "SnapshotSource=user", "SnapshotName"), "s");
  EXPECT_EQ(Text("DescribeSnapshots", "ReplicationGroupId=demo", "SnapshotName"), "s");
  EXPECT_EQ(Text("DescribeSnapshots", "CacheClusterId=solo", "SnapshotName"), "t");
  EXPECT_EQ(Text("DescribeSnapshots", "SnapshotName=s&ShowNodeGroupConfig=true", "Slots"),
            "0-16383");
}

TEST_F(SnapshotActions, AreDeletedWhenNothingNeedsThem) {
  MakeSnapshot("s");
  EXPECT_EQ(Outcome("CreateReplicationGroup",
                    "ReplicationGroupId=new&ReplicationGroupDescription=d&SnapshotName=s"),
            "200 ");
  EXPECT_EQ(Outcome("DeleteSnapshot", "SnapshotName=s"), "400 InvalidSnapshotState");
  SnapshotIs("s", kStatusCreating);
  EXPECT_EQ(Outcome("DeleteSnapshot", "SnapshotName=s"), "400 InvalidSnapshotState");
  MakeSnapshot("t");
  EXPECT_EQ(Text("DeleteSnapshot", "SnapshotName=t", "SnapshotStatus"), "deleting");
  EXPECT_EQ(Outcome("DeleteSnapshot", "SnapshotName=t"), "400 InvalidSnapshotState");
  MakeSnapshot("u");
  SnapshotIs("u", kStatusAvailable, kSourceAutomated);
  EXPECT_EQ(Outcome("DeleteSnapshot", "SnapshotName=u"), "400 InvalidSnapshotState");
}

TEST_F(SnapshotActions, ACopyIsManualAndHoldsItsOriginal) {
  MakeSnapshot("s");
  SnapshotIs("s", kStatusAvailable, kSourceAutomated);
  const std::string body = Body("CopySnapshot", "SourceSnapshotName=s&TargetSnapshotName=c");
  EXPECT_THAT(body, HasSubstr("<SnapshotStatus>copying</SnapshotStatus>"));
  EXPECT_THAT(body, HasSubstr("<SnapshotSource>manual</SnapshotSource>"));
  SnapshotIs("s", kStatusAvailable);
  EXPECT_EQ(Outcome("DeleteSnapshot", "SnapshotName=s"), "400 InvalidSnapshotState");
  SnapshotIs("c", kStatusAvailable);
  EXPECT_EQ(Outcome("DeleteSnapshot", "SnapshotName=s"), "200 ");
  EXPECT_EQ(Outcome("CopySnapshot", "SourceSnapshotName=c&TargetSnapshotName=c"),
            "400 SnapshotAlreadyExistsFault");
}

TEST_F(SnapshotActions, AnExportNeedsAFolderOfBuckets) {
  MakeSnapshot("s");
  const std::string copy = "SourceSnapshotName=s&TargetSnapshotName=t&TargetBucket=";
  EXPECT_THAT(Body("CopySnapshot", copy + "bucket"), HasSubstr("--bucket-dir"));
  SetBuckets();
  EXPECT_EQ(Outcome("CopySnapshot", copy + "..%2Fup"), "400 InvalidParameterValue");
  EXPECT_EQ(Text("CopySnapshot", copy + "bucket", "SnapshotStatus"), "exporting");
  EXPECT_EQ(Outcome("DeleteSnapshot", "SnapshotName=s"), "400 InvalidSnapshotState");
  EXPECT_EQ(Text("DescribeSnapshots", "", "SnapshotName"), "s");
}

TEST_F(SnapshotActions, ARestoreTakesWhatIsNotSaidFromTheSnapshot) {
  MakeSnapshot("s");
  ASSERT_EQ(Outcome("CreateReplicationGroup",
                    "ReplicationGroupId=new&ReplicationGroupDescription=d&SnapshotName=s"),
            "200 ");
  const ReplicationGroup group = *ReplicationGroupFromJson(
      (*client_.store().Get(ReplicationGroupKey(kAccount, kRegion, "new")))->value);
  EXPECT_EQ(group.engine, "valkey");
  EXPECT_EQ(group.node_type, "cache.t3.small");
  EXPECT_EQ(group.port, 7000);
  EXPECT_EQ(group.data_source.substr(0, 9), "snapshot:");
  ASSERT_EQ(Outcome("CreateCacheCluster", "CacheClusterId=one&SnapshotName=s&Port=7001"), "200 ");
  EXPECT_EQ(Text("DescribeCacheClusters", "CacheClusterId=one", "Engine"), "valkey");
}

TEST_F(SnapshotActions, ARestoreThatCannotBeIsRefused) {
  MakeSnapshot("s");
  const std::string create = "ReplicationGroupId=new&ReplicationGroupDescription=d&";
  EXPECT_EQ(Outcome("CreateReplicationGroup", create + "SnapshotName=no"),
            "404 SnapshotNotFoundFault");
  EXPECT_EQ(Outcome("CreateReplicationGroup", create + "SnapshotName=s&Engine=redis"),
            "400 InvalidParameterCombination");
  SnapshotIs("s", kStatusFailed);
  EXPECT_EQ(Outcome("CreateReplicationGroup", create + "SnapshotName=s"),
            "400 InvalidSnapshotState");
  EXPECT_EQ(Outcome("CreateCacheCluster",
                    "CacheClusterId=m&Engine=memcached&CacheNodeType=cache.t3.micro"
                    "&NumCacheNodes=1&SnapshotRetentionLimit=1"),
            "400 SnapshotFeatureNotSupportedFault");
}

TEST_F(SnapshotActions, FilesAreTakenFromBucketsOnly) {
  const std::string create =
      "ReplicationGroupId=new&ReplicationGroupDescription=d&CacheNodeType=cache.t3.micro"
      "&SnapshotArns.SnapshotArn.1=";
  EXPECT_THAT(Body("CreateReplicationGroup", create + "arn%3Aaws%3As3%3A%3A%3Ab%2Fa.rdb"),
              HasSubstr("--bucket-dir"));
  SetBuckets();
  for (const char* location :
       {"b%2Fa.rdb", "arn%3Aaws%3As3%3A%3A%3Ab", "arn%3Aaws%3As3%3A%3A%3Ab%2F..%2F..%2Fa.rdb",
        "file%3A%2F%2F%2Fetc%2Fa.rdb", "file%3A%2F%2F%2Fsrv%2Fbuckets%2F..%2Fa.rdb",
        "arn%3Aaws%3As3%3A%3A%3A%2Fa.rdb"}) {
    EXPECT_EQ(Outcome("CreateReplicationGroup", create + location), "400 InvalidParameterValue")
        << location;
  }
  EXPECT_EQ(Outcome("CreateReplicationGroup", create + "file%3A%2F%2F%2Fsrv%2Fbuckets%2Fb%2Fa.rdb"),
            "200 ");
  const ReplicationGroup group = *ReplicationGroupFromJson(
      (*client_.store().Get(ReplicationGroupKey(kAccount, kRegion, "new")))->value);
  EXPECT_EQ(group.data_source, "bucket:b/a.rdb");
}

TEST_F(SnapshotActions, AFinalOneIsMadeWhileTheGroupIsDeleting) {
  EXPECT_EQ(
      Outcome("DeleteReplicationGroup", "ReplicationGroupId=demo&FinalSnapshotIdentifier=last"),
      "400 InvalidReplicationGroupState");
  GroupIs(kStatusAvailable);
  EXPECT_EQ(Text("DeleteReplicationGroup", "ReplicationGroupId=demo&FinalSnapshotIdentifier=last",
                 "Status"),
            "deleting");
  EXPECT_EQ(Text("DescribeSnapshots", "", "SnapshotStatus"), "creating");
  EXPECT_EQ(Outcome("DeleteCacheCluster", "CacheClusterId=mc&FinalSnapshotIdentifier=x"),
            "400 SnapshotFeatureNotSupportedFault");
}

TEST_F(SnapshotActions, HaveTags) {
  MakeSnapshot("s");
  const std::string arn = "ResourceName=arn:aws:elasticache:ap-northeast-1:000000000000:snapshot:s";
  EXPECT_EQ(Text("AddTagsToResource", arn + "&Tags.Tag.1.Key=team", "Key"), "team");
  EXPECT_EQ(Text("ListTagsForResource", arn, "Key"), "team");
}

}  // namespace
}  // namespace mikura::control
