#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Snapshots in a file: saved when asked, by save points and at the end; loaded at the start; the
same files as redis-server's, both ways."""
import contextlib
import glob
import os
import shutil
import sys
import time
import unittest

from resp_client import Client, Closed, encode
from servers import Server

DATA = [("SET", "text", "some words"), ("SET", "number", "12345"), ("SETEX", "soon", "1000", "x"),
        ("SET", "large", "x" * 300_000), ("RPUSH", "list", "a", "b", "c"),
        ("HSET", "hash", "f", "1", "g", "2"), ("SADD", "set", "1", "2", "3"),
        ("SADD", "words", "x", "y"), ("ZADD", "zset", "1", "a", "2.5", "b"),
        ("XADD", "stream", "1-1", "f", "v"), ("XGROUP", "CREATE", "stream", "g", "0"),
        ("PFADD", "hll", "a", "b"), ("SELECT", "5"), ("SET", "elsewhere", "1"), ("SELECT", "0"),
        ("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 7 end)")]
QUESTIONS = [("GET", "text"), ("GET", "number"), ("GET", "large"), ("LRANGE", "list", "0", "-1"),
             ("HGETALL", "hash"), ("SMEMBERS", "set"), ("SORT", "words", "ALPHA"),
             ("ZRANGE", "zset", "0", "-1", "WITHSCORES"), ("XRANGE", "stream", "-", "+"),
             ("XINFO", "GROUPS", "stream"), ("PFCOUNT", "hll"), ("DBSIZE",), ("FCALL", "f", "0"),
             ("SELECT", "5"), ("GET", "elsewhere"), ("SELECT", "0")]


