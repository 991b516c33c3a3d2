#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""rdb_changes_since_last_save: which commands count as a change."""
import re
import shutil
import sys
import unittest

from resp_client import Client
from servers import Server


class Cases:
    kind = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.kind)
        cls.client = Client(cls.server.host, cls.server.port)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.stop()

    def setUp(self):
        self.client.call("FLUSHALL")

    def changes(self):
        info = self.client.call("INFO", "persistence").text
        return int(re.search(r"rdb_changes_since_last_save:(\d+)", info).group(1))

    def assert_changes(self, expected, *commands):
        before = self.changes()
        for command in commands:
            self.client.call(*command.split())
        self.assertEqual(self.changes() - before, expected, commands)

    def test_one_for_each_key_that_changed(self):
        self.assert_changes(1, "SET a 1")
        self.assert_changes(1, "SET a 1 EX 100")
        self.assert_changes(1, "INCR a")
        self.assert_changes(2, "MSET a 1 b 2")
        self.assert_changes(2, "DEL a b c")
        self.assert_changes(1, "RPUSH l 1")
        self.assert_changes(1, "LPOP l")
        self.assert_changes(1, "APPEND s abc")
        self.assert_changes(1, "SETRANGE s 100 x")

    def test_none_when_nothing_changed(self):
        self.client.call("SET", "a", "1")
        self.assert_changes(0, "GET a", "SETNX a 2", "DEL none", "EXPIRE none 5", "LPOP none",
                            "PERSIST a")

    def test_bits(self):
        self.assert_changes(2, "SETBIT f 0 0", "BITFIELD g SET i5 0 0")
        self.assert_changes(0, "SETBIT f 0 0", "BITFIELD g SET i5 0 0", "BITFIELD g GET i5 0")
        self.assert_changes(2, "SETBIT f 0 1", "SETBIT f 0 1", "SETBIT f 0 0", "SETBIT f 0 0")
        self.assert_changes(2, "BITFIELD g SET i5 0 1", "BITFIELD g SET i5 0 1",
                            "BITFIELD g SET i5 0 0", "BITFIELD g SET i5 0 0")
        self.assert_changes(2, "BITFIELD h INCRBY i5 0 1", "BITFIELD h INCRBY i5 0 1")
        self.assert_changes(0, "BITFIELD h INCRBY i5 0 0")
        self.assert_changes(2, "SETBIT f 90 0", "BITFIELD g SET i5 90 0")

    def test_those_of_a_transaction_and_of_a_script(self):
        self.assert_changes(3, "MULTI", "SET a 1", "SET a 2", "SET b 1", "EXEC")
        before = self.changes()
        self.client.call("EVAL", "redis.call('SET','a','1') redis.call('INCR','a')", "0")
        self.assertEqual(self.changes() - before, 2)

    def test_the_keys_that_a_flush_removes(self):
        self.client.call("MSET", "a", "1", "b", "2", "c", "3")
        self.assert_changes(3, "FLUSHDB")


class MikuraChanges(Cases, unittest.TestCase):
    kind = "mikura"


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class RedisChanges(Cases, unittest.TestCase):
    kind = "redis"


if __name__ == "__main__":
    sys.exit(unittest.main())
