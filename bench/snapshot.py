#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a snapshot costs beside a steady load of writes: BGSAVE of ours and of Redis, one after the
other, on the same cores.

A node is filled, then `load_generator` writes at a fixed rate to all keys. A client of its own sends
a SET each millisecond and notes how long the answer takes. From BGSAVE until INFO says that it has
ended count: that client's latencies beside those of the seconds before, the memory of the node and
its children (proportional, so that what a fork shares counts once), and how many children there are.
Before as during, the memory is looked at ten times a second, from the cores of the load.
"""
import argparse
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
import servers

CALM_SECONDS = 5  # of load before BGSAVE
FILL_SECONDS_MAX = 600
SAVE_SECONDS_MAX = 600
PROBE_PERIOD_SECONDS = 0.001
LOOK_PERIOD_SECONDS = 0.1


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), 60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Client:
    def __init__(self, port):
        self.connection = connect(port)
        self.input = self.connection.makefile("rb")

    def call(self, *words):
        parts = [str(word).encode() for word in words]
        self.connection.sendall(b"*%d\r\n" % len(parts) +
                                b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        line = self.input.readline().decode().strip()
        if not line.startswith("$") or line == "$-1":
            return line
        return self.input.read(int(line[1:]) + 2).decode()

    def info(self):
        text = self.call("INFO", "persistence")
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


def probe(port, ends, results):
    """(when it was sent, seconds until the answer), for each millisecond in which one was sent."""
    client = Client(port)
    seen = []
    due = time.monotonic()
    while not ends.is_set():
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        due = max(due, now) + PROBE_PERIOD_SECONDS
        sent = time.monotonic()
        client.call("SET", "probe:of:the:bench", "x")
        seen.append((sent, time.monotonic() - sent))
    results.send(seen)


def family(pid):
    """The process and its children."""
    pids = [pid]
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            text = Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii")
        except OSError:
            continue
        pids += [int(child) for child in text.split()]
    return pids


def memory_of(pids):
    """Bytes in all; a page of two counts for each as a half."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue  # it has ended
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def percentile(latencies, part):
    ordered = sorted(latencies)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


class Run:
    def __init__(self, server, arguments):
        self.server = server
        self.arguments = arguments
        self.port = server.ports["resp"]
        self.pid = server.process.pid
        self.client = Client(self.port)

    def load(self, *more):
        return [
            "taskset", "-c", self.arguments.load_cpus, str(self.arguments.build / "load_generator"),
            "--port", str(self.port), "--keys", str(self.arguments.keys), "--key-bytes", "16",
            "--value-bytes", str(self.arguments.value_bytes), *more]

    def measure(self):
        subprocess.run(self.load("--fill"), check=True, timeout=FILL_SECONDS_MAX,
                       stdout=subprocess.DEVNULL)
        before = memory_of([self.pid])
        ends = multiprocessing.Event()
        results, end = multiprocessing.Pipe(False)
        prober = multiprocessing.Process(target=probe, args=(self.port, ends, end))
        # Without an end of its own: it is stopped when the snapshot is there.
        writer = subprocess.Popen(
            self.load("--connections", "8", "--set-share", "1", "--rate", str(self.arguments.rate),
                      "--seconds", str(SAVE_SECONDS_MAX)), stdout=subprocess.DEVNULL)
        try:
            prober.start()
            calm = time.monotonic() + CALM_SECONDS
            while time.monotonic() < calm:
                self.look()
            begin, done, peak, children = self.save()
        finally:
            writer.terminate()
            writer.wait()
            ends.set()
        seen = results.recv()
        prober.join()
        return {
            "seconds": done - begin,
            "calm": percentile([s for at, s in seen if at < begin], 0.99),
            "saving": percentile([s for at, s in seen if begin <= at < done], 0.99),
            "longest": max(s for at, s in seen if begin <= at < done),
            "memory": before, "extra": peak - before, "children": children,
            "file": os.path.getsize(self.server.folder / "dump.rdb")}

    def look(self):
        """When it looked, memory, children, INFO persistence; and a pause."""
        pids = family(self.pid)
        memory, info, now = memory_of(pids), self.client.info(), time.monotonic()
        time.sleep(LOOK_PERIOD_SECONDS)
        return now, memory, len(pids) - 1, info

    def save(self):
        begin = time.monotonic()
        reply = self.client.call("BGSAVE")
        if reply != "+Background saving started":
            raise servers.BenchError(f"BGSAVE answers {reply}")
        peak = children = 0
        done = None
        while done is None:
            now, memory, count, info = self.look()
            peak, children = max(peak, memory), max(children, count)
            if info["rdb_bgsave_in_progress"] == "0":
                done = now
            if now - begin > SAVE_SECONDS_MAX:
                raise servers.BenchError("the snapshot does not end")
        if info["rdb_last_bgsave_status"] != "ok":
            raise servers.BenchError("the snapshot failed")
        return begin, done, peak, children


def row(name, rounds):
    """Of a table; medians of the rounds, and what was worst."""
    def middle(value):
        return statistics.median(value(r) for r in rounds)

    return (f"| {name} | {middle(lambda r: r['seconds']):.1f} "
            f"| {middle(lambda r: r['memory']) / 1e6:.0f} "
            f"| {100 * middle(lambda r: r['extra'] / r['memory']):.1f} % "
            f"| {max(r['children'] for r in rounds)} "
            f"| {middle(lambda r: r['calm']) * 1e3:.2f} | {middle(lambda r: r['saving']) * 1e3:.2f} "
            f"| {middle(lambda r: r['saving'] / r['calm']):.1f} "
            f"[{min(r['saving'] / r['calm'] for r in rounds):.1f}-"
            f"{max(r['saving'] / r['calm'] for r in rounds):.1f}] "
            f"| {max(r['longest'] for r in rounds) * 1e3:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=servers.ROOT / "build/release")
    parser.add_argument("--keys", type=int, default=5_000_000)
    parser.add_argument("--value-bytes", type=int, default=64)
    parser.add_argument("--rate", type=int, default=20_000, help="writes per second")
    parser.add_argument("--threads", type=int, default=1, help="of ours")
    parser.add_argument("--server-cpus", default="0")
    parser.add_argument("--load-cpus", default="1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="docs/benchmarks/snapshot.md")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {int(cpu) for cpu in arguments.load_cpus.split(",")})
    results = {"mikura": [], "redis": []}
    for _ in range(arguments.rounds):
        for server in (servers.mikura(arguments.build / "mikura", arguments.threads),
                       servers.redis(1)):
            server.start(arguments.server_cpus)
            try:
                results[server.name].append(Run(server, arguments).measure())
            finally:
                server.stop()
    lines = ["| server | seconds | memory MB | more while saving | children | p99 ms before "
             "| p99 ms during | during/before, median [min-max] | longest ms |",
             "|---|---|---|---|---|---|---|---|---|",
             *(row(name, rounds) for name, rounds in results.items())]
    words = (f"{arguments.keys} keys of 16 bytes, values of {arguments.value_bytes} bytes, "
             f"{arguments.rate} SETs a second, {arguments.rounds} rounds in turns, servers on core "
             f"{arguments.server_cpus}, {arguments.threads} thread(s) of ours.")
    print("\n".join([words, "", *lines]))
    if arguments.write:
        report.write_section("snapshot", "BGSAVE beside a load of writes", f"{__doc__}\n{words}",
                             " ".join(["./dev bench snapshot", *sys.argv[1:]]),
                             arguments.build / "mikura", ["mikura", "redis"], lines)


if __name__ == "__main__":
    main()
