#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Commands with much to compute, which they do while their keys are free for others
(docs/adr/0021-long-work-on-held-values.md): what they answer and store is what Redis' would be, at
one moment, in the order of each client's requests."""
import threading
import time
import unittest

from resp_client import Client
from servers import Server
from whole_replies import WholeReplies, request

ELEMENTS = 6000
LIST = 20_000


def element(i):
    return b"element:%06d" % i


def words_for(command, key, words, step=500):
    return b"".join(request(command, key, *words[i:i + step]) for i in range(0, len(words), step))


def fill():
    first, second = range(ELEMENTS), range(ELEMENTS // 2, ELEMENTS + ELEMENTS // 2)
    return b"".join([
        words_for("SADD", "{k}a", [element(i) for i in first]),
        words_for("SADD", "{k}b", [element(i) for i in second]),
        words_for("SADD", "{k}numbers", [b"%d" % i for i in first]),
        words_for("ZADD", "{k}z", [w for i in first for w in (b"%d" % (i * 7 % 1000), element(i))]),
        words_for("ZADD", "{k}y", [w for i in second for w in (b"%d" % i, element(i))]),
        words_for("RPUSH", "{k}l", [element(i % (LIST // 2)) for i in range(LIST)]),
        words_for("HSET", "{k}h", [w for i in first for w in (element(i), b"v%d" % i)]),
        request("SADD", "{k}few", element(1), element(2), "other"),
        request("SETRANGE", "{k}s", 3_000_000, "abc"),
        request("SET", "{k}t", b"".join(b"%d" % (i * i) for i in range(300))),
        request("SET", "{k}u", b"".join(b"%d" % (i * 7) for i in range(400))),
        b"".join(request("XADD", "{k}x", f"{i}-1", "f", i) for i in range(1, ELEMENTS)),
    ])


MANY = [element(i) for i in range(0, 3 * ELEMENTS, 3)]
NAMES = [element(i) for i in range(9000)]
STEPS = [
    ("SUNIONSTORE", "{k}to", "{k}a", "{k}b", "{k}few", "gone{k}"), ("SUNIONSTORE", "{k}to", "{k}a"),
    ("SINTERSTORE", "{k}to", "{k}b", "{k}a"), ("SINTERSTORE", "{k}to", "{k}a", "gone{k}"),
    ("SDIFFSTORE", "{k}a", "{k}a", "{k}few"), ("SUNIONSTORE", "{k}to", "{k}numbers", "{k}numbers"),
    ("SUNIONSTORE", "{k}to", "{k}a", "{k}l"), ("SUNIONSTORE", "{k}l2", "{k}a", "{k}few"),
    ("ZUNIONSTORE", "{k}zt", 3, "{k}z", "{k}y", "{k}few", "WEIGHTS", 2, "-0.5", "3"),
    ("ZUNIONSTORE", "{k}zt", 2, "{k}z", "{k}y", "AGGREGATE", "MAX"),
    ("ZINTERSTORE", "{k}zt", 3, "{k}a", "{k}z", "{k}y", "AGGREGATE", "MIN"),
    ("ZDIFFSTORE", "{k}z", 2, "{k}z", "{k}few"), ("ZINTERSTORE", "{k}zt", 2, "{k}z", "gone{k}"),
    ("ZUNIONSTORE", "{k}zt", 2, "{k}z", "{k}h"),
    ("ZRANGESTORE", "{k}zt", "{k}z", 5, -7), ("ZRANGESTORE", "{k}zt", "{k}z", 0, -1, "REV"),
    ("ZRANGESTORE", "{k}zt", "{k}y", "(2", "+inf", "BYSCORE", "LIMIT", 9, 5000),
    ("ZRANGESTORE", "{k}zt", "{k}y", "[b", "[f", "BYLEX"),
    ("LPOS", "{k}l", element(LIST // 2 - 1), "RANK", 2), ("LPOS", "{k}l", "gone"),
    ("LPOS", "{k}l", element(77), "COUNT", 0), ("LPOS", "{k}l", element(1), "RANK", -2, "COUNT", 1),
    ("LPOS", "{k}l", element(LIST // 2 - 1), "RANK", 2, "MAXLEN", 17_000),
    ("LINSERT", "{k}l", "AFTER", element(LIST // 2 - 1), "x"), ("LINSERT", "{k}l", "BEFORE", "g", "x"),
    ("LREM", "{k}l", 0, element(LIST // 2 - 1)), ("LREM", "{k}l", 0, "gone"),
    ("LREM", "{k}l", -3, element(5)), ("LREM", "{k}l", 9, element(6)), ("LRANGE", "{k}l", 0, -1),
    ("BITCOUNT", "{k}s"), ("BITCOUNT", "{k}s", 1, -2), ("BITCOUNT", "{k}s", 9, -3, "BIT"),
    ("BITPOS", "{k}s", 1), ("BITPOS", "{k}s", 1, 5, -1, "BIT"), ("BITPOS", "{k}s", 0, 2_999_999),
    ("GETRANGE", "{k}s", 7, 2_999_990), ("GETRANGE", "{k}s", -2_000_000, -1),
    ("BITOP", "NOT", "{k}st", "{k}s"), ("BITCOUNT", "{k}st"), ("STRLEN", "{k}st"),
    ("BITOP", "XOR", "{k}st", "{k}s", "{k}st", "{k}t"), ("BITCOUNT", "{k}st"),
    ("BITOP", "AND", "{k}st", "{k}s", "{k}z"), ("BITOP", "OR", "{k}s", "gone{k}", "{k}s"),
    ("LCS", "{k}t", "{k}u"), ("LCS", "{k}t", "{k}u", "LEN"), ("LCS", "{k}t", "{k}z"),
    ("LCS", "{k}t", "{k}u", "IDX", "MINMATCHLEN", 3, "WITHMATCHLEN"),
    ("SORT", "{k}a", "ALPHA"), ("SORT", "{k}numbers", "DESC", "LIMIT", 5, 5500),
    ("SORT", "{k}a"), ("SORT", "{k}l", "BY", "nosort", "LIMIT", 10, 9000),
    ("SORT", "{k}z", "ALPHA", "DESC", "STORE", "{k}lt"), ("LRANGE", "{k}lt", 0, -1),
    ("SORT", "{k}numbers", "STORE", "{k}lt"), ("LRANGE", "{k}lt", 0, -1),
    ("SORT", "{k}a", "STORE", "{k}lt"), ("SORT", "{k}h"), ("SORT_RO", "{k}numbers", "ASC"),
    ("SORT", "{k}numbers", "BY", "w_*", "GET", "#", "GET", "w_*"),
    ("SADD", "{k}a", *MANY), ("SREM", "{k}b", *MANY), ("SREM", "{k}few", *MANY, "other"),
    ("SADD", "{k}new", *MANY), ("SADD", "{k}l", *MANY), ("SREM", "gone{k}", *MANY),
    ("ZADD", "{k}z", *(w for m in MANY for w in (b"5", m))),
    ("ZADD", "{k}y", "GT", "CH", *(w for i, m in enumerate(MANY) for w in (b"%d" % (i * 2), m))),
    ("ZADD", "{k}z", "NX", *(w for m in MANY for w in (b"1", m))), ("ZADD", "{k}z", "1", *MANY),
    ("ZREM", "{k}z", *MANY), ("ZREM", "{k}l", *MANY),
    ("HSET", "{k}h", *(w for m in MANY for w in (m, m[::-1]))),
    ("HMSET", "{k}hn", *(w for m in MANY for w in (m, m[::-1]))), ("HSET", "{k}h", *MANY, "odd"),
    ("HDEL", "{k}h", *MANY), ("HDEL", "{k}hn", *MANY), ("HSET", "{k}a", *MANY),
    ("SMISMEMBER", "{k}a", *NAMES), ("HMGET", "{k}h", *NAMES), ("ZMSCORE", "{k}y", *NAMES),
    ("SMISMEMBER", "gone{k}", *NAMES), ("HMGET", "{k}l", *NAMES),
    ("GEOADD", "{k}geo", *(w for i, m in enumerate(MANY) for w in (b"%d" % (i % 90), b"1", m))),
    ("XDEL", "{k}x", *(f"{i}-1" for i in range(1, 2 * ELEMENTS, 2))), ("XRANGE", "{k}x", "-", "+"),
    ("XDEL", "{k}x", *(f"{i}-1" for i in range(ELEMENTS)), "no-id"),
    ("ZREMRANGEBYRANK", "{k}y", 3, 5000), ("ZUNIONSTORE", "{k}y", 1, "{k}y"),
    ("ZUNIONSTORE", "{k}p", 2, "{k}y", "{k}new"), ("ZREMRANGEBYSCORE", "{k}p", 1, 1),
    ("ZUNIONSTORE", "{k}p", 2, "{k}y", "{k}new"), ("ZPOPMAX", "{k}p", 4500), ("ZCARD", "{k}p"),
]
CHANGED = ["{k}to", "{k}a", "{k}b", "{k}new", "{k}few", "{k}l2"]
SORTED_SETS = ["{k}zt", "{k}z", "{k}y", "{k}p", "{k}geo"]


class LongWork(WholeReplies):
    FILL = fill()
    SECONDS_MAX = 60

    def ask(self, *words, client=None):
        return self.raw("mikura", request(*words), client)

    def compare(self, requests, name):
        ours, theirs = (self.raw(kind, requests) for kind in ("mikura", "redis"))
        self.assertTrue(ours == theirs, f"{name}: {ours[:200]} is not {theirs[:200]}")

    def compare_data(self):
        for key in CHANGED:
            ours, theirs = (sorted(self.raw(kind, request("SMEMBERS", key)).split(b"\r\n"))
                            for kind in ("mikura", "redis"))
            self.assertTrue(ours == theirs, key)
        for key in SORTED_SETS:
            self.compare(request("ZRANGE", key, 0, -1, "WITHSCORES"), key)
        for key in CHANGED + SORTED_SETS:
            self.compare(request("OBJECT", "ENCODING", key), key)

    def test_answers_and_data_are_those_of_redis(self):
        for version in (b"2", b"3"):
            for kind in ("mikura", "redis"):
                self.raw(kind, request("FLUSHALL") + fill() + request("HELLO", version))
            for i, words in enumerate(STEPS):
                with self.subTest(version=version, words=words[:5]):
                    self.compare(request(*words), words[:5])
                if i % 15 == 14 or i == len(STEPS) - 1:
                    self.compare_data()

    def test_dumps_are_restored_by_redis(self):
        for key in ("{k}a", "{k}z", "{k}l", "{k}h", "{k}s"):
            with self.subTest(key):
                self.clients["mikura"].send(request("DUMP", key))
                head, payload = self.read_bulk(self.clients["mikura"])
                self.assertEqual(int(head), len(payload))
                for kind in ("mikura", "redis"):
                    answer = self.raw(kind, request("RESTORE", "{k}copy", 0, payload, "REPLACE"))
                    self.assertEqual(answer, b"+OK\r\n")
                self.compare(request("RESTORE", "{k}copy", 0, payload), "BUSYKEY")
                self.compare(request("RESTORE", "{k}copy", 0, payload[:-1], "REPLACE"), "cut")
                self.compare(request("SORT", "{k}copy", "ALPHA"), key)
                self.compare(request("STRLEN", "{k}copy"), key)

    def read_bulk(self, client):
        received = bytearray()
        while b"\r\n" not in received:
            received += client.socket.recv(1 << 20)
        head, _, rest = bytes(received).partition(b"\r\n")
        wanted = int(head[1:]) + 2
        rest = bytearray(rest)
        while len(rest) < wanted:
            rest += client.socket.recv(1 << 20)
        self.assertEqual((head[:1], bytes(rest[-2:]), len(rest)), (b"$", b"\r\n", wanted))
        return head[1:], bytes(rest[:-2])

    def test_searches_over_many_places_are_those_of_redis(self):
        places = [w for i in range(70_000)
                  for w in (b"%.3f" % (i % 3600 / 10 - 180), b"%.3f" % (i % 1699 / 10 - 85), element(i))]
        for kind in ("mikura", "redis"):
            self.raw(kind, words_for("GEOADD", "{k}geo", places, 1500))
        search = ("FROMMEMBER", element(7), "BYRADIUS", 9000, "km", "ASC")
        for words in (("GEOSEARCH", "{k}geo", *search, "WITHDIST"),
                      ("GEOSEARCH", "{k}geo", *search, "COUNT", 5, "WITHCOORD"),
                      ("GEOSEARCHSTORE", "{k}zt", "{k}geo", *search),
                      ("ZRANGE", "{k}zt", 0, -1, "WITHSCORES"),
                      ("GEOSEARCHSTORE", "{k}geo", "{k}geo", *search),
                      ("ZRANGE", "{k}geo", 0, -1, "WITHSCORES")):
            with self.subTest(words[:3]):
                self.compare(request(*words), words[:3])

    def test_all_keys_are_listed(self):
        names = {b"key:%d" % i for i in range(ELEMENTS)}
        self.ask("FLUSHALL")
        self.raw("mikura", b"".join(request("SET", name, "v") for name in names))
        for words, wanted in ((("KEYS", "*"), names), (("KEYS", "gone*"), set()),
                              (("KEYS", "*:1??"), {n for n in names if 7 == len(n) and n[4:5] == b"1"})):
            self.assertEqual(set(self.ask(*words).split(b"\r\n")[2::2]), wanted)
        cursor, seen = b"0", set()
        while True:
            lines = self.ask("SCAN", cursor, "MATCH", "key:*", "COUNT", 5000, "TYPE", "string")
            lines = lines.split(b"\r\n")
            cursor, seen = lines[2], seen | set(lines[5::2])
            if cursor == b"0":
                break
        self.assertEqual(seen, names)

    def test_what_is_asked_for_behind_it_comes_after(self):
        self.compare(request("SUNIONSTORE", "{k}to", "{k}a", "{k}b") + request("SCARD", "{k}to")
                     + request("LPOS", "{k}l", "gone") + request("DEL", "{k}l", "{k}a")
                     + request("SDIFFSTORE", "{k}to", "{k}b", "{k}a") + request("LLEN", "{k}l")
                     + request("BITCOUNT", "{k}s") + request("SET", "{k}s", "x")
                     + request("BITCOUNT", "{k}s") + request("SCARD", "{k}to"), "pipeline")
        self.assertEqual(self.raw("mikura", request("SET", "seen", "1") + request("KEYS", "seen*")
                                  + request("SET", "seen2", "1") + request("KEYS", "seen*2"))
                         .count(b"seen2"), 1)
        self.compare(request("CLIENT", "REPLY", "SKIP") + request("SUNIONSTORE", "{k}to", "{k}b", "{k}z")
                     + request("CLIENT", "REPLY", "SKIP") + request("SINTERSTORE", "{k}to", "{k}b")
                     + request("SCARD", "{k}to") + request("CLIENT", "REPLY", "SKIP")
                     + request("LPOS", "{k}l2", "gone") + request("PING"), "CLIENT REPLY")

    def test_in_transactions_and_scripts(self):
        self.compare(request("MULTI") + request("SUNIONSTORE", "{k}to", "{k}a", "{k}b")
                     + request("LREM", "{k}l", 0, element(9999)) + request("BITCOUNT", "{k}s")
                     + request("SADD", "{k}a", *MANY) + request("LPOS", "{k}l", "gone")
                     + request("SORT", "{k}numbers") + request("EXEC"), "MULTI")
        self.compare(request("EVAL", "return {redis.call('SINTERSTORE', KEYS[1], KEYS[2], KEYS[3]), "
                             "redis.call('SCARD', KEYS[1]), redis.call('LPOS', KEYS[4], 'gone')}",
                             4, "{k}to", "{k}a", "{k}b", "{k}l"), "EVAL")

    def test_a_store_happens_at_one_moment(self):
        """A member that others move is in one of two sets at any moment, and so in their union once."""
        stop = threading.Event()
        mover = self.connect()

        def move():
            i = 0
            while not stop.is_set():
                i += 1
                self.raw("mikura", request("SMOVE", "{k}a", "{k}b", "moved")
                         + request("SMOVE", "{k}b", "{k}a", "moved"), mover)
                # Some computations find their sets as they were, and some do not.
                time.sleep(0.05 if i % 3 else 0)

        self.ask("SADD", "{k}a", "moved")
        thread = threading.Thread(target=move)
        thread.start()
        try:
            for i in range(30):
                self.ask("SADD", "{k}b", b"new:%d" % i)
                answers = self.raw("mikura", request("SUNIONSTORE", "{k}to", "{k}a", "{k}b")
                                   + request("SISMEMBER", "{k}to", "moved")
                                   + request("SISMEMBER", "{k}to", b"new:%d" % i)
                                   + request("SINTERSTORE", "{k}to", "{k}a", "{k}b"))
                self.assertEqual(answers, b":%d\r\n:1\r\n:1\r\n:%d\r\n" % (
                    ELEMENTS * 3 // 2 + 2 + i, ELEMENTS // 2))
        finally:
            stop.set()
            thread.join()

    def test_nothing_is_lost_where_all_change_one_set(self):
        def add(number):
            client = self.connect()
            for i in range(4):
                names = [b"%d:%d:%d" % (number, i, n) for n in range(4500)]
                self.assertEqual(self.ask("SADD", "{k}all", *names, client=client), b":4500\r\n")
                self.assertEqual(self.ask("SREM", "{k}all", *names[500:], client=client), b":4000\r\n")

        threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.ask("SCARD", "{k}all"), b":8000\r\n")

    def test_a_client_that_goes(self):
        for i in range(10):
            client = self.connect()
            client.send(request("SUNIONSTORE", "{k}to", "{k}a", "{k}b")
                        + request("LPOS", "{k}l", "gone") + request("SET", "{k}done", i))
            client.close()
            deadline = time.monotonic() + 20
            while self.ask("GET", "{k}done") != b"$1\r\n%d\r\n" % i:
                self.assertLess(time.monotonic(), deadline)
        killed = self.connect()
        for _ in range(5):
            identity = self.ask("CLIENT", "ID", client=killed).strip()[1:]
            killed.send(request("ZUNIONSTORE", "{k}zt", 2, "{k}z", "{k}y"))
            self.ask("CLIENT", "KILL", "ID", identity)
            killed = self.connect()
        self.assertEqual(self.ask("PING"), b"+PONG\r\n")

    def test_a_refusal_at_the_second_run(self):
        """A user who loses a right, and a node that becomes a replica, in between."""
        user = self.connect()
        self.ask("ACL", "SETUSER", "u", "on", "nopass", "~*", "+@all")
        self.ask("AUTH", "u", "x", client=user)
        for _ in range(10):
            user.send(request("SUNIONSTORE", "{k}to", "{k}a", "{k}b"))
            self.ask("ACL", "SETUSER", "u", "-sunionstore")
            answer = user.socket.recv(1000)
            self.assertTrue(answer == b":9000\r\n" or answer.startswith(b"-NOPERM"), answer)
            self.ask("ACL", "SETUSER", "u", "+sunionstore")
            self.assertEqual(self.ask("SINTERSTORE", "{k}to", "{k}a", "{k}b", client=user), b":3000\r\n")

    def test_a_replica_has_the_same(self):
        primary = self.servers["mikura"]
        with Server("mikura") as server:
            replica = Client(server.host, server.port, seconds_max=60)
            self.raw("mikura", request("REPLICAOF", primary.host, primary.port), replica)
            for words in STEPS:
                self.ask(*words)
            self.ask("SPOP", "{k}new", 4500)
            self.ask("SET", "{k}end", "1")
            deadline = time.monotonic() + 30
            while self.ask("GET", "{k}end", client=replica) != b"$1\r\n1\r\n":
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            self.assertEqual(self.ask("DEBUG", "DIGEST", client=replica), self.ask("DEBUG", "DIGEST"))
            replica.close()


if __name__ == "__main__":
    unittest.main()
