# SPDX-License-Identifier: Apache-2.0
"""One cache of a comparison of hit ratios: a server held to a number of keys, and a trace replayed on it."""
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from servers import free_port

ROOT = Path(__file__).resolve().parent.parent
VALUE = b"v" * 500
BATCH = 32  # requests in flight; a repeat inside one batch counts like the first
WARM_UP = 0.2  # of the trace, not counted
FILLS = 3  # times the keys, before the number that is kept is believed

REDIS = ["redis-server", "--save", "", "--maxmemory-samples", "5", "--maxmemory-policy"]
MIKURA = [os.environ.get("MIKURA_BIN", str(ROOT / "build/release/mikura")), "engine", "--threads",
          "1", "--maxmemory-policy"]
SERVERS = {
    "redis-lru": [*REDIS, "allkeys-lru"],
    "redis-lfu": [*REDIS, "allkeys-lfu"],
    "mikura-lru": [*MIKURA, "allkeys-lru"],
    "mikura-s3fifo": [*MIKURA, "allkeys-s3fifo"],
}


class Connection:
    """A connection to one server that sends whole batches."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb", 1 << 16)

    def close(self):
        self.reader.close()
        self.socket.close()

    def call(self, *words):
        out = b"*%d\r\n" % len(words)
        for word in words:
            word = str(word).encode()
            out += b"$%d\r\n%s\r\n" % (len(word), word)
        self.socket.sendall(out)
        return self.reply()

    def reply(self):
        line = self.reader.readline()
        if not line:
            raise RuntimeError("the server closed the connection")
        if line[:1] == b"$" and line != b"$-1\r\n":
            return self.reader.read(int(line[1:]) + 2)[:-2]
        if line[:1] == b"-":
            raise RuntimeError(line.decode())
        return line[1:-2]

    def get(self, keys):
        """Which of the keys are there."""
        self.socket.sendall(b"".join(b"*2\r\n$3\r\nGET\r\n$11\r\n%s\r\n" % key for key in keys))
        found = []
        for _ in keys:
            line = self.reader.readline()
            if line[:2] == b"$-":
                found.append(False)
                continue
            if line[:1] != b"$":
                raise RuntimeError(f"GET answered {line!r}")
            self.reader.read(int(line[1:]) + 2)
            found.append(True)
        return found

    def set(self, keys):
        if not keys:
            return
        tail = b"$%d\r\n%s\r\n" % (len(VALUE), VALUE)
        self.socket.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$11\r\n%s\r\n%s" % (key, tail)
                                     for key in keys))
        for _ in keys:
            line = self.reader.readline()
            if line != b"+OK\r\n":
                raise RuntimeError(f"SET answered {line!r}")

    def used_memory(self):
        """What is held against maxmemory."""
        lines = self.call("INFO", "memory").split(b"\r\n")
        fields = dict(line.split(b":", 1) for line in lines if b":" in line)
        return int(fields[b"used_memory"]) - int(fields[b"mem_not_counted_for_evict"])


class Node:
    """A server process; a context manager."""

    def __init__(self, command):
        self.folder = tempfile.TemporaryDirectory(prefix="hit-ratio-")
        port = free_port()
        self.process = subprocess.Popen(
            [*command, "--port", str(port), "--bind", "127.0.0.1", "--dir", self.folder.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.link = Connection(port)
                self.link.call("PING")
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"{command[0]} does not start") from None
                time.sleep(0.02)

    def stop(self):
        if hasattr(self, "link"):
            self.link.close()
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def fill(link, prefix, count):
    for first in range(0, count, 64):
        link.set([b"%s%010d" % (prefix, i) for i in range(first, min(first + 64, count))])


def hold_to(link, capacity):
    """Sets the limit at which the server keeps `capacity` keys, as near as it comes; returns how many
    it then kept."""
    link.call("CONFIG", "SET", "maxmemory", 0)
    link.call("FLUSHALL")
    empty = link.used_memory()
    fill(link, b"f", capacity)
    limit = link.used_memory()
    key_bytes = max(1, (limit - empty) // capacity)
    tried = {}  # limit -> keys kept
    for attempt in range(10):
        link.call("FLUSHALL")
        link.call("CONFIG", "SET", "maxmemory", limit)
        fill(link, b"%c" % (ord("a") + attempt), capacity * FILLS)
        tried[limit] = int(link.call("DBSIZE"))
        if abs(tried[limit] - capacity) <= capacity // 100:
            break
        limit += (capacity - tried[limit]) * key_bytes
        if limit in tried:
            limit += key_bytes // 2
    best = min(tried, key=lambda limit: abs(tried[limit] - capacity))
    link.call("FLUSHALL")
    link.call("CONFIG", "SET", "maxmemory", best)
    return tried[best]


class Replay:
    """A trace on its way through a server, batch by batch."""

    def __init__(self, link, trace):
        self.link = link
        self.trace = trace
        self.next = 0
        self.hits = 0
        self.counted = 0

    def is_done(self):
        return self.next >= len(self.trace)

    def step(self):
        keys = [b"k%010d" % key for key in self.trace[self.next:self.next + BATCH]]
        found = self.link.get(keys)
        missing = dict.fromkeys(key for key, there in zip(keys, found) if not there)
        self.link.set(list(missing))
        if self.next >= int(len(self.trace) * WARM_UP):
            # A repeated key of the batch was stored by then for a client that waits.
            self.hits += len(keys) - len(missing)
            self.counted += len(keys)
        self.next += len(keys)

    def run(self):
        while not self.is_done():
            self.step()
        return self

    def ratio(self):
        return self.hits / self.counted


def run_paced(replays, seconds):
    """All of them side by side, not faster than in `seconds`."""
    batches = max(len(replay.trace) for replay in replays) / BATCH
    started = time.monotonic()
    for turn in range(int(batches) + 1):
        for replay in replays:
            if not replay.is_done():
                replay.step()
        time.sleep(max(0.0, started + seconds * turn / batches - time.monotonic()))
