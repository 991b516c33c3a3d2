#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hit ratios of eviction policies on running servers, side by side.

A client reads keys in the order of a trace and stores those that are missing. Every server is held
to the same number of keys, not of bytes: Redis needs more memory for a key, which would give it a
smaller cache. For each server and size the limit is searched at which it keeps that many keys, by
filling it with other keys of the same size. A size is a share of the trace's distinct keys.

"LRU exact" is computed, not measured: a list in order of use. Redis samples, and its clock ticks
once a second, so that in a replay this short it is nearer to random than in a long-running cache.

  hit_ratio.py                      all traces, sizes and servers (some minutes)
  hit_ratio.py --traces loop,zipf   those whose name holds one of the words
  hit_ratio.py --servers mikura-s3fifo --shares 1,10
"""
import argparse
import collections
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hit_ratio_traces import all_traces
from servers import free_port

ROOT = Path(__file__).resolve().parent.parent
VALUE = b"v" * 500
BATCH = 32  # requests in flight; a repeat inside one batch counts like the first
WARM_UP = 0.2  # of the trace, not counted

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
        deadline = time.monotonic() + 10
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
    """Sets the limit at which the server keeps `capacity` keys; returns how many it then kept."""
    link.call("CONFIG", "SET", "maxmemory", 0)
    link.call("FLUSHALL")
    empty = link.used_memory()
    fill(link, b"f", capacity)
    limit = link.used_memory()
    key_bytes = max(1, (limit - empty) // capacity)
    kept = 0
    for attempt in range(8):
        link.call("FLUSHALL")
        link.call("CONFIG", "SET", "maxmemory", limit)
        fill(link, b"%c" % (ord("a") + attempt), capacity * 2)
        kept = int(link.call("DBSIZE"))
        if abs(kept - capacity) <= capacity // 100:
            break
        limit += (capacity - kept) * key_bytes
    link.call("FLUSHALL")
    return kept


def replay(link, trace):
    """Hit ratio of the counted part."""
    skipped = int(len(trace) * WARM_UP)
    hits = 0
    for first in range(0, len(trace), BATCH):
        keys = [b"k%010d" % key for key in trace[first:first + BATCH]]
        found = link.get(keys)
        missing = dict.fromkeys(key for key, there in zip(keys, found) if not there)
        link.set(list(missing))
        if first >= skipped:
            # A repeated key of the batch was stored by then for a client that waits.
            hits += sum(found) + found.count(False) - len(missing)
    counted = len(range(0, len(trace), BATCH)[(skipped + BATCH - 1) // BATCH:]) * BATCH
    return hits / min(counted, len(trace))


def exact_lru(trace, capacity):
    skipped = int(len(trace) * WARM_UP)
    cache = collections.OrderedDict()
    hits = 0
    for i, key in enumerate(trace):
        if key in cache:
            cache.move_to_end(key)
            hits += i >= skipped
            continue
        if len(cache) >= capacity:
            cache.popitem(last=False)
        cache[key] = True
    return hits / (len(trace) - skipped)


def matches(name, words):
    return not words or any(word in name for word in words.split(","))


def run(arguments):
    traces = {name: trace
              for name, trace in all_traces(arguments.keys, arguments.requests).items()
              if matches(name, arguments.traces)}
    servers = [name for name in SERVERS if matches(name, arguments.servers)]
    shares = [float(share) for share in arguments.shares.split(",")]
    columns = ["LRU exact", *servers]
    print(f"{'trace':30} {'cache':>11} " + " ".join(f"{name:>14}" for name in columns), flush=True)
    sums, rows = collections.Counter(), []
    for name, trace in traces.items():
        distinct = len(set(trace))
        for share in shares:
            capacity = max(1, int(distinct * share / 100))
            ratios = {"LRU exact": exact_lru(trace, capacity)}
            for server in servers:
                with Node(SERVERS[server]) as node:
                    kept = hold_to(node.link, capacity)
                    if abs(kept - capacity) > capacity // 20:
                        print(f"  {server} kept {kept} keys instead of {capacity}", file=sys.stderr)
                    ratios[server] = replay(node.link, trace)
            rows.append(ratios)
            sums.update(ratios)
            print(f"{name:30} {share:4g}% {capacity:5} "
                  + " ".join(f"{100 * ratios[column]:14.2f}" for column in columns), flush=True)
    print(f"{'average':30} {'':11} "
          + " ".join(f"{100 * sums[column] / len(rows):14.2f}" for column in columns))
    for server in servers:
        for reference in ("LRU exact", "redis-lru"):
            if reference in columns and server != reference:
                worst = min(100 * (row[server] - row[reference]) for row in rows)
                mean = 100 * (sums[server] - sums[reference]) / len(rows)
                print(f"{server} against {reference}: {mean:+.2f} points on average, "
                      f"worst {worst:+.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--keys", type=int, default=40_000, help="popular keys of a trace")
    parser.add_argument("--requests", type=int, default=300_000)
    parser.add_argument("--shares", default="1,5,10,20", help="cache sizes, percent of the keys")
    parser.add_argument("--traces", default="", help="words of names, separated by commas")
    parser.add_argument("--servers", default="", help="words of names, separated by commas")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
