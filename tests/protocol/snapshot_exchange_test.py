#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Snapshots with values of all types and encodings, both ways: a file of either server is loaded
by both, and they answer alike, key by key, and with the same DEBUG DIGEST."""
import os
import random
import shutil
import subprocess
import time
import unittest

from resp_client import Client, Closed, encode
from servers import Server

FAR = 4102444800000  # a deadline of the year 2100


def noise(chance, size):
    return bytes(chance.getrandbits(8) for _ in range(size))


def strings(chance):
    for i, text in enumerate([b"", b"0", b"-1", b"127", b"128", b"-32769", b"2147483647",
                              b"2147483648", b"-9223372036854775808", b"007", b" 1", b"1.5",
                              b"x" * 20, b"x" * 21, b"x" * 44, b"y" * 45, b"ab" * 5000,
                              b"one two three " * 30_000, bytes(range(256))]):
        yield b"SET", b"string%d" % i, text
    for size in (10, 30, 4090, 4097, 70_000):
        yield b"SET", b"noise%d" % size, noise(chance, size)
    yield b"SET", b"a key that is longer than twenty bytes, and repeats bytes, bytes", b"v"
    yield b"APPEND", b"appended", b"1234"
    yield b"APPEND", b"appended", b"5678"
    yield b"SETBIT", b"bits", b"100000", b"1"
    yield (b"PFADD", b"sparse") + tuple(b"%d" % i for i in range(50))
    yield (b"PFADD", b"dense") + tuple(b"%d" % i for i in range(5000))


def lists(chance):
    yield b"RPUSH", b"list small", b"a", b"1", b"-70000", b"", b"9223372036854775807"
    yield (b"RPUSH", b"list long") + tuple(b"element %d" % i for i in range(5000))
    yield b"RPUSH", b"list of large ones", b"x" * 10_000, noise(chance, 20_000), b"z"
    yield b"RPUSH", b"list of one large", b"w" * 9000


def sets(chance):
    yield b"SADD", b"intset 16", b"1", b"-5", b"30000"
    yield b"SADD", b"intset 32", b"1", b"70000"
    yield b"SADD", b"intset 64", b"1", b"9223372036854775807", b"-9223372036854775808"
    yield (b"SADD", b"intset full") + tuple(b"%d" % i for i in range(512))
    yield (b"SADD", b"integers") + tuple(b"%d" % i for i in range(513))
    yield b"SADD", b"set small", b"a", b"b", b"1"
    yield (b"SADD", b"set large") + tuple(b"member %d" % i for i in range(2000))
    yield b"SADD", b"set of large ones", b"x" * 5000, noise(chance, 300)


def hashes(chance):
    yield b"HSET", b"hash small", b"f", b"1", b"g", b"two", b"", b""
    yield (b"HSET", b"hash full") + tuple(b"%d" % i for i in range(1024))
    yield (b"HSET", b"hash large") + tuple(b"%d" % i for i in range(2000))
    yield b"HSET", b"hash of long ones", b"f", b"x" * 65, b"g", noise(chance, 9000)
    yield b"HSET", b"hash once long", b"f", b"x" * 100
    yield b"HSET", b"hash once long", b"f", b"short"


def sorted_sets(_chance):
    yield (b"ZADD", b"zset small", b"1", b"a", b"-inf", b"low", b"inf", b"high", b"0.1", b"tenth",
           b"1e300", b"huge", b"-0.0", b"zero", b"3.0000000000000004", b"near")
    yield (b"ZADD", b"zset full") + tuple(b"%d" % i for i in range(256))
    words = []
    for i in range(500):
        words += [b"%d" % (i % 17), b"member %d" % i]
    yield (b"ZADD", b"zset large", *words)
    yield b"ZADD", b"zset of a long one", b"1", b"x" * 65
    yield b"GEOADD", b"geo", b"13.361389", b"38.115556", b"Palermo", b"15.087269", b"37.502669", b"C"


def streams(chance):
    for i in range(1000):
        fields = (b"f", b"%d" % i) if i % 3 else (b"g", b"x" * (i % 80), b"h", noise(chance, i % 9))
        yield (b"XADD", b"stream", b"%d-%d" % (1000 + i // 7, 1 + i % 7), *fields)
    for i in range(0, 1000, 10):
        yield b"XDEL", b"stream", b"%d-%d" % (1000 + i // 7, 1 + i % 7)
    yield b"XGROUP", b"CREATE", b"stream", b"group", b"0"
    yield b"XGROUP", b"CREATE", b"stream", b"other", b"1005-1", b"ENTRIESREAD", b"20"
    yield b"XREADGROUP", b"GROUP", b"group", b"alice", b"COUNT", b"30", b"STREAMS", b"stream", b">"
    yield b"XREADGROUP", b"GROUP", b"group", b"bob", b"COUNT", b"50", b"STREAMS", b"stream", b">"
    yield b"XACK", b"stream", b"group", b"1000-2", b"1001-5"
    yield b"XGROUP", b"CREATECONSUMER", b"stream", b"group", b"idle"
    yield b"XGROUP", b"CREATE", b"empty", b"g", b"$", b"MKSTREAM"
    yield b"XADD", b"emptied", b"7-7", b"f", b"v"
    yield b"XDEL", b"emptied", b"7-7"
    yield b"XSETID", b"emptied", b"9-9", b"ENTRIESADDED", b"12", b"MAXDELETEDID", b"7-7"


def data(seed):
    chance = random.Random(seed)
    yield (b"FUNCTION", b"LOAD",
           b"#!lua name=lib\nredis.register_function('seven', function() return 7 end)")
    for database, makers in ((0, (strings, lists, sets, hashes, sorted_sets, streams)),
                             (5, (strings, sets)), (15, (lists,))):
        yield b"SELECT", b"%d" % database
        for make in makers:
            yield from make(chance)
        yield b"PEXPIREAT", b"string12", b"%d" % FAR
        yield b"PEXPIREAT", b"list long", b"%d" % (FAR + 1)
        yield b"PEXPIREAT", b"hash small", b"%d" % (FAR + 2)
    for i in range(200):  # what is random
        name = b"random %d" % i
        yield b"SELECT", b"%d" % chance.choice((0, 3))
        elements = [noise(chance, chance.randrange(100)) for _ in range(2 * chance.randrange(1, 90))]
        command = chance.choice((b"RPUSH", b"SADD", b"HSET", b"SET"))
        yield (command, name, *(elements[:1] if command == b"SET" else elements))
    yield b"SELECT", b"0"


READS = {"string": (("GET",),), "list": (("LRANGE", "0", "-1"),),
         "zset": (("ZRANGE", "0", "-1", "WITHSCORES"),), "set": (), "hash": (), "stream": ()}


class Exchange(unittest.TestCase):
    def server(self, kind, *options):
        server = Server(kind, *options)
        self.addCleanup(server.stop)
        return server

    def client(self, server):
        client = Client(server.host, server.port, seconds_max=60)
        self.addCleanup(client.close)
        return client

    def call(self, client, *words):
        return list(client.call(*words).lines())

    def end(self, server):
        client = self.client(server)
        client.send(encode([b"SHUTDOWN", b"NOSAVE"]))
        with self.assertRaises(Closed):
            self.fail(client.read().text)
        self.assertEqual(server.process.wait(30), 0)

    def file(self, server):
        return os.path.join(server.folder.name, "dump.rdb")

    def loaded(self, kind, path, *options):
        """A server of the kind that has loaded the file."""
        server = self.server(kind, *options)
        self.end(server)
        shutil.copy(path, self.file(server))
        server.start()
        client = self.client(server)
        deadline = time.monotonic() + 30
        while client.call("PING").text != "+PONG":
            self.assertLess(time.monotonic(), deadline)
        return client

    def saved(self, kind, *options):
        server = self.server(kind, *options)
        client = self.client(server)
        for words in data(7):
            reply = client.call(*words)
            self.assertNotEqual(reply.text[0], "-", (words[:3], reply.text))
        self.assertEqual(client.call("SAVE").text, "+OK")
        return server, client

    def keys(self, client):
        return sorted(node.text[1:] for node in client.call("KEYS", "*").children)

    def elements(self, client, *words):
        return sorted(node.text for node in client.call(*words).children)

    def describe(self, client, name):
        kind = client.call("TYPE", name).text[1:]
        answers = [kind, self.call(client, "OBJECT", "ENCODING", name),
                   self.call(client, "PEXPIRETIME", name),
                   self.call(client, "DEBUG", "DIGEST-VALUE", name)]
        for command, *rest in READS[kind]:
            answers.append(self.call(client, command, name, *rest))
        if kind == "set":
            answers.append(self.elements(client, "SMEMBERS", name))
        if kind == "hash":
            answers.append(self.elements(client, "HGETALL", name))
        if kind == "stream":
            answers.append(self.call(client, "XRANGE", name, "-", "+"))
            answers.append(self.call(client, "XINFO", "GROUPS", name))
            for group in ("group", "other", "g"):
                answers.append(self.pending(client, name, group))
            info = client.call("XINFO", "STREAM", name)
            fields = {info.children[i].text: list(info.children[i + 1].lines())
                      for i in range(0, len(info.children), 2)}
            # How many nodes a radix tree has does not follow from what is in it.
            answers.append({name: value for name, value in fields.items() if "radix" not in name})
        return answers

    def pending(self, client, name, group):
        reply = client.call("XPENDING", name, group, "-", "+", "1000")
        return [[entry.children[i].text for i in (0, 1, 3)] for entry in reply.children or []]

    def compare(self, ours, theirs):
        for database in ("0", "3", "5", "15"):
            for client in (ours, theirs):
                self.assertEqual(client.call("SELECT", database).text, "+OK")
            keys = self.keys(ours)
            self.assertEqual(keys, self.keys(theirs))
            self.assertGreater(len(keys), 3)
            for name in keys:
                self.assertEqual(self.describe(ours, name), self.describe(theirs, name), name)
        for client in (ours, theirs):
            client.call("SELECT", "0")
            self.assertEqual(client.call("FCALL", "seven", "0").text, ":7")
        self.assertEqual(self.call(ours, "DEBUG", "DIGEST"), self.call(theirs, "DEBUG", "DIGEST"))

    def exchange(self, kind, *options):
        server, client = self.saved(kind, *options)
        checked = subprocess.run(["redis-check-rdb", self.file(server)], capture_output=True,
                                 text=True, check=False, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stdout[-2000:])
        ours = self.loaded("mikura", self.file(server))
        self.compare(ours, self.loaded("redis", self.file(server)))
        self.assertEqual(self.call(client, "DEBUG", "DIGEST"), self.call(ours, "DEBUG", "DIGEST"))
        return os.path.getsize(self.file(server))

    def test_files_of_ours(self):
        compressed = self.exchange("mikura")
        self.assertLess(compressed, self.exchange("mikura", "--rdbcompression", "no") - 300_000)

    def test_files_of_ours_without_a_checksum(self):
        self.exchange("mikura", "--rdbchecksum", "no")

    def test_files_of_redis(self):
        self.exchange("redis")
        self.exchange("redis", "--maxmemory-policy", "allkeys-lfu", "--maxmemory", "1gb",
                      "--rdbcompression", "no", "--rdbchecksum", "no")
        self.exchange("redis", "--maxmemory-policy", "allkeys-lru", "--maxmemory", "1gb",
                      "--list-max-listpack-size", "5", "--list-compress-depth", "1")

    def test_debug_reload_keeps_all_as_it_is(self):
        server, client = self.saved("mikura")
        del server
        before = self.call(client, "DEBUG", "DIGEST")
        streams_before = self.describe(client, "stream")
        for words in ((), ("NOSAVE",), ("NOSAVE", "NOFLUSH", "MERGE"), ("merge",)):
            self.assertEqual(client.call("DEBUG", "RELOAD", *words).text, "+OK", words)
            self.assertEqual(self.call(client, "DEBUG", "DIGEST"), before)
            self.assertEqual(self.describe(client, "stream"), streams_before)
            self.assertEqual(client.call("FCALL", "seven", "0").text, ":7")
        client.call("SET", "string0", "changed")
        client.call("SET", "new", "1")
        self.assertEqual(client.call("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE").text, "+OK")
        self.assertEqual(client.call("GET", "string0").text, '$""')
        self.assertEqual(client.call("GET", "new").text, "$1")
        self.assertEqual(client.call("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH").text,
                         "-ERR Error trying to load the RDB dump, check server logs.")
        self.assertEqual(client.call("DEBUG", "RELOAD", "NOSAVE").text, "+OK")
        self.assertEqual(self.call(client, "DEBUG", "DIGEST"), before)

    def test_deadlines_of_fields_survive(self):
        """Redis 7.0 has none, so only ours can read them."""
        server = self.server("mikura")
        client = self.client(server)
        client.call("HSET", "h", "f", "1", "g", "2", "h", "3")
        client.call("HPEXPIREAT", "h", str(FAR), "FIELDS", "1", "f")
        client.call("HPEXPIREAT", "h", str(FAR + 5), "FIELDS", "1", "g")
        for i in range(1000):
            client.call("HSET", "large", f"f{i}", "x" * 30)
            client.call("HPEXPIREAT", "large", str(FAR + i), "FIELDS", "1", f"f{i}")
        self.assertEqual(client.call("SAVE").text, "+OK")
        again = self.loaded("mikura", self.file(server))
        self.assertEqual(self.call(again, "HPEXPIRETIME", "h", "FIELDS", "3", "f", "g", "h"),
                         self.call(client, "HPEXPIRETIME", "h", "FIELDS", "3", "f", "g", "h"))
        self.assertEqual(again.call("HPEXPIRETIME", "large", "FIELDS", "1", "f999").children[0].text,
                         f":{FAR + 999}")
        self.assertEqual(again.call("HLEN", "large").text, ":1000")


if __name__ == "__main__":
    unittest.main()
