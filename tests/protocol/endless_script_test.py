#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A script without end holds up nobody who does not want what it has: with one thread, where the
script itself lets the loop take turns, and with several."""
import sys
import time
import unittest

from resp_client import Client, Closed, encode
from servers import Server
from work_threads import run_threads

SOON = 3.0  # seconds; the tests share their machine
LOOPS = {
    "plain": "while true do end",
    "pcall": "while true do pcall(function() while true do end end) end",
    "pcall of pcall": "local function f() pcall(f) while true do end end while true do pcall(f) end",
    "xpcall": "while true do xpcall(function() while true do end end, function() while true do end "
              "end) end",
    "coroutine": "local f = coroutine.wrap(function() while true do pcall(error, 1) end end) f()",
    "coroutines": "while true do coroutine.wrap(function() coroutine.yield() end)() end",
    "find": "while true do pcall(string.find, string.rep('a', 5000), string.rep('a?', 5000) .. 'b') "
            "end",
    "gsub": "local s = string.rep('a', 100000) while true do s:gsub('.-b', 'c') end",
    "gmatch": "for x in string.gmatch(string.rep('x', 1000), '') do while true do end end",
    "nested repeats": "while true do string.match(string.rep('a', 300000), '.-.-.-.-b') end",
    "sub": "local s = string.rep('x', 10000000) local t = s:sub(2) while true do s:sub(2) end",
    "upper": "local s = string.rep('x', 10000000) while true do s:upper() s:reverse() end",
    "rep": "while true do local s = string.rep('x', 10000000) end",
    "concat": "while true do local s = 'x' for i = 1, 20 do s = s .. s end end",
    "table.concat": "local t = {} for i = 1, 10000 do t[i] = 'x' end while true do "
                    "table.concat(t, 'yyyyyyyy') end",
    "sort": "local t = {} for i = 1, 1000 do t[i] = i end "
            "while true do table.sort(t, function(a, b) return a > b end) end",
    "sort in a loop": "local t = {} for i = 1, 1000 do t[i] = i end "
                      "table.sort(t, function(a, b) while true do end end)",
    "insert": "local t = {} for i = 1, 100000 do t[i] = i end "
              "while true do table.insert(t, 1, 0) table.remove(t, 1) end",
    "unpack": "local t = {} for i = 1, 7000 do t[i] = i end while true do unpack(t) end",
    "format": "while true do string.format('%99d', 1) end",
    "tostring": "local t = setmetatable({}, {__tostring = function() while true do end end}) "
                "return tostring(t)",
    "index": "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) "
             "while true do pcall(function() return t[1] end) end",
    "cjson": "local t = {} for i = 1, 10000 do t[i] = i end while true do "
             "cjson.decode(cjson.encode(t)) end",
    "cmsgpack": "local t = {} for i = 1, 10000 do t[i] = i end while true do "
                "cmsgpack.unpack(cmsgpack.pack(t)) end",
    "struct": "local f = string.rep('i', 10000) while true do pcall(struct.unpack, f, "
              "string.rep('x', 40000)) end",
    "sha1hex": "local s = string.rep('x', 1000000) while true do redis.sha1hex(s) end",
    "calls": "while true do redis.call('GET', 'k') end",
    "many calls": "while true do redis.pcall('NOSUCH') end",
    "next": "local t = {} for i = 1, 10000 do t[i] = i end while true do for k in pairs(t) do end "
            "end",
    "loadstring": "while true do loadstring('return 1')() end",
    "long programs": "local s = string.rep('a=1 ', 20000) while true do loadstring(s) end",
}


class BusyScript:
    threads = 1

    @classmethod
    def setUpClass(cls):
        cls.server = Server("mikura", "--threads", str(cls.threads), "--requirepass", "secret")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.control = self.client()
        self.control.call("CONFIG", "SET", "busy-reply-threshold", 1)

    def connect(self):
        client = Client(self.server.host, self.server.port)
        self.addCleanup(client.close)
        return client

    def client(self):
        client = self.connect()
        self.soon(client, "AUTH", "secret")
        return client

    def soon(self, client, *words):
        begin = time.monotonic()
        reply = client.call(*words).text
        self.assertLess(time.monotonic() - begin, SOON, words)
        return reply

    def run_script(self, code, *words):
        runner = self.client()
        runner.call("SELECT", 1)
        runner.send(encode([w.encode() for w in ("EVAL", code, *words)] if words else
                           [b"EVAL", code.encode(), b"0"]))
        self.await_busy()
        return runner

    def await_busy(self):
        deadline = time.monotonic() + 10
        while not self.soon(self.control, "PING").startswith("-BUSY"):
            self.assertLess(time.monotonic(), deadline, "no script runs")

    def kill(self, runner, command="SCRIPT"):
        self.assertEqual(self.soon(self.control, command, "KILL"), "+OK")
        reply = runner.read().text
        self.assertIn("Script killed by user with SCRIPT KILL", reply)
        self.assertEqual(self.soon(self.control, "PING"), "+PONG")

    def test_every_loop_can_be_killed(self):
        for name, code in LOOPS.items():
            with self.subTest(name):
                self.kill(self.run_script(code))

    def test_what_is_answered_meanwhile(self):
        self.control.call("SET", "k", "v")
        listener = self.client()
        listener.call("SUBSCRIBE", "channel")
        old = self.client()
        runner = self.run_script("while true do redis.call('GET', KEYS[1]) end", "1", "k")
        new = self.connect()
        self.assertIn("NOAUTH", self.soon(new, "GET", "k"))
        self.assertEqual(self.soon(new, "AUTH", "secret"), "+OK")
        for client in (old, new):
            self.assertTrue(self.soon(client, "GET", "k").startswith("-BUSY"))
            self.assertTrue(self.soon(client, "KEYS", "*").startswith("-BUSY"))
            self.assertTrue(self.soon(client, "EVAL", "return 1", 0).startswith("-BUSY"))
            self.assertTrue(self.soon(client, "FLUSHALL").startswith("-BUSY"))
            self.assertTrue(self.soon(client, "FUNCTION", "FLUSH").startswith("-BUSY"))
            self.assertTrue(self.soon(client, "FUNCTION", "KILL").startswith("-BUSY"))
            self.assertTrue(self.soon(client, "SHUTDOWN").startswith("-BUSY"))
            self.assertEqual(self.soon(client, "MULTI"), "+OK")
            self.assertTrue(self.soon(client, "SET", "k", "w").startswith("-BUSY"))
            self.assertTrue(self.soon(client, "EXEC").startswith("-EXECABORT"))
            self.assertEqual(self.soon(client, "FUNCTION", "STATS"), "*4")
            self.assertEqual(self.soon(client, "HELLO", 3), "%7")
            self.assertEqual(self.soon(client, "RESET"), "+RESET")
            self.assertEqual(self.soon(client, "AUTH", "secret"), "+OK")
        self.assertEqual(self.soon(new, "PUBLISH", "channel", "hello"), ":1")
        self.assertEqual([n.text for n in listener.read().children],
                         ["$message", "$channel", "$hello"])
        killed = self.client()
        number = self.soon(killed, "CLIENT", "ID")[1:]
        self.assertEqual(self.soon(new, "CLIENT", "KILL", "ID", number), ":1")
        with self.assertRaises(Closed):
            killed.read()
        self.assertEqual(self.soon(old, "QUIT"), "+OK")
        with self.assertRaises(Closed):
            old.read()
        self.kill(runner)
        self.assertEqual(self.soon(new, "GET", "k"), "$v")

    def test_requests_in_pieces_and_in_a_row(self):
        runner = self.run_script("while true do end")
        client = self.client()
        client.send(b"*1\r\n$4\r\nPI")
        client.send(encode([b"CLIENT", b"ID"])[:5])
        other = self.client()
        for _ in range(3):
            other.send(encode([b"CLIENT", b"GETNAME"]) * 200)
            self.assertEqual({other.read().text for _ in range(200)}, {"(null)"})
        self.kill(runner)

    def test_what_came_with_the_script_is_answered(self):
        """In one turn of the loop: a script without end, and behind it whoever ends it."""
        for _ in range(20):
            runner, killer = self.client(), self.client()
            runner.send(encode([b"PING"]) + encode([b"EVAL", b"while true do end", b"0"]) +
                        encode([b"PING"]))
            killer.send(encode([b"CLIENT", b"ID"]) + encode([b"SCRIPT", b"KILL"]))
            self.assertEqual(runner.read().text, "+PONG")
            killer.read()
            reply = killer.read().text
            while reply != "+OK":
                reply = self.soon(killer, "SCRIPT", "KILL")
            self.assertIn("killed", runner.read().text)
            self.assertEqual(runner.read().text, "+PONG")

    def test_a_script_in_a_transaction(self):
        runner = self.client()
        runner.send(b"".join(encode(words) for words in (
            [b"MULTI"], [b"SET", b"k", b"v"], [b"EVAL", b"while true do end", b"0"], [b"EXEC"])))
        self.await_busy()
        other = self.client()
        self.assertTrue(self.soon(other, "GET", "k").startswith("-BUSY"))
        self.assertEqual(self.soon(other, "SCRIPT", "KILL"), "+OK")
        self.assertEqual([runner.read().text for _ in range(3)], ["+OK", "+QUEUED", "+QUEUED"])
        results = runner.read()
        self.assertEqual(results.children[0].text, "+OK")
        self.assertIn("killed", results.children[1].text)

    def test_a_function(self):
        self.control.call("FUNCTION", "LOAD", "REPLACE", "#!lua name=lib\nredis.register_function("
                          "'forever', function() while true do end end)")
        runner = self.client()
        runner.send(encode([b"FCALL", b"forever", b"0"]))
        self.await_busy()
        self.assertTrue(self.soon(self.control, "SCRIPT", "KILL").startswith("-BUSY"))
        self.assertEqual(self.soon(self.control, "FUNCTION", "STATS"), "*4")
        self.kill(runner, "FUNCTION")

    def test_one_that_has_written_cannot_be_killed_but_its_client_can(self):
        runner = self.run_script("redis.call('SET', KEYS[1], 'x') "
                                 "for i = 1, 3e9 do if redis.call('EXISTS', 'stop') == 1 then "
                                 "return 'stopped' end end", "1", "k")
        self.assertTrue(self.soon(self.control, "SCRIPT", "KILL").startswith("-UNKILLABLE"))
        self.assertTrue(self.soon(self.control, "GET", "k").startswith("-BUSY"))
        self.server.process.terminate()
        self.server.process.wait(10)
        with self.assertRaises(Closed):
            while True:
                runner.read()
        self.server.stop()
        type(self).server = Server("mikura", "--threads", str(self.threads), "--requirepass",
                                   "secret")

    def test_at_the_memory_limit_nobody_waits_to_evict(self):
        """What would have to go may be in shards that the script has."""
        for policy in ("allkeys-lru", "allkeys-s3fifo"):
            with self.subTest(policy):
                self.evict_beside_a_script(policy)

    def evict_beside_a_script(self, policy):
        self.control.call("CONFIG", "SET", "maxmemory", "4mb", "maxmemory-policy", policy)
        self.addCleanup(lambda: self.control.call("CONFIG", "SET", "maxmemory", 0,
                                                  "maxmemory-policy", "noeviction"))
        self.control.call("SELECT", 1)
        for i in range(5000):
            self.control.call("SET", f"key{i}", "x" * 1000)
        writers = [self.client() for _ in range(8)]
        runner = self.run_script("for i = 1, 5000 do redis.call('EXISTS', 'key' .. i) end "
                                 "while true do end")
        for i, writer in enumerate(writers):
            writer.send(encode([b"SET", b"new%d" % i, b"x" * 3000]))
        for _ in range(8):
            self.assertTrue(self.soon(self.client(), "PING").startswith("-BUSY"))
        self.kill(runner)
        for writer in writers:
            self.assertIn(writer.read().text[:5], ("+OK", "-BUSY"))

    def test_shutdown_nosave(self):
        self.run_script("redis.call('SET', KEYS[1], 'x') while true do end", "1", "k")
        with self.assertRaises(Closed):
            self.control.call("SHUTDOWN", "NOSAVE")
        self.server.process.wait(10)
        self.server.stop()
        type(self).server = Server("mikura", "--threads", str(self.threads), "--requirepass",
                                   "secret")

    def test_many_clients_while_scripts_come_and_go(self):
        """Long scripts, short requests, connections that come and go: every one is answered."""
        self.control.call("CONFIG", "SET", "busy-reply-threshold", 5000)

        def script():
            client = self.client()
            self.assertEqual(client.call("EVAL", "for i = 1, 1e7 do end return redis.call('INCR', "
                                         "KEYS[1])", 1, "n").text[0], ":")
            client.call("QUIT")

        def requests():
            client = self.client()
            client.send(encode([b"SET", b"k", b"v"]) + encode([b"PING"]) + encode([b"GET", b"k"]))
            self.assertEqual([client.read().text for _ in range(3)], ["+OK", "+PONG", "$v"])
            client.call("WATCH", "k")
            client.call("MULTI")
            client.call("GET", "k")
            client.call("EXEC")

        run_threads(self, (script, script, requests, requests, requests), 4)


class OneThread(BusyScript, unittest.TestCase):
    threads = 1


class FourThreads(BusyScript, unittest.TestCase):
    threads = 4


if __name__ == "__main__":
    sys.exit(unittest.main())
