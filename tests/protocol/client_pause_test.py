#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CLIENT PAUSE: what waits, for how long, and that nothing is lost meanwhile."""
import sys
import time
import unittest

from resp_client import Client, encode
from servers import Server


class PauseCases:
    """The same for both servers."""
    kind = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.kind)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.control = self.client()
        self.control.call("FLUSHALL")

    def tearDown(self):
        self.client().call("CLIENT", "UNPAUSE")

    def client(self):
        client = Client(self.server.host, self.server.port)
        self.addCleanup(client.close)
        return client

    def send(self, client, *words):
        client.send(encode([str(word).encode() for word in words]))

    def blocked(self):
        info = self.control.call("INFO", "clients").text
        return int(info.split("blocked_clients:")[1].split("\\r")[0])

    def await_blocked(self, count):
        deadline = time.monotonic() + 10
        while self.blocked() != count:
            self.assertLess(time.monotonic(), deadline, "blocked_clients")
            time.sleep(0.005)

    def test_writes_wait_and_reads_do_not(self):
        writer, reader = self.client(), self.client()
        self.control.call("SET", "k", 1)
        self.control.call("CLIENT", "PAUSE", 60000, "WRITE")
        self.send(writer, "INCR", "k")
        self.await_blocked(1)
        self.assertEqual(reader.call("GET", "k").text, "$1")
        self.assertIn(" flags=b ", self.control.call("CLIENT", "LIST").text)
        self.control.call("CLIENT", "UNPAUSE")
        self.assertEqual(writer.read().text, ":2")
        self.assertEqual(self.blocked(), 0)

    def test_what_stands_behind_a_write_waits_too(self):
        client = self.client()
        self.control.call("CLIENT", "PAUSE", 60000, "WRITE")
        client.send(b"PING\r\nSET k 1\r\nGET k\r\nINCR k\r\nPING\r\n")
        self.assertEqual(client.read().text, "+PONG")
        self.await_blocked(1)
        client.send(b"GET k\r\n" * 50)
        self.assertEqual(self.control.call("EXISTS", "k").text, ":0")
        self.control.call("CLIENT", "UNPAUSE")
        self.assertEqual([client.read().text for _ in range(4)], ["+OK", "$1", ":2", "+PONG"])
        self.assertEqual([client.read().text for _ in range(50)], ["$2"] * 50)

    def test_it_ends_by_itself(self):
        client = self.client()
        begin = time.monotonic()
        self.control.call("CLIENT", "PAUSE", 200)
        self.assertEqual(client.call("PING").text, "+PONG")
        passed = time.monotonic() - begin
        self.assertGreater(passed, 0.19)
        self.assertLess(passed, 5)

    def test_the_later_end_and_the_stricter_kind_hold(self):
        client = self.client()
        begin = time.monotonic()
        self.control.call("CLIENT", "PAUSE", 300, "WRITE")
        self.control.call("CLIENT", "PAUSE", 1, "ALL")
        self.assertEqual(client.call("PING").text, "+PONG")
        self.assertGreater(time.monotonic() - begin, 0.29)

    def test_transactions_wait_for_their_writes(self):
        reading, writing = self.client(), self.client()
        for client, command in ((reading, ("GET", "k")), (writing, ("SET", "k", 1))):
            client.call("MULTI")
            self.assertEqual(client.call(*command).text, "+QUEUED")
        self.control.call("CLIENT", "PAUSE", 60000, "WRITE")
        self.assertEqual(reading.call("EXEC").text, "*1")
        self.send(writing, "EXEC")
        self.await_blocked(1)
        self.control.call("CLIENT", "UNPAUSE")
        self.assertEqual(writing.read().text, "*1")

    def test_clients_that_go_away_while_they_wait(self):
        self.control.call("CLIENT", "PAUSE", 60000, "WRITE")
        clients = [Client(self.server.host, self.server.port) for _ in range(20)]
        for client in clients:
            self.send(client, "INCR", "gone")
        self.await_blocked(20)
        for client in clients:
            client.close()
        self.await_blocked(0)
        self.control.call("CLIENT", "UNPAUSE")
        self.assertEqual(self.client().call("PING").text, "+PONG")

    def test_keys_do_not_expire_meanwhile(self):
        expired = self.expired()
        self.control.call("MULTI")
        self.control.call("SET", "short", 1, "PX", 10)
        self.control.call("CLIENT", "PAUSE", 60000, "WRITE")
        self.control.call("EXEC")
        time.sleep(0.15)
        self.assertEqual(self.control.call("GET", "short").text, "(null)")
        self.assertEqual(self.expired(), expired)
        self.control.call("CLIENT", "UNPAUSE")
        self.assertEqual(self.control.call("GET", "short").text, "(null)")
        deadline = time.monotonic() + 10
        while self.expired() == expired:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_scripts_wait_unless_they_say_that_they_only_read(self):
        self.control.call("FUNCTION", "LOAD", "REPLACE", "#!lua name=l\n"
                          "redis.register_function{function_name='reads', callback=function() "
                          "return 1 end, flags={'no-writes'}}")
        queued = self.client()
        queued.call("MULTI")
        queued.call("EVAL", "#!lua flags=no-writes\nreturn 5", 0)
        self.control.call("CLIENT", "PAUSE", 60000, "WRITE")
        reader = self.client()
        self.assertEqual(reader.call("EVAL", "#!lua flags=no-writes\nreturn 2", 0).text, ":2")
        self.assertEqual(reader.call("FCALL", "reads", 0).text, ":1")
        self.assertEqual(queued.call("EXEC").children[0].text, ":5")
        self.assertEqual(reader.call("EVAL_RO", "return 3", 0).text, ":3")
        self.assertTrue(reader.call("EVAL", "x").text.startswith("-ERR wrong number"))
        writers = [self.client() for _ in range(3)]
        writers[0].send(encode([b"EVAL", b"return 4", b"0"]))
        writers[1].send(encode([b"PUBLISH", b"c", b"m"]))
        writers[2].send(encode([b"EVAL", b"#!lua\nreturn 6", b"0"]))
        self.await_blocked(3)
        self.control.call("CLIENT", "UNPAUSE")
        self.assertEqual([writer.read().text for writer in writers], [":4", ":0", ":6"])

    def expired(self):
        info = self.control.call("INFO", "stats").text
        return int(info.split("expired_keys:")[1].split("\\r")[0])


class MikuraPause(PauseCases, unittest.TestCase):
    kind = "mikura"


class RedisPause(PauseCases, unittest.TestCase):
    kind = "redis"


if __name__ == "__main__":
    sys.exit(unittest.main())
