#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random commands of all types with rewrites in between, then a kill: the log gives back the data as
they were, to us and to redis-server. A failure names the seed that repeats it.

  MIKURA_SEEDS=first:count    other seeds than the usual ones
"""
import importlib
import os
import random
import sys
import unittest
from pathlib import Path

from log_nodes import LogTest, have

import redis

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "differential"))

NAMES = ("generic", "geo", "hash", "hyperloglog", "list", "set", "stream", "string", "transaction",
         "zset")
GENERATORS = [importlib.import_module(f"{name}_generator") for name in NAMES]
SEQUENCES = 60
STREAM_FIELDS = ("length", "last-generated-id", "max-deleted-entry-id", "entries-added", "groups")
GROUP_FIELDS = ("name", "consumers", "pending", "last-delivered-id", "entries-read", "lag")
SOON_MILLIS = 120_000  # such a key may go while the test looks


def stream(database, key):
    info = database.xinfo_stream(key)
    groups = database.xinfo_groups(key)
    # Not how often: reading what is pending counts, and is not logged, in Redis neither.
    pending = [(group["name"], [(p["message_id"], p["consumer"])
                                for p in database.xpending_range(key, group["name"], "-", "+", 500)])
               for group in groups]
    return ([info[field] for field in STREAM_FIELDS], database.xrange(key),
            [[group[field] for field in GROUP_FIELDS] for group in groups], pending)


READERS = {
    b"string": lambda database, key: database.get(key),
    b"list": lambda database, key: database.lrange(key, 0, -1),
    b"hash": lambda database, key: sorted(database.hgetall(key).items()),
    b"set": lambda database, key: sorted(database.smembers(key)),
    b"zset": lambda database, key: database.zrange(key, 0, -1, withscores=True),
    b"stream": stream,
}


def contents(node):
    """All that does not go by itself soon."""
    everything = {}
    for number in range(16):
        database = redis.Redis(node.host, node.port, db=number)
        for key in database.keys():
            if 0 <= database.pttl(key) < SOON_MILLIS:
                continue
            deadline = database.execute_command("PEXPIRETIME", key)
            everything[number, key] = (deadline, READERS[database.type(key)](database, key))
        database.close()
    return everything


class RandomData(LogTest):
    def write(self, client, generator):
        for _ in range(SEQUENCES):
            module = generator.choice(GENERATORS)
            for words in module.RESET:
                client.call(*words)
            for step in module.sequence(generator):
                client.call(*step.words)
            client.call("DISCARD")
            client.call("SELECT", str(generator.choice((0, 0, 0, 1, 7))))
            # Its keys do not meet those of other sequences.
            for key in client.call("KEYS", "*").children:
                name = key.text[1:]
                if '"' not in name and ":" not in name and generator.random() < 0.8:
                    client.call("RENAME", name, f"{name}:{generator.randrange(1000)}")
            if generator.random() < 0.1:
                client.call("BGREWRITEAOF")

    def compare(self, before, after, what):
        self.assertEqual(sorted(before), sorted(after), what)
        for key, value in before.items():
            self.assertEqual(value, after[key], f"{what}: {key}")

    def roundtrip(self, seed):
        generator = random.Random(seed)
        # Bases of both forms: the last rewrite has all data in it.
        preamble = "yes" if seed % 2 == 0 else "no"
        node = self.node("mikura", "--aof-use-rdb-preamble", preamble)
        client = self.ready(node)
        self.write(client, generator)
        self.await_rewrite(client)
        if seed % 4 < 2:
            client.call("BGREWRITEAOF")
            self.await_rewrite(client)
        before = contents(node)
        self.assertGreater(len(before), 10)
        client.call("WAITAOF", "1", "0", "0")
        self.kill(node)
        node.start()
        self.ready(node)
        self.compare(before, contents(node), f"seed {seed}")
        self.end(node)
        self.check(node)
        if have("redis-server"):
            other = self.node("redis")
            self.move_log(node, other)
            self.compare(before, contents(other), f"seed {seed}, in redis-server")
            other.stop()
        node.stop()

    def test_what_was_written_comes_back(self):
        first, count = map(int, os.environ.get("MIKURA_SEEDS", "1:12").split(":"))
        for seed in range(first, first + count):
            with self.subTest(seed=seed):
                self.roundtrip(seed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
