# SPDX-License-Identifier: Apache-2.0
"""ModifyCacheCluster with another EngineVersion, Engine or CacheNodeType, of a redis cluster of one node
that stands alone: it keeps its data and its address."""

import unittest

from service import CACHE_PORT, Service, client, until
from writer import Writer


class VersionChange(Service):
    def setUp(self):
        super().setUp()
        self.create("one", EngineVersion="6.2")
        self.endpoint = self.cluster("one")["CacheNodes"][0]["Endpoint"]

    def create(self, name, **more):
        asked = dict(Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1, Port=CACHE_PORT)
        asked.update(more)
        self.cache.create_cache_cluster(CacheClusterId=name, **asked)
        self.until_available(name)

    def until_available(self, name="one"):
        until(lambda: self.cluster(name)["CacheClusterStatus"] == "available", f"{name} is available")

    def modify(self, name="one", **changes):
        changes.setdefault("ApplyImmediately", True)
        return self.cache.modify_cache_cluster(CacheClusterId=name, **changes)["CacheCluster"]

    def expect_upgraded(self):
        self.until_available()
        cluster = self.cluster("one")
        self.assertEqual(cluster["EngineVersion"], "7.1.0")
        self.assertEqual(cluster["CacheParameterGroup"]["CacheParameterGroupName"], "default.redis7")
        self.assertNotIn("EngineVersion", cluster["PendingModifiedValues"])
        self.assertEqual(cluster["CacheNodes"][0]["Endpoint"], self.endpoint)
        self.assertEqual(client(self.endpoint).info("server")["redis_version"], "7.1.0")

    def test_no_acknowledged_write_is_lost(self):
        self.assertEqual(client(self.endpoint).info("server")["redis_version"], "6.2.6")
        with Writer(self.endpoint) as writer:
            until(lambda: writer.acknowledged > 200, "writes go on")
            shown = self.modify(EngineVersion="7.1")
            self.assertEqual(shown["CacheClusterStatus"], "modifying")
            self.assertEqual(shown["PendingModifiedValues"]["EngineVersion"], "7.1.0")
            self.expect_upgraded()
            seen = writer.acknowledged
            until(lambda: writer.acknowledged > seen + 100, "writes go on")
        writer.describe("an upgrade of a single node")
        self.assertEqual(writer.lost(), 0)

    def test_the_service_is_killed_meanwhile(self):
        with Writer(self.endpoint) as writer:
            until(lambda: writer.acknowledged > 200, "writes go on")
            self.modify(EngineVersion="7.1")
            for _ in range(3):
                self.kill()
                self.start()
            self.expect_upgraded()
            seen = writer.acknowledged
            until(lambda: writer.acknowledged > seen + 100, "writes go on")
        self.assertEqual(writer.lost(), 0)

    def test_another_engine_keeps_the_data(self):
        client(self.endpoint).set("kept", "1")
        with self.newer_members("ModifyCacheCluster", Engine="valkey"):
            self.modify()
        self.until_available()
        cluster = self.cluster("one")
        self.assertEqual((cluster["Engine"], cluster["EngineVersion"]), ("valkey", "8.0.1"))
        self.assertEqual(cluster["CacheParameterGroup"]["CacheParameterGroupName"], "default.valkey8")
        server = client(self.endpoint).info("server")
        self.assertEqual(server["valkey_version"], "8.0.1")
        self.assertEqual(client(self.endpoint).get("kept"), b"1")
        with self.newer_members("ModifyCacheCluster", Engine="redis"):
            with self.assertRaises(self.cache.exceptions.InvalidParameterCombinationException):
                self.modify()

    def test_another_node_type_loses_no_acknowledged_write(self):
        before = client(self.endpoint).info("memory")["maxmemory"]
        with Writer(self.endpoint) as writer:
            until(lambda: writer.acknowledged > 200, "writes go on")
            shown = self.modify(CacheNodeType="cache.t3.small")
            self.assertEqual(shown["PendingModifiedValues"]["CacheNodeType"], "cache.t3.small")
            self.until_available()
            seen = writer.acknowledged
            until(lambda: writer.acknowledged > seen + 100, "writes go on")
        self.assertEqual(writer.lost(), 0)
        self.assertEqual(self.cluster("one")["CacheNodeType"], "cache.t3.small")
        self.assertGreater(client(self.endpoint).info("memory")["maxmemory"], 2 * before)
        self.modify(CacheNodeType="cache.t3.micro")
        self.until_available()
        self.assertEqual(client(self.endpoint).info("memory")["maxmemory"], before)
        self.assertEqual(writer.lost(), 0)

    def test_a_node_type_that_the_data_do_not_fit_is_taken_back(self):
        self.modify(CacheNodeType="cache.t3.small")
        self.until_available()
        value = "x" * (1 << 20)
        link = client(self.endpoint)
        for i in range(500):
            link.set(f"key{i}", value)
        self.modify(CacheNodeType="cache.t3.micro")
        self.until_available()
        self.assertEqual(self.cluster("one")["CacheNodeType"], "cache.t3.small")
        self.assertEqual(link.dbsize(), 500)
        told = [event["Message"] for event in self.cache.describe_events(SourceIdentifier="one",
                                                                        SourceType="cache-cluster")["Events"]]
        self.assertIn("The cache node type was not modified to cache.t3.micro", told[-1])

    def test_what_cannot_be_is_refused(self):
        errors = self.cache.exceptions
        self.modify(EngineVersion="7.1", ApplyImmediately=False)
        self.assertEqual(self.cluster("one")["PendingModifiedValues"]["EngineVersion"], "7.1.0")
        self.modify(EngineVersion="6.2", ApplyImmediately=False)
        self.assertNotIn("EngineVersion", self.cluster("one")["PendingModifiedValues"])
        self.create("new", EngineVersion="7.1")
        with self.assertRaises(errors.InvalidParameterCombinationException):
            self.modify("new", EngineVersion="6.2")
        with self.assertRaises(errors.InvalidParameterValueException):
            self.modify(EngineVersion="9.9")


if __name__ == "__main__":
    unittest.main()
