# SPDX-License-Identifier: Apache-2.0
"""Whole processes that replicate: from a running primary, through promotion and a crash, and with
redis-server on the other side."""
import random
import shutil
import socket
import subprocess
import threading
import time
import unittest

import redis

from nodes import (MIKURA, PATIENCE_SECONDS, REDIS, Node, await_caught_up, eventually,
                   free_port)


class WriteLoad:
    """Writes from several connections until it is stopped."""

    def __init__(self, primary, writers=2):
        self.stopping = threading.Event()
        self.commands = 0
        self.threads = [threading.Thread(target=self.run, args=(primary.port, seed))
                        for seed in range(writers)]
        for thread in self.threads:
            thread.start()

    def run(self, port, seed):
        choose = random.Random(seed)
        client = redis.Redis("127.0.0.1", port)
        while not self.stopping.is_set():
            pipe = client.pipeline(transaction=False)
            for _ in range(50):
                one_write(pipe, choose)
            pipe.execute(raise_on_error=True)
            self.commands += 50

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def one_write(pipe, choose):
    key = f"key:{choose.randrange(3000)}"
    action = choose.randrange(12)
    if action < 4:
        pipe.set(key, "v" * choose.randrange(200))
    elif action == 4:
        pipe.set(key, "L" * choose.randrange(5000, 20000))
    elif action == 5:
        pipe.set(key, "e", px=choose.randrange(1, 100_000_000))
    elif action == 6:
        pipe.append(key, "+")
    elif action == 7:
        pipe.incr(f"count:{choose.randrange(50)}")
    elif action == 8:
        pipe.delete(key)
    elif action == 9:
        pipe.mset({key: "m", f"key:{choose.randrange(3000)}": "m"})
    elif action == 10:
        pipe.expire(key, 1000)
    else:
        pipe.setrange(key, choose.randrange(300), "range")


