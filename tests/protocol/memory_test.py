#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What INFO and MEMORY say of memory: the fields of Redis 7.0, and numbers that are true."""
import os
import socket
import time
import unittest

import redis

from limits_test import MEGABYTE, resident_bytes, slow_reader
from resp_client import encode
from servers import Server

BATCH = 200  # keys of one MSET


def used_memory(client):
    return client.info("memory")["used_memory"]


def counted_memory(client):
    """What is held against maxmemory."""
    fields = client.info("memory")
    return fields["used_memory"] - fields["mem_not_counted_for_evict"]


class MemoryOfMikura(unittest.TestCase):
    def setUp(self):
        self.server = Server("mikura")
        self.addCleanup(self.server.stop)
        self.client = redis.Redis(port=self.server.port)
        self.addCleanup(self.client.close)

    def field(self, name):
        return self.client.info("memory")[name]

    def fill(self, count, length):
        value = os.urandom(length)
        for first in range(0, count, BATCH):
            self.client.mset({b"key:%012d" % number: value
                              for number in range(first, min(first + BATCH, count))})

    def eventually(self, condition, what):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def growth(self, work):
        """How much `work` adds to used_memory and to what is resident."""
        used, resident = used_memory(self.client), resident_bytes(self.server)
        work()
        return used_memory(self.client) - used, resident_bytes(self.server) - resident

    def assert_true_to_rss(self, used, resident):
        self.assertGreater(used, resident * 0.90, (used, resident))
        self.assertLess(used, resident * 1.05, (used, resident))

    def test_many_small_values_are_counted_as_they_are_resident(self):
        self.assert_true_to_rss(*self.growth(lambda: self.fill(400_000, 40)))

    def test_medium_values_are_counted_as_they_are_resident(self):
        # Entries of the log of large requests come to lie behind a request's buffer, and keep the
        # allocator from giving it back: that is not about values.
        self.client.config_set("commandlog-request-larger-than", -1)
        self.assert_true_to_rss(*self.growth(lambda: self.fill(4_000, 9_000)))

    def test_large_values_are_counted_as_they_are_resident(self):
        def work():
            value = os.urandom(700_000)
            for number in range(60):
                self.client.set(f"k{number}", value)
        self.assert_true_to_rss(*self.growth(work))

    def test_replies_that_nobody_reads_are_counted_for_their_clients(self):
        self.client.set("k", os.urandom(3_000))
        before = self.field("mem_clients_normal")
        readers = [slow_reader(self.server) for _ in range(20)]
        for reader in readers:
            self.addCleanup(reader.close)

        def work():
            for reader in readers:
                reader.sendall(encode([b"GET", b"k"]) * 5_000)
            self.eventually(lambda: self.field("mem_clients_normal") - before > 15 * MEGABYTE,
                            "the replies are not counted")
        used, resident = self.growth(work)
        self.assertGreater(used, 15 * MEGABYTE)
        self.assertGreater(used, resident * 0.8, (used, resident))
        for reader in readers:
            reader.close()
        self.eventually(lambda: self.field("mem_clients_normal")
                        < before + MEGABYTE, "what the clients held is still counted")

    def test_a_request_on_its_way_counts_against_the_limit(self):
        counted = counted_memory(self.client)
        sender = socket.create_connection((self.server.host, self.server.port), 20)
        self.addCleanup(sender.close)
        sender.sendall(encode([b"SET", b"k", bytes(8 * MEGABYTE)])[:6 * MEGABYTE])
        self.eventually(lambda: counted_memory(self.client) - counted >= 5 * MEGABYTE,
                        "half a request is not counted")

    def test_deleted_memory_goes_back_to_the_machine(self):
        resident = resident_bytes(self.server)
        self.fill(300_000, 100)
        self.client.flushall()
        self.eventually(lambda: self.field("lazyfree_pending_objects") == 0,
                        "the reclaimer does not come to an end")
        self.client.memory_purge()
        self.eventually(lambda: resident_bytes(self.server) < resident + 4 * MEGABYTE,
                        "the memory is still resident")
        self.assertLess(used_memory(self.client), 4 * MEGABYTE)

    def test_flushed_keys_make_nobody_evict(self):
        self.client.config_set("maxmemory", 64 * MEGABYTE)
        self.fill(300_000, 100)
        self.client.flushall()
        for number in range(1_000):
            self.client.set(f"after{number}", "v" * 1_000)
        self.assertEqual(self.client.dbsize(), 1_000)

    def test_the_peak_stays_when_memory_goes(self):
        self.fill(100_000, 100)
        full = used_memory(self.client)
        self.client.flushall()
        self.eventually(lambda: used_memory(self.client) < full // 2, "the keys are still there")
        self.assertGreaterEqual(self.field("used_memory_peak"), full)


class BesideRedis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = [Server("mikura"), Server("redis")]
        cls.clients = [redis.Redis(port=server.port) for server in cls.servers]

    @classmethod
    def tearDownClass(cls):
        for client in cls.clients:
            client.close()
        for server in cls.servers:
            server.stop()

    def test_info_has_the_same_fields_in_the_same_order(self):
        ours, theirs = (list(client.info("memory")) for client in self.clients)
        self.assertEqual(ours, theirs)

    def test_stats_have_the_same_names_and_kinds_in_the_same_order(self):
        for client in self.clients:
            client.set("k", "v")
        # Without the callback of the client library, which would make pairs of them.
        ours, theirs = (client.execute_command("MEMORY", "STATS") for client in self.clients)
        self.assertEqual(ours[::2], theirs[::2])
        self.assertEqual([type(value) for value in ours[1::2]],
                         [type(value) for value in theirs[1::2]])
        at = ours.index(b"db.0") + 1
        self.assertEqual(ours[at][::2], theirs[at][::2])


if __name__ == "__main__":
    unittest.main()
