# SPDX-License-Identifier: Apache-2.0
"""FAILOVER: a primary hands its role to a replica, of either kind, under load and when something is
in the way."""
import signal
import threading
import time
import unittest

import redis

from nodes import MIKURA, REDIS, Node, await_caught_up, eventually

REFUSED = (
    "FAILOVER ABORT", "FAILOVER TO 127.0.0.1", "FAILOVER TO 127.0.0.1 abc",
    "FAILOVER TO 127.0.0.1 99999", "FAILOVER TO 127.0.0.1 -5", "FAILOVER TO 1.1.1.1 7 TIMEOUT 5",
    "FAILOVER TIMEOUT 0", "FAILOVER TIMEOUT -1", "FAILOVER TIMEOUT abc",
    "FAILOVER TIMEOUT 5 TIMEOUT 6", "FAILOVER FORCE", "FAILOVER FORCE FORCE", "FAILOVER other",
    "FAILOVER TO 127.0.0.1 7 FORCE", "FAILOVER TO 127.0.0.1 7 TO 127.0.0.1 7",
    "FAILOVER ABORT TIMEOUT 5", "FAILOVER TIMEOUT 5 ABORT", "PSYNC abc 1 FAILOVER")


class Counting:
    """Counts up at a node from several connections, until each is told that it is a replica."""

    def __init__(self, node, writers=3):
        self.acknowledged = 0
        self.errors = []
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(node.port,))
                        for _ in range(writers)]
        for thread in self.threads:
            thread.start()

    def run(self, port):
        client = redis.Redis("127.0.0.1", port, socket_timeout=30)
        try:
            while not self.stopping.is_set():
                client.incr("counter")
                with self.lock:
                    self.acknowledged += 1
        except redis.RedisError as error:
            self.errors.append(error)

    def join(self):
        for thread in self.threads:
            thread.join(40)
            assert not thread.is_alive(), "a writer waits still"


