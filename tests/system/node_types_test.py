# SPDX-License-Identifier: Apache-2.0
"""Node types: how much memory a node gets, and what fits into the machine."""

import os
import unittest

from botocore.exceptions import ClientError

import service

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


class NodeTypes(service.Service):
    def memory_of_types(self):
        last = None
        for page in self.cache.get_paginator("describe_engine_default_parameters").paginate(
                CacheParameterGroupFamily="redis7"):
            last = page["EngineDefaults"]
        [memory] = last["CacheNodeTypeSpecificParameters"]
        self.assertEqual(memory["ParameterName"], "maxmemory")
        return {each["CacheNodeType"]: int(each["Value"])
                for each in memory["CacheNodeTypeSpecificValues"]}

    def create(self, name, node_type):
        self.cache.create_cache_cluster(CacheClusterId=name, Engine="redis",
                                        CacheNodeType=node_type, NumCacheNodes=1)

    def available(self, name):
        service.until(lambda: self.cluster(name)["CacheClusterStatus"] == "available",
                      f"{name} is available")
        return service.client(self.cluster(name)["CacheNodes"][0]["Endpoint"])

    def assert_no_room(self, name, node_type):
        with self.assertRaises(ClientError) as caught:
            self.create(name, node_type)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], "InsufficientCacheClusterCapacity")
        self.assertIn("--memory-scale", error["Message"])

    def test_a_machine_that_is_full_takes_no_more_until_something_is_deleted(self):
        types = self.memory_of_types()
        self.assertEqual(types["cache.t3.micro"], 536870912)
        largest = max((kind for kind in types if types[kind] <= MACHINE), key=types.get)
        if 2 * types[largest] <= MACHINE:
            self.skipTest("a machine with more memory than two of the largest nodes")
        self.create("a", largest)
        self.assert_no_room("b", largest)
        with self.available("a") as redis:
            self.assertEqual(redis.info("memory")["maxmemory"], types[largest] -
                             types[largest] // 100 * 25 - types[largest] % 100 * 25 // 100)
        self.cache.delete_cache_cluster(CacheClusterId="a")
        self.cache.get_waiter("cache_cluster_deleted").wait(
            CacheClusterId="a", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        self.create("b", largest)

    def test_a_scale_makes_large_types_fit_and_acts_on_running_nodes(self):
        self.create("small", "cache.t3.micro")
        with self.available("small") as redis:
            self.assertEqual(redis.info("memory")["maxmemory"], 402653184)
            self.kill()
            self.start("--memory-scale", "0.01")
            service.until(lambda: redis.info("memory")["maxmemory"] < 5 << 20, "it shrank")
        self.create("large", "cache.m6g.4xlarge")
        with self.available("large") as redis:
            self.assertAlmostEqual(redis.info("memory")["maxmemory"] / (56116178125 * 0.0075), 1,
                                   places=3)

    def test_the_types_to_scale_to_are_listed(self):
        self.create("a", "cache.t3.small")
        listed = self.cache.list_allowed_node_type_modifications(CacheClusterId="a")
        self.assertIn("cache.t3.micro", listed["ScaleDownModifications"])
        self.assertIn("cache.r7g.large", listed["ScaleUpModifications"])
        self.assertNotIn("cache.t3.small", listed["ScaleUpModifications"])


if __name__ == "__main__":
    unittest.main()
