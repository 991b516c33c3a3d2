# SPDX-License-Identifier: Apache-2.0
"""A node that is started again finds in its snapshot where it stands in the replication stream: a
replica asks only for the rest, and the replicas of a primary go on with what they have."""
import shutil
import time
import unittest

import redis

from nodes import MIKURA, REDIS, Node, await_caught_up, eventually


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class RestartTest(unittest.TestCase):
    def node(self, kind, *options):
        ours = ("--threads", "2", "--memcached-port", "0") if kind == "mikura" else ()
        node = Node(kind, *ours, "--repl-diskless-sync-delay", "0", *options)
        self.addCleanup(node.stop)
        return node

    def shut_down(self, node):
        """SHUTDOWN SAVE; the node has ended, its file is there."""
        try:
            node.client.execute_command("SHUTDOWN", "SAVE")
        except redis.exceptions.ConnectionError:
            pass
        node.process.wait(timeout=30)
        node.log.close()

    def start_again(self, node, primary=None):
        if primary is not None:
            node.options = (*node.options, "--replicaof", f"127.0.0.1 {primary.port}")
        node.start()

    def fill(self, node, name, count=300):
        for number in range(3):
            pipe = node.database(number).pipeline(transaction=False)
            for i in range(count):
                pipe.set(f"{name}:{i}", f"{number}-{i}")
                pipe.incr("counter")
            pipe.execute()

    def syncs(self, node):
        stats = node.client.info("stats")
        return stats["sync_full"], stats["sync_partial_ok"]

    def assert_same(self, replica, primary):
        await_caught_up(replica, primary)
        self.assertEqual(replica.contents(), primary.contents())

    def restart_replica(self, primary_kind, replica_kind, last_database):
        primary, replica = self.node(primary_kind), self.node(replica_kind)
        self.fill(primary, "before")
        replica.follow(primary)
        await_caught_up(replica, primary)
        # The stream is left in a database that what follows does not select again.
        primary.database(last_database).set("last", "1")
        await_caught_up(replica, primary)
        before = self.syncs(primary)
        self.shut_down(replica)
        connection = primary.database(last_database)
        for i in range(100):
            connection.set(f"meanwhile:{i}", i)
            connection.incr("counter")
        self.start_again(replica, primary)
        self.assert_same(replica, primary)
        self.fill(primary, "after")
        self.assert_same(replica, primary)
        self.assertEqual(self.syncs(primary), (before[0], before[1] + 1))

    def test_a_replica_continues_where_its_file_ends(self):
        for primary, replica in (("mikura", "mikura"), ("redis", "mikura"), ("mikura", "redis")):
            for database in (0, 2):
                with self.subTest(primary=primary, replica=replica, database=database):
                    self.restart_replica(primary, replica, database)

    def test_a_replica_that_is_no_longer_one_does_not_continue(self):
        """Its writes are a history of its own: whoever it follows then copies everything to it."""
        primary, replica = self.node("mikura"), self.node("mikura")
        replica.follow(primary)
        await_caught_up(replica, primary)
        self.shut_down(replica)
        self.start_again(replica)
        eventually(lambda: replica.client.set("own", "1"), "it has loaded its file")
        replica.follow(primary)
        self.assert_same(replica, primary)
        self.assertEqual(self.syncs(primary)[0], 2)

    def test_replicas_continue_with_a_primary_that_was_restarted(self):
        for replica_kind in ("mikura", "redis"):
            with self.subTest(replica=replica_kind):
                primary, replica = self.node("mikura"), self.node(replica_kind)
                self.fill(primary, "before")
                replica.follow(primary)
                await_caught_up(replica, primary)
                primary.client.set("expires", "1", px=50)
                self.shut_down(primary)
                time.sleep(0.1)  # the deadline passes while nobody is there to delete the key
                self.start_again(primary)
                await_caught_up(replica, primary)
                self.fill(primary, "after")
                # What expired meanwhile was told.
                eventually(lambda: replica.client.dbsize() == primary.client.dbsize(), "a DEL")
                self.assert_same(replica, primary)
                self.assertEqual(self.syncs(primary), (0, 1))

    def test_we_continue_with_the_file_of_redis(self):
        """A replica of redis-server that is replaced by ours, with its file: nothing is copied."""
        primary, old, new = self.node("redis"), self.node("redis"), self.node("mikura")
        self.fill(primary, "before")
        old.follow(primary)
        await_caught_up(old, primary)
        primary.database(2).set("last", "1")
        await_caught_up(old, primary)
        self.shut_down(old)
        primary.database(2).set("meanwhile", "1")
        before = self.syncs(primary)
        new.kill()
        shutil.copy(f"{old.directory}/dump.rdb", f"{new.directory}/dump.rdb")
        self.start_again(new, primary)
        self.assert_same(new, primary)
        self.assertEqual(self.syncs(primary), (before[0], before[1] + 1))


if __name__ == "__main__":
    unittest.main()
