#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A memcached cluster grows, shrinks and is rebooted; its clients learn it by auto discovery, and its
events tell of it."""

import unittest
from datetime import datetime, timedelta

from memcached_test import connect, discover
from service import Service, client, until


class MemcachedChanges(Service):
    def setUp(self):
        super().setUp()
        self.cache.create_cache_cluster(
            CacheClusterId="mc", Engine="memcached", CacheNodeType="cache.t3.micro",
            NumCacheNodes=3, AZMode="cross-az")
        self.until_available("mc")

    def until_available(self, name):
        until(lambda: self.cluster(name)["CacheClusterStatus"] == "available",
              f"{name} is available")

    def endpoints(self):
        return {node["CacheNodeId"]: node["Endpoint"] for node in self.cluster("mc")["CacheNodes"]}

    def discovered(self, version):
        """What every node of the cluster tells, and the configuration endpoint, under one version."""
        endpoints = self.endpoints()
        wanted = [f"{e['Address']}|{e['Address']}|{e['Port']}" for e in endpoints.values()]
        for endpoint in [*endpoints.values(), self.cluster("mc")["ConfigurationEndpoint"]]:
            lines = discover(endpoint)
            self.assertEqual(lines[0], str(version))
            self.assertEqual(lines[1].split(" "), wanted)

    def messages(self, **query):
        return [event["Message"] for event in self.cache.describe_events(**query)["Events"]]

    def modify(self, **changes):
        return self.cache.modify_cache_cluster(CacheClusterId="mc", **changes)["CacheCluster"]

    def fails(self, code, call, **words):
        with self.assertRaises(self.cache.exceptions.ClientError) as caught:
            call(CacheClusterId="mc", **words)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_nodes_are_added_beside_those_that_serve(self):
        first = self.endpoints()["0001"]
        with connect(first) as link:
            link.set("kept", "1")
            changed = self.modify(NumCacheNodes=5, ApplyImmediately=True)
            self.assertEqual(changed["CacheClusterStatus"], "modifying")
            self.until_available("mc")
            self.assertEqual(link.get("kept"), b"1")
        self.assertEqual(list(self.endpoints()), ["0001", "0002", "0003", "0004", "0005"])
        version = int(discover(first)[0])
        self.assertIn(version, (2, 3))  # the two answer at once, or one after the other
        self.discovered(version)
        for endpoint in self.endpoints().values():
            with connect(endpoint) as link:
                self.assertTrue(link.set("x", "1"))
        zones = [n["CustomerAvailabilityZone"] for n in self.cluster("mc")["CacheNodes"]]
        self.assertEqual(len(set(zones)), 3)
        self.assertIn(f"Added cache node 0005 in availability zone {zones[4]}", self.messages())

    def test_named_nodes_leave_and_their_ids_are_used_again(self):
        before = self.endpoints()
        with connect(before["0003"]) as link:
            link.set("kept", "1")
        self.modify(NumCacheNodes=2, CacheNodeIdsToRemove=["0002"], ApplyImmediately=True)
        self.until_available("mc")
        self.assertEqual(list(self.endpoints()), ["0001", "0003"])
        self.discovered(2)
        with self.assertRaises(OSError):
            discover(before["0002"])
        with connect(before["0003"]) as link:
            self.assertEqual(link.get("kept"), b"1")
        self.modify(NumCacheNodes=3, ApplyImmediately=True)
        self.until_available("mc")
        self.assertEqual(list(self.endpoints()), ["0001", "0002", "0003"])
        self.discovered(3)

    def test_what_waits_for_the_maintenance_window_is_shown_and_done_in_it(self):
        far = datetime.utcnow() + timedelta(days=3)
        window = "{:%a:%H:%M}-{:%a:%H:%M}".format(far, far + timedelta(hours=2))
        changed = self.modify(NumCacheNodes=1, CacheNodeIdsToRemove=["0002", "0003"],
                              PreferredMaintenanceWindow=window)
        self.assertEqual(changed["CacheClusterStatus"], "available")
        pending = self.cluster("mc")["PendingModifiedValues"]
        self.assertEqual(pending["NumCacheNodes"], 1)
        self.assertEqual(pending["CacheNodeIdsToRemove"], ["0002", "0003"])
        self.assertEqual(len(self.endpoints()), 3)
        now = datetime.utcnow()
        window = "{:%a:%H:%M}-{:%a:%H:%M}".format(now - timedelta(minutes=5),
                                                  now + timedelta(hours=2))
        self.modify(PreferredMaintenanceWindow=window)
        until(lambda: list(self.endpoints()) == ["0001"], "two have left")
        self.until_available("mc")
        self.discovered(2)
        self.assertNotIn("NumCacheNodes", self.cluster("mc")["PendingModifiedValues"])

    def test_a_reboot_empties_the_named_node_alone(self):
        endpoints = self.endpoints()
        for endpoint in endpoints.values():
            with connect(endpoint) as link:
                link.set("key", "value")
        before = {id: self.pid_of("mc", id) for id in endpoints}
        rebooted = self.cache.reboot_cache_cluster(
            CacheClusterId="mc", CacheNodeIdsToReboot=["0002"])["CacheCluster"]
        self.assertEqual(rebooted["CacheClusterStatus"], "rebooting cluster nodes")
        self.until_available("mc")
        self.assertEqual(self.endpoints(), endpoints)
        for id, endpoint in endpoints.items():
            with connect(endpoint) as link:
                self.assertEqual(link.get("key"), None if id == "0002" else b"value")
            self.assertEqual(self.pid_of("mc", id) == before[id], id != "0002")
        self.discovered(1)
        told = self.messages(SourceIdentifier="mc", SourceType="cache-cluster", Duration=5)
        self.assertEqual(told, ["Cache cluster created", "Cache node 0002 shutdown",
                                "Cache node 0002 restarted"])

    def test_a_reboot_of_redis_keeps_the_endpoint(self):
        self.cache.create_cache_cluster(CacheClusterId="one", Engine="redis",
                                        CacheNodeType="cache.t3.micro", NumCacheNodes=1)
        self.until_available("one")
        endpoint = self.cluster("one")["CacheNodes"][0]["Endpoint"]
        client(endpoint).set("x", "1")
        self.cache.reboot_cache_cluster(CacheClusterId="one", CacheNodeIdsToReboot=["0001"])
        self.until_available("one")
        self.assertEqual(self.cluster("one")["CacheNodes"][0]["Endpoint"], endpoint)
        self.assertTrue(client(endpoint).set("y", "1"))

    def test_another_version_replaces_one_node_after_the_other(self):
        self.cache.create_cache_cluster(
            CacheClusterId="old", Engine="memcached", CacheNodeType="cache.t3.micro", NumCacheNodes=3,
            EngineVersion="1.6.6")
        self.until_available("old")
        nodes = self.cluster("old")["CacheNodes"]
        for node in nodes:
            with connect(node["Endpoint"]) as link:
                link.set("key", "value")
        changed = self.cache.modify_cache_cluster(
            CacheClusterId="old", EngineVersion="1.6.22", ApplyImmediately=True)["CacheCluster"]
        self.assertEqual(changed["CacheClusterStatus"], "modifying")
        self.assertEqual(changed["PendingModifiedValues"]["EngineVersion"], "1.6.22")
        self.until_available("old")
        after = self.cluster("old")
        self.assertEqual(after["EngineVersion"], "1.6.22")
        self.assertEqual([n["Endpoint"] for n in after["CacheNodes"]], [n["Endpoint"] for n in nodes])
        for node in nodes:
            self.assertEqual(discover(node["Endpoint"])[0], "4")
            with connect(node["Endpoint"]) as link:
                self.assertIsNone(link.get("key"))
                self.assertTrue(link.set("key", "value"))
        told = self.messages(SourceIdentifier="old", SourceType="cache-cluster", Duration=5)
        self.assertEqual(told, ["Cache cluster created"] + [
            f"Cache node {node} {what}" for node in ("0001", "0002", "0003")
            for what in ("shutdown", "restarted")])
        self.fails_of("old", "InvalidParameterCombination", EngineVersion="1.6.6")

    def fails_of(self, name, code, **words):
        with self.assertRaises(self.cache.exceptions.ClientError) as caught:
            self.cache.modify_cache_cluster(CacheClusterId=name, **words)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def limit(self, endpoint):
        with connect(endpoint) as link:
            return link.stats()[b"limit_maxbytes"]

    def test_another_type_comes_in_batches(self):
        endpoints = self.endpoints()
        before = self.limit(endpoints["0001"])
        scale = {"ScaleConfig.ScalePercentage": "50", "ScaleConfig.ScaleIntervalMinutes": "2"}
        with self.newer_members("ModifyCacheCluster", **scale):
            self.modify(CacheNodeType="cache.t3.small", ApplyImmediately=True)
        until(lambda: self.messages().count("Cache node 0002 restarted") == 1, "a batch is done")
        self.assertEqual(self.cluster("mc")["CacheClusterStatus"], "modifying")
        self.assertEqual(self.endpoints(), endpoints)
        until(lambda: discover(endpoints["0003"])[0] == "3", "the version has risen")
        self.assertGreater(self.limit(endpoints["0001"]), 2 * before)
        self.assertGreater(self.limit(endpoints["0002"]), 2 * before)
        self.assertEqual(self.limit(endpoints["0003"]), before)  # its batch waits
        self.assertEqual(self.cluster("mc")["PendingModifiedValues"]["CacheNodeType"], "cache.t3.small")

    def test_another_type_of_all_nodes_at_once(self):
        before = self.limit(self.endpoints()["0001"])
        with self.newer_members("ModifyCacheCluster", **{"ScaleConfig.ScalePercentage": "100"}):
            self.modify(CacheNodeType="cache.t3.small", ApplyImmediately=True)
        self.kill()
        self.start()
        self.until_available("mc")
        self.assertEqual(self.cluster("mc")["CacheNodeType"], "cache.t3.small")
        self.discovered(4)
        for endpoint in self.endpoints().values():
            self.assertGreater(self.limit(endpoint), 2 * before)

    def test_the_service_that_is_killed_meanwhile_goes_on(self):
        self.modify(NumCacheNodes=6, ApplyImmediately=True)
        self.kill()
        self.start()
        self.until_available("mc")
        self.assertEqual(len(self.endpoints()), 6)
        self.discovered(int(discover(self.endpoints()["0001"])[0]))
        self.cache.reboot_cache_cluster(CacheClusterId="mc", CacheNodeIdsToReboot=["0001", "0006"])
        self.kill()
        self.start()
        self.until_available("mc")
        self.assertEqual(self.messages().count("Cache node 0006 restarted"), 1)

    def test_what_is_wrong_is_refused(self):
        modify, reboot = self.cache.modify_cache_cluster, self.cache.reboot_cache_cluster
        self.fails("InvalidParameterCombination", modify, NumCacheNodes=2)
        self.fails("InvalidParameterCombination", modify, NumCacheNodes=1,
                   CacheNodeIdsToRemove=["0001"])
        self.fails("InvalidParameterValue", modify, NumCacheNodes=2, CacheNodeIdsToRemove=["0007"])
        self.fails("InvalidParameterValue", modify, NumCacheNodes=61)
        self.fails("InvalidParameterCombination", modify, NumCacheNodes=5,
                   NewAvailabilityZones=["ap-northeast-1a"])
        self.fails("InvalidParameterValue", reboot, CacheNodeIdsToReboot=["0007"])
        self.modify(NumCacheNodes=4, ApplyImmediately=True)
        self.fails("InvalidCacheClusterState", modify, NumCacheNodes=5)
        self.until_available("mc")


if __name__ == "__main__":
    unittest.main()
