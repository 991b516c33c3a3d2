// SPDX-License-Identifier: Apache-2.0
// Actions over a store in memory, as a client calls them. Nothing runs behind them: a test stores
// what the reconciler would.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/check.h"
#include "control/api/api_test_client.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_cluster.h"
#include "control/model/node.h"
#include "control/model/replication_group.h"

namespace mikura::control {

class ElastiCacheActions : public ::testing::Test {
 protected:
  static constexpr char kAccount[] = "000000000000";
  static constexpr char kRegion[] = "ap-northeast-1";

  // "200 ", or the status and code of the error.
  std::string Outcome(const std::string& action, const std::string& parameters) {
    return client_.Outcome(action, parameters);
  }
  std::string Text(const std::string& action, const std::string& parameters,
                   const std::string& element) {
    return client_.Text(action, parameters, element);
  }
  void Store(const Write& write) { CHECK(client_.store().Transact({}, {write}).ok()); }

  CacheCluster Cluster(const std::string& id) {
    return *CacheClusterFromJson(ValueOf(CacheClusterKey(kAccount, kRegion, id)));
  }
  ReplicationGroup Group(const std::string& id) {
    return *ReplicationGroupFromJson(ValueOf(ReplicationGroupKey(kAccount, kRegion, id)));
  }
  void Store(const CacheCluster& cluster) {
    Store(Write::Put(CacheClusterKey(kAccount, kRegion, cluster.id), ToJson(cluster)));
  }
  // As if the reconciler had done all that was asked for.
  void MakeClusterAvailable(const std::string& id) {
    CacheCluster cluster = Cluster(id);
    cluster.status = kStatusAvailable;
    for (LogDelivery& delivery : cluster.log_deliveries) delivery.status = kLogActive;
    Store(cluster);
  }
  void MakeGroupAvailable(const std::string& id) {
    ReplicationGroup group = Group(id);
    group.status = kStatusAvailable;
    for (LogDelivery& delivery : group.log_deliveries) delivery.status = kLogActive;
    const ShardState state{
        .epoch = 1, .primary = group.member_clusters.front(), .members = group.member_clusters};
    Store(Write::Put(ReplicationGroupKey(kAccount, kRegion, id), ToJson(group)));
    Store(Write::Put(ShardStateKey(group.ShardKey()), ToJson(state)));
  }

  ApiTestClient client_{"elasticache", "2015-02-02", {ElastiCacheService()}};

 private:
  std::string ValueOf(const std::string& key) { return (*client_.store().Get(key))->value; }
};

}  // namespace mikura::control
