#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Transactions of many clients at once: nothing is lost, nothing is seen half done."""
import os
import random
import sys
import unittest

from resp_client import Client, Closed
from servers import Server
from work_threads import run_threads

ACCOUNTS = 8
MONEY = 1000
CLIENTS = 8
SECONDS = float(os.environ.get("MIKURA_TEST_SECONDS", "3"))


def number(node):
    return int(node.text[1:])


class Transactions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("mikura", "--threads", "4")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def client(self):
        client = Client(self.server.host, self.server.port)
        self.addCleanup(client.close)
        return client

    def transfer(self, client, counts):
        """Moves money between two accounts, if nobody else touched them."""
        source, target = random.sample(range(ACCOUNTS), 2)
        client.call("WATCH", f"account{source}", f"account{target}")
        have = number(client.call("GET", f"account{source}"))
        other = number(client.call("GET", f"account{target}"))
        amount = random.randint(0, have)
        client.call("MULTI")
        client.call("SET", f"account{source}", have - amount)
        client.call("SET", f"account{target}", other + amount)
        reply = client.call("EXEC")
        counts["done" if reply.text == "*2" else "refused"] += 1

    def audit(self, client):
        client.call("MULTI")
        for i in range(ACCOUNTS):
            client.call("GET", f"account{i}")
        total = sum(number(node) for node in client.call("EXEC").children)
        self.assertEqual(total, ACCOUNTS * MONEY)

    def test_money_moves_and_stays(self):
        setup = self.client()
        for i in range(ACCOUNTS):
            setup.call("SET", f"account{i}", MONEY)
        counts = {"done": 0, "refused": 0}
        works = [lambda c=self.client(): self.transfer(c, counts) for _ in range(CLIENTS)]
        works += [lambda c=self.client(): self.audit(c) for _ in range(2)]
        run_threads(self, works, SECONDS)
        self.audit(setup)
        self.assertGreater(counts["done"], 10)
        self.assertGreater(counts["refused"], 0)

    def test_counters_that_are_watched_lose_nothing(self):
        done = []

        def add_one(client):
            client.call("WATCH", "counter")
            value = client.call("GET", "counter").text
            value = 0 if value == "(null)" else int(value[1:])
            client.call("MULTI")
            client.call("SET", "counter", value + 1)
            if client.call("EXEC").text == "*1":
                done.append(1)

        run_threads(self, [lambda c=self.client(): add_one(c) for _ in range(CLIENTS)], SECONDS)
        self.assertEqual(number(self.client().call("GET", "counter")), len(done))

    def test_whole_databases_change_in_transactions(self):
        """FLUSHALL and writes in one EXEC: nobody sees the emptiness in between."""
        setup = self.client()
        setup.call("MSET", "a", 1, "b", 1)

        def refill(client):
            client.call("MULTI")
            client.call("FLUSHALL")
            client.call("MSET", "a", 1, "b", 1)
            client.call("SWAPDB", 3, 4)
            self.assertEqual(client.call("EXEC").text, "*3")

        def look(client):
            self.assertEqual(client.call("EXISTS", "a", "b").text, ":2")
            client.call("MULTI")
            client.call("KEYS", "*")
            client.call("DBSIZE")
            reply = client.call("EXEC")
            self.assertEqual([node.text for node in reply.children], ["*2", ":2"])

        works = [lambda c=self.client(): refill(c) for _ in range(4)]
        works += [lambda c=self.client(): look(c) for _ in range(4)]
        run_threads(self, works, SECONDS)

    def test_clients_that_go_away_leave_nothing(self):
        for _ in range(200):
            client = Client(self.server.host, self.server.port)
            client.call("WATCH", *(f"gone{i}" for i in range(20)))
            client.call("MULTI")
            client.call("SET", "gone0", "x" * 100)
            client.close()
        survivor = self.client()
        survivor.call("WATCH", "gone0")
        survivor.call("MSET", "gone0", 1, "gone1", 1)
        survivor.call("MULTI")
        self.assertEqual(survivor.call("EXEC").text, "(null array)")

    def test_a_queue_has_a_limit(self):
        setup = self.client()
        setup.call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
        greedy = self.client()
        greedy.call("MULTI")
        with self.assertRaises((Closed, ConnectionError)):
            for _ in range(30):
                self.assertEqual(greedy.call("SET", "k", "x" * 100_000).text, "+QUEUED")
        self.assertEqual(setup.call("EXISTS", "k").text, ":0")
        watcher = self.client()
        with self.assertRaises((Closed, ConnectionError)):
            for i in range(100):
                names = [f"{i}.{j}" for j in range(500)]
                self.assertEqual(watcher.call("WATCH", *names).text, "+OK")

    def test_memory_limit_refuses_the_transaction(self):
        client, other = self.client(), self.client()
        client.call("MULTI")
        client.call("SET", "k", "x")
        other.call("CONFIG", "SET", "maxmemory", "1")
        self.addCleanup(lambda: self.client().call("CONFIG", "SET", "maxmemory", "0"))
        self.assertEqual(client.call("EXEC").text,
                         "-EXECABORT Transaction discarded because of: OOM command not allowed "
                         "when used memory > 'maxmemory'.")
        client.call("MULTI")
        self.assertTrue(client.call("SET", "k", "x").text.startswith("-OOM "))
        self.assertTrue(client.call("EXEC").text.startswith("-EXECABORT "))


if __name__ == "__main__":
    sys.exit(unittest.main())
