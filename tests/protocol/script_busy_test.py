#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A script that does not end: what is answered meanwhile, what ends it, and what comes after."""
import signal
import sys
import time
import unittest

from resp_client import Client, encode
from servers import Server

BUSY = ("-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")
BUSY_FUNCTION = ("-BUSY Redis is busy running a script. You can only call FUNCTION KILL or "
                 "SHUTDOWN NOSAVE.")


class Fixture:
    kind = ""
    options = ()

    def setUp(self):
        self.server = Server(self.kind, *self.options)
        self.addCleanup(self.server.stop)
        self.control = self.client()
        self.control.call("CONFIG", "SET", "busy-reply-threshold", "10")

    def client(self):
        client = Client(self.server.host, self.server.port)
        self.addCleanup(client.close)
        return client

    def send(self, client, *words):
        client.send(encode([str(word).encode() for word in words]))

    def begin(self, script="while true do end", client=None):
        """Sends an endless script, and waits until it is busy."""
        client = client or self.client()
        self.send(client, "EVAL", script, 1, "own")
        self.await_ping(BUSY)
        return client

    def await_ping(self, wanted):
        deadline = time.monotonic() + 10
        while self.control.call("PING").text != wanted:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def end(self, client):
        self.assertEqual(self.control.call("SCRIPT", "KILL").text, "+OK")
        reply = client.read().text
        self.assertTrue(reply.startswith("-ERR Error running script") or
                        reply.startswith("-ERR Script killed by user"), reply)
        self.await_ping("+PONG")

    def test_killed(self):
        running = self.begin()
        self.assertEqual(self.control.call("FUNCTION", "KILL").text, BUSY)
        self.end(running)
        self.assertEqual(running.call("SET", "k", "v").text, "+OK")

    def test_function_killed(self):
        self.control.call("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', "
                          "function() while true do end end)")
        running = self.client()
        self.send(running, "FCALL", "f", 0)
        self.await_ping(BUSY_FUNCTION)
        self.assertEqual(self.control.call("SCRIPT", "KILL").text, BUSY_FUNCTION)
        self.assertEqual(self.control.call("FUNCTION", "STATS").children[1].children[1].text, "$f")
        self.assertEqual(self.control.call("FUNCTION", "KILL").text, "+OK")
        self.assertIn("Script killed by user", running.read().text)
        self.await_ping("+PONG")

    def test_new_connections_are_served(self):
        running = self.begin()
        for _ in range(20):
            self.assertEqual(self.client().call("PING").text, BUSY)
        closed = self.client()
        self.assertEqual(closed.call("QUIT").text, "+OK")
        self.end(running)

    def test_a_writer_cannot_be_killed(self):
        running = self.begin("redis.call('SET', KEYS[1], 'x') local i = 0 "
                             "while i < 3000000 do i = i + 1 end return i")
        self.assertTrue(self.control.call("SCRIPT", "KILL").text.startswith("-UNKILLABLE"))
        self.assertEqual(running.read().text, ":3000000")
        self.assertEqual(self.control.call("GET", "own").text, "$x")

    def test_transactions_are_not_done_half(self):
        before, during = self.client(), self.client()
        self.assertEqual(before.call("MULTI").text, "+OK")
        self.assertEqual(before.call("INCR", "n").text, "+QUEUED")
        running = self.begin()
        self.assertEqual(before.call("EXEC").text,
                         "-EXECABORT Transaction discarded because of: " + BUSY[1:])
        self.assertEqual(during.call("MULTI").text, "+OK")
        self.assertEqual(during.call("INCR", "n").text, BUSY)
        self.end(running)
        self.assertEqual(during.call("EXEC").text,
                         "-EXECABORT Transaction discarded because of previous errors.")
        self.assertEqual(self.control.call("EXISTS", "n").text, ":0")

    def test_what_came_in_one_piece_keeps_its_order(self):
        running = self.client()
        running.send(encode([b"SET", b"a", b"1"]) + encode([b"MULTI"]) +
                     encode([b"GET", b"a"]) + encode([b"EVAL", b"while true do end", b"0"]) +
                     encode([b"EXEC"]) + encode([b"ECHO", b"last"]))
        self.await_ping(BUSY)
        self.assertEqual(self.control.call("SCRIPT", "KILL").text, "+OK")
        self.assertEqual([running.read().text for _ in range(4)],
                         ["+OK", "+OK", "+QUEUED", "+QUEUED"])
        done = running.read()
        self.assertEqual(done.children[0].text, "$1")
        self.assertIn("Script killed by user", done.children[1].text)
        self.assertEqual(running.read().text, "$last")

    def test_pipelines_meanwhile(self):
        running = self.begin()
        other = self.client()
        other.send(encode([b"PING"]) * 100 + encode([b"SCRIPT", b"KILL"]))
        self.assertEqual([other.read().text for _ in range(100)], [BUSY] * 100)
        self.assertEqual(other.read().text, "+OK")
        self.assertIn("Script killed by user", running.read().text)
        self.assertEqual(other.call("PING").text, "+PONG")

    def test_shutdown(self):
        self.begin()
        self.send(self.control, "SHUTDOWN", "NOSAVE")
        self.server.process.wait(20)

    def test_clients_that_leave(self):
        running = self.begin()
        for _ in range(10):
            leaving = Client(self.server.host, self.server.port)
            leaving.send(encode([b"PING"]))
            leaving.close()
        self.end(running)
        running = self.begin()
        running.close()
        self.assertEqual(self.control.call("SCRIPT", "KILL").text, "+OK")
        self.await_ping("+PONG")


class OneThreadTest(Fixture, unittest.TestCase):
    kind, options = "mikura", ("--threads", "1")

    def test_a_signal_ends_the_node(self):
        self.begin("redis.call('SET', KEYS[1], 'x') while true do end")
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(20), 0)


class FourThreadsTest(Fixture, unittest.TestCase):
    kind, options = "mikura", ("--threads", "4")


class RedisTest(Fixture, unittest.TestCase):
    kind = "redis"


if __name__ == "__main__":
    sys.exit(unittest.main())
