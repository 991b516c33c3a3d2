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
BATCH_MAX = 32  # requests in flight; a repeat inside one batch counts like the first
WARM_UP = 0.2  # of the trace, not counted
FILLS = 2  # times the keys, before the number that is kept is believed

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


class Cache:
    """A server that is to hold a number of keys, whatever a key and its clients cost there.

    The limit is searched at first with other keys, and corrected all the time: the buffers of the client
    count too, and with a hundred keys they are as large as those."""

    def __init__(self, link, capacity):
        self.link = link
        self.capacity = capacity
        self.limit = 0
        self.key_bytes = 0
        self.batch = min(BATCH_MAX, max(4, capacity // 16))
        self._search()

    def _search(self):
        self.link.call("CONFIG", "SET", "maxmemory", 0)
        empty = self.link.used_memory()
        fill(self.link, b"f", self.capacity)
        self.key_bytes = max(1, (self.link.used_memory() - empty) // self.capacity)
        self.limit = empty + self.key_bytes * self.capacity
        for attempt in range(5):
            self.link.call("FLUSHALL")
            self.link.call("CONFIG", "SET", "maxmemory", self.limit)
            fill(self.link, b"%c" % (ord("a") + attempt), self.capacity * FILLS)
            if abs(self.correct() - self.capacity) <= self.capacity // 50:
                break
        self.link.call("FLUSHALL")

    def correct(self):
        """Only when the cache is full. Returns the keys there were."""
        kept = int(self.link.call("DBSIZE"))
        if abs(kept - self.capacity) > self.capacity // 100:
            self.limit += (self.capacity - kept) * self.key_bytes // 2 or self.key_bytes
            self.link.call("CONFIG", "SET", "maxmemory", self.limit)
        return kept


class Replay:
    """A trace on its way through a cache, batch by batch."""

    def __init__(self, link, trace, capacity):
        self.cache = Cache(link, capacity)
        self.trace = trace
        self.next = 0
        self.batches = 0
        self.misses = 0
        self.hits = 0
        self.counted = 0
        self.sizes = []  # of the cache, in the counted part

    def is_done(self):
        return self.next >= len(self.trace)

    def step(self):
        link = self.cache.link
        keys = [b"k%010d" % key for key in self.trace[self.next:self.next + self.cache.batch]]
        found = link.get(keys)
        missing = dict.fromkeys(key for key, there in zip(keys, found) if not there)
        link.set(list(missing))
        self.misses += len(missing)
        is_counted = self.next >= int(len(self.trace) * WARM_UP)
        if is_counted:
            # A repeated key of the batch was stored by then for a client that waits.
            self.hits += len(keys) - len(missing)
            self.counted += len(keys)
        self.next += len(keys)
        self.batches += 1
        if self.misses > self.cache.capacity * 3 // 2 and self.batches % 16 == 0:
            size = self.cache.correct()
            if is_counted:
                self.sizes.append(size)

    def run(self):
        while not self.is_done():
            self.step()
        return self

    def ratio(self):
        return self.hits / self.counted

    def average_size(self):
        """Keys in the cache in the counted part; what was asked for when it was never full."""
        return sum(self.sizes) / len(self.sizes) if self.sizes else self.cache.capacity


def run_paced(replays, seconds):
    """All of them side by side, not faster than in `seconds`."""
    began = time.monotonic()
    while left := [replay for replay in replays if not replay.is_done()]:
        behind = [replay for replay in left
                  if replay.next <= (time.monotonic() - began) / seconds * len(replay.trace)]
        for replay in behind:
            replay.step()
        if not behind:
            time.sleep(0.005)
