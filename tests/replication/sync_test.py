# SPDX-License-Identifier: Apache-2.0
"""durability sync: a reply leaves when the replicas that are in sync have what it tells of."""
import contextlib
import os
import random
import signal
import socket
import threading
import time
import unittest

import redis

from nodes import MIKURA, REDIS, Node, eventually

# More than a reply takes that waits for nobody, less than any limit that is set here.
MOMENT = 0.3


class Line:
    """A connection whose replies are read when the test wants them."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.received = b""

    def close(self):
        self.socket.close()

    def send(self, *commands):
        for words in commands:
            parts = [b"*%d\r\n" % len(words)]
            for word in words:
                word = word if isinstance(word, bytes) else str(word).encode()
                parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
            self.socket.sendall(b"".join(parts))
        return self

    def read(self, size, seconds):
        """Up to so many bytes, fewer when no more come in time; nothing more behind the end."""
        deadline = time.monotonic() + seconds
        while len(self.received) < size:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(65536)
            except (TimeoutError, ConnectionResetError):
                break
            if not more:
                break
            self.received += more
            if time.monotonic() > deadline:
                break
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def ends(self, seconds=10):
        """All that comes before the other side closes."""
        text = b""
        self.socket.settimeout(seconds)
        with contextlib.suppress(ConnectionResetError):
            while True:
                more = self.socket.recv(65536)
                if not more:
                    break
                text += more
        return text


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class SyncTest(unittest.TestCase):
    def node(self, *options, kind="mikura"):
        ours = ("--threads", "2", "--memcached-port", "0") if kind == "mikura" else ()
        node = Node(kind, *ours, *options)
        self.addCleanup(node.stop)
        return node

    def primary(self, needed, lag_max=60_000, *options):
        return self.node("--durability", "sync", "--min-in-sync-replicas", str(needed),
                         "--in-sync-replica-max-lag", str(lag_max), *options)

    def replica(self, primary, kind="mikura"):
        replica = self.node(kind=kind)
        count = self.in_sync(primary)
        replica.follow(primary)
        eventually(lambda: self.in_sync(primary) == count + 1, "the replica is in sync")
        return replica

    def in_sync(self, node):
        return node.replication().get("in_sync_slaves", 0)  # of one that is async: no such line

    def line(self, node):
        line = Line(node.port)
        self.addCleanup(line.close)
        return line

    def stop(self, node):
        """Stops all its threads, and waits until they stand still."""
        node.process.send_signal(signal.SIGSTOP)
        tasks = f"/proc/{node.process.pid}/task"

        def stands(task):
            with open(f"{tasks}/{task}/stat") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] == "T"

        eventually(lambda: all(stands(task) for task in os.listdir(tasks)), "it stands still")

    @contextlib.contextmanager
    def stopped(self, node):
        self.stop(node)
        try:
            yield
        finally:
            node.process.send_signal(signal.SIGCONT)

    def test_a_reply_leaves_when_the_replica_has_it(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind=kind):
                primary = self.primary(1)
                replica = self.replica(primary, kind)
                for i in range(200):
                    primary.client.set("k", i)
                    self.assertEqual(replica.client.get("k"), b"%d" % i)

    def test_what_a_stopped_replica_lacks_is_not_told(self):
        primary = self.primary(1)
        replica = self.replica(primary)
        primary.client.set("{a}k", "old")
        writer, reader, other = self.line(primary), self.line(primary), self.line(primary)
        with self.stopped(replica):
            writer.send(("SET", "{a}k", "new"))
            self.assertEqual(writer.read(5, MOMENT), b"")
            # Whatever tells of the shard waits, and nobody else.
            reader.send(("GET", "{a}k"), ("SETNX", "{a}k", 1), ("LPUSH", "{a}k", 1))
            self.assertEqual(reader.read(1, MOMENT), b"")
            other.send(("GET", "{b}k"), ("PING",))
            self.assertEqual(other.read(12, 5), b"$-1\r\n+PONG\r\n")
            # A reply that waits for nothing stays behind those that do.
            writer.send(("PING",), ("GET", "{b}k"))
            self.assertEqual(writer.read(1, MOMENT), b"")
            other.send(("DBSIZE",))  # of any shard
            self.assertEqual(other.read(1, MOMENT), b"")
        self.assertEqual(writer.read(17, 10), b"+OK\r\n+PONG\r\n$-1\r\n")
        wrong_type = (b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n")
        expected = b"$3\r\nnew\r\n:0\r\n" + wrong_type
        self.assertEqual(reader.read(len(expected), 10), expected)
        self.assertEqual(other.read(4, 10), b":1\r\n")

    def test_transactions_scripts_and_waiting_clients_wait_too(self):
        primary = self.primary(1)
        replica = self.replica(primary)
        popper, writer, watcher, script = (self.line(primary) for _ in range(4))
        watcher.send(("WATCH", "{a}w"), ("MULTI",), ("GET", "{a}w"))
        self.assertEqual(watcher.read(19, 5), b"+OK\r\n+OK\r\n+QUEUED\r\n")
        popper.send(("BLPOP", "{a}list", 0))
        eventually(lambda: primary.client.info("clients")["blocked_clients"] == 1, "it waits")
        with self.stopped(replica):
            writer.send(("MULTI",), ("RPUSH", "{a}list", "x"), ("SET", "{a}w", 1))
            self.assertEqual(writer.read(23, 5), b"+OK\r\n+QUEUED\r\n+QUEUED\r\n")
            writer.send(("EXEC",))
            self.assertEqual(writer.read(1, MOMENT), b"")
            watcher.send(("EXEC",))
            script.send(("EVAL", "return redis.call('GET', KEYS[1])", 1, "{a}w"))
            for line in (popper, watcher, script):
                self.assertEqual(line.read(1, MOMENT), b"")
        self.assertEqual(writer.read(13, 10), b"*2\r\n:1\r\n+OK\r\n")
        popped = b"*2\r\n$7\r\n{a}list\r\n$1\r\nx\r\n"
        self.assertEqual(popper.read(len(popped), 10), popped)
        self.assertEqual(watcher.read(5, 10), b"*-1\r\n")
        self.assertEqual(script.read(7, 10), b"$1\r\n1\r\n")

    def test_messages_and_key_events_wait(self):
        primary = self.primary(1, 60_000, "--notify-keyspace-events", "KEA")
        replica = self.replica(primary)
        listener, writer = self.line(primary), self.line(primary)
        listener.send(("SUBSCRIBE", "news"), ("PSUBSCRIBE", "__keyevent@0__:set"))
        self.assertEqual(len(listener.read(83, 5)), 83)
        with self.stopped(replica):
            writer.send(("SET", "k", 1), ("PUBLISH", "news", "hello"))
            self.assertEqual(listener.read(1, MOMENT), b"")
        text = listener.read(113, 10)
        self.assertIn(b"$18\r\n__keyevent@0__:set\r\n$1\r\nk\r\n", text)
        self.assertIn(b"$4\r\nnews\r\n$5\r\nhello\r\n", text)

    def test_memcached_clients_wait_too(self):
        primary = self.node("--durability", "sync", "--in-sync-replica-max-lag", "60000",
                            "--memcached-port", str(self.memcached_port()))
        replica = self.replica(primary)
        text, other = (Line(self.port) for _ in range(2))
        self.addCleanup(text.close)
        self.addCleanup(other.close)
        with self.stopped(replica):
            text.socket.sendall(b"set k 0 0 1\r\nx\r\n")
            self.assertEqual(text.read(1, MOMENT), b"")
            other.socket.sendall(b"get k\r\n")
            self.assertEqual(other.read(1, MOMENT), b"")
        self.assertEqual(text.read(8, 10), b"STORED\r\n")
        self.assertEqual(other.read(21, 10), b"VALUE k 0 1\r\nx\r\nEND\r\n")

    def memcached_port(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        return self.port

    def test_a_replica_that_is_behind_for_too_long_is_not_waited_for(self):
        primary = self.primary(0, 1000)
        replica = self.replica(primary)
        writer = self.line(primary)
        with self.stopped(replica):
            begin = time.monotonic()
            writer.send(("SET", "k", 1))
            self.assertEqual(writer.read(5, MOMENT), b"")
            self.assertEqual(writer.read(5, 10), b"+OK\r\n")
            self.assertGreater(time.monotonic() - begin, 0.9)
            self.assertEqual(self.in_sync(primary), 0)
            self.assertEqual(primary.replication()["slave0"]["in_sync"], 0)
            primary.client.set("k", 2)  # alone
        self.assertIn("is not in sync any more", primary.log_text())
        eventually(lambda: self.in_sync(primary) == 1, "it has caught up")
        primary.client.set("k", 3)
        self.assertEqual(replica.client.get("k"), b"3")

    def test_of_two_the_slow_one_is_dropped_and_the_other_goes_on(self):
        primary = self.primary(1, 1000)
        replicas = [self.replica(primary) for _ in range(2)]
        self.assertEqual(self.in_sync(primary), 2)
        with self.stopped(replicas[0]):
            primary.client.set("k", 1)
            self.assertEqual(self.in_sync(primary), 1)
            self.assertEqual(replicas[1].client.get("k"), b"1")
        eventually(lambda: self.in_sync(primary) == 2, "it has caught up")

    def test_without_the_replicas_that_are_needed_writes_are_refused(self):
        primary = self.primary(1, 500)
        with self.assertRaisesRegex(redis.ResponseError, "NOREPLICAS"):
            primary.client.set("k", 1)
        self.assertIsNone(primary.client.get("k"))
        replica = self.replica(primary)
        primary.client.set("k", 1)
        replica.kill()
        eventually(lambda: self.in_sync(primary) == 0, "it is missed")
        with self.assertRaisesRegex(redis.ResponseError, "NOREPLICAS"):
            primary.client.set("k", 2)
        self.assertEqual(primary.client.get("k"), b"1")

    def test_what_no_replica_will_have_is_failed(self):
        primary = self.primary(1, 500)
        replica = self.replica(primary)
        writer, reader = self.line(primary), self.line(primary)
        with self.stopped(replica):
            writer.send(("SET", "k", 1), ("PING",))
            self.assertEqual(writer.read(1, MOMENT), b"")
            reader.send(("GET", "k"))
            for line in (writer, reader):
                self.assertRegex(line.ends(), b"^-UNKNOWNOUTCOME [^\r]*may or may not[^\r]*\r\n$")

    def test_a_replica_that_dies_is_not_waited_for(self):
        primary = self.primary(1)
        replicas = [self.replica(primary) for _ in range(2)]
        writer = self.line(primary)
        self.stop(replicas[0])
        writer.send(("SET", "k", 1))
        self.assertEqual(writer.read(5, MOMENT), b"")
        replicas[0].kill()
        self.assertEqual(writer.read(5, 10), b"+OK\r\n")
        self.assertEqual(replicas[1].client.get("k"), b"1")

    def test_it_is_switched_on_and_off_while_clients_write(self):
        primary = self.node()
        replica = self.node()
        replica.follow(primary)
        eventually(lambda: len(primary.client.role()[2]) == 1, "it is listed")
        ended, counts = threading.Event(), []

        def write(number):
            client, count = redis.Redis("127.0.0.1", primary.port), 0
            while not ended.is_set():
                try:
                    count += client.incr(f"k{number}") is not None
                except redis.ResponseError as error:
                    assert "NOREPLICAS" in str(error)  # until the replica is in sync
            counts.append((number, count))

        threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            primary.client.config_set("durability", "sync")
            eventually(lambda: self.in_sync(primary) == 1, "it is in sync")
            primary.client.set("switched", "x")
            self.assertEqual(replica.client.get("switched"), b"x")
            primary.client.config_set("durability", "async")
            primary.client.delete("switched")
            eventually(lambda: replica.client.get("switched") is None, "it follows")
        ended.set()
        for thread in threads:
            thread.join(20)
            self.assertFalse(thread.is_alive(), "a client waits still")
        for number, count in counts:
            self.assertEqual(primary.client.get(f"k{number}"), b"%d" % count)

    def test_what_is_held_back_when_the_node_becomes_a_replica_is_failed(self):
        primary = self.primary(1)
        replica = self.replica(primary)
        writer = self.line(primary)
        other = self.node()
        with self.stopped(replica):
            writer.send(("SET", "k", 1))
            self.assertEqual(writer.read(5, MOMENT), b"")
            primary.follow(other)
            self.assertRegex(writer.ends(), b"^-UNKNOWNOUTCOME ")
        self.assertTrue(primary.answers())

    def test_a_promoted_node_shows_what_a_replica_has(self):
        first = self.primary(1)
        second = self.node("--durability", "sync", "--in-sync-replica-max-lag", "60000")
        second.follow(first)
        eventually(lambda: self.in_sync(first) == 1, "it is in sync")
        third = self.replica(first)
        first.client.set("k", 1)
        first.kill()
        second.promote()
        reader = self.line(second)
        reader.send(("GET", "k"))
        self.assertEqual(reader.read(7, MOMENT), b"")  # nobody else is known to have it
        third.follow(second)
        self.assertEqual(reader.read(7, 20), b"$1\r\n1\r\n")

    def test_nothing_that_was_acknowledged_is_missing_on_the_replica(self):
        for run in range(20):
            with self.subTest(run=run):
                self.kill_under_load(run)

    def kill_under_load(self, seed):
        """A primary dies while clients write; the replica has all that they were told, and what a
        reader saw."""
        random.seed(seed)
        primary = Node("mikura", "--threads", "2", "--durability", "sync")
        replica = Node("mikura", "--threads", "2")
        try:
            replica.follow(primary)
            eventually(lambda: self.in_sync(primary) == 1, "the replica is in sync")
            told = [0] * 8
            seen = [0] * 8

            def write(number):
                client = redis.Redis("127.0.0.1", primary.port)
                with contextlib.suppress(redis.ConnectionError):
                    while True:
                        if number % 2 == 0:
                            told[number] = client.incr(f"k{number}")
                        else:
                            pipe = client.pipeline(transaction=number % 4 == 1)
                            for _ in range(5):
                                pipe.incr(f"k{number}")
                            told[number] = pipe.execute()[-1]

            def read():
                client = redis.Redis("127.0.0.1", primary.port)
                with contextlib.suppress(redis.ConnectionError):
                    while True:
                        for number in range(8):
                            seen[number] = int(client.get(f"k{number}") or 0)

            threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(8)]
            threads.append(threading.Thread(target=read, daemon=True))
            for thread in threads:
                thread.start()
            eventually(lambda: min(told) > 0, "all have been answered")
            time.sleep(random.random() * 0.3)
            primary.kill()
            for thread in threads:
                thread.join(20)
                self.assertFalse(thread.is_alive())
            eventually(lambda: replica.replication()["master_link_status"] == "down", "it is cut")
            replica.promote()
            for number in range(8):
                has = int(replica.client.get(f"k{number}"))
                self.assertGreaterEqual(has, told[number])
                self.assertGreaterEqual(has, seen[number])
        finally:
            primary.stop()
            replica.stop()


if __name__ == "__main__":
    unittest.main()
