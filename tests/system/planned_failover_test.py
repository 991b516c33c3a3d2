# SPDX-License-Identifier: Apache-2.0
"""Changes of who leads that were asked for, under a load of writes."""

import time
import unittest

from service import Service, client, until
from writer import Writer


class PlannedFailover(Service):
    def setUp(self):
        super().setUp()
        self.endpoint = self.create_group("demo", 3)["PrimaryEndpoint"]

    def promote(self, cluster):
        self.cache.modify_replication_group(
            ReplicationGroupId="demo", PrimaryClusterId=cluster, ApplyImmediately=True)
        self.assertEqual(self.status("demo"), "modifying")
        until(lambda: self.status("demo") == "available", "the group is available")
        self.assertEqual(self.primary_of("demo"), cluster)

    def test_no_acknowledged_write_is_lost_and_none_fails(self):
        pids = {self.pid_of(f"demo-00{i}") for i in (1, 2, 3)}
        with Writer(self.endpoint) as writer:
            for cluster in ("demo-002", "demo-003", "demo-001", "demo-003"):
                seen = writer.acknowledged
                until(lambda: writer.acknowledged > seen + 100, "writes go on")
                self.promote(cluster)
        writer.describe("4 planned failovers")
        self.assertEqual(writer.errors, [])
        self.assertEqual(writer.lost(), 0)
        self.assertLess(writer.longest_gap, 2.0)
        self.assertEqual(pids, {self.pid_of(f"demo-00{i}") for i in (1, 2, 3)}, "nobody was restarted")

    def test_the_replicas_have_the_same_data_without_a_full_copy(self):
        before = self.full_syncs()
        with Writer(self.endpoint) as writer:
            self.promote("demo-002")
        for member in self.node_group("demo")["NodeGroupMembers"]:
            until(lambda: writer.lost(member["ReadEndpoint"]) == 0,
                  f"{member['CacheClusterId']} has all")
        self.assertEqual(self.full_syncs(), before)

    def full_syncs(self):
        return sum(client(member["ReadEndpoint"]).info("stats")["sync_full"]
                   for member in self.node_group("demo")["NodeGroupMembers"])

    def test_a_kill_of_the_service_in_the_middle_loses_nothing(self):
        with Writer(self.endpoint) as writer:
            for delay in (0.0, 0.005, 0.01, 0.02, 0.04):
                target = "demo-002" if self.primary_of("demo") != "demo-002" else "demo-003"
                self.cache.modify_replication_group(
                    ReplicationGroupId="demo", PrimaryClusterId=target, ApplyImmediately=True)
                time.sleep(delay)  # the moment of the kill, not something that is hoped for
                self.kill()
                self.start()
                until(lambda: self.status("demo") == "available", "the group is available")
                self.assertEqual(self.primary_of("demo"), target)
        writer.describe("5 planned failovers with the service killed")
        self.assertEqual(writer.errors, [])
        self.assertEqual(writer.lost(), 0)


class TestedFailover(Service):
    def setUp(self):
        super().setUp()
        self.endpoint = self.create_group("demo", 3)["PrimaryEndpoint"]
        self.write_everywhere("demo", "kept", "yes")

    def test_the_primary_is_ended_and_comes_back_as_a_replica(self):
        lost = self.primary_of("demo")
        pid = self.pid_of(lost)
        answer = self.cache.test_failover(ReplicationGroupId="demo", NodeGroupId="0001")
        self.assertEqual(answer["ReplicationGroup"]["Status"], "modifying")
        until(lambda: self.status("demo") == "available", "the group is available")
        self.assertNotEqual(self.primary_of("demo"), lost)
        self.assertNotEqual(self.pid_of(lost), pid)
        self.assertEqual(client(self.endpoint).get("kept"), b"yes")
        roles = {m["CacheClusterId"]: m["CurrentRole"]
                 for m in self.node_group("demo")["NodeGroupMembers"]}
        self.assertEqual(sorted(roles.values()), ["primary", "replica", "replica"])
        self.assertEqual(roles[lost], "replica")

    def test_it_can_be_done_again(self):
        for _ in range(4):
            before = self.primary_of("demo")
            self.cache.test_failover(ReplicationGroupId="demo", NodeGroupId="0001")
            until(lambda: self.status("demo") == "available", "the group is available")
            self.assertNotEqual(self.primary_of("demo"), before)

    def test_what_cannot_be_is_refused(self):
        errors = self.cache.exceptions
        with self.assertRaises(errors.NodeGroupNotFoundFault):
            self.cache.test_failover(ReplicationGroupId="demo", NodeGroupId="0002")
        with self.assertRaises(errors.ReplicationGroupNotFoundFault):
            self.cache.test_failover(ReplicationGroupId="none", NodeGroupId="0001")
        self.create_group("alone", 1)
        with self.assertRaises(errors.TestFailoverNotAvailableFault):
            self.cache.test_failover(ReplicationGroupId="alone", NodeGroupId="0001")


if __name__ == "__main__":
    unittest.main()
