# SPDX-License-Identifier: Apache-2.0
"""Parameter groups act on real nodes: read through the endpoints, and by what they do."""

import os
import signal
import socket
import unittest

from botocore.exceptions import ClientError

import service


class ParameterGroups(service.Service):
    def make(self, name="mine", family="redis7"):
        self.cache.create_cache_parameter_group(
            CacheParameterGroupName=name, CacheParameterGroupFamily=family, Description="a test")

    def set(self, name="mine", **values):
        self.cache.modify_cache_parameter_group(
            CacheParameterGroupName=name,
            ParameterNameValues=[{"ParameterName": key.replace("_", "-"), "ParameterValue": value}
                                 for key, value in values.items()])

    def create(self, cluster="c", **more):
        options = dict(Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1,
                       CacheParameterGroupName="mine")
        options.update(more)
        self.cache.create_cache_cluster(CacheClusterId=cluster, **options)
        service.until(lambda: self.cluster(cluster)["CacheClusterStatus"] == "available",
                      f"{cluster} is available")

    def endpoint(self, cluster="c"):
        return self.cluster(cluster)["CacheNodes"][0]["Endpoint"]

    def config(self, name, cluster="c"):
        with self.admin(cluster) as node:
            return node.config_get(name)[name]

    def applied(self, cluster="c"):
        return self.cluster(cluster)["CacheParameterGroup"]["ParameterApplyStatus"]

    def until_in_sync(self, cluster="c"):
        service.until(lambda: self.applied(cluster) == "in-sync", f"{cluster} is in sync")

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response["Error"]["Message"]

    def test_a_cache_starts_with_the_values_of_its_group(self):
        self.make()
        self.set(maxmemory_policy="allkeys-lfu", databases="3", notify_keyspace_events="KEA",
                 client_output_buffer_limit_pubsub_soft_seconds="77")
        self.create()
        self.assertEqual(self.config("maxmemory-policy"), "allkeys-lfu")
        self.assertEqual(self.config("databases"), "3")
        self.assertEqual(self.config("notify-keyspace-events"), "AKE")
        self.assertTrue(self.config("client-output-buffer-limit").endswith("8388608 77"))
        self.until_in_sync()

    def test_a_default_group_is_that_of_elasticache(self):
        group = self.create_group("demo", 2)
        self.assertEqual(self.config("maxmemory-policy", "demo-001"), "volatile-lru")
        with service.client(group["PrimaryEndpoint"]) as redis:
            self.assertEqual(redis.info("memory")["maxmemory"], 402653184)

    def test_a_change_reaches_running_nodes_and_keeps_their_data(self):
        self.make()
        self.cache.create_replication_group(
            ReplicationGroupId="demo", ReplicationGroupDescription="a test",
            CacheNodeType="cache.t3.micro", NumCacheClusters=2, AutomaticFailoverEnabled=True,
            CacheParameterGroupName="mine")
        service.until(lambda: self.status("demo") == "available", "demo is available")
        self.write_everywhere("demo", "k", "v")
        self.set(maxmemory_policy="allkeys-random", reserved_memory_percent="50", timeout="40")
        for member in ("demo-001", "demo-002"):
            self.until_in_sync(member)
            self.assertEqual(self.config("maxmemory-policy", member), "allkeys-random")
            self.assertEqual(self.config("maxmemory", member), "268435456")
            self.assertEqual(self.config("timeout", member), "40")
            with service.client(self.endpoint(member)) as redis:
                self.assertEqual(redis.get("k"), b"v")
        self.cache.reset_cache_parameter_group(CacheParameterGroupName="mine",
                                               ResetAllParameters=True)
        for member in ("demo-001", "demo-002"):
            self.until_in_sync(member)
            self.assertEqual(self.config("maxmemory-policy", member), "volatile-lru")
            self.assertEqual(self.config("maxmemory", member), "402653184")

    def test_eviction_follows_the_policy_that_was_changed(self):
        self.make()
        self.set(maxmemory_policy="noeviction", reserved_memory_percent="99")
        self.create()
        with service.client(self.endpoint()) as redis:
            with self.assertRaisesRegex(Exception, "OOM|maxmemory"):
                for key in range(400):
                    redis.set(f"k{key}", "v" * 100_000)
            self.set(maxmemory_policy="allkeys-lru")
            self.until_in_sync()
            for key in range(200):
                redis.set(f"n{key}", "v" * 100_000)
            self.assertEqual(redis.get("n199"), b"v" * 100_000)
            self.assertGreater(redis.info("stats")["evicted_keys"], 0)

    def test_what_needs_a_reboot_waits_for_the_next_start(self):
        self.make()
        self.create()
        self.set(databases="4", timeout="50")
        service.until(lambda: self.applied() == "pending-reboot", "a reboot is pending")
        shown = self.cluster("c")
        self.assertEqual(shown["CacheParameterGroup"]["CacheNodeIdsToReboot"], ["0001"])
        self.assertEqual(shown["CacheNodes"][0]["ParameterGroupStatus"], "pending-reboot")
        self.assertEqual(self.config("databases"), "16")
        self.assertEqual(self.config("timeout"), "50")
        os.kill(self.pid_of("c"), signal.SIGKILL)
        self.until_in_sync()
        self.assertEqual(self.config("databases"), "4")

    def test_a_node_that_was_stopped_during_a_change_gets_it(self):
        self.make()
        self.create()
        pid = self.pid_of("c")
        self.kill()
        os.kill(pid, signal.SIGSTOP)
        self.start()
        self.set(timeout="60")
        self.assertEqual(self.applied(), "applying")
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # it hung too long and was replaced
        self.until_in_sync()
        self.assertEqual(self.config("timeout"), "60")

    def test_a_kill_of_the_service_loses_no_change(self):
        self.make()
        self.create()
        self.set(timeout="70")
        self.kill()
        self.start()
        self.until_in_sync()
        self.assertEqual(self.config("timeout"), "70")

    def test_terraform_reads_only_what_the_user_set(self):
        self.make()
        self.set(maxmemory_policy="allkeys-lru", timeout="20")
        pages = self.cache.get_paginator("describe_cache_parameters").paginate(
            CacheParameterGroupName="mine", Source="user")
        values = {each["ParameterName"]: each["ParameterValue"]
                  for page in pages for each in page["Parameters"]}
        self.assertEqual(values, {"maxmemory-policy": "allkeys-lru", "timeout": "20"})
        everything = [each["ParameterName"] for page in self.cache.get_paginator(
            "describe_cache_parameters").paginate(CacheParameterGroupName="mine",
                                                  PaginationConfig={"PageSize": 20})
            for each in page["Parameters"]]
        self.assertEqual(len(everything), len(set(everything)))
        self.assertGreater(len(everything), 60)
        defaults = [each for page in self.cache.get_paginator(
            "describe_engine_default_parameters").paginate(
                CacheParameterGroupFamily="redis7", PaginationConfig={"PageSize": 20})
            for each in page["EngineDefaults"]["Parameters"]]
        self.assertEqual([each["ParameterName"] for each in defaults], everything)

    def test_a_group_in_use_stays_and_wrong_values_are_refused(self):
        self.make()
        self.create()
        self.refused("InvalidCacheParameterGroupState", self.cache.delete_cache_parameter_group,
                     CacheParameterGroupName="mine")
        message = self.refused(
            "InvalidParameterValue", self.cache.modify_cache_parameter_group,
            CacheParameterGroupName="mine",
            ParameterNameValues=[{"ParameterName": "timeout", "ParameterValue": "7"}])
        self.assertIn("0,20-", message)
        self.refused("InvalidParameterCombination", self.cache.create_cache_cluster,
                     CacheClusterId="d", Engine="valkey", CacheNodeType="cache.t3.micro",
                     NumCacheNodes=1, CacheParameterGroupName="mine")
        self.cache.delete_cache_cluster(CacheClusterId="c")
        self.cache.get_waiter("cache_cluster_deleted").wait(
            CacheClusterId="c", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        self.cache.delete_cache_parameter_group(CacheParameterGroupName="mine")
        self.refused("CacheParameterGroupNotFound", self.cache.describe_cache_parameters,
                     CacheParameterGroupName="mine")

    def test_memcached_has_a_family_of_its_own(self):
        self.make(family="memcached1.6")
        self.cache.modify_cache_parameter_group(
            CacheParameterGroupName="mine",
            ParameterNameValues=[{"ParameterName": "max_item_size", "ParameterValue": "2048"}])
        self.create(Engine="memcached")
        with self.memcached() as node:
            node.sendall(b"set big 0 0 4000\r\n" + b"v" * 4000 + b"\r\n")
            self.assertIn(b"too large", node.recv(200))
            node.sendall(b"set small 0 0 1000\r\n" + b"v" * 1000 + b"\r\n")
            self.assertEqual(node.recv(200), b"STORED\r\n")

    def memcached(self):
        endpoint = self.endpoint()
        return socket.create_connection((endpoint["Address"], endpoint["Port"]), 5)

    def fill(self, node, items):
        """Stores items of 100 kB; returns the answers."""
        answers = []
        with node.makefile("rb") as reader:
            for item in range(items):
                node.sendall(b"set k%d 0 0 100000\r\n" % item + b"v" * 100_000 + b"\r\n")
                answers.append(reader.readline())
        return answers

    def test_a_full_memcached_node_evicts_or_refuses_as_its_group_says(self):
        self.kill()
        self.start("--memory-scale", "0.02")
        self.make(family="memcached1.6")
        self.create(Engine="memcached")
        with self.memcached() as node:
            self.assertEqual(set(self.fill(node, 200)), {b"STORED\r\n"})
        self.cache.modify_cache_parameter_group(
            CacheParameterGroupName="mine",
            ParameterNameValues=[{"ParameterName": "error_on_memory_exhausted",
                                  "ParameterValue": "1"}])
        service.until(lambda: self.applied() == "pending-reboot", "a reboot is pending")
        os.kill(self.pid_of("c"), signal.SIGKILL)
        self.until_in_sync()
        with self.memcached() as node:
            answers = self.fill(node, 200)
        self.assertIn(b"STORED\r\n", answers)
        self.assertRegex(answers[-1], b"SERVER_ERROR out of memory")


if __name__ == "__main__":
    unittest.main()
