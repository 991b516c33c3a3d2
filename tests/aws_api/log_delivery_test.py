#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""LogDeliveryConfigurations through boto3: what is shown, and what is refused."""
import os
import time
import unittest

import service

PORT = int(os.environ.get("MIKURA_CACHE_PORT", "6379"))
SLOW_LOG = {"LogType": "slow-log", "DestinationType": "cloudwatch-logs", "LogFormat": "json",
            "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/my/group"}}}


class LogDelivery(service.ServiceTestCase):
    def setUp(self):
        self.cache = self.service.client("elasticache")

    def create(self, **more):
        return self.cache.create_cache_cluster(
            CacheClusterId="one", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1, Port=PORT,
            **more)["CacheCluster"]

    def await_status(self, wanted):
        deadline = time.monotonic() + 30
        while True:
            cluster = self.cache.describe_cache_clusters(CacheClusterId="one")["CacheClusters"][0]
            shown = cluster["LogDeliveryConfigurations"]
            statuses = [each["Status"] for each in shown]
            if cluster["CacheClusterStatus"] == "available" and statuses == wanted:
                return cluster
            self.assertLess(time.monotonic(), deadline, cluster)
            time.sleep(0.05)  # polls a condition, within a deadline

    def delete(self):
        """The service's caches outlive it: none is left behind."""
        self.cache.delete_cache_cluster(CacheClusterId="one")
        deadline = time.monotonic() + 30
        while self.cache.describe_cache_clusters()["CacheClusters"]:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)  # polls a condition, within a deadline

    def test_a_cluster_shows_its_deliveries(self):
        created = self.create(LogDeliveryConfigurations=[SLOW_LOG])
        self.addCleanup(self.delete)
        self.assertEqual(created["LogDeliveryConfigurations"], [{**SLOW_LOG, "Status": "enabling"}])
        cluster = self.await_status(["active"])
        self.assertEqual(cluster["LogDeliveryConfigurations"], [{**SLOW_LOG, "Status": "active"}])
        off = [{"LogType": "slow-log", "Enabled": False}]
        self.assert_error("InvalidParameterCombination", 400, self.cache.modify_cache_cluster,
                          CacheClusterId="one", LogDeliveryConfigurations=off)
        modified = self.cache.modify_cache_cluster(
            CacheClusterId="one", ApplyImmediately=True, LogDeliveryConfigurations=off)["CacheCluster"]
        self.assertEqual(modified["LogDeliveryConfigurations"][0]["Status"], "disabling")
        self.await_status([])

    def test_what_is_not_here_is_refused_in_words(self):
        firehose = {"LogType": "slow-log", "DestinationType": "kinesis-firehose", "LogFormat": "json",
                    "DestinationDetails": {"KinesisFirehoseDetails": {"DeliveryStream": "s"}}}
        words = self.assert_error("InvalidParameterValue", 400, self.cache.create_replication_group,
                                  ReplicationGroupId="g", ReplicationGroupDescription="d",
                                  CacheNodeType="cache.t3.micro", LogDeliveryConfigurations=[firehose])
        self.assertIn("kinesis-firehose is not available here", words)
        self.assert_error("InvalidParameterCombination", 400, self.cache.create_cache_cluster,
                          CacheClusterId="mc", Engine="memcached", CacheNodeType="cache.t3.micro",
                          NumCacheNodes=1, LogDeliveryConfigurations=[SLOW_LOG])
        for missing in ("LogType", "DestinationType", "LogFormat", "DestinationDetails"):
            given = {key: value for key, value in SLOW_LOG.items() if key != missing}
            self.assert_error("InvalidParameterValue", 400, self.cache.create_replication_group,
                              ReplicationGroupId="g", ReplicationGroupDescription="d",
                              CacheNodeType="cache.t3.micro", LogDeliveryConfigurations=[given])


if __name__ == "__main__":
    unittest.main()
