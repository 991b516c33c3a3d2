# SPDX-License-Identifier: Apache-2.0
"""RebootCacheCluster of members of a replication group: a replica copies the data again, a primary leads
again without them, as in ElastiCache."""

import unittest

from service import Service, client, until
from writer import Writer


class Reboot(Service):
    def setUp(self):
        super().setUp()
        self.group_made = self.create_group("demo", 3)
        self.endpoint = self.group_made["PrimaryEndpoint"]

    def reboot(self, *clusters):
        for cluster in clusters:
            shown = self.cache.reboot_cache_cluster(
                CacheClusterId=cluster, CacheNodeIdsToReboot=["0001"])["CacheCluster"]
            self.assertEqual(shown["CacheClusterStatus"], "rebooting cluster nodes")

    def until_whole(self):
        until(lambda: self.status("demo") == "available", "the group is whole again")
        for i in 1, 2, 3:
            self.assertEqual(self.cluster(f"demo-00{i}")["CacheClusterStatus"], "available")

    def messages(self, cluster):
        events = self.cache.describe_events(SourceIdentifier=cluster, SourceType="cache-cluster",
                                            Duration=5)["Events"]
        return [event["Message"] for event in sorted(events, key=lambda event: event["Date"])]

    def test_a_replica_copies_the_data_again_and_no_write_is_lost(self):
        pids = {i: self.pid_of(f"demo-00{i}") for i in (1, 2, 3)}
        with Writer(self.endpoint) as writer:
            until(lambda: writer.acknowledged > 100, "writes go on")
            self.reboot("demo-002")
            self.until_whole()
        self.assertEqual(writer.errors, [])
        self.assertEqual(writer.lost(), 0)
        for member in self.node_group("demo")["NodeGroupMembers"]:
            until(lambda: writer.lost(member["ReadEndpoint"]) == 0,
                  f"{member['CacheClusterId']} has all")
        self.assertEqual([self.pid_of(f"demo-00{i}") != pids[i] for i in (1, 2, 3)],
                         [False, True, False])
        self.assertEqual(self.primary_of("demo"), "demo-001")
        self.assertEqual(self.messages("demo-002")[-2:],
                         ["Cache node 0001 shutdown", "Cache node 0001 restarted"])

    def test_a_primary_leads_again_without_its_data(self):
        self.write_everywhere("demo", "before", "1")
        pid = self.pid_of("demo-001")
        self.reboot("demo-001")
        self.until_whole()
        self.assertNotEqual(self.pid_of("demo-001"), pid)
        self.assertEqual(self.primary_of("demo"), "demo-001")
        self.assertEqual(self.node_group("demo")["PrimaryEndpoint"], self.endpoint)
        self.assertIsNone(client(self.endpoint).get("before"))
        self.write_everywhere("demo", "after", "2")
        for member in self.node_group("demo")["NodeGroupMembers"]:
            self.assertIsNone(client(member["ReadEndpoint"]).get("before"))
        self.assertFalse([text for text in self.messages("demo-001") if "ailover" in text])

    def test_the_service_is_killed_meanwhile(self):
        pids = {i: self.pid_of(f"demo-00{i}") for i in (1, 2, 3)}
        self.reboot("demo-001")
        self.kill()
        self.start()
        self.until_whole()
        self.assertNotEqual(self.pid_of("demo-001"), pids[1])
        self.assertEqual(self.pid_of("demo-002"), pids[2])
        self.write_everywhere("demo", "after", "2")
        self.assertEqual(self.messages("demo-001").count("Cache node 0001 restarted"), 1)

    def test_a_parameter_that_needs_it_is_in_effect_afterwards(self):
        self.cache.create_cache_parameter_group(
            CacheParameterGroupName="mine", CacheParameterGroupFamily="redis7", Description="a test")
        self.cache.modify_replication_group(ReplicationGroupId="demo", CacheParameterGroupName="mine",
                                            ApplyImmediately=True)
        self.until_whole()
        self.cache.modify_cache_parameter_group(
            CacheParameterGroupName="mine",
            ParameterNameValues=[{"ParameterName": "databases", "ParameterValue": "5"}])
        applied = lambda: self.cluster("demo-003")["CacheParameterGroup"]["ParameterApplyStatus"]
        until(lambda: applied() == "pending-reboot", "the node awaits its reboot")
        self.reboot("demo-003")
        self.until_whole()
        until(lambda: applied() == "in-sync", "the node has it")
        with self.admin("demo-003") as node:
            self.assertEqual(node.config_get("databases")["databases"], "5")

    def test_a_group_that_is_not_available_has_none_rebooted(self):
        self.reboot("demo-002")
        with self.assertRaises(self.cache.exceptions.InvalidCacheClusterStateFault):
            self.cache.reboot_cache_cluster(CacheClusterId="demo-003", CacheNodeIdsToReboot=["0001"])
        self.until_whole()


if __name__ == "__main__":
    unittest.main()
