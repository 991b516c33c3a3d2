# SPDX-License-Identifier: Apache-2.0
"""A memory limit under overload: it holds, and a replica follows what is evicted."""
import random
import threading
import unittest

import redis

from nodes import MIKURA, Node, await_caught_up

LIMIT = 24 << 20
WRITERS = 8
BATCHES = 30
BATCH = 250


def counted_memory(client):
    """What is held against maxmemory."""
    info = client.info("memory")
    return info["used_memory"] - info["mem_not_counted_for_evict"]


class Overload:
    """Writers that store five times the limit in all, and one who watches the memory."""

    def __init__(self, node):
        self.node = node
        self.errors = []
        self.peak = 0
        self.done = threading.Event()

    def write(self, seed):
        choose = random.Random(seed)
        client = redis.Redis(port=self.node.port)
        for _ in range(BATCHES):
            pipe = client.pipeline(transaction=False)
            for _ in range(BATCH):
                size = choose.choice((20, 100, 700, 3000))
                key = f"key:{choose.randrange(10 ** 9)}"
                pipe.set(key, "v" * size, ex=choose.choice((None, 3600)))
                if choose.randrange(20) == 0:
                    pipe.set(key, "L" * 20_000, ex=3600)
                if choose.randrange(4) == 0:
                    pipe.get(key)
                if choose.randrange(10) == 0:
                    pipe.delete(key)
            self.errors += [reply for reply in pipe.execute(raise_on_error=False)
                            if isinstance(reply, Exception)]

    def watch(self):
        client = redis.Redis(port=self.node.port)
        while not self.done.is_set():
            self.peak = max(self.peak, counted_memory(client))

    def run(self):
        watcher = threading.Thread(target=self.watch)
        writers = [threading.Thread(target=self.write, args=(seed,)) for seed in range(WRITERS)]
        watcher.start()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        self.done.set()
        watcher.join()


@unittest.skipUnless(MIKURA, "MIKURA_BIN names the program under test")
class Eviction(unittest.TestCase):
    def start(self, *options):
        node = Node("mikura", "--threads", "2", *options)
        self.addCleanup(node.stop)
        return node

    def overload(self, policy, *, replica=False):
        node = self.start("--maxmemory", str(LIMIT), "--maxmemory-policy", policy)
        follower = self.start("--replicaof", f"127.0.0.1 {node.port}") if replica else None
        if follower is not None:
            await_caught_up(follower, node)
        load = Overload(node)
        load.run()
        evicted = node.client.info("stats")["evicted_keys"]
        print(f"  {policy}: at most {load.peak / LIMIT:.4f} of the limit, {evicted} keys evicted, "
              f"{len(load.errors)} errors")
        self.assertLessEqual(load.peak, LIMIT * 1.02)
        self.assertGreater(load.peak, LIMIT * 0.9)
        self.assertGreater(evicted, 10_000)
        self.assertEqual(load.errors, [])
        return node, follower

    def test_the_limit_holds_under_s3fifo(self):
        self.overload("allkeys-s3fifo")

    def test_the_limit_holds_under_lru(self):
        self.overload("allkeys-lru")

    def test_the_limit_holds_under_volatile_lfu_with_keys_that_stay(self):
        node = self.start("--maxmemory", str(LIMIT), "--maxmemory-policy", "volatile-lfu")
        for i in range(1000):
            node.client.set(f"kept:{i}", "x")
        for i in range(60_000):
            if i % 500 == 0:
                pipe = node.client.pipeline(transaction=False)
            pipe.set(f"timed:{i}", "v" * 1000, ex=3600)
            if i % 500 == 499:
                pipe.execute()
        self.assertGreater(node.client.info("stats")["evicted_keys"], 10_000)
        self.assertEqual(node.client.exists(*[f"kept:{i}" for i in range(1000)]), 1000)

    def test_a_replica_follows_and_never_evicts_by_itself(self):
        node, follower = self.overload("allkeys-s3fifo", replica=True)
        await_caught_up(follower, node)
        self.assertEqual(follower.client.info("stats")["evicted_keys"], 0)
        self.assertEqual(follower.client.dbsize(), node.client.dbsize())
        keys = sorted(node.client.scan_iter(count=1000))
        self.assertEqual(sorted(follower.client.scan_iter(count=1000)), keys)
        sample = keys[::97]
        self.assertEqual(follower.client.mget(sample), node.client.mget(sample))

    def test_policies_change_while_keys_are_written(self):
        node = self.start("--maxmemory", str(LIMIT))
        load = Overload(node)
        writers = [threading.Thread(target=load.write, args=(seed,)) for seed in range(4)]
        for writer in writers:
            writer.start()
        policies = ("allkeys-s3fifo", "volatile-s3fifo", "allkeys-lru", "allkeys-s3fifo",
                    "allkeys-lfu", "volatile-ttl", "allkeys-random")
        changes = 0
        while any(writer.is_alive() for writer in writers):
            node.client.config_set("maxmemory-policy", policies[changes % len(policies)])
            changes += 1
            if changes % 50 == 0:
                node.client.flushall()
        for writer in writers:
            writer.join()
        node.client.config_set("maxmemory-policy", "allkeys-s3fifo")
        node.client.config_set("maxmemory", LIMIT // 2)
        for i in range(5000):
            node.client.set(f"after:{i}", "v" * 100)
        self.assertLessEqual(counted_memory(node.client), LIMIT // 2 * 1.02)
        self.assertTrue(node.client.exists("after:4999"))


if __name__ == "__main__":
    unittest.main()
