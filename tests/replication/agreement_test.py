# SPDX-License-Identifier: Apache-2.0
"""durability sync with in-sync-agreement: a replica leaves the in-sync set when who keeps that set
says so (MIKURA INSYNC of the admin socket), and not before."""
import unittest

import redis

from fence_test import FenceTest
from nodes import MIKURA, REDIS, eventually
from sync_test import MOMENT, SyncTest


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class AgreementTest(unittest.TestCase):
    node, in_sync, line, replica = (SyncTest.node, SyncTest.in_sync, SyncTest.line,
                                    SyncTest.replica)
    fenced_node, can_connect = FenceTest.fenced_node, FenceTest.can_connect

    def primary(self, lag_max):
        return self.fenced_node("--durability", "sync", "--in-sync-agreement", "yes",
                                "--in-sync-replica-max-lag", str(lag_max))

    def wanted(self, admin):
        """(version, names)"""
        answer = admin.ask("MIKURA", "INSYNC").split("\r\n")
        self.assertTrue(answer[0].startswith("*"), answer)
        return int(answer[2][1:]), answer[4::2]

    def agree(self, admin, epoch=0):
        version, names = self.wanted(admin)
        self.assertEqual(admin.ask("MIKURA", "INSYNC", epoch, version, *names), "+OK")

    def with_two(self, lag_max):
        primary, admin = self.primary(lag_max)
        replicas = [self.replica(primary), self.replica(primary)]
        self.agree(admin)
        primary.client.set("k", 1)
        return primary, admin, replicas

    def lose(self, primary, replica):
        replica.process.kill()
        replica.process.wait()
        eventually(lambda: self.in_sync(primary) == 1, "it is not in step any more")

    def test_before_the_first_word_no_write_is_let_in(self):
        primary, admin = self.primary(60_000)
        replica = self.replica(primary)
        self.assertEqual(self.wanted(admin)[1], [f"127.0.0.1:{replica.port}"])
        with self.assertRaisesRegex(redis.exceptions.ResponseError, "NOREPLICAS"):
            primary.client.set("k", 1)
        self.agree(admin)
        primary.client.set("k", 1)

    def test_a_replica_that_is_gone_is_waited_for_until_the_set_is_without_it(self):
        primary, admin, replicas = self.with_two(60_000)
        before, names = self.wanted(admin)
        self.lose(primary, replicas[1])
        writer = self.line(primary).send(("SET", "k", 2))
        self.assertEqual(writer.read(1, MOMENT), b"")
        # What was wanted before it went does not say that it may go.
        self.assertEqual(admin.ask("MIKURA", "INSYNC", 0, before, names[0]), "+OK")
        self.assertEqual(writer.read(1, MOMENT), b"")
        self.assertEqual(self.wanted(admin)[1], [f"127.0.0.1:{replicas[0].port}"])
        self.agree(admin)
        self.assertEqual(writer.read(5, 10), b"+OK\r\n")

    def test_a_replica_that_comes_back_in_time_needs_no_word(self):
        primary, _, replicas = self.with_two(60_000)
        self.lose(primary, replicas[1])
        writer = self.line(primary).send(("SET", "k", 2))
        self.assertEqual(writer.read(1, MOMENT), b"")
        replicas[1].log.close()
        replicas[1].start()
        replicas[1].follow(primary)
        self.assertEqual(writer.read(5, 30), b"+OK\r\n")

    def test_without_a_word_the_outcome_is_unknown_in_the_end(self):
        primary, _, replicas = self.with_two(1000)
        self.lose(primary, replicas[1])
        writer = self.line(primary).send(("SET", "k", 2))
        self.assertTrue(writer.ends().startswith(b"-UNKNOWNOUTCOME"))

    def test_wrong_words_are_refused(self):
        primary, admin = self.primary(60_000)
        for words in ((0,), ("x", 1), (-1, 1), (0, -1), (0, "x")):
            self.assertTrue(admin.ask("MIKURA", "INSYNC", *words).startswith("-ERR"), words)
        self.assertEqual(admin.ask("MIKURA", "PROMOTE", 5), "+OK")
        self.assertTrue(admin.ask("MIKURA", "INSYNC", 4, 0).startswith("-STALEEPOCH"))
        self.assertTrue(admin.ask("MIKURA", "INSYNC", 6, 0).startswith("-ERR"))
        self.assertEqual(admin.ask("MIKURA", "INSYNC", 5, 0), "+OK")
        primary.client.config_set("in-sync-agreement", "no")
        eventually(lambda: admin.ask("MIKURA", "INSYNC", 5, 0).startswith("-ERR"), "it is off")


if __name__ == "__main__":
    unittest.main()
