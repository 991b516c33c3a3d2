#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A whole node and its replica under the thread sanitizer: many clients of both protocols, while
databases are flushed and swapped, settings change, clients are killed, and the replica comes and
goes. Every report of the sanitizer is a failure. Bounded in time: MIKURA_RACE_SECONDS, else 20."""
import os
import random
import socket
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "protocol"))
from resp_client import Client, Closed, encode  # noqa: E402
from servers import Server, free_port  # noqa: E402

SECONDS = float(os.environ.get("MIKURA_RACE_SECONDS", "20"))
KEYS = 40  # few, so that clients meet
LARGE = 40_000  # sent by reference


class Worker(threading.Thread):
    """Runs one kind of work again and again; a connection that was killed is made anew."""

    def __init__(self, seed, end, connect, work):
        super().__init__()
        self.random, self.end, self.connect, self.work = random.Random(seed), end, connect, work
        self.rounds, self.error = 0, None

    def run(self):
        while time.monotonic() < self.end and self.error is None:
            try:
                client = self.connect()
                try:
                    while time.monotonic() < self.end:
                        self.work(client, self.random)
                        self.rounds += 1
                finally:
                    client.close()
            except (Closed, OSError):
                time.sleep(0.01)
            except Exception as error:  # noqa: BLE001: shown by the test
                self.error = error


def key(source):
    return b"k%d" % source.randrange(KEYS)


def strings(client, source):
    value = source.randbytes(source.choice((1, 40, 3000, LARGE)))
    requests = [(b"SET", key(source), value), (b"GET", key(source)), (b"APPEND", key(source), b"xyz"),
                (b"SETRANGE", key(source), b"7", b"abc"), (b"MGET", key(source), key(source)),
                (b"SET", key(source), b"v", b"PX", b"5"), (b"DEL", key(source)),
                (b"RENAME", key(source), key(source)), (b"COPY", key(source), key(source), b"REPLACE"),
                (b"MSET", key(source), b"1", key(source), b"2"), (b"RANDOMKEY",), (b"SCAN", b"0"),
                (b"SELECT", b"%d" % source.randrange(2))]
    chosen = source.choices(requests, k=16)
    client.send(b"".join(encode(words) for words in chosen))
    for _ in chosen:
        client.read()


def transactions(client, source):
    requests = [(b"SET", key(source), b"v"), (b"INCR", b"counter"), (b"DEL", key(source)),
                (b"RPUSH", list_name(source), b"x"), (b"LPOP", list_name(source)), (b"DBSIZE",),
                (b"KEYS", b"*"), (b"INFO",), (b"CLIENT", b"LIST"), (b"CONFIG", b"GET", b"maxmemory"),
                (b"SELECT", b"%d" % source.randrange(2)), (b"FLUSHDB",), (b"SWAPDB", b"0", b"1"),
                (b"BLPOP", list_name(source), b"0"), (b"nonsense",)]
    weights = [20] * 5 + [1] * 10
    parts = [(b"WATCH", key(source), key(source)), (b"GET", key(source)), (b"MULTI",),
             *source.choices(requests, weights, k=source.randrange(8)),
             source.choice(((b"EXEC",), (b"EXEC",), (b"EXEC",), (b"DISCARD",)))]
    client.send(b"".join(encode(words) for words in parts))
    for _ in parts:
        client.read()


def list_name(source):
    return b"list%d" % source.randrange(6)


def waits(client, source):
    client.call(*source.choice((
        (b"BLPOP", list_name(source), list_name(source), b"0.01"),
        (b"BRPOP", list_name(source), b"0.002"), (b"RPUSH", list_name(source), b"a", b"b"),
        (b"BLMPOP", b"0.01", b"2", list_name(source), list_name(source), b"LEFT"),
        (b"BLMOVE", list_name(source), list_name(source), b"LEFT", b"RIGHT", b"0.01"),
        (b"LPUSH", list_name(source), b"c"), (b"DEL", list_name(source)),
        (b"CLIENT", b"UNBLOCK", b"%d" % source.randrange(100)),
        (b"SELECT", b"%d" % source.randrange(2)))))


def administration(client, source):
    client.call(*source.choice((
        ("FLUSHALL",), ("SWAPDB", "0", "1"), ("INFO", "everything"), ("CLIENT", "LIST"),
        ("CONFIG", "SET", "maxmemory", source.choice(("0", "100mb"))),
        ("CONFIG", "SET", "client-output-buffer-limit", source.choice(("normal 0 0 0",
                                                                       "normal 1mb 512kb 1"))),
        ("CONFIG", "SET", "timeout", source.choice(("0", "100"))), ("CONFIG", "GET", "*"),
        ("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"), ("DBSIZE",), ("COMMAND", "COUNT"),
        ("CONFIG", "RESETSTAT"), ("ROLE",), ("CLIENT", "SETNAME", "admin"),
        ("CLIENT", "PAUSE", "5", source.choice(("ALL", "WRITE"))), ("CLIENT", "UNPAUSE"))))
    time.sleep(0.01)


def memcached(connection, source):
    name = key(source)
    value = source.randbytes(source.choice((1, 100, LARGE)))
    connection.sendall(b"set %s 5 0 %d\r\n%s\r\n" % (name, len(value), value)
                       + b"get %s %s\r\nappend %s 0 0 2\r\nab\r\nincr %s 3\r\nmg %s v t s\r\n"
                       % (name, key(source), name, name, name) + b"stats\r\nversion\r\n")
    received = b""
    while b"VERSION" not in received:
        piece = connection.recv(1 << 20)
        if not piece:
            raise Closed()
        received = received[-20:] + piece


class NodeUnderLoad(unittest.TestCase):
    def test_nothing_races(self):
        port = free_port()
        with Server("mikura", "--memcached-port", str(port)) as primary, Server("mikura") as replica:
            address = (primary.host, primary.port)

            def follow(client, source):
                client.call("REPLICAOF", primary.host, str(primary.port))
                time.sleep(source.random() * 0.5)
                client.call("REPLICAOF", "NO", "ONE")

            end = time.monotonic() + SECONDS
            works = ([(lambda: Client(*address), strings)] * 6
                     + [(lambda: Client(*address), administration)] * 2
                     + [(lambda: Client(*address), transactions)] * 3
                     + [(lambda: Client(*address), waits)] * 5
                     + [(lambda: socket.create_connection((primary.host, port), 20), memcached)] * 3
                     + [(lambda: Client(replica.host, replica.port), strings)] * 2
                     + [(lambda: Client(replica.host, replica.port), transactions)]
                     + [(lambda: Client(replica.host, replica.port), waits)] * 2
                     + [(lambda: Client(replica.host, replica.port), follow)])
            workers = [Worker(seed, end, *work) for seed, work in enumerate(works)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            for server in (primary, replica):
                self.assertIsNone(server.process.poll(), server.log())
                last = Client(server.host, server.port)
                self.assertEqual(last.call("PING").text, "+PONG")
                last.close()
                server.process.terminate()
                server.process.wait(60)
                self.assertNotIn("ThreadSanitizer", server.log())
                self.assertEqual(server.process.returncode, 0, server.log())
            for worker in workers:
                self.assertIsNone(worker.error)
                self.assertGreater(worker.rounds, 0)


if __name__ == "__main__":
    unittest.main()
