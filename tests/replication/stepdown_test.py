# SPDX-License-Identifier: Apache-2.0
"""HOLD and STEPDOWN of the admin socket: a primary makes way, and no write is lost."""
import threading
import time
import unittest

import redis

from fence_test import FenceTest
from nodes import MIKURA, REDIS, eventually
from sync_test import SyncTest


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class StepDownTest(unittest.TestCase):
    node, admin_node, can_connect = SyncTest.node, FenceTest.fenced_node, FenceTest.can_connect

    def hold(self, admin, millis):
        answer = admin.ask("MIKURA", "HOLD", millis)
        self.assertTrue(answer.startswith(":"), answer)
        return int(answer[1:])

    def write_held(self, node, key):
        """A client whose write is on its way; its thread ends when it was answered."""
        outcome = []

        def run():
            try:
                outcome.append(node.database(0).set(key, "v"))
            except redis.exceptions.RedisError as error:
                outcome.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join, 30)
        return thread, outcome

    def test_held_writes_wait_and_go_on_by_themselves(self):
        node, admin = self.admin_node()
        node.client.set("k", 1)
        begin = time.monotonic()
        self.hold(admin, 300)
        self.assertEqual(node.client.get("k"), b"1")
        node.client.set("k", 2)
        self.assertGreater(time.monotonic() - begin, 0.29)
        self.assertEqual(node.client.get("k"), b"2")

    def test_a_hold_is_taken_back(self):
        node, admin = self.admin_node()
        self.hold(admin, 60_000)
        thread, outcome = self.write_held(node, "k")
        self.hold(admin, 0)
        thread.join(10)
        self.assertEqual(outcome, [True])

    def test_wrong_words_are_refused(self):
        _, admin = self.admin_node()
        for words in (("HOLD",), ("HOLD", "x"), ("HOLD", -1), ("HOLD", 60_001), ("STEPDOWN", 1),
                      ("STEPDOWN", 1, "127.0.0.1", 1, "x"), ("STEPDOWN", -1, "127.0.0.1", 1, 0),
                      ("STEPDOWN", 1, "127.0.0.1", 65536, 0)):
            self.assertTrue(admin.ask("MIKURA", *words).startswith("-ERR"), words)

    def test_a_primary_steps_down_at_the_end_of_its_log_and_nowhere_else(self):
        old, old_admin = self.admin_node()
        new, new_admin = self.admin_node()
        new.client.execute_command("REPLICAOF", "127.0.0.1", old.port)
        eventually(lambda: new.client.info("replication")["master_link_status"] == "up", "in step")
        old.client.set("k", 1)
        before = int(old.client.info("replication")["master_repl_offset"])
        old.client.set("k", 2)
        refused = old_admin.ask("MIKURA", "STEPDOWN", 1, "127.0.0.1", new.port, before)
        self.assertTrue(refused.startswith("-ERR"), refused)
        old.client.set("k", 3)

        end = self.hold(old_admin, 5_000)
        thread, outcome = self.write_held(old, "late")
        eventually(lambda: int(new.client.info("replication")["slave_repl_offset"]) >= end,
                   "the successor has everything")
        self.assertEqual(old_admin.ask("MIKURA", "STEPDOWN", 1, "127.0.0.1", new.port, end), "+OK")
        self.assertEqual(new_admin.ask("MIKURA", "PROMOTE", 1), "+OK")
        self.assertEqual(new.client.get("k"), b"3")
        new.client.set("k", 4)
        eventually(lambda: old.client.get("k") == b"4", "the old one follows")
        self.assertEqual(new.client.info("stats")["sync_full"], 0)
        self.hold(old_admin, 0)
        thread.join(10)
        self.assertIsInstance(outcome[0], redis.exceptions.ReadOnlyError)
        self.assertIsNone(new.client.get("late"))

    def test_an_older_epoch_is_refused(self):
        node, admin = self.admin_node()
        self.assertEqual(admin.ask("MIKURA", "PROMOTE", 5), "+OK")
        end = self.hold(admin, 0)
        answer = admin.ask("MIKURA", "STEPDOWN", 4, "127.0.0.1", 1, end)
        self.assertTrue(answer.startswith("-STALEEPOCH"), answer)


if __name__ == "__main__":
    unittest.main()
