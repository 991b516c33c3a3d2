#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""DUMP of ours into RESTORE of redis-server, and the other way: all types, small and large."""
import os
import shutil
import unittest

import redis
from servers import Server

SIZES = (1, 20, 3000)


def fill(client):
    """Makes keys of all types; their names."""
    names = []
    for size in SIZES:
        words = [f"word:{i}" for i in range(size)]
        client.set(f"string{size}", "x" * size)
        client.rpush(f"list{size}", *words)
        client.sadd(f"set{size}", *words)
        client.sadd(f"integers{size}", *range(size))
        client.zadd(f"zset{size}", {word: i / 3 for i, word in enumerate(words)})
        client.hset(f"hash{size}", mapping={word: i for i, word in enumerate(words)})
        for i in range(size):
            client.xadd(f"stream{size}", {"name": i, "other": "x"} if i % 5 else {"name": i},
                        id=f"{i + 1}-1")
        client.xdel(f"stream{size}", "1-1")
        client.xgroup_create(f"stream{size}", "group", "0")
        client.xreadgroup("group", "reader", {f"stream{size}": ">"}, count=3)
        names += [f"{kind}{size}" for kind in
                  ("string", "list", "set", "integers", "zset", "hash", "stream")]
    client.zadd("scores", {"low": "-inf", "high": "inf", "zero": 0})
    return names + ["scores"]


def content(client, name):
    kind = client.type(name)
    if kind == b"string":
        return client.get(name)
    if kind == b"list":
        return client.lrange(name, 0, -1)
    if kind == b"set":
        return client.smembers(name)
    if kind == b"zset":
        return client.zrange(name, 0, -1, withscores=True)
    if kind == b"hash":
        return client.hgetall(name)
    if kind == b"stream":
        info = client.xinfo_stream(name)
        return (client.xrange(name), client.xpending(name, "group"), info["last-generated-id"],
                [(g["name"], g["pending"], g["last-delivered-id"])
                 for g in client.xinfo_groups(name)])
    return kind


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class DumpExchange(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = [Server("mikura"), Server("redis")]
        cls.clients = []
        for server in cls.servers:
            server.__enter__()
            cls.clients.append(redis.Redis("127.0.0.1", server.port))

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.__exit__(None, None, None)

    def exchange(self, source, target):
        source.flushall()
        target.flushall()
        for name in fill(source):
            with self.subTest(name):
                target.restore(name, 0, source.dump(name))
                self.assertEqual(content(target, name), content(source, name))

    def test_redis_takes_what_we_dump(self):
        self.exchange(*self.clients)

    def test_we_take_what_redis_dumps(self):
        self.exchange(*reversed(self.clients))

    def test_we_take_what_we_dump(self):
        client = self.clients[0]
        client.flushall()
        for name in fill(client):
            before = content(client, name)
            payload = client.dump(name)
            client.restore(name, 60000, payload, replace=True)
            self.assertEqual(content(client, name), before)
            self.assertTrue(0 < client.pttl(name) <= 60000)

    def test_damaged_payloads_are_refused(self):
        client = self.clients[0]
        client.flushall()
        for name in fill(client):
            payload = client.dump(name)
            for damaged in (payload[:-1], payload[1:], payload[:10] + b"?" + payload[11:], b""):
                with self.assertRaises(redis.ResponseError):
                    client.restore("damaged", 0, damaged)
        self.assertTrue(client.ping())


if __name__ == "__main__":
    assert os.environ.get("MIKURA_BIN"), "MIKURA_BIN is not set"
    unittest.main()
