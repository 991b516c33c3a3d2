#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""MIGRATE between two nodes of ours, and to redis-server and back."""
import os
import shutil
import socket
import threading
import time
import unittest

import redis
from servers import Server


class Target:
    """A node that answers +OK, when it is told to: for what happens in between."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.arrived, self.may_answer = threading.Event(), threading.Event()
        self.restores = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer, _ = self.listener.accept()
        with peer:
            while data := peer.recv(1 << 20):
                restores = data.count(b"RESTORE")
                if restores:
                    self.restores += restores
                    self.arrived.set()
                    if not self.may_answer.wait(20):
                        return
                peer.sendall(b"+OK\r\n" * (restores + data.count(b"SELECT")))

    def close(self):
        self.may_answer.set()
        self.listener.close()
        self.thread.join(20)


class Migrate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = [Server("mikura"), Server("mikura")]
        if shutil.which("redis-server"):
            cls.servers.append(Server("redis"))
        cls.clients = [redis.Redis(server.host, server.port) for server in cls.servers]

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.stop()

    def setUp(self):
        for client in self.clients:
            client.flushall()
        self.source, self.target = self.clients[:2]
        self.port = self.servers[1].port

    def migrate(self, *words, source=None, port=None):
        return (source or self.source).execute_command("MIGRATE", "127.0.0.1", port or self.port,
                                                       *words)

    def test_a_key_moves_with_its_deadline(self):
        self.source.set("k", "v", px=100_000)
        self.source.rpush("l", *range(2000))
        self.assertEqual(self.migrate("k", 3, 5000), b"OK")
        self.assertEqual(self.migrate("l", 3, 5000), b"OK")
        self.assertEqual(self.source.dbsize(), 0)
        other = redis.Redis("127.0.0.1", self.port, db=3)
        self.assertEqual(other.get("k"), b"v")
        self.assertTrue(0 < other.pttl("k") <= 100_000)
        self.assertEqual(other.ttl("l"), -1)
        self.assertEqual(other.llen("l"), 2000)

    def test_copies_stay_and_replace_replaces(self):
        self.source.set("k", "new")
        self.target.set("k", "old")
        with self.assertRaisesRegex(redis.ResponseError, "^Target instance replied with error: "
                                                         "BUSYKEY Target key name already exists"):
            self.migrate("k", 0, 5000)
        self.assertEqual(self.source.get("k"), b"new")
        self.assertEqual(self.migrate("k", 0, 5000, "COPY", "REPLACE"), b"OK")
        self.assertEqual((self.source.get("k"), self.target.get("k")), (b"new", b"new"))
        self.assertEqual(self.migrate("k", 0, 5000, "REPLACE"), b"OK")
        self.assertIsNone(self.source.get("k"))

    def test_many_keys_move_but_for_those_that_are_refused(self):
        names = [f"k{i}" for i in range(300)]
        self.source.mset({name: name * 10 for name in names})
        self.target.set("k7", "here")
        with self.assertRaisesRegex(redis.ResponseError, "BUSYKEY"):
            self.migrate("", 0, 5000, "KEYS", *names, "absent")
        self.assertEqual(self.source.keys(), [b"k7"])
        self.assertEqual(self.target.dbsize(), 300)
        self.assertEqual(self.target.get("k299"), b"k299" * 10)

    def test_to_redis_and_back(self):
        if len(self.clients) < 3:
            self.skipTest("redis-server is not installed")
        other = self.clients[2]
        self.source.set("s", "v")
        self.source.hset("h", mapping={str(i): i for i in range(1000)})
        self.source.zadd("z", {"a": 1, "b": 2})
        self.assertEqual(self.migrate("", 0, 5000, "KEYS", "s", "h", "z",
                                      port=self.servers[2].port), b"OK")
        self.assertEqual((other.dbsize(), self.source.dbsize()), (3, 0))
        self.assertEqual(self.migrate("", 0, 5000, "KEYS", "s", "h", "z", source=other,
                                      port=self.servers[0].port), b"OK")
        self.assertEqual((other.dbsize(), self.source.dbsize()), (0, 3))
        self.assertEqual(self.source.hlen("h"), 1000)

    def test_passwords(self):
        self.source.set("k", "v")
        self.target.execute_command("ACL", "SETUSER", "mover", "on", ">secret", "~*", "+@all")
        with self.assertRaisesRegex(redis.ResponseError, "WRONGPASS"):
            self.migrate("k", 0, 5000, "AUTH2", "mover", "wrong")
        self.assertEqual(self.source.get("k"), b"v")
        self.assertEqual(self.migrate("k", 0, 5000, "AUTH2", "mover", "secret"), b"OK")
        self.assertEqual(self.target.get("k"), b"v")

    def start(self, target, *words):
        """A MIGRATE that waits for its target; a list that its outcome comes into."""
        outcome = []
        client = redis.Redis(self.servers[0].host, self.servers[0].port,
                             single_connection_client=True)
        self.mover = client.client_id()

        def run():
            try:
                outcome.append(self.migrate(*words, source=client, port=target.port))
            except redis.RedisError as error:
                outcome.append(str(error))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.assertTrue(target.arrived.wait(20))
        return thread, outcome

    def test_others_go_on_and_what_they_change_is_not_lost(self):
        target = Target()
        self.addCleanup(target.close)
        self.source.mset({"a": 1, "b": 1, "c": 1})
        thread, outcome = self.start(target, "", 0, 20_000, "KEYS", "a", "b", "c")
        self.assertEqual(self.source.incr("b"), 2)  # answered while the migration waits
        self.assertEqual(self.source.get("a"), b"1")
        target.may_answer.set()
        thread.join(20)
        self.assertEqual(outcome, [b"OK"])
        self.assertEqual(target.restores, 4)  # b twice
        self.assertEqual(self.source.dbsize(), 0)

    def test_a_target_that_does_not_answer(self):
        target = Target()
        self.addCleanup(target.close)
        self.source.set("k", "v")
        begin = time.monotonic()
        with self.assertRaisesRegex(redis.ResponseError,
                                    "^IOERR error or timeout reading to target instance"):
            self.migrate("k", 0, 300, port=target.port)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(self.source.get("k"), b"v")
        self.assertEqual(self.source.set("k", "w"), True)

    def test_a_client_that_leaves(self):
        target = Target()
        self.addCleanup(target.close)
        self.source.set("k", "v")
        thread, _ = self.start(target, "k", 0, 20_000)
        self.assertEqual(self.source.client_kill_filter(_id=self.mover), 1)
        target.may_answer.set()
        thread.join(20)
        deadline = time.monotonic() + 10
        while self.source.exists("k") and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(self.source.exists("k"), 0)

    def test_replicas_follow(self):
        self.source.set("k", "v")
        self.source.set("stays", "v")
        replica = self.clients[1]
        replica.execute_command("REPLICAOF", "127.0.0.1", self.servers[0].port)
        self.addCleanup(replica.execute_command, "REPLICAOF", "NO", "ONE")
        deadline = time.monotonic() + 20
        while replica.dbsize() != 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(replica.dbsize(), 2)
        with Server("mikura") as third:
            self.assertEqual(self.migrate("k", 0, 5000, port=third.port), b"OK")
        while replica.dbsize() != 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(replica.keys(), [b"stays"])


if __name__ == "__main__":
    assert os.environ.get("MIKURA_BIN"), "MIKURA_BIN is not set"
    unittest.main()
