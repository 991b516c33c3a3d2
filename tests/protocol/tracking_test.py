#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Client-side caching: which client is told what, compared with redis-server; and what only time or
many clients show."""
import random
import sys
import threading
import time
import unittest

from limits_test import wait_until
from resp_client import encode
from side_by_side import SideBySide
from transcripts import differences

SCENARIOS = {
    "a key is told once after it was read": """
        c: HELLO 3
        c: CLIENT TRACKING ON
        c: CLIENT TRACKINGINFO
        c: CLIENT GETREDIR
        w: MSET k 1 k2 2
        c: GET k
        w: SET k 2
        w: SET k 3
        c: MGET k k2 none
        w: MSET k 1 k2 2 none 3
        c: MGET k k2
        w: DEL k k2
        w: DEL k k2
        c: EXISTS k
        w: SET k v
        c: TTL k
        w: EXPIRE k 1000
        c: TYPE k
        w: PERSIST k
        c: OBJECT ENCODING k
        w: RENAME k other
        c: MGET k other
        w: COPY other k
        c: GETRANGE other 0 1
        w: APPEND other x
        c: STRLEN other
        w: SETRANGE other 0 y
        c: GET k
        w: MOVE k 1
        c: SELECT 1
        c: GET k
        w: SET k same-name-in-another-database
        c: GET k
        w: GETDEL k
        c: SCAN 0
        c: GETEX k
        c: GETSET k v
        w: SET k v""",
    "what changes nothing is not told": """
        c: HELLO 3
        c: CLIENT TRACKING ON
        w: SET k v
        c: MGET k none
        w: SETNX k other
        w: SET k other NX
        w: SET none other XX
        w: EXPIRE k 10 GT
        w: PERSIST k
        w: DEL none
        w: TOUCH k
        w: GETEX k PERSIST
        w: GET k
        w: SET k v XX""",
    "own changes are told behind the reply": """
        c: HELLO 3
        c: CLIENT TRACKING ON
        c: SET k 1
        c: GET k | SET k 2 | PING
        c: GET k | SET k 2 | SET k 3 | GET k | DEL k | PING
        c: MGET k k2 | MULTI | SET k x | SET k2 y | GET k | EXEC
        w: SET k z
        c: MULTI | GET k | GET k2 | EXEC
        w: MULTI | SET k2 x | SET k y | EXEC
        c: FLUSHALL
        c: FLUSHDB | PING""",
    "without its own changes": """
        c: HELLO 3
        c: CLIENT TRACKING ON NOLOOP
        c: CLIENT TRACKINGINFO
        c: GET k | SET k 1
        w: SET k 2
        c: GET k
        w: SET k 3
        c: GET k | MULTI | SET k 1 | EXEC
        c: FLUSHALL""",
    "a flush is about everything": """
        c: HELLO 3
        c: CLIENT TRACKING ON
        b: HELLO 3
        b: CLIENT TRACKING ON BCAST PREFIX x
        w: FLUSHALL
        w: FLUSHDB
        c: GET k
        w: MULTI | FLUSHDB | EXEC
        w: SET k v
        w: SWAPDB 0 1
        c: CLIENT TRACKING OFF
        b: CLIENT TRACKING OFF
        w: FLUSHALL""",
    "only what the client asks to be remembered": """
        c: HELLO 3
        c: CLIENT CACHING YES
        c: CLIENT TRACKING ON OPTIN
        c: GET k
        w: SET k 1
        c: CLIENT CACHING NO
        c: CLIENT CACHING MAYBE
        c: CLIENT CACHING YES | CLIENT TRACKINGINFO | GET k | GET k2 | CLIENT TRACKINGINFO
        w: MSET k 1 k2 2
        c: CLIENT CACHING YES | MULTI | GET k | GET k2 | EXEC | GET k3
        w: MSET k 1 k2 2 k3 3
        c: CLIENT CACHING YES | NONSENSE | GET k
        w: SET k 1
        c: CLIENT TRACKING ON OPTOUT
        c: CLIENT TRACKING OFF
        c: CLIENT TRACKING ON OPTOUT
        c: CLIENT CACHING YES
        c: CLIENT CACHING NO | CLIENT TRACKINGINFO | GET k | GET k2
        w: MSET k 1 k2 2
        c: CLIENT TRACKING ON OPTIN OPTOUT
        c: CLIENT TRACKING ON
        c: CLIENT CACHING NO""",
    "broadcasts": """
        c: HELLO 3
        c: CLIENT TRACKING ON BCAST PREFIX foo PREFIX bar
        c: CLIENT TRACKING ON BCAST PREFIX baz
        c: CLIENT TRACKINGINFO
        c: CLIENT TRACKING ON BCAST PREFIX fo
        c: CLIENT TRACKING ON BCAST PREFIX foobar
        c: CLIENT TRACKING ON BCAST PREFIX foo
        c: CLIENT TRACKING ON BCAST PREFIX q PREFIX qq
        c: CLIENT TRACKING ON BCAST PREFIX qq PREFIX q
        c: CLIENT TRACKING ON
        c: CLIENT TRACKING ON BCAST OPTIN
        w: SET foo1 1
        w: MSET foo3 1 foo2 1 bar1 1 x 1 foo3 2
        w: DEL foo1 x
        w: GET foo2
        c: SET foo9 x | PING
        c: CLIENT TRACKING OFF
        c: CLIENT TRACKINGINFO
        c: CLIENT TRACKING ON BCAST NOLOOP
        c: CLIENT TRACKINGINFO
        c: SET a b
        w: SET c d
        w: MSET f 1 e 2
        d: HELLO 3
        d: CLIENT TRACKING ON BCAST PREFIX "" NOLOOP
        d: SET mine 1
        w: RENAME f g
        d: close
        w: SET again 1
        w: FLUSHALL""",
    "redirected to a subscriber": """
        r: PING
        c: CLIENT TRACKING ON REDIRECT @r
        c: CLIENT GETREDIR
        c: CLIENT TRACKINGINFO
        c: GET k
        w: SET k 1
        r: SUBSCRIBE __redis__:invalidate
        c: GET k
        w: SET k 2
        w: FLUSHALL
        w: PUBLISH __redis__:invalidate plain
        r: UNSUBSCRIBE
        c: GET k
        w: SET k 3
        r: SUBSCRIBE other
        c: GET k
        w: SET k 3
        r: RESET
        r: HELLO 3
        c: GET k
        w: SET k 4
        c: GET k | SET k 5
        r: close
        w: PING
        c: GET k
        w: SET k 6
        c: CLIENT TRACKINGINFO
        c: HELLO 3
        c: GET k
        w: SET k 7
        c: CLIENT TRACKING ON
        c: CLIENT TRACKINGINFO
        c: GET k
        w: SET k 8""",
    "redirected broadcasts": """
        r: HELLO 3
        c: HELLO 3
        c: CLIENT TRACKING ON BCAST PREFIX p REDIRECT @r NOLOOP
        c: SET p1 x
        w: SET p2 x
        w: FLUSHDB
        c: CLIENT TRACKING OFF
        w: SET p3 x""",
    "errors": """
        c: CLIENT TRACKING
        c: CLIENT TRACKING MAYBE
        c: CLIENT TRACKING ON NONSENSE
        c: CLIENT TRACKING ON REDIRECT 999999
        c: CLIENT TRACKING ON REDIRECT -1
        c: CLIENT TRACKING ON REDIRECT x
        c: CLIENT TRACKING ON REDIRECT
        c: CLIENT TRACKING ON REDIRECT @c REDIRECT @c
        c: CLIENT TRACKING ON PREFIX a
        c: CLIENT TRACKING ON PREFIX
        c: CLIENT TRACKING ON BCAST OPTOUT
        c: CLIENT TRACKING OFF BCAST
        c: CLIENT TRACKING OFF NONSENSE
        c: CLIENT TRACKINGINFO x
        c: CLIENT CACHING
        c: CLIENT GETREDIR x
        c: CLIENT TRACKINGINFO
        c: CLIENT GETREDIR""",
    "RESP2 without a redirection, and RESET": """
        c: CLIENT TRACKING ON
        c: GET k
        w: SET k 1
        c: HELLO 3
        c: GET k
        c: HELLO 2
        w: SET k 2
        c: HELLO 3
        c: GET k
        c: RESET
        c: HELLO 3
        w: SET k 3
        c: CLIENT TRACKINGINFO
        c: CLIENT TRACKING ON | GET k | CLIENT TRACKING OFF
        w: SET k 4
        c: CLIENT TRACKING ON
        w: SET k 5""",
    "replies that are held back": """
        c: HELLO 3
        c: CLIENT TRACKING ON
        c: GET k
        c: CLIENT REPLY SKIP | SET k 1
        c: GET k""",
    "a subscriber that tracks": """
        c: HELLO 3
        c: SUBSCRIBE ch
        c: CLIENT TRACKING ON
        c: GET k
        c: SET k 1 | PUBLISH ch m | PING
        c: GET k
        w: MULTI | PUBLISH ch 1 | SET k 2 | PUBLISH ch 2 | EXEC""",
}


class Tracking(SideBySide):
    OPTIONS = ("--threads", "4")

    def setUp(self):
        for server in self.nodes:
            client = self.client(server)
            client.call("FLUSHALL")
            client.close()

    def client(self, server, resp=2):
        client = super().client(server)
        if resp == 3:
            client.call("HELLO", "3")
        return client

    def caching_client(self, server, *options):
        client = self.client(server, resp=3)
        self.assertEqual(client.call("CLIENT", "TRACKING", "ON", *options).text, "+OK")
        return client

    def counts(self, client):
        text = client.call("INFO").text.replace("\\r\\n", "\n")
        return {name: int(text.split(f"\n{name}:")[1].split("\n")[0])
                for name in ("tracking_clients", "tracking_total_keys", "tracking_total_items",
                             "tracking_total_prefixes")}

    def test_the_same_is_told_to_the_same_clients(self):
        self.maxDiff = None
        for name, scenario in SCENARIOS.items():
            with self.subTest(scenario=name):
                self.setUp()
                self.assertEqual(differences(self.nodes, scenario), [])

    def test_what_expires_is_told(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                client, writer = self.caching_client(server), self.client(server)
                writer.call("SET", "in the background", "v", "PX", "300")
                writer.call("SET", "looked at", "v", "PX", "60")
                client.call("MGET", "in the background", "looked at")
                time.sleep(0.07)
                writer.call("GET", "looked at")
                got = [client.read().children[1].children[0].text for _ in range(2)]
                self.assertEqual(got, ["$looked at", "$in the background"])

    def test_what_is_evicted_is_told_before_the_reply(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                client = self.caching_client(server)
                admin = self.client(server)
                client.call("SET", "k", "v" * 100_000)
                client.call("GET", "k")
                admin.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
                admin.call("CONFIG", "SET", "maxmemory", "1mb")
                client.send(encode([b"SET", b"big", b"x" * 2_000_000]))
                got = []
                while not got or got[-1][0] not in "+-":
                    got.append(" ".join(client.read().lines()))
                admin.call("CONFIG", "SET", "maxmemory", "0")
                self.assertEqual(got[0], ">2 $invalidate *1 $k")

    def test_what_a_wait_brought_about_is_told_behind_its_reply(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                client, admin = self.caching_client(server), self.client(server)
                pushers = [self.client(server) for _ in range(5)]  # some on its event loop
                for i in range(20):
                    client.call("LRANGE", "target", "0", "-1")
                    client.send(encode([b"BLMOVE", b"source", b"target", b"LEFT", b"LEFT", b"0"]))
                    self.assertTrue(wait_until(lambda: "blocked_clients:1" in
                                               admin.call("INFO", "clients").text))
                    pushers[i % 5].call("RPUSH", "source", "element")
                    self.assertEqual(client.read().text, "$element")
                    self.assertEqual(" ".join(client.read().lines()),
                                     ">2 $invalidate *1 $target")

    def test_the_table_is_bounded(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                client, admin = self.caching_client(server), self.client(server)
                admin.call("CONFIG", "SET", "tracking-table-max-keys", "100")
                told = 0
                for i in range(500):
                    client.send(encode([b"GET", b"k%d" % i]))
                    while client.read().text.startswith(">"):
                        told += 1
                self.assertTrue(wait_until(
                    lambda: self.counts(admin)["tracking_total_keys"] <= 100))
                client.send(encode([b"PING"]))
                while client.read().text.startswith(">"):
                    told += 1
                self.assertEqual(told, 500 - self.counts(admin)["tracking_total_keys"])
                admin.call("CONFIG", "SET", "tracking-table-max-keys", "1000000")

    def test_the_counts_of_info(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                admin = self.client(server)
                self.assertTrue(wait_until(
                    lambda a=admin: self.counts(a)["tracking_clients"] == 0))
                admin.call("FLUSHALL")
                first, second = self.caching_client(server), self.caching_client(server)
                third = self.caching_client(server, "BCAST", "PREFIX", "a", "PREFIX", "b")
                first.call("MGET", "a", "b", "c")
                second.call("MGET", "c", "d")
                self.assertEqual(self.counts(admin), {
                    "tracking_clients": 3, "tracking_total_keys": 4, "tracking_total_items": 5,
                    "tracking_total_prefixes": 2})
                for client in (first, second, third):
                    client.close()
                self.assertTrue(wait_until(lambda a=admin: self.counts(a) == {
                    "tracking_clients": 0, "tracking_total_keys": 4, "tracking_total_items": 5,
                    "tracking_total_prefixes": 0}))

    def test_caches_of_many_clients_stay_true(self):
        """Readers keep what they read until they are told; at the end nothing that they keep is
        older than the data."""
        server = self.nodes[0]
        keys = [f"key:{i}" for i in range(40)]
        stop = threading.Event()
        caches = []

        def read(seed, options):
            choose, cache = random.Random(seed), {}
            client = self.caching_client(server, *options)
            caches.append((client, cache))
            while not stop.is_set():
                key = choose.choice(keys)
                client.send(encode([b"GET", key.encode()]))
                self.take(client, cache, key)

        def write(seed):
            choose, client = random.Random(seed), self.client(server)
            for i in range(4000):
                key = choose.choice(keys)
                if i % 50 == 0:
                    client.call("DEL", key)
                else:
                    client.call("SET", key, f"{seed}-{i}")

        readers = [threading.Thread(target=read, args=(i, ("BCAST",) if i % 3 == 0 else ()))
                   for i in range(6)]
        writers = [threading.Thread(target=write, args=(i,)) for i in range(4)]
        for thread in readers + writers:
            thread.start()
        for thread in writers:
            thread.join(60)
        stop.set()
        for thread in readers:
            thread.join(20)
        admin = self.client(server)
        truth = {key: admin.call("GET", key).text for key in keys}
        for client, cache in caches:
            # Twice: changes are broadcast at the end of a turn.
            for mark in ("one", "two"):
                client.send(encode([b"PING", mark.encode()]))
                self.take(client, cache, None)
            self.assertEqual({key: truth[key] for key in cache}, cache)

    @staticmethod
    def take(client, cache, key):
        """Reads up to the reply, which belongs into the cache when it is of a key."""
        while True:
            node = client.read()
            if node.text != ">2":
                break
            for told in node.children[1].children:
                cache.pop(told.text[1:], None)
        if key is not None:
            cache[key] = node.text if node.text != "_" else "(null)"


if __name__ == "__main__":
    sys.exit(unittest.main())
