#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Replies of thousands of elements: byte for byte what Redis says, and what the collection held when
the command ran, however slowly the client takes them."""
import unittest

from limits_test import MEGABYTE, resident_bytes, send_as_taken, slow_reader
from whole_replies import WholeReplies, request

ELEMENTS = 6000


def element(i):
    return b"element:%06d" % (i * 7919 % ELEMENTS)


def fill():
    requests = []
    for i in range(0, ELEMENTS, 500):
        part = [element(j) for j in range(i, i + 500)]
        requests.append(request("RPUSH", "list", *part))
        requests.append(request("SADD", "set", *part))
        requests.append(request("SADD", "half", *part[::2]))
        requests.append(request("HSET", "hash", *(w for e in part for w in (e, e[::-1]))))
        requests.append(request("ZADD", "zset", *(w for e in part for w in (e[-3:], e))))
        requests.append(request("ZADD", "other", *(w for e in part[::3] for w in (b"0.5", e))))
    for i in range(1, ELEMENTS):
        fields = ("name", element(i)) if i % 300 else ("name", "x", "more", element(i))
        requests.append(request("XADD", "stream", f"{i}-1", *fields))
    return b"".join(requests)


# In the order of the collection, which is ours and Redis' alike.
ORDERED = [
    ("LRANGE", "list", 0, -1), ("LRANGE", "list", 17, 5800), ("LRANGE", "list", -5000, -2),
    ("ZRANGE", "zset", 0, -1), ("ZRANGE", "zset", 0, -1, "WITHSCORES"),
    ("ZRANGE", "zset", 5, 5900, "REV", "WITHSCORES"), ("ZREVRANGE", "zset", 0, -1),
    ("ZRANGEBYSCORE", "zset", "(3", "+inf", "WITHSCORES", "LIMIT", 10, 5000),
    ("ZREVRANGEBYSCORE", "zset", "900", "2"), ("ZRANGEBYLEX", "other", "-", "+"),
    ("ZRANDMEMBER", "zset", ELEMENTS, "WITHSCORES"),
    ("XRANGE", "stream", "-", "+"), ("XREVRANGE", "stream", "5900", "44"),
    ("XRANGE", "stream", "100", "+", "COUNT", 5000), ("XREAD", "STREAMS", "stream", "0"),
    ("XREAD", "COUNT", 3000, "STREAMS", "stream", "gone", "stream", "5", "0", "2000"),
    ("ZUNION", 2, "zset", "other", "WITHSCORES"), ("ZINTER", 3, "zset", "other", "set"),
    ("ZUNION", 3, "zset", "half", "other", "WEIGHTS", "2", "-1", "0.25", "AGGREGATE", "MIN",
     "WITHSCORES"),
    ("ZDIFF", 2, "zset", "other", "WITHSCORES"), ("ZINTERCARD", 2, "zset", "other"),
    ("ZINTERCARD", 2, "zset", "other", "LIMIT", 1234), ("SINTERCARD", 2, "set", "half"),
    ("SINTERCARD", 2, "set", "half", "LIMIT", 2500), ("SINTER", "set", "gone"),
    ("LPOP", "list", 3000), ("RPOP", "list", 2900), ("LRANGE", "list", 0, -1),
    ("ZPOPMIN", "zset", 2500), ("ZPOPMAX", "zset", 3400), ("ZRANGE", "zset", 0, -1),
    ("ZREMRANGEBYRANK", "other", 3, -4), ("ZRANGE", "other", 0, -1),
]
UNORDERED = [
    ("SMEMBERS", "set"), ("SUNION", "set", "half", "gone"), ("SINTER", "set", "half"),
    ("SDIFF", "set", "half"), ("SRANDMEMBER", "set", ELEMENTS), ("HKEYS", "hash"),
    ("HVALS", "hash"), ("HGETALL", "hash"), ("HRANDFIELD", "hash", ELEMENTS, "WITHVALUES"),
]


class LongReplies(WholeReplies):
    FILL = fill()

    def compare(self, words, prefix=b""):
        ours, theirs = (self.raw(kind, prefix + request(*words)) for kind in ("mikura", "redis"))
        self.assertTrue(ours == theirs, f"{words}: {ours[:200]} is not {theirs[:200]}")
        return ours

    def test_ordered_replies_are_those_of_redis(self):
        for version in (b"2", b"3"):
            for kind in ("mikura", "redis"):
                self.raw(kind, request("FLUSHALL") + fill() + request("HELLO", version))
            for words in ORDERED:
                with self.subTest(version=version, words=words[:4]):
                    self.compare(words)

    def test_unordered_replies_have_the_elements_of_redis(self):
        for version in (b"2", b"3"):
            for kind in ("mikura", "redis"):
                self.raw(kind, request("HELLO", version))
            for words in UNORDERED:
                with self.subTest(version=version, words=words[:4]):
                    ours, theirs = (self.raw(kind, request(*words)).split(b"\r\n")
                                    for kind in ("mikura", "redis"))
                    self.assertEqual(ours[0], theirs[0])
                    self.assertEqual(sorted(ours), sorted(theirs))

    def test_random_elements_are_members(self):
        members = {element(i) for i in range(ELEMENTS)}
        for words, count in ((("SRANDMEMBER", "set", 3000), 3000), (("SRANDMEMBER", "set", -9000), 9000),
                             (("HRANDFIELD", "hash", 3000), 3000), (("HRANDFIELD", "hash", -9000), 9000),
                             (("ZRANDMEMBER", "zset", 3000), 3000),
                             (("ZRANDMEMBER", "zset", -9000), 9000)):
            with self.subTest(words):
                found = self.raw("mikura", request(*words)).split(b"\r\n")
                self.assertEqual(found[0], b"*%d" % count)
                found = found[2::2]
                self.assertEqual(len(found), count)
                self.assertLessEqual(set(found), members)
                if words[2] > 0:
                    self.assertEqual(len(set(found)), count)

    def test_spop_of_nearly_all(self):
        popped = self.raw("mikura", request("SPOP", "set", ELEMENTS - 3)).split(b"\r\n")[2::2]
        left = self.raw("mikura", request("SMEMBERS", "set")).split(b"\r\n")[2::2]
        self.assertEqual((len(popped), len(left)), (ELEMENTS - 3, 3))
        self.assertEqual(sorted(popped + left), sorted(element(i) for i in range(ELEMENTS)))

    def test_between_other_replies(self):
        self.compare(("PING",), request("GET", "x") + request("LRANGE", "list", 0, -1)
                     + request("PING") + request("ZRANGE", "zset", 0, -1) * 3)
        self.compare(("PING",), request("MULTI") + request("LRANGE", "list", 0, -1)
                     + request("DEL", "list") + request("XRANGE", "stream", "-", "+")
                     + request("LRANGE", "list", 0, -1) + request("EXEC"))
        self.compare(("PING",), request("CLIENT", "REPLY", "SKIP") + request("ZRANGE", "zset", 0, -1)
                     + request("SCARD", "set") + request("CLIENT", "REPLY", "OFF")
                     + request("XRANGE", "stream", "-", "+") + request("CLIENT", "REPLY", "ON"))

    def test_in_scripts(self):
        self.compare(("EVAL", "return redis.call('LRANGE', KEYS[1], 0, -1)", 1, "list"))
        self.compare(("EVAL", "return #redis.call('ZUNION', 2, KEYS[1], KEYS[2])", 2, "zset", "other"))

    def test_a_reply_on_its_way_keeps_what_was_read(self):
        expected = self.raw("mikura", request("LRANGE", "list", 0, -1) * 20)
        for change in (("DEL", "list"), ("LTRIM", "list", 5, 10), ("LSET", "list", 3000, "other"),
                       ("LREM", "list", 0, element(5)), ("RPUSH", "list", "more"), ("FLUSHALL",)):
            with self.subTest(change[0]):
                self.raw("mikura", request("FLUSHALL") + fill())
                reader = slow_reader(self.servers["mikura"])
                reader.sendall(request("LRANGE", "list", 0, -1) * 20 + request("PING"))
                self.assertEqual(reader.recv(1), b"*")
                self.raw("mikura", request(*change))
                with reader.makefile("rb") as stream:
                    wanted = (expected + b"+PONG\r\n")[1:]
                    # Those that had run before the change, at least the first one.
                    first = wanted[:len(expected) // 20 - 1]
                    self.assertTrue(stream.read(len(first)) == first)
                reader.close()

    def test_unread_replies_take_no_memory(self):
        value = b"x" * 1000
        self.raw("mikura", b"".join(request("RPUSH", "long", *[value] * 100) for _ in range(100)))
        before = resident_bytes(self.servers["mikura"])
        readers = [slow_reader(self.servers["mikura"]) for _ in range(10)]
        for reader in readers:
            send_as_taken(reader, request("LRANGE", "long", 0, -1) * 20)
        self.assertLess(resident_bytes(self.servers["mikura"]) - before, 20 * MEGABYTE)
        # Others are served, and who goes takes nothing with it.
        self.assertEqual(self.raw("mikura", request("LLEN", "long")), b":10000\r\n")
        for reader in readers:
            reader.close()
        self.assertEqual(self.raw("mikura", request("DEL", "long")), b":1\r\n")

    def test_limits_on_output_count_what_is_to_come(self):
        self.raw("mikura", request("CONFIG", "SET", "client-output-buffer-limit", "normal 100000 0 0"))
        value = b"x" * 1000
        self.raw("mikura", b"".join(request("RPUSH", "long", *[value] * 100) for _ in range(100)))
        reader = slow_reader(self.servers["mikura"])
        reader.sendall(request("LRANGE", "long", 0, -1))
        received = 0
        while piece := reader.recv(1 << 16):
            received += len(piece)
        self.assertLess(received, 10_000_000)
        reader.close()

    def test_the_last_reply_before_quit_is_whole(self):
        client = self.connect("mikura")
        client.send(request("LRANGE", "list", 0, -1) + request("QUIT"))
        expected = self.raw("redis", request("LRANGE", "list", 0, -1)) + b"+OK\r\n"
        self.assertTrue(client.input.read() == expected)


if __name__ == "__main__":
    unittest.main()