def failover_state(node):
    return node.replication()["master_failover_state"]


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class FailoverTest(unittest.TestCase):
    def node(self, kind="mikura", *options):
        node = Node(kind, *options)
        self.addCleanup(node.stop)
        return node

    def pair(self, kind="mikura", replica_kind="mikura"):
        primary, replica = self.node(kind), self.node(replica_kind)
        primary.client.set("before", "1")
        replica.follow(primary)
        await_caught_up(replica, primary)
        eventually(lambda: len(primary.client.role()[2]) == 1, "the replica is listed")
        return primary, replica

    def test_the_role_moves_under_load_and_nothing_is_lost(self):
        for kinds in (("mikura", "mikura"), ("mikura", "redis"), ("redis", "mikura")):
            with self.subTest(kinds):
                primary, replica = self.pair(*kinds)
                load = Counting(primary)
                eventually(lambda: load.acknowledged > 300, "there is a load")
                primary.client.execute_command("FAILOVER", "TO", "127.0.0.1", replica.port)
                load.join()
                for error in load.errors:
                    self.assertIsInstance(error, redis.exceptions.ReadOnlyError)
                eventually(lambda: failover_state(primary) == "no-failover", "it ends")
                self.assertEqual(replica.client.role()[0], b"master")
                self.assertEqual(int(replica.client.get("counter")), load.acknowledged)
                replica.client.incr("counter")
                await_caught_up(primary, replica)
                self.assertEqual(primary.contents(), replica.contents())
                self.assertEqual(replica.client.info("stats")["sync_full"], 0)
                self.assertGreaterEqual(replica.client.info("stats")["sync_partial_ok"], 1)

    def test_there_and_back_again_without_a_full_sync(self):
        primary, replica = self.pair()
        for number in range(6):
            primary.database(number % 4).set("k", number)
            primary.client.execute_command("FAILOVER")
            eventually(lambda: failover_state(primary) == "no-failover" and
                       replica.client.role()[0] == b"master", "it ends")
            primary, replica = replica, primary
            primary.database(number % 3).set("after", number)
            await_caught_up(replica, primary)
            self.assertEqual(replica.contents(), primary.contents())
        syncs = sum(node.client.info("stats")["sync_full"] for node in (primary, replica))
        self.assertEqual(syncs, 1)

    def test_another_replica_continues_at_the_new_primary(self):
        primary, replica = self.pair()
        other = self.node()
        other.follow(primary)
        await_caught_up(other, primary)
        primary.client.execute_command("FAILOVER", "TO", "127.0.0.1", replica.port)
        eventually(lambda: replica.client.role()[0] == b"master", "the role moves")
        replica.client.set("after", "1")
        # It follows the former primary still, which is a replica now.
        await_caught_up(other, replica)
        other.follow(replica)
        await_caught_up(other, replica)
        self.assertEqual(other.contents(), replica.contents())
        self.assertEqual(replica.client.info("stats")["sync_full"], 0)

    def test_who_follows_a_replica_that_is_promoted_knows_its_history_by_the_new_name(self):
        for kind in "mikura", "redis":
            with self.subTest(kind):
                _, replica = self.pair(replica_kind=kind)
                chain = self.node()
                chain.follow(replica)
                await_caught_up(chain, replica)
                replica.promote()
                for number in range(100):
                    replica.client.set("after", number)
                await_caught_up(chain, replica)
                self.assertEqual(chain.replication()["master_replid"],
                                 replica.replication()["master_replid"])
                self.assertEqual(replica.client.info("stats")["sync_full"], 1)

    def test_who_got_the_new_history_through_the_former_primary_continues_at_the_new_one(self):
        primary, replica = self.pair()
        other = self.node()
        other.follow(primary)
        await_caught_up(other, primary)
        # The former primary has turned to a node that is not promoted yet.
        primary.follow(replica)
        eventually(lambda: primary.replication()["master_link_status"] == "up", "it follows")
        replica.promote()
        for number in range(100):
            replica.client.set("after", number)
        await_caught_up(other, replica)
        other.follow(replica)
        await_caught_up(other, replica)
        self.assertEqual(other.contents(), replica.contents())
        self.assertEqual(replica.client.info("stats")["sync_full"], 0)

    def test_what_is_refused_is_refused_in_the_same_words(self):
        ours, theirs = self.pair("mikura", "redis"), self.pair("redis", "mikura")
        for place in (0, 1):
            for words in REFUSED:
                with self.subTest(words=words, place=place):
                    answers = []
                    for node in (ours[place], theirs[place]):
                        with self.assertRaises(redis.ResponseError) as caught:
                            node.client.execute_command(*words.split())
                        answers.append(str(caught.exception))
                    self.assertEqual(*answers)
        for node in (self.node("mikura"), self.node("redis")):
            with self.assertRaisesRegex(redis.ResponseError, "requires connected replicas"):
                node.client.execute_command("FAILOVER", "TIMEOUT", "5")

    def hang(self, node):
        node.process.send_signal(signal.SIGSTOP)
        self.addCleanup(node.process.send_signal, signal.SIGCONT)

    def hung_pair(self, kind):
        primary, replica = self.pair(kind)
        self.hang(replica)
        primary.client.set("unknown to the replica", "1")
        return primary, replica

    def test_a_replica_that_hangs_ends_it_at_the_timeout(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind):
                primary, _ = self.hung_pair(kind)
                primary.client.execute_command("FAILOVER", "TIMEOUT", "1000")
                self.assertEqual(failover_state(primary), "waiting-for-sync")
                begin = time.monotonic()
                primary.client.set("held", "1")
                self.assertGreater(time.monotonic() - begin, 0.5)
                self.assertEqual(failover_state(primary), "no-failover")
                self.assertEqual(primary.client.role()[0], b"master")

    def test_a_client_ends_it_and_nothing_else_is_taken_meanwhile(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind):
                primary, _ = self.hung_pair(kind)
                primary.client.execute_command("FAILOVER")
                load = Counting(primary, 1)
                self.assertEqual(primary.client.get("before"), b"1")
                for words, pattern in (("FAILOVER", "already in progress"),
                                       ("REPLICAOF 127.0.0.1 7", "not allowed while failing over"),
                                       ("REPLICAOF NO ONE", "not allowed while failing over"),
                                       ("PSYNC ? -1", "Can't SYNC while failing over")):
                    with self.assertRaisesRegex(redis.RedisError, pattern):
                        primary.database(0).execute_command(*words.split())
                primary.client.execute_command("CLIENT", "UNPAUSE")
                self.assertEqual(load.acknowledged, 0)
                primary.client.execute_command("FAILOVER", "ABORT")
                eventually(lambda: load.acknowledged > 10, "writes go on")
                load.stopping.set()
                load.join()
                self.assertEqual(load.errors, [])

    def test_forced_it_goes_to_a_replica_that_lacks_something(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind):
                primary, replica = self.hung_pair(kind)
                primary.client.execute_command("FAILOVER", "TO", "127.0.0.1", replica.port,
                                               "FORCE", "TIMEOUT", "300")
                eventually(lambda: failover_state(primary) == "failover-in-progress", "forced")
                self.assertEqual(primary.client.role()[0], b"slave")
                primary.client.execute_command("FAILOVER", "ABORT")
                self.assertEqual(primary.client.role()[0], b"master")
                primary.client.set("goes on", "1")
                replica.process.send_signal(signal.SIGCONT)

    def test_forced_the_history_of_the_replica_holds(self):
        primary, replica = self.pair()
        self.hang(replica)
        primary.client.set("lost", "x" * 100)
        primary.client.execute_command("FAILOVER", "TO", "127.0.0.1", replica.port, "FORCE",
                                       "TIMEOUT", "300")
        eventually(lambda: failover_state(primary) == "failover-in-progress", "forced")
        replica.process.send_signal(signal.SIGCONT)
        eventually(lambda: failover_state(primary) == "no-failover", "it ends")
        self.assertEqual(replica.client.role()[0], b"master")
        await_caught_up(primary, replica)
        self.assertEqual(primary.contents(), replica.contents())


if __name__ == "__main__":
    unittest.main()