class Saving(unittest.TestCase):
    def server(self, kind="mikura", *options):
        server = Server(kind, *options)
        self.addCleanup(server.stop)
        return server

    def client(self, server):
        client = Client(server.host, server.port, seconds_max=60)
        self.addCleanup(client.close)
        return client

    def info(self, client):
        text = client.call("INFO", "persistence").text
        return dict(line.split(":", 1) for line in text.replace("\\r\\n", "\r\n").split("\r\n")
                    if ":" in line)

    def fill(self, client):
        for words in DATA:
            self.assertNotEqual(client.call(*words).text[0], "-", words)

    def answers(self, client):
        return [list(client.call(*words).lines()) for words in QUESTIONS]

    def end(self, server, *words):
        client = self.client(server)
        client.send(encode([word.encode() for word in words]))
        with self.assertRaises(Closed):
            self.fail(client.read().text)
        self.assertEqual(server.process.wait(30), 0)

    def snapshot(self, server):
        return os.path.join(server.folder.name, "dump.rdb")

    def await_info(self, client, field, wanted):
        deadline = time.monotonic() + 30
        while self.info(client)[field] != wanted:
            self.assertLess(time.monotonic(), deadline, self.info(client))
            time.sleep(0.02)

    def test_all_types_survive_a_restart(self):
        server = self.server()
        client = self.client(server)
        self.fill(client)
        before = self.answers(client)
        self.assertEqual(client.call("SAVE").text, "+OK")
        self.assertEqual(self.info(client)["rdb_saves"], "1")
        self.end(server, "SHUTDOWN", "NOSAVE")
        server.start()
        client = self.client(server)
        deadline = time.monotonic() + 30
        while client.call("PING").text != "+PONG":
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.answers(client), before)
        ttl = int(client.call("TTL", "soon").text[1:])
        self.assertTrue(900 < ttl <= 1000, ttl)
        self.assertEqual(self.info(client)["rdb_last_load_keys_loaded"], "12")

    def exchange(self, source_kind, target_kind):
        source, target = self.server(source_kind), self.server(target_kind)
        client = self.client(source)
        self.fill(client)
        before = self.answers(client)
        self.assertEqual(client.call("SAVE").text, "+OK")
        self.end(target, "SHUTDOWN", "NOSAVE")
        shutil.copy(self.snapshot(source), self.snapshot(target))
        target.start()
        client = self.client(target)
        deadline = time.monotonic() + 30
        while client.call("PING").text != "+PONG":
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.answers(client), before)

    def test_redis_loads_our_file(self):
        self.exchange("mikura", "redis")

    def test_we_load_a_file_of_redis(self):
        self.exchange("redis", "mikura")

    def test_in_the_background(self):
        server = self.server()
        client = self.client(server)
        self.assertEqual(client.call("SET", "k", "v").text, "+OK")
        self.assertEqual(self.info(client)["rdb_changes_since_last_save"], "1")
        before = int(client.call("LASTSAVE").text[1:])
        self.assertAlmostEqual(before, time.time(), delta=30)
        self.assertEqual(client.call("BGSAVE", "SCHEDULE").text, "+Background saving started")
        self.await_info(client, "rdb_saves", "1")
        info = self.info(client)
        self.assertEqual(info["rdb_changes_since_last_save"], "0")
        self.assertEqual(info["rdb_bgsave_in_progress"], "0")
        self.assertEqual(info["rdb_last_bgsave_status"], "ok")
        self.assertGreaterEqual(int(client.call("LASTSAVE").text[1:]), before)
        self.assertTrue(os.path.exists(self.snapshot(server)))
        self.assertEqual(client.call("BGSAVE", "x").text, "-ERR syntax error")

    def test_by_save_points(self):
        server = self.server()
        client = self.client(server)
        self.assertEqual(client.call("CONFIG", "SET", "save", "1 2").text, "+OK")
        self.assertEqual([n.text for n in client.call("CONFIG", "GET", "save").children],
                         ["$save", "$1 2"])
        client.call("MSET", "a", "1", "b", "2")
        self.await_info(client, "rdb_saves", "1")
        self.assertTrue(os.path.exists(self.snapshot(server)))

    def loaded(self, server):
        """A client, when the server has its data: it answers while it loads them."""
        client = self.client(server)
        deadline = time.monotonic() + 20
        while client.call("GET", "none").text.startswith("-LOADING"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        return client

    def test_at_the_end(self):
        for last in ("SHUTDOWN SAVE", "SHUTDOWN", "signal"):
            with self.subTest(last):
                server = self.server()
                client = self.client(server)
                client.call("SET", "k", "v")
                if last != "SHUTDOWN SAVE":
                    client.call("CONFIG", "SET", "save", "3600 1")
                if last == "signal":
                    server.process.terminate()
                    self.assertEqual(server.process.wait(30), 0)
                else:
                    self.end(server, *last.split())
                server.start()
                self.assertEqual(self.loaded(server).call("GET", "k").text, "$v")

    def test_nothing_is_saved_when_nobody_wants_it(self):
        server = self.server()
        self.client(server).call("SET", "k", "v")
        self.end(server, "SHUTDOWN")
        self.assertFalse(os.path.exists(self.snapshot(server)))

    def test_a_failed_background_save_stops_writes_until_one_succeeds(self):
        """The same words to ours and to redis-server, the same answers."""
        first, second = "#!lua\nreturn 1", "#!lua flags=no-writes\nreturn 1"
        while_failing = [
            ("SET", "k", "w"), ("GET", "k"), ("PING",), ("DEL", "absent"), ("PUBLISH", "c", "m"),
            ("EVAL", "return redis.call('SET', 'k', 'w')", "0"), ("EVAL", first, "0"),
            ("EVAL", second, "0"), ("EVAL", "return redis.call('PING')", "0"),
            ("EVAL", "return redis.pcall('SET', 'k', 'w').err", "0"),
            ("MULTI",), ("SET", "k", "w"), ("EXEC",), ("MULTI",), ("GET", "k"), ("EXEC",),
            ("MULTI",), ("PING",), ("EXEC",), ("ECHO", "x"), ("EXPIRE", "k", "100"), ("EXEC",),
            ("CONFIG", "SET", "stop-writes-on-bgsave-error", "no"), ("SET", "k", "w"), ("PING",),
            ("MULTI",), ("SET", "k", "v"), ("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"),
            ("EXEC",), ("GET", "k"), ("PING",), ("CONFIG", "SET", "save", ""), ("SET", "k", "v"),
            ("CONFIG", "SET", "save", "3600 1000"), ("SET", "k", "w"), ("GET", "k"),
            ("CONFIG", "GET", "stop-writes-on-bgsave-error")]
        answers = {}
        for kind in ("mikura", "redis"):
            server = self.server(kind)
            client = self.client(server)
            self.assertEqual(client.call("SET", "k", "v").text, "+OK")
            client.call("CONFIG", "SET", "save", "3600 1000")
            os.mkdir(self.snapshot(server))
            self.assertEqual(client.call("SAVE").text[:4], "-ERR")
            self.assertEqual(self.info(client)["rdb_last_bgsave_status"], "ok")
            self.assertEqual(client.call("SET", "k", "v").text, "+OK")
            self.assertEqual(client.call("BGSAVE").text, "+Background saving started")
            self.await_info(client, "rdb_last_bgsave_status", "err")
            answers[kind] = [list(client.call(*words).lines()) for words in while_failing]
            self.assertEqual(answers[kind][0][0][:9], "-MISCONF ")
            os.rmdir(self.snapshot(server))
            client.call("BGSAVE")
            self.await_info(client, "rdb_last_bgsave_status", "ok")
            self.assertEqual(client.call("SET", "k", "w").text, "+OK")
            self.assertEqual(client.call("PING").text, "+PONG")
        for words, ours, theirs in zip(while_failing, answers["mikura"], answers["redis"]):
            self.assertEqual(ours, theirs, words)

    def test_info_has_the_fields_of_redis(self):
        ours = self.info(self.client(self.server()))
        theirs = self.info(self.client(self.server("redis")))
        wanted = {name for name in theirs if name.startswith(("rdb_", "current_"))}
        self.assertEqual(wanted - ours.keys(), set())

    def test_a_node_that_cannot_save_goes_on(self):
        server = self.server("mikura", "--save", "3600", "1")
        client = self.client(server)
        client.call("SET", "k", "v")
        os.mkdir(self.snapshot(server))
        self.assertEqual(client.call("SAVE").text[:4], "-ERR")
        self.assertEqual(client.call("SHUTDOWN").text,
                         "-ERR Errors trying to SHUTDOWN. Check logs.")
        server.process.terminate()
        deadline = time.monotonic() + 30
        while "not stopping" not in server.log():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertEqual(client.call("SET", "k", "w").text, "+OK")
        os.rmdir(self.snapshot(server))
        self.assertEqual(client.call("SAVE").text, "+OK")
        self.assertEqual(self.info(client)["rdb_last_bgsave_status"], "ok")
        self.end(server, "SHUTDOWN")

    def test_a_broken_file_is_not_loaded(self):
        server = self.server("mikura", "--rdbcompression", "no")
        client = self.client(server)
        for i in range(100):
            client.call("SET", f"k{i}", "v" * 100)
        client.call("SAVE")
        self.end(server, "SHUTDOWN", "NOSAVE")
        with open(self.snapshot(server), "r+b") as file:
            file.seek(2000)
            file.write(b"\xff\xff\xff")
        with self.assertRaises(RuntimeError) as raised:
            server.start()
            server.process.wait(30)
            raise RuntimeError(server.log() if server.process.returncode == 1 else "it runs")
        self.assertIn("cannot load dump.rdb", str(raised.exception))
        self.assertTrue(os.path.exists(self.snapshot(server)) or server.process.returncode == 1)


class EndWhileLoadingTest(unittest.TestCase):
    """Who asks a node to end that loads its data does not wait until they are loaded."""

    SECONDS = 3  # far less than loading takes

    def loading_server(self, *options):
        server = Server("mikura", *options)
        self.addCleanup(server.stop)
        client = Client(server.host, server.port, seconds_max=120)
        client.call("CONFIG", "SET", "save", "")
        for i in range(20):
            client.call("EVAL", "for i=1,50000 do redis.call('SET', ARGV[1]..':'..i, i) end",
                        "0", str(i))
        client.call("SAVE" if not options else "BGREWRITEAOF")
        while "aof_rewrite_in_progress:1" in client.call("INFO", "persistence").text:
            time.sleep(0.05)
        client.close()
        server.process.kill()
        server.process.wait()
        server.options = (*options, "--save", "1 1")
        return server

    def check(self, end, *options):
        server = self.loading_server(*options)
        folder = server.folder.name
        before = {path: os.path.getsize(path) for path in glob.glob(f"{folder}/**/*.*", recursive=True)
                  if os.path.isfile(path) and path.endswith(("rdb", "aof"))}
        self.assertTrue(before)
        server.start()
        client = Client(server.host, server.port, seconds_max=20)
        self.addCleanup(client.close)
        self.assertIn("LOADING", client.call("DBSIZE").text)
        begin = time.monotonic()
        end(server, client)
        self.assertEqual(server.process.wait(20), 0, server.log())
        self.assertLess(time.monotonic() - begin, self.SECONDS)
        for path, size in before.items():
            self.assertEqual(os.path.getsize(path), size, path)

    def test_a_signal_ends_it_at_once(self):
        self.check(lambda server, client: server.process.terminate())

    def test_shutdown_ends_it_at_once(self):
        def shut_down(server, client):
            with contextlib.suppress(OSError, Closed):
                client.call("SHUTDOWN")
        self.check(shut_down)

    def test_a_signal_ends_it_while_the_append_log_is_loaded(self):
        self.check(lambda server, client: server.process.terminate(), "--appendonly", "yes")


if __name__ == "__main__":
    sys.exit(unittest.main())
