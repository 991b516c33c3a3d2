#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Resident memory over used memory while the sizes of values change from round to round.

A server is filled, its values are overwritten with other sizes, 70 % of its keys are deleted, and it
is filled again with other sizes. The payload is held at the chosen amount: keys are deleted when
larger values exceed it, and added when smaller ones fall short. After each step the server is left
alone until its resident memory has stopped to fall; then RSS and used_memory are read. "Without the
start" leaves out what the process had before it stored anything, on both sides: program, libraries,
stacks. Ends with a look at the lengths of a thousand values.

  ./dev bench memory-churn                       50, 500 and 1,500 MB
  bench/memory_churn.py --megabytes 50 --servers mikura,redis
  bench/memory_churn.py --preload /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
"""
import argparse
import math
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import report  # noqa: E402
import servers  # noqa: E402
from resp_pipe import Pipe, ReplyError, request  # noqa: E402

TARGET = 1.15
SETTLE_SECONDS_MAX = 40
SIZES = 1 << 16  # drawn beforehand for each step
# What a step does, the smallest and the largest value it stores. Sizes are spread evenly over
# their logarithms.
STEPS = [
    ("fill with 32 B - 1 KiB", "fill", 32, 1 << 10),
    ("overwrite with 64 B - 4 KiB", "overwrite", 64, 4 << 10),
    ("overwrite with 16 B - 20 KiB", "overwrite", 16, 20 << 10),
    ("delete 70 %", "delete", 0, 0),
    ("refill with 512 B - 64 KiB", "fill", 512, 64 << 10),
    ("overwrite with 2 KiB - 512 KiB", "overwrite", 2 << 10, 512 << 10),
    ("delete 70 % again", "delete", 0, 0),
    ("refill with 24 B - 200 B", "fill", 24, 200),
]


class Data:
    """What the server is to hold: the length of each value."""

    def __init__(self, pipe, payload_bytes, seed):
        self.pipe = pipe
        self.payload_bytes = payload_bytes
        self.random = random.Random(seed)
        self.blob = self.random.randbytes(1 << 20)
        self.keys = []   # in no order
        self.lengths = {}
        self.bytes = 0
        self.next_key = 0

    def sizes(self, smallest, largest):
        span = math.log(largest / smallest)
        return [int(smallest * math.exp(self.random.random() * span)) for _ in range(SIZES)]

    def set(self, key, length):
        start = self.next_start(length)
        self.pipe.set(b"key:%012d" % key, self.blob[start:start + length])
        self.bytes += length - self.lengths.get(key, 0)
        self.lengths[key] = length

    def next_start(self, length):
        return int(self.random.random() * (len(self.blob) - length))

    def add(self, sizes):
        key = self.next_key
        self.next_key += 1
        self.keys.append(key)
        self.set(key, sizes[int(self.random.random() * SIZES)])

    def delete_one(self):
        at = int(self.random.random() * len(self.keys))
        self.keys[at], self.keys[-1] = self.keys[-1], self.keys[at]
        key = self.keys.pop()
        self.pipe.delete(b"key:%012d" % key)
        self.bytes -= self.lengths.pop(key)

    def fill(self, smallest, largest):
        sizes = self.sizes(smallest, largest)
        while self.bytes < self.payload_bytes:
            self.add(sizes)

    def overwrite(self, smallest, largest):
        """Each key is overwritten once, in random order, unless it was deleted to make room."""
        sizes = self.sizes(smallest, largest)
        order = list(self.keys)
        self.random.shuffle(order)
        for key in order:
            if key in self.lengths:
                self.set(key, sizes[int(self.random.random() * SIZES)])
            while self.bytes > self.payload_bytes:
                self.delete_one()
        self.fill(smallest, largest)

    def delete(self, *_):
        for _ in range(len(self.keys) * 7 // 10):
            self.delete_one()

    def check(self):
        """Compares a thousand lengths."""
        for key in self.random.sample(self.keys, min(1000, len(self.keys))):
            self.pipe.add(request("STRLEN", b"key:%012d" % key), b":%d\r\n" % self.lengths[key])
        self.pipe.flush()


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def used_memory(pipe):
    return int(pipe.info("memory")["used_memory"])


def settled(pid):
    """Resident bytes once they have not fallen by half a per cent for two seconds."""
    lowest, since = servers.resident_bytes(pid), time.monotonic()
    deadline = since + SETTLE_SECONDS_MAX
    while time.monotonic() < min(since + 2, deadline):
        time.sleep(0.25)
        now = servers.resident_bytes(pid)
        if now < lowest * 0.995:
            lowest, since = now, time.monotonic()
    return servers.resident_bytes(pid)


def churn(server, megabytes, seed, cpus):
    """Yields (step, payload, used, resident, CPU seconds of the step, seconds to settle); the first
    step is the start."""
    server.start(cpus)
    try:
        pid = server.process.pid
        pipe = Pipe(server.ports["resp"])
        data = Data(pipe, megabytes * 1_000_000, seed)
        started = settled(pid)
        yield "start", 0, used_memory(pipe), started, cpu_seconds(pid), 0
        for title, action, smallest, largest in STEPS:
            cpu = cpu_seconds(pid)
            getattr(data, action)(smallest, largest)
            pipe.flush()
            worked = cpu_seconds(pid) - cpu
            started = time.monotonic()
            resident = settled(pid)
            yield title, data.bytes, used_memory(pipe), resident, worked, time.monotonic() - started
        data.check()
        pipe.close()
    finally:
        server.stop()


def table(a, name, megabytes):
    """Lines of the table of one server and one amount, measured while they are read."""
    worst = worst_grown = 0
    first = None
    mikura = servers.mikura(a.binary, a.threads)
    server = mikura if name == "mikura" else servers.redis(1)
    if a.preload:
        server.command = ["env", f"LD_PRELOAD={a.preload}"] + server.command
    total_cpu = 0
    for title, payload, used, resident, cpu, settle in churn(server, megabytes, a.seed, a.cpus):
        if first is None:
            first = (used, resident)
            yield (f"| {name} {megabytes} MB | start | 0 | {used / 1e6:.1f} | {resident / 1e6:.1f} "
                   "| | | | |")
            continue
        grown = (resident - first[1]) / (used - first[0])
        worst, worst_grown = max(worst, resident / used), max(worst_grown, grown)
        total_cpu += cpu
        yield (f"| {name} {megabytes} MB | {title} | {payload / 1e6:.0f} | {used / 1e6:.1f} "
               f"| {resident / 1e6:.1f} | **{resident / used:.3f}** | {grown:.3f} | {cpu:.1f} "
               f"| {settle:.0f} |")
    yield (f"| {name} {megabytes} MB | worst | | | | **{worst:.3f}** | {worst_grown:.3f} "
           f"| {total_cpu:.1f} | |")


def parse(arguments):
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--megabytes", default="50,500,1500")
    p.add_argument("--servers", default="mikura,redis")
    p.add_argument("--threads", type=int, default=2, help="of mikura")
    p.add_argument("--cpus", default="0,1")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--preload", help="a shared library that replaces malloc")
    p.add_argument("--binary", type=Path, default=servers.ROOT / "build/release/mikura")
    p.add_argument("--write", action="store_true", help="write docs/benchmarks/memory-churn.md")
    return p.parse_args(arguments)


def main(arguments=None):
    a = parse(arguments)
    lines = ["| server, payload | step | payload MB | used_memory MB | RSS MB | RSS / used_memory "
             "| without the start | CPU s | settled after s |", "|---|---|---|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    try:
        for megabytes in map(int, a.megabytes.split(",")):
            for name in a.servers.split(","):
                for line in table(a, name, megabytes):
                    print(line, flush=True)
                    lines.append(line)
    except (servers.BenchError, ReplyError) as error:
        print(f"memory_churn: {error}", file=sys.stderr)
        return 1
    if a.write:
        report.write_section("memory-churn", "Memory while sizes change",
                             __doc__.split("\n\n")[0] + "\n\n" + __doc__.split("\n\n")[1],
                             "./dev bench memory-churn", a.binary, a.servers.split(","), lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
