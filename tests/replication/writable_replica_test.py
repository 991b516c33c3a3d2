# SPDX-License-Identifier: Apache-2.0
"""replica-read-only no: what a replica's own clients write stays on it, and the stream of its
primary goes through it unchanged. Beside redis-server, where that does the same."""
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import redis

from nodes import MIKURA, REDIS, await_caught_up, eventually, free_port
from writable_replicas import WritableReplicas, contents, stream

READ_ONLY = "You can't write against a read only replica."


class WritableReplicaTest(WritableReplicas):
    def test_the_setting_says_whether_a_replica_takes_writes(self):
        primary = self.primary()
        for kind in ("mikura", "redis"):
            with self.subTest(kind=kind):
                replica = self.node(kind)
                client = replica.client
                self.assertEqual(client.config_get("*-read-only"),
                                 {"replica-read-only": "yes", "slave-read-only": "yes"})
                client.set("of a primary", 1)
                replica.follow(primary)
                await_caught_up(replica, primary)
                with self.assertRaisesRegex(redis.exceptions.ReadOnlyError, READ_ONLY):
                    client.set("k", 1)
                client.config_set("slave-read-only", "no")
                self.assertEqual(client.config_get("replica-read-only"),
                                 {"replica-read-only": "no"})
                self.assertEqual(replica.replication()["slave_read_only"], 0)
                self.assertTrue(client.set("k", 1))
                self.assertEqual(client.get("k"), b"1")
                client.config_set("replica-read-only", "yes")
                self.assertEqual(replica.replication()["slave_read_only"], 1)
                for words in (("SET", "k", 2), ("EVAL", "redis.call('SET', 'k', 2)", 0)):
                    with self.assertRaisesRegex(redis.exceptions.ResponseError, READ_ONLY):
                        client.execute_command(*words)
                self.assertEqual(client.get("k"), b"1")

    def test_the_file_says_so_too(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind=kind):
                node = self.node(kind)
                node.kill()
                path = os.path.join(node.directory, "node.conf")
                with open(path, "w", encoding="ascii") as file:
                    file.write("slave-read-only no\n")
                program = [MIKURA, "engine"] if kind == "mikura" else [REDIS]
                process = subprocess.Popen(
                    [*program, path, "--port", str(node.port), "--dir", node.directory],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                node.process, node.log = process, open(os.devnull)
                eventually(node.answers, "it answers")
                self.assertEqual(node.client.config_get("replica-read-only"),
                                 {"replica-read-only": "no"})

    def test_own_writes_go_to_nobody_and_the_stream_passes_unchanged(self):
        for kind in ("mikura", "redis"):
            with self.subTest(primary=kind):
                primary = self.primary(kind)
                primary.client.set("k", 1)
                replica = self.replica(primary)
                behind = self.node("mikura")
                behind.follow(replica)
                await_caught_up(behind, primary)
                begin = primary.offset()
                self.write_everything(replica)
                self.assertEqual(replica.offset(), begin)
                for i in range(100):
                    primary.client.rpush("list", i)
                    replica.client.rpush("own", i)
                    primary.database(i % 3).set("k", i)
                    replica.database(1 + i % 3).set("own", i)
                await_caught_up(replica, primary)
                await_caught_up(behind, primary)
                size = primary.offset() - begin
                self.assertEqual(stream(replica, begin, size), stream(primary, begin, size))
                self.assertEqual(contents(behind), contents(primary))
                self.assertEqual(replica.client.llen("own"), 100)
                self.assertEqual(replica.database(1).exists("own"), 1)

    def write_everything(self, replica):
        """Writes of every sort; none of what the primary has is touched."""
        client = replica.client
        client.mset({"a": 1, "b": 2})
        client.zadd("z", {"m": 1})
        client.xadd("x", {"f": "v"})
        client.pfadd("p", "e")
        client.expire("a", 100)
        client.rename("b", "c")
        client.move("c", 2)
        with client.pipeline(transaction=True) as pipe:
            pipe.incr("n").lpush("l", 1, 2).publish("channel", "inside")
            self.assertEqual(pipe.execute()[:2], [1, 2])
        self.assertEqual(client.eval("redis.call('INCR', KEYS[1]) "
                                     "return redis.call('GET', KEYS[1])", 1, "n"), b"2")
        client.function_load("#!lua name=own\nredis.register_function('f', function(keys) "
                             "return redis.call('INCR', keys[1]) end)")
        self.assertEqual(client.fcall("f", 1, "n"), 3)
        client.publish("channel", "outside")
        waiting = redis.Redis("127.0.0.1", replica.port)
        got = []
        thread = threading.Thread(target=lambda: got.append(waiting.blpop(["waited"], 20)))
        thread.start()
        eventually(lambda: client.info("clients")["blocked_clients"] == 1, "it waits")
        client.rpush("waited", "w")
        thread.join()
        self.assertEqual(got, [(b"waited", b"w")])
        replica.database(3).set("flushed", 1)
        replica.database(3).flushdb()
        with self.assertRaisesRegex(redis.exceptions.ResponseError,
                                    "WAIT cannot be used with replica instances"):
            client.wait(0, 10)

    def test_publishing_on_a_replica_is_not_in_the_stream(self):
        for option in ("yes", "no"):
            for kind in ("mikura", "redis"):
                with self.subTest(read_only=option, kind=kind):
                    primary = self.primary()
                    primary.client.set("k", 1)
                    replica = self.node(kind, "--replica-read-only", option)
                    replica.follow(primary)
                    await_caught_up(replica, primary)
                    begin = primary.offset()
                    replica.client.publish("channel", "m")
                    replica.client.eval("redis.call('PUBLISH', 'channel', 'm')", 0)
                    self.assertEqual(replica.offset(), begin)

    def test_a_list_that_the_primary_pushes_to_serves_who_waits_here(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind=kind):
                primary = self.primary()
                replica = self.replica(primary, kind)
                waiting = redis.Redis("127.0.0.1", replica.port)
                got = []
                thread = threading.Thread(target=lambda: got.append(waiting.blpop(["l"], 20)))
                thread.start()
                eventually(lambda: replica.client.info("clients")["blocked_clients"] == 1,
                           "it waits")
                primary.client.rpush("l", "one", "two")
                thread.join()
                self.assertEqual(got, [(b"l", b"one")])
                await_caught_up(replica, primary)
                self.assertEqual(replica.client.lrange("l", 0, -1), [b"two"])
                self.assertEqual(primary.client.lrange("l", 0, -1), [b"one", b"two"])

    def test_own_deadlines_pass_and_those_of_the_primary_wait_for_it(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind=kind):
                primary = self.primary()
                primary.client.set("stays", 1)
                replica = self.replica(primary, kind)
                client = replica.client
                primary.client.set("theirs", 1, px=2000)
                await_caught_up(replica, primary)
                primary.process.send_signal(signal.SIGSTOP)
                self.addCleanup(primary.process.send_signal, signal.SIGCONT)
                client.set("own", 1, px=150)
                client.hset("hash", "f", "v")
                client.pexpire("hash", 150)
                client.set("moved", 1, px=150)
                client.rename("moved", "there")
                client.set("later", 1, px=150)
                client.pexpire("later", 100_000)
                replica.database(1).set("other database", 1, px=150)
                self.assertIn(self.tracked(replica), (5, 6))  # the old name too, in Redis
                self.assertEqual(client.dbsize(), 6)
                eventually(lambda: client.dbsize() == 3, "what is due has gone")
                eventually(lambda: replica.database(1).dbsize() == 0, "there too")
                self.assertEqual(client.exists("later", "theirs", "stays"), 3)
                eventually(lambda: client.get("theirs") is None, "it is hidden")
                time.sleep(0.3)  # for what must not happen
                self.assertEqual(client.dbsize(), 3)
                eventually(lambda: self.tracked(replica) == 1, "the later one is left")
                primary.process.send_signal(signal.SIGCONT)
                eventually(lambda: client.dbsize() == 2, "the primary has removed its own")

    def test_deadlines_of_fields_pass_too(self):
        replica = self.replica(self.primary())
        replica.client.hset("h", mapping={"a": 1, "b": 2})
        self.assertEqual(replica.client.execute_command("HPEXPIRE", "h", 100, "FIELDS", 1, "a"),
                         [1])
        eventually(lambda: replica.client.hlen("h") == 1, "the field has gone")
        eventually(lambda: self.tracked(replica) == 0, "nothing is left to look at")

    def test_a_full_copy_replaces_what_is_own(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind=kind):
                primary = self.primary()
                primary.client.set("k", 1)
                replica = self.replica(primary, kind)
                replica.client.set("own", 1, ex=100)
                self.assertEqual(self.tracked(replica), 1)
                other = self.primary()
                other.client.set("k", 2)
                replica.follow(other)
                await_caught_up(replica, other)
                eventually(lambda: contents(replica) == contents(other), "it is a copy")
                self.assertEqual(self.tracked(replica), 0)

    def test_a_record_that_fails_on_what_is_own(self):
        for kind in ("mikura", "redis"):
            with self.subTest(primary=kind):
                primary = self.primary(kind)
                primary.client.rpush("list", 1)
                replica = self.replica(primary)
                replica.client.set("list", "now a string")
                replica.client.set("own", 1)
                primary.client.rpush("list", 2)
                eventually(lambda: primary.client.info("stats")["sync_full"] == 2, "it copies")
                eventually(lambda: contents(replica) == contents(primary), "all is replaced")
                await_caught_up(replica, primary)
                self.assertEqual(replica.client.lrange("list", 0, -1), [b"1", b"2"])
                self.assertEqual(replica.client.exists("own"), 0)
                replica.client.set("own", 1)  # and on it goes

    def test_a_snapshot_has_what_is_own_and_the_link_continues_behind_it(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind=kind):
                primary = self.primary()
                primary.client.set("k", 1)
                replica = self.replica(primary, kind)
                replica.client.set("own", 1)
                replica.client.save()
                replica.kill()
                primary.client.set("k", 2)
                replica.options += ("--replicaof", f"127.0.0.1 {primary.port}")
                replica.start()
                await_caught_up(replica, primary)
                self.assertEqual(replica.client.mget("own", "k"), [b"1", b"2"])
                self.assertEqual(primary.client.info("stats")["sync_full"], 1)

    def test_settings_that_contradict_it_are_refused(self):
        for name, value in (("appendonly", "yes"), ("durability", "sync")):
            with self.subTest(setting=name):
                words = f"replica-read-only no and {name} {value} cannot be together"
                node = self.node("mikura")
                client = node.client
                client.config_set("replica-read-only", "no")
                with self.assertRaisesRegex(redis.exceptions.ResponseError, words):
                    client.config_set(name, value)
                self.assertNotEqual(client.config_get(name)[name], value)
                client.config_set("replica-read-only", "yes")
                client.config_set(name, value)
                with self.assertRaisesRegex(redis.exceptions.ResponseError, words):
                    client.config_set("replica-read-only", "no")
                self.assertEqual(client.config_get("replica-read-only")["replica-read-only"],
                                 "yes")
                client.set("k", 1) if name == "appendonly" else None
                done = subprocess.run(
                    [MIKURA, "engine", "--port", str(free_port()), "--dir", node.directory,
                     f"--{name}", value, "--replica-read-only", "no"],
                    capture_output=True, text=True, timeout=60, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(words, done.stdout + done.stderr)

    def test_memcached_clients_write_as_well(self):
        port = free_port()
        primary = self.primary()
        primary.client.set("k", 1)
        replica = self.replica(primary, "mikura", "--memcached-port", str(port))
        with socket.create_connection(("127.0.0.1", port), 10) as link:
            file = link.makefile("rwb", buffering=0)

            def ask(text):
                file.write(text)
                return file.readline()

            self.assertEqual(ask(b"set own 0 0 1\r\n1\r\n"), b"STORED\r\n")
            self.assertEqual(ask(b"incr own 1\r\n"), b"2\r\n")
            self.assertEqual(ask(b"set passes 0 1 1\r\n1\r\n"), b"STORED\r\n")
            self.assertEqual(ask(b"touch own 1\r\n"), b"TOUCHED\r\n")
            self.assertEqual(self.tracked(replica), 2)
            self.assertEqual(replica.offset(), primary.offset())
            eventually(lambda: replica.client.dbsize() == 1, "both have passed")
            replica.client.config_set("replica-read-only", "yes")
            self.assertEqual(ask(b"set own 0 0 1\r\n1\r\n"),
                             b"SERVER_ERROR this node is a read-only replica\r\n")


if __name__ == "__main__":
    unittest.main()
