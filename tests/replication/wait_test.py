# SPDX-License-Identifier: Apache-2.0
"""WAIT: how many replicas have what was written; primaries and replicas of both kinds."""
import signal
import threading
import time
import unittest

import redis

from nodes import MIKURA, REDIS, Node, eventually


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class WaitTest(unittest.TestCase):
    def node(self, kind, primary=None):
        options = ("--threads", "2") if kind == "mikura" else ()
        node = Node(kind, *options)
        self.addCleanup(node.stop)
        if primary is not None:
            node.follow(primary)
            eventually(lambda: node.replication()["master_link_status"] == "up", "the link is up")
        return node

    def pairs(self):
        for kind in ("mikura", "redis"):
            for replica_kind in ("mikura", "redis"):
                if "mikura" in (kind, replica_kind):
                    primary = self.node(kind)
                    yield primary, self.node(replica_kind, primary)

    def blocked(self, node):
        return node.client.info("clients")["blocked_clients"]

    def in_thread(self, node, wanted, timeout, blocked=1):
        """Waits beside, after a write, until so many clients wait; a function for the reply, and
        the client's id."""
        client = redis.Redis("127.0.0.1", node.port)
        number, replies = client.client_id(), []
        client.set("beside", "x")

        def run():
            try:
                replies.append(client.wait(wanted, timeout))
            except redis.RedisError as error:
                replies.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        eventually(lambda: self.blocked(node) == blocked, "the client waits")

        def reply():
            thread.join(20)
            self.assertFalse(thread.is_alive(), "the client waits still")
            client.close()
            return replies[0]

        return reply, number

    def test_a_replica_that_has_it(self):
        for primary, replica in self.pairs():
            with self.subTest(primary=primary.kind, replica=replica.kind):
                eventually(lambda: len(primary.client.role()[2]) == 1, "it is listed")
                for i in range(50):
                    primary.client.set("k", i)
                    self.assertEqual(primary.client.wait(1, 10000), 1)
                    self.assertEqual(replica.client.get("k"), b"%d" % i)

    def test_more_than_there_are(self):
        for primary, replica in self.pairs():
            with self.subTest(primary=primary.kind, replica=replica.kind):
                primary.client.set("k", 1)
                eventually(lambda: primary.client.wait(1, 100) == 1, "it acknowledges")
                begin = time.monotonic()
                self.assertEqual(primary.client.wait(2, 300), 1)
                self.assertGreater(time.monotonic() - begin, 0.29)

    def test_a_replica_that_hangs(self):
        primary = self.node("mikura")
        replica = self.node("mikura", primary)
        primary.client.set("k", 0)
        self.assertEqual(primary.client.wait(1, 10000), 1)
        replica.process.send_signal(signal.SIGSTOP)
        try:
            primary.client.set("k", 1)
            self.assertEqual(primary.client.wait(1, 200), 0)
            waiting, _ = self.in_thread(primary, 1, 0)
            unblocked, number = self.in_thread(primary, 1, 0, blocked=2)
            self.assertEqual(primary.client.client_unblock(number), 1)
            self.assertEqual(unblocked(), 0)
        finally:
            replica.process.send_signal(signal.SIGCONT)
        self.assertEqual(waiting(), 1)
        self.assertEqual(self.blocked(primary), 0)

    def test_many_at_once(self):
        primary = self.node("mikura")
        self.node("mikura", primary)
        self.node("redis", primary)
        errors = []

        def work(number):
            client = redis.Redis("127.0.0.1", primary.port)
            for i in range(30):
                client.set(f"k{number}", i)
                count = client.wait(2, 20000)
                if count != 2:
                    errors.append(count)
            client.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])

    def test_a_replica_refuses_and_a_primary_that_becomes_one_ends_the_wait(self):
        primary = self.node("mikura")
        replica = self.node("mikura", primary)
        with self.assertRaisesRegex(redis.ResponseError, "^WAIT cannot be used with replica"):
            replica.client.wait(1, 10)
        reply, _ = self.in_thread(primary, 2, 0)
        other = self.node("mikura")
        primary.follow(other)
        self.assertRegex(str(reply()), "UNBLOCKED force unblock")


if __name__ == "__main__":
    unittest.main()
