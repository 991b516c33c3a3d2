# SPDX-License-Identifier: Apache-2.0
"""A move from redis-server to us and back out again, under a load of all types, over links that
break."""
import socket
import time
import unittest

from links import LoadOfAllTypes, Proxy, everything
from nodes import MIKURA, REDIS, Node, await_caught_up, caught_up, eventually

CUTS = 20


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class DrillTest(unittest.TestCase):
    maxDiff = 2000

    def node(self, kind="mikura", *options):
        node = Node(kind, "--repl-backlog-size", "32mb", *options)
        self.addCleanup(node.stop)
        return node

    def follow_through_proxy(self, replica, primary):
        proxy = Proxy(primary.port)
        self.addCleanup(proxy.stop)
        replica.client.replicaof("127.0.0.1", proxy.port)
        eventually(lambda: replica.replication()["master_link_status"] == "up", "the link is up")
        return proxy

    def assert_equal_data(self, one, other):
        expected = everything(other)
        found = everything(one)
        self.assertGreater(len(expected), 300)
        self.assertEqual(sorted(found), sorted(expected))
        for key, value in expected.items():
            self.assertEqual(found[key], value, key)

    def cut_often(self, proxy, replica, primary, times=CUTS):
        before = primary.client.info("stats")
        for number in range(times):
            connections = proxy.connections
            proxy.cut()
            eventually(lambda: proxy.connections > connections, "it comes again")
            partial = before["sync_partial_ok"] + number + 1
            eventually(lambda: primary.client.info("stats")["sync_partial_ok"] >= partial and
                       replica.replication()["master_link_status"] == "up", f"cut {number}")
            time.sleep(0.05)
        after = primary.client.info("stats")
        self.assertEqual(after["sync_full"], before["sync_full"])
        self.assertGreaterEqual(after["sync_partial_ok"], before["sync_partial_ok"] + times)

    def await_equal(self, replica, primary):
        """Without a load: a moment in which both stand still."""
        await_caught_up(replica, primary)
        # What expires during the comparison is no difference.
        time.sleep(1.2)
        await_caught_up(replica, primary)
        self.assert_equal_data(replica, primary)

    def test_in_from_redis_and_out_to_redis(self):
        old, ours, new = self.node("redis"), self.node(), self.node("redis")
        load = LoadOfAllTypes(old.port)
        eventually(lambda: load.commands > 3000, "there is data")
        proxy = self.follow_through_proxy(ours, old)
        self.cut_often(proxy, ours, old)
        load.stop()
        self.await_equal(ours, old)
        ours.promote()
        load = LoadOfAllTypes(ours.port)
        proxy = self.follow_through_proxy(new, ours)
        self.cut_often(proxy, new, ours)
        # The node of before comes back as a replica: it continues, it has all but the end.
        full = ours.client.info("stats")["sync_full"]
        old.follow(ours)
        eventually(lambda: old.replication()["master_link_status"] == "up", "it is back")
        self.assertEqual(ours.client.info("stats")["sync_full"], full)
        load.stop()
        self.await_equal(new, ours)
        self.await_equal(old, ours)

    def test_between_our_own_with_a_chain_and_a_promotion(self):
        first, second, third = self.node(), self.node(), self.node()
        load = LoadOfAllTypes(first.port)
        eventually(lambda: load.commands > 2000, "there is data")
        proxy = self.follow_through_proxy(second, first)
        chain = self.follow_through_proxy(third, second)
        for _ in range(CUTS // 4):
            self.cut_often(proxy, second, first, 2)
            self.cut_often(chain, third, second, 2)
        load.stop()
        await_caught_up(third, first)
        # A key that the former primary expires by itself would be a history of its own.
        first.client.execute_command("CLIENT", "PAUSE", "30000", "WRITE")
        second.promote()
        proxy = self.follow_through_proxy(first, second)
        first.client.execute_command("CLIENT", "UNPAUSE")
        eventually(lambda: caught_up(third, second), "the chain goes on")
        load = LoadOfAllTypes(second.port)
        self.cut_often(proxy, first, second, 5)
        self.cut_often(chain, third, second, 2)
        load.stop()
        self.await_equal(first, second)
        self.await_equal(third, second)
        self.assertEqual(second.client.info("stats")["sync_full"], 1)

    def test_a_chain_of_both_kinds(self):
        for kinds in (("redis", "mikura", "redis"), ("mikura", "redis", "mikura")):
            with self.subTest(kinds):
                first, second, third = (self.node(kind) for kind in kinds)
                load = LoadOfAllTypes(first.port)
                eventually(lambda: load.commands > 1000, "there is data")
                proxy = self.follow_through_proxy(second, first)
                chain = self.follow_through_proxy(third, second)
                self.cut_often(proxy, second, first, 3)
                self.cut_often(chain, third, second, 3)
                load.stop()
                await_caught_up(second, first)
                self.await_equal(third, first)

    def test_a_link_that_breaks_in_the_middle_of_a_full_sync(self):
        for kinds in (("mikura", "mikura"), ("redis", "mikura"), ("mikura", "redis")):
            with self.subTest(kinds):
                primary, replica = self.node(kinds[0]), self.node(kinds[1])
                load = LoadOfAllTypes(primary.port)
                eventually(lambda: load.commands > 3000, "there is data")
                proxy = Proxy(primary.port)
                self.addCleanup(proxy.stop)
                proxy.resets = [15_000, 3_000, 20_000, 400]
                replica.client.replicaof("127.0.0.1", proxy.port)
                eventually(lambda: proxy.connections >= 5, "it comes again and again")
                eventually(lambda: replica.replication()["master_link_status"] == "up",
                           "the link is up")
                load.stop()
                self.await_equal(replica, primary)

    def test_a_link_that_falls_silent_is_given_up_and_made_again(self):
        for kinds in (("mikura", "mikura"), ("redis", "mikura"), ("mikura", "redis")):
            with self.subTest(kinds):
                primary, replica = self.node(kinds[0]), self.node(kinds[1])
                for node in (primary, replica):
                    node.client.config_set("repl-timeout", 2)
                    node.client.config_set("repl-ping-replica-period", 1)
                load = LoadOfAllTypes(primary.port, pause=0.05)
                proxy = self.follow_through_proxy(replica, primary)
                proxy.is_silent = True
                eventually(lambda: replica.replication()["master_link_status"] == "down",
                           "the replica gives up")
                eventually(lambda: "online" not in str(primary.replication().get("slave0")),
                           "the primary gives up")
                full = primary.client.info("stats")["sync_full"]
                proxy.is_silent = False
                eventually(lambda: replica.replication()["master_link_status"] == "up",
                           "the link is up")
                self.assertEqual(primary.client.info("stats")["sync_full"], full)
                load.stop()
                await_caught_up(replica, primary)

    def test_two_histories_become_one(self):
        for kinds in (("mikura", "mikura"), ("redis", "mikura"), ("mikura", "redis")):
            with self.subTest(kinds):
                one, other = self.node(kinds[0]), self.node(kinds[1])
                first, second = self.node("mikura"), self.node("mikura")
                loads = [LoadOfAllTypes(node.port) for node in (one, other)]
                eventually(lambda: all(load.commands > 1500 for load in loads), "there is data")
                # Both have given out their ids and written on.
                first.follow(one)
                second.follow(other)
                eventually(lambda: caught_up_once(first) and caught_up_once(second), "both follow")
                loads[1].stop()
                other.follow(one)
                eventually(lambda: caught_up_once(other), "the link is up")
                loads[0].stop()
                self.await_equal(other, one)
                self.assertEqual(one.client.info("stats")["sync_full"], 2)

    def test_a_slow_replica_does_not_cost_memory_without_end(self):
        primary = self.node("mikura", "--client-output-buffer-limit", "replica 16mb 16mb 60")
        for number in range(4000):
            primary.client.set(f"large:{number}", "v" * 10_000)
        load = LoadOfAllTypes(primary.port)
        before = resident_bytes(primary)
        with socket.create_connection(("127.0.0.1", primary.port), 30) as replica:
            replica.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            replica.sendall(b"REPLCONF capa eof capa psync2\r\nPSYNC ? -1\r\n")
            eventually(lambda: primary.replication().get("slave0", {}).get("state") == "send_bulk",
                       "the snapshot is on its way")
            # It takes next to nothing, while every value is written anew.
            written = 0
            while written < 80_000_000 and primary.replication()["connected_slaves"] > 0:
                pipe = primary.client.pipeline(transaction=False)
                for number in range(200):
                    pipe.set(f"large:{(written // 10_000 + number) % 4000}", "w" * 10_000)
                pipe.execute()
                written += 2_000_000
            eventually(lambda: primary.replication()["connected_slaves"] == 0, "it is cut off")
        load.stop()
        self.assertLess(resident_bytes(primary) - before, 150_000_000)
        replica = self.node()
        replica.follow(primary)
        self.await_equal(replica, primary)


def caught_up_once(node):
    return node.replication().get("master_link_status") == "up"


def resident_bytes(node):
    with open(f"/proc/{node.process.pid}/status", encoding="utf-8") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


if __name__ == "__main__":
    unittest.main()