@unittest.skipUnless(MIKURA, "MIKURA_BIN is not set")
class ReplicationTest(unittest.TestCase):

    def node(self, kind="mikura", *options, password=None):
        node = Node(kind, *options, password=password)
        self.addCleanup(node.stop)
        return node

    def assert_equal_contents(self, replica, primary):
        expected = primary.contents()
        self.assertGreater(len(expected), 0)
        self.assertEqual(replica.contents(), expected)

    def attach_during_load(self, primary, *replicas):
        for number in range(3):
            primary.database(number).set("witness", f"of {number}")
        load = WriteLoad(primary)
        try:
            eventually(lambda: load.commands > 2000, "there is data")
            for replica in replicas:
                replica.follow(primary)
            for replica in replicas:
                eventually(lambda: replica.replication()["master_link_status"] == "up",
                           "the link is up")
            before = load.commands
            eventually(lambda: load.commands > before + 2000, "the load goes on")
        finally:
            load.stop()
        for replica in replicas:
            await_caught_up(replica, primary)
            self.assert_equal_contents(replica, primary)

    def test_replicas_attached_during_a_write_load_end_equal(self):
        primary, first, second = self.node(), self.node(), self.node()
        self.attach_during_load(primary, first, second)
        self.assertEqual(primary.replication()["connected_slaves"], 2)

    def test_a_replica_refuses_writes_and_serves_reads(self):
        primary, replica = self.node(), self.node()
        primary.client.set("k", "v")
        replica.follow(primary)
        await_caught_up(replica, primary)
        self.assertEqual(replica.client.get("k"), b"v")
        with self.assertRaises(redis.exceptions.ReadOnlyError):
            replica.client.set("k", "other")

    def test_other_databases_and_flushes_are_followed(self):
        primary, replica = self.node(), self.node()
        replica.follow(primary)
        await_caught_up(replica, primary)
        for number in range(4):
            primary.database(number).set("k", number)
        primary.client.swapdb(1, 2)
        primary.database(3).flushdb()
        await_caught_up(replica, primary)
        self.assertEqual(replica.database(1).get("k"), b"2")
        self.assert_equal_contents(replica, primary)
        primary.client.flushall()
        await_caught_up(replica, primary)
        self.assertEqual(replica.contents(), {})

    def test_what_is_published_at_the_primary_reaches_subscribers_of_replicas(self):
        for kinds in (("mikura", "mikura"), ("mikura", "redis"), ("redis", "mikura")):
            with self.subTest(kinds):
                primary, replica = self.node(kinds[0]), self.node(kinds[1])
                replica.follow(primary)
                await_caught_up(replica, primary)
                listener = replica.client.pubsub()
                listener.subscribe("news")
                listener.psubscribe("n*")
                for _ in range(2):
                    listener.get_message(timeout=PATIENCE_SECONDS)
                self.assertEqual(primary.client.publish("news", "one"), 0)
                pipe = primary.client.pipeline(transaction=True)
                pipe.set("k", "v").publish("news", "two").set("k", "w").execute()
                got = [listener.get_message(timeout=PATIENCE_SECONDS) for _ in range(4)]
                self.assertEqual([(m["type"], m["data"]) for m in got],
                                 [("message", b"one"), ("pmessage", b"one"),
                                  ("message", b"two"), ("pmessage", b"two")])
                await_caught_up(replica, primary)
                self.assertEqual(replica.client.get("k"), b"w")
                listener.close()

    def test_expired_keys_go_when_the_primary_says_so(self):
        primary, replica = self.node(), self.node()
        primary.client.set("short", "1", px=200)
        replica.follow(primary)
        await_caught_up(replica, primary)
        eventually(lambda: primary.client.dbsize() == 0, "the primary has expired the key")
        await_caught_up(replica, primary)
        eventually(lambda: replica.client.dbsize() == 0, "the replica was told")

    def test_a_promoted_replica_has_everything_after_the_primary_was_killed(self):
        primary, replica = self.node(), self.node()
        self.attach_during_load(primary, replica)
        expected = primary.contents()
        primary.kill()
        replica.promote()
        self.assertEqual(replica.replication()["role"], "master")
        self.assertEqual(replica.contents(), expected)
        replica.client.set("after", "promotion")
        self.assertEqual(replica.client.get("after"), b"promotion")

    def test_a_primary_that_is_stopped_has_sent_everything(self):
        primary, replica = self.node(), self.node()
        replica.follow(primary)
        await_caught_up(replica, primary)
        pipe = primary.client.pipeline(transaction=False)
        for i in range(20_000):
            pipe.set(f"k{i}", "v" * 500)
        pipe.execute()
        primary.terminate()
        replica.promote()
        self.assertEqual(replica.client.dbsize(), 20_000)

    def test_flags_of_memcached_clients_are_copied_and_followed(self):
        memcached_port = free_port()
        primary = self.node("mikura", "--memcached-port", str(memcached_port))
        replica_port = free_port()
        replica = self.node("mikura", "--memcached-port", str(replica_port))
        self.memcached(memcached_port, b"set before 7 0 1\r\na\r\n")
        replica.follow(primary)
        await_caught_up(replica, primary)
        self.memcached(memcached_port, b"set after 9 0 1\r\nb\r\n")
        await_caught_up(replica, primary)
        for key in (b"before", b"after"):
            read = b"gets " + key + b"\r\n"
            expected = self.memcached(memcached_port, read)
            self.assertIn(b"VALUE " + key, expected)
            self.assertEqual(self.memcached(replica_port, read), expected)

    def memcached(self, port, request):
        """One request, and its reply up to the last line."""
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request)
            reply = b""
            while not reply.endswith((b"END\r\n", b"STORED\r\n")):
                piece = connection.recv(4096)
                self.assertTrue(piece, reply)
                reply += piece
            return reply

    def test_the_other_replica_continues_at_the_promoted_one(self):
        primary, promoted, other = self.node(), self.node(), self.node()
        self.attach_during_load(primary, promoted, other)
        primary.kill()
        promoted.promote()
        other.follow(promoted)
        promoted.client.set("after", "promotion")
        await_caught_up(other, promoted)
        self.assert_equal_contents(other, promoted)
        self.assertIn("continues from offset", promoted.log_text())

    def test_a_killed_primary_that_returns_empty_is_copied_again(self):
        primary, replica = self.node(), self.node()
        primary.client.set("old", "1")
        replica.follow(primary)
        await_caught_up(replica, primary)
        primary.kill()
        eventually(lambda: replica.replication()["master_link_status"] == "down",
                   "the replica notices")
        self.assertEqual(replica.client.get("old"), b"1")
        primary.start()
        primary.client.set("new", "2")
        await_caught_up(replica, primary)
        self.assert_equal_contents(replica, primary)
        self.assertIsNone(replica.client.get("old"))

    def test_a_replica_of_a_replica_ends_equal(self):
        primary, middle, last = self.node(), self.node(), self.node()
        primary.client.set("k", "v")
        middle.follow(primary)
        await_caught_up(middle, primary)
        last.follow(middle)
        primary.database(2).set("k", "later")
        await_caught_up(last, primary)
        self.assert_equal_contents(last, primary)

    def test_a_replica_over_the_soft_limit_for_too_long_is_cut_off(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind):
                primary = self.node(kind)
                self.cut_off_a_silent_replica(primary)

    def cut_off_a_silent_replica(self, primary):
        primary.client.config_set("client-output-buffer-limit", "replica 0 1mb 2")
        with socket.create_connection(("127.0.0.1", primary.port), 30) as replica:
            replica.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            replica.sendall(b"*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n")
            self.assertTrue(replica.recv(12).startswith(b"+FULLRESYNC "))
            eventually(lambda: "online" in str(primary.replication().get("slave0")),
                       "the replica is online")
            begin = time.monotonic()
            for _ in range(12):
                primary.client.set("k", "v" * (1 << 20))
            # Nobody reads: what the sockets do not take is above the limit from now on.
            eventually(lambda: primary.replication()["connected_slaves"] == 0,
                       "the replica is cut off")
            self.assertGreater(time.monotonic() - begin, 2)

    def test_a_password_is_given(self):
        primary = self.node("mikura", "--requirepass", "secret", password="secret")
        replica = self.node("mikura", "--masterauth", "secret")
        primary.client.set("k", "v")
        replica.follow(primary)
        await_caught_up(replica, primary)
        self.assertEqual(replica.client.get("k"), b"v")

    def test_functions_are_copied_and_followed(self):
        def load(node, name, code="return 1"):
            node.client.function_load(f"#!lua name={name}\nredis.register_function("
                                      f"'{name}', function(k, a) {code} end)", replace=True)

        def libraries(node):
            found = node.client.execute_command("FUNCTION", "LIST", "WITHCODE")
            return sorted((one[1], one[7]) for one in found)

        for kinds in (("mikura", "mikura"), ("mikura", "redis"), ("redis", "mikura")):
            if "redis" in kinds and not REDIS:
                continue
            with self.subTest(kinds):
                primary, replica = self.node(kinds[0]), self.node(kinds[1])
                load(replica, "gone")
                load(primary, "copied")
                replica.client.replicaof("127.0.0.1", primary.port)
                eventually(lambda: libraries(replica) == libraries(primary), "copied")
                dump = primary.client.function_dump()
                load(primary, "loaded")
                load(primary, "copied", "return 2")
                load(primary, "deleted")
                primary.client.function_delete("deleted")
                eventually(lambda: libraries(replica) == libraries(primary), "followed")
                primary.client.function_restore(dump, "FLUSH")
                pipe = primary.client.pipeline()
                pipe.execute_command("FUNCTION", "RESTORE", dump, "REPLACE")
                pipe.set("k", "v")
                pipe.execute()
                eventually(lambda: replica.client.get("k") == b"v", "restored")
                self.assertEqual(libraries(replica), libraries(primary))
                primary.client.function_flush()
                eventually(lambda: libraries(replica) == [], "flushed")

    @unittest.skipUnless(shutil.which("redis-cli"), "there is no redis-cli")
    def test_redis_cli_fetches_snapshots_whole_and_of_functions_alone(self):
        node = self.node()
        node.client.execute_command(
            "FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 7 end)")
        node.client.set("key", "value")
        sizes = {}
        for option in ("--rdb", "--functions-rdb"):
            path = f"{node.directory}/{option}"
            subprocess.run(["redis-cli", "-p", str(node.port), option, path], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
            other = self.node()
            other.kill()
            shutil.copy(path, f"{other.directory}/dump.rdb")
            other.start()
            eventually(lambda: other.client.dbsize() is not None, "it has loaded")
            sizes[option] = other.client.dbsize()
            self.assertEqual(other.client.execute_command("FCALL", "f", 0), 7)
        self.assertEqual(sizes, {"--rdb": 1, "--functions-rdb": 0})

    def test_functions_reach_a_replica_whose_memory_is_full(self):
        primary, replica = self.node("mikura", "--threads", "2"), self.node()
        replica.client.config_set("maxmemory", "1")
        replica.client.replicaof("127.0.0.1", primary.port)
        code = "#!lua name={0}\nredis.register_function('{0}', function(k, a) return 1 end)"
        primary.client.function_load(code.format("one"))
        primary.client.set("k", "v")
        eventually(lambda: replica.client.get("k") == b"v", "followed")
        primary.client.function_restore(primary.client.function_dump(), "REPLACE")
        primary.client.function_load(code.format("two"))
        eventually(lambda: len(replica.client.function_list()) == 2, "loaded")
        replica.client.replicaof("no", "one")
        replica.client.replicaof("127.0.0.1", primary.port)
        eventually(lambda: len(replica.client.function_list()) == 2, "copied")

    @unittest.skipUnless(REDIS, "redis-server is not installed")
    def test_redis_server_follows_us(self):
        primary, replica = self.node(), self.node("redis")
        self.attach_during_load(primary, replica)

    @unittest.skipUnless(REDIS, "redis-server is not installed")
    def test_we_follow_redis_server(self):
        primary, replica = self.node("redis"), self.node()
        self.attach_during_load(primary, replica)

    @unittest.skipUnless(REDIS, "redis-server is not installed")
    def test_we_follow_redis_server_from_a_file(self):
        primary, replica = self.node("redis", "--repl-diskless-sync", "no"), self.node()
        self.attach_during_load(primary, replica)

    @unittest.skipUnless(REDIS, "redis-server is not installed")
    def test_our_replica_of_redis_serves_redis_as_replica(self):
        primary, middle, last = self.node("redis"), self.node(), self.node("redis")
        primary.database(3).set("k", "v")
        self.attach_during_load(primary, middle)
        last.follow(middle)
        primary.database(2).set("later", "v")
        await_caught_up(last, primary)
        self.assert_equal_contents(last, primary)

    @unittest.skipUnless(REDIS, "redis-server is not installed")
    def test_a_list_of_redis_arrives_and_grows(self):
        primary, replica = self.node("redis"), self.node()
        primary.client.lpush("queue", "a")
        replica.follow(primary)
        primary.client.lpush("queue", "b")
        await_caught_up(replica, primary)
        self.assertEqual(replica.client.lrange("queue", 0, -1), [b"b", b"a"])

    @unittest.skipUnless(REDIS, "redis-server is not installed")
    def test_what_redis_saved_of_our_snapshot_passes_its_own_check(self):
        primary, replica = self.node(), self.node("redis")
        self.attach_during_load(primary, replica)
        replica.client.save()
        subprocess.run(["redis-check-rdb", f"{replica.directory}/dump.rdb"], check=True,
                       stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    unittest.main()
