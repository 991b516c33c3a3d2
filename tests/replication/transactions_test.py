# SPDX-License-Identifier: Apache-2.0
"""Transactions, and lists that clients wait for: replicas of both kinds end up with the same."""
import random
import threading
import time
import unittest

import redis

from nodes import DATABASES, MIKURA, REDIS, Node, await_caught_up

SECONDS = 3
LISTS = [f"list{i}" for i in range(6)]


class Load:
    """Clients that push, wait, move and exchange databases, until it is over."""

    def __init__(self, port):
        self.port, self.errors = port, []
        self.end = time.monotonic() + SECONDS
        works = [self.push] * 2 + [self.transact] * 2 + [self.wait] * 4
        self.threads = [threading.Thread(target=self.run, args=(work, seed))
                        for seed, work in enumerate(works)]

    def run(self, work, seed):
        choose = random.Random(seed)
        client = redis.Redis("127.0.0.1", self.port, db=seed % 3)
        try:
            while time.monotonic() < self.end:
                work(client, choose)
        except redis.exceptions.RedisError as error:
            self.errors.append(error)

    def push(self, client, choose):
        client.rpush(choose.choice(LISTS), choose.randrange(1000))
        time.sleep(0.001)

    def transact(self, client, choose):
        pipe = client.pipeline(transaction=True)
        for _ in range(choose.randrange(1, 5)):
            pipe.lpush(choose.choice(LISTS), choose.randrange(1000))
            pipe.execute_command("SELECT", choose.randrange(3))
            pipe.incr("counter")
        if choose.random() < 0.02:
            pipe.execute_command(*choose.choice((("SWAPDB", 0, 1), ("FLUSHDB",))))
        pipe.execute()

    def wait(self, client, choose):
        source, target = choose.choice(LISTS), choose.choice(LISTS)
        client.execute_command(*choose.choice((
            ("BLPOP", source, target, 0.02), ("BRPOP", source, 0.02),
            ("BLMPOP", 0.02, 2, source, target, "LEFT", "COUNT", 3),
            ("BLMOVE", source, target, "LEFT", "RIGHT", 0.02),
            ("BRPOPLPUSH", source, target, 0.02))))

    def finish(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()


def contents(node):
    everything = {}
    for number in range(DATABASES):
        database = node.database(number)
        for key in sorted(database.keys()):
            if database.type(key) == b"list":
                everything[number, key] = database.lrange(key, 0, -1)
            else:
                everything[number, key] = database.get(key)
    return everything


@unittest.skipUnless(MIKURA, "MIKURA_BIN is not set")
class TransactionsOfReplicas(unittest.TestCase):
    def node(self, kind, *options):
        node = Node(kind, *options)
        self.addCleanup(node.stop)
        return node

    def test_replicas_hold_the_same(self):
        primary = self.node("mikura", "--threads", "4")
        replicas = [self.node("mikura", "--threads", "2")]
        if REDIS:
            replicas.append(self.node("redis"))
        primary.client.set("first", 1)
        for replica in replicas:
            replica.follow(primary)
            await_caught_up(replica, primary)
        load = Load(primary.port)
        load.finish()
        self.assertEqual(load.errors, [])
        expected = contents(primary)
        self.assertGreater(len(expected), 0)
        for replica in replicas:
            await_caught_up(replica, primary)
            self.assertEqual(contents(replica), expected)

    def test_a_client_that_waits_when_the_node_becomes_a_replica(self):
        primary, node = self.node("mikura"), self.node("mikura")
        answers = []

        def wait():
            try:
                redis.Redis("127.0.0.1", node.port).execute_command("BLPOP", "list", 0)
            except redis.exceptions.RedisError as error:
                answers.append(str(error))

        waiting = threading.Thread(target=wait)
        waiting.start()
        deadline = time.monotonic() + 10
        while node.client.info("clients")["blocked_clients"] == 0:
            self.assertLess(time.monotonic(), deadline)
        node.follow(primary)
        waiting.join(10)
        self.assertFalse(waiting.is_alive())
        self.assertIn("UNBLOCKED force unblock from blocking operation", answers[0])
        await_caught_up(node, primary)
        primary.client.rpush("list", "stays")
        await_caught_up(node, primary)
        self.assertEqual(node.client.lrange("list", 0, -1), [b"stays"])


if __name__ == "__main__":
    unittest.main()
