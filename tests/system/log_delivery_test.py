#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Slow log and engine log of caches, delivered to files: whole, once, over kills of the service."""

import json
import os
import unittest

import service

# Takes 25 ms, whatever the machine: above the 10 ms from which on ElastiCache's groups log.
SLOW = """local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local begin = now() while now() - begin < 25000 do end return 1"""


def logs(*wanted):
    return [{"LogType": log, "DestinationType": "cloudwatch-logs", "LogFormat": log_format,
             "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": group}}}
            for log, log_format, group in wanted]


class LogDelivery(service.Service):
    def stream(self, group, engine, cluster, log):
        return os.path.join(self.data_dir, "logs/000000000000", service.REGION, group.replace("/", "%2F"),
                            "elasticache", engine, cluster, "0001", log)

    def lines(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def slow_entries(self, path):
        """Those of the script, in the order of the file."""
        return [entry for entry in map(json.loads, self.lines(path)) if entry["Command"].startswith("EVAL")]

    def group(self, name):
        return self.cache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]

    def statuses(self, name):
        return {each["LogType"]: each["Status"] for each in self.group(name).get("LogDeliveryConfigurations", [])}

    def create(self, name, nodes, configurations, engine="redis"):
        self.cache.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription="logs", Engine=engine,
            CacheNodeType="cache.t3.micro", NumCacheClusters=nodes, Port=service.CACHE_PORT,
            LogDeliveryConfigurations=configurations)
        service.until(lambda: self.group(name)["Status"] == "available", "the group is available", 60)

    def primary(self, name):
        return service.client(self.group(name)["NodeGroups"][0]["PrimaryEndpoint"])

    def test_a_nodes_own_log_is_bounded(self):
        self.create("demo", 1, [])
        pid = self.pid_of("demo-001")
        log = next(path for path in self.open_files(pid) if path.endswith("/engine.log"))
        with open(log, "a", encoding="utf-8") as file:
            file.write("a line\n" * ((8 << 20) // 7 + 1))
        service.until(lambda: os.path.exists(log) and os.path.exists(log + ".1"), "it is moved")
        service.until(lambda: log in self.open_files(pid), "the engine writes to another")
        self.assertEqual(self.pid_of("demo-001"), pid)
        self.assertLess(os.path.getsize(log), 1 << 20)
        self.assertTrue(self.primary("demo").ping())

    def open_files(self, pid):
        folder = f"/proc/{pid}/fd/"
        return [os.readlink(folder + name) for name in os.listdir(folder)]

    def test_slow_commands_are_delivered_once_over_kills_of_the_service(self):
        self.create("demo", 2, logs(("slow-log", "json", "/my/group")))
        self.assertEqual(self.statuses("demo"), {"slow-log": "active"})
        path = self.stream("/my/group", "redis", "demo-001", "slow-log")
        client = self.primary("demo")
        client.client_setname("slow-one")
        for kill in range(3):
            for _ in range(5):
                client.eval(SLOW, 0)
            if kill == 1:
                service.until(lambda: len(self.slow_entries(path)) == 11, "those of before and after a kill")
            self.kill()
            client.eval(SLOW, 1, "secret-key")
            self.start()
        service.until(lambda: len(self.slow_entries(path)) == 18, "all entries")
        for _ in range(2):
            client.eval(SLOW, 0)
        service.until(lambda: len(self.slow_entries(path)) == 20, "the last ones")
        entries = self.slow_entries(path)
        ids = [entry["Id"] for entry in entries]
        self.assertEqual(ids, sorted(set(ids)))
        own = client.client_list()[0]["addr"]
        for entry in entries:
            self.assertEqual({**entry, "Id": 0, "Timestamp": 0, "Duration (us)": 0, "Command": ""},
                             {"CacheClusterId": "demo-001", "CacheNodeId": "0001", "Id": 0, "Timestamp": 0,
                              "Duration (us)": 0, "Command": "", "ClientAddress": own, "ClientName": "slow-one"})
            self.assertGreaterEqual(entry["Duration (us)"], 25000)
        self.assertEqual({entry["Command"] for entry in entries},
                         {"EVAL ... (2 more arguments)", "EVAL ... (3 more arguments)"})
        client.close()

    def test_each_node_has_a_stream_and_a_replica_that_joins_too(self):
        self.create("demo", 1, logs(("engine-log", "text", "g")), engine="valkey")
        self.cache.increase_replica_count(ReplicationGroupId="demo", NewReplicaCount=1, ApplyImmediately=True)
        service.until(lambda: self.group("demo")["Status"] == "available", "the replica is there", 60)
        for cluster, role in (("demo-001", "M"), ("demo-002", "S")):
            path = self.stream("g", "valkey", cluster, "engine-log")
            service.until(lambda path=path: len(self.lines(path)) > 0, f"lines of {cluster}")
            for line in self.lines(path):
                self.assertRegex(line, rf"^{cluster}/0001:[MS] \d\d \w{{3}} \d{{4}} \d\d:\d\d:\d\d\.\d{{3}} UTC [-*#] .")
            self.assertIn(f":{role} ", self.lines(path)[-1])

    def test_a_configuration_is_changed_and_ended(self):
        self.create("demo", 1, [])
        self.assertEqual(self.statuses("demo"), {})
        modify = dict(ReplicationGroupId="demo", ApplyImmediately=True)
        shown = self.cache.modify_replication_group(
            **modify, LogDeliveryConfigurations=logs(("slow-log", "json", "g"), ("engine-log", "json", "g")))
        self.assertEqual(shown["ReplicationGroup"]["Status"], "modifying")
        self.assertEqual([each["Status"] for each in shown["ReplicationGroup"]["LogDeliveryConfigurations"]],
                         ["enabling"] * 2)
        service.until(lambda: self.group("demo")["Status"] == "available", "logs are delivered")
        self.assertEqual(self.statuses("demo"), {"slow-log": "active", "engine-log": "active"})
        engine_log = self.stream("g", "redis", "demo-001", "engine-log")
        for line in self.lines(engine_log):
            self.assertEqual(list(json.loads(line)),
                             ["CacheClusterId", "CacheNodeId", "LogLevel", "Role", "Time", "Message"])
        self.cache.modify_replication_group(
            **modify, LogDeliveryConfigurations=logs(("slow-log", "text", "h"))
            + [{"LogType": "engine-log", "Enabled": False}])
        service.until(lambda: self.statuses("demo") == {"slow-log": "active"}, "the engine log has ended")
        client = self.primary("demo")
        client.eval(SLOW, 0)
        path = self.stream("h", "redis", "demo-001", "slow-log")
        service.until(lambda: self.lines(path), "the entry")
        self.assertRegex(self.lines(path)[-1],
                         r"^demo-001,0001,\d+,\d+,EVAL \.\.\. \(2 more arguments\),127\.[\d.]+:\d+,$")
        self.assertEqual(self.slow_entries(self.stream("g", "redis", "demo-001", "slow-log")), [])
        client.close()

    def test_a_single_node_delivers_until_it_is_deleted(self):
        self.cache.create_cache_cluster(
            CacheClusterId="one", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1,
            Port=service.CACHE_PORT, LogDeliveryConfigurations=logs(("engine-log", "text", "g")))

        def cluster():
            return self.cache.describe_cache_clusters(CacheClusterId="one")["CacheClusters"][0]
        service.until(lambda: cluster()["CacheClusterStatus"] == "available"
                      and cluster()["LogDeliveryConfigurations"][0]["Status"] == "active", "it delivers", 60)
        self.cache.delete_cache_cluster(CacheClusterId="one")

        def is_gone():
            return self.cache.describe_cache_clusters()["CacheClusters"] == []
        service.until(is_gone, "the cluster is gone", 60)
        path = self.stream("g", "redis", "one", "engine-log")
        self.assertGreater(len(self.lines(path)), 1)
        with open(path + ".cursor", encoding="utf-8") as file:
            self.assertEqual(file.read(), f"{os.path.getsize(path)}\n")


if __name__ == "__main__":
    unittest.main()
