#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How late expired keys go, what they hold meanwhile, and what removing them costs.

A node gets keys whose deadlines are spread over some seconds (or are all the same: --burst). Then:
* a replica of its own reads the change log: a DEL tells when each key really went, one by one;
* DBSIZE against the deadlines tells how many dead keys there are at any moment;
* schedstat of the threads tells the processor time in each 100 ms;
* a light load of GETs measures its own latency before and during the expiry.

The replica costs the node something, so lateness and cost are measured in separate runs.
"""
import argparse
import json
import multiprocessing
import os
import re
import socket
import time
from pathlib import Path

import servers

VALUE = b"v" * 64
LOAD_BATCH = 500
TICK_SECONDS = 0.02
CPU_WINDOW_SECONDS = 0.1
BASE_SECONDS = 2  # of light load before the first deadline
PATIENCE_SECONDS = 60
DEL_PATTERN = re.compile(rb"\$3\r\nDEL\r\n\$11\r\nexp:(\d{7})\r\n")


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def command(*words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def call(connection, *words):
    """One command whose reply is one line."""
    connection.sendall(command(*words))
    reply = b""
    while not reply.endswith(b"\r\n"):
        more = connection.recv(4096)
        if not more:
            raise servers.BenchError("the node closed the connection")
        reply += more
    return reply


class Deadlines:
    """Key i of `count` expires at at(i), in Unix seconds; they are spread evenly over `spread`."""

    def __init__(self, count, begin, spread):
        self.count = count
        self.begin_millis = int(begin * 1000)
        self.spread_millis = int(spread * 1000)

    def millis(self, index):
        return self.begin_millis + index * self.spread_millis // self.count

    def at(self, index):
        return self.millis(index) / 1000

    def alive(self, now):
        """How many keys have a deadline behind `now`."""
        passed = now * 1000 - self.begin_millis
        if passed < 0:
            return self.count
        if self.spread_millis == 0:
            return 0
        return max(0, self.count - int(passed * self.count / self.spread_millis) - 1)


def load(port, deadlines):
    with connect(port) as connection:
        for first in range(0, deadlines.count, LOAD_BATCH):
            last = min(first + LOAD_BATCH, deadlines.count)
            connection.sendall(b"".join(
                command("SET", b"exp:%07d" % i, VALUE, "PXAT", deadlines.millis(i))
                for i in range(first, last)))
            left = 5 * (last - first)
            while left > 0:
                reply = connection.recv(left)
                if not reply or b"-" in reply:
                    raise servers.BenchError(f"loading failed: {reply!r}")
                left -= len(reply)
        if time.time() >= deadlines.at(0):
            raise servers.BenchError("loading took longer than --lead: raise it")


def cpu_seconds(pid):
    """Of all threads, in nanosecond steps."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e9


def light_load(port, until, per_second, result):
    """Runs in a process of its own: (moment, latency) of GETs at a fixed pace."""
    samples = []
    with connect(port) as connection:
        moment = time.time()
        while moment < until:
            begin = time.perf_counter()
            call(connection, "GET", "no such key")
            samples.append((moment, time.perf_counter() - begin))
            moment += 1 / per_second
            time.sleep(max(0, moment - time.time()))
    result.send(samples)


def removals(port, deadlines, until, ready, result):
    """Runs in a process of its own, as a replica: how late each DEL was, in seconds.

    What comes is only noted with its moment, and read when all has come.
    """
    pieces, missing = [], deadlines.count
    with connect(port) as connection:
        connection.settimeout(0.1)
        connection.sendall(command("PSYNC", "?", "-1"))
        announced = False
        while time.time() < until and missing > 0:
            try:
                received = connection.recv(1 << 20)
            except TimeoutError:
                # The snapshot has come, and no key is due yet.
                if not announced and time.time() > deadlines.at(0) - BASE_SECONDS:
                    ready.send(True)
                    announced = True
                    pieces.clear()
                continue
            if not received:
                break
            pieces.append((time.time(), received))
            if announced:
                missing -= received.count(b"exp:")
    result.send(list(lateness_of(pieces, deadlines)))


def lateness_of(pieces, deadlines):
    unread = b""
    for moment, received in pieces:
        unread += received
        end = 0
        for match in DEL_PATTERN.finditer(unread):
            yield moment - deadlines.at(int(match[1]))
            end = match.end()
        unread = unread[end:]


def sample(server, deadlines, until):
    """(moment, dead keys, alive keys) every tick, and the CPU share of each window."""
    states, windows = [], []
    with connect(server.ports["resp"]) as connection:
        window_begin, cpu_begin = time.time(), cpu_seconds(server.process.pid)
        while time.time() < until:
            before = time.time()
            present = int(call(connection, "DBSIZE")[1:])
            now = (before + time.time()) / 2
            alive = deadlines.alive(now)
            states.append((now, max(0, present - alive), alive))
            if now - window_begin >= CPU_WINDOW_SECONDS:
                cpu = cpu_seconds(server.process.pid)
                windows.append((now, (cpu - cpu_begin) / (now - window_begin)))
                window_begin, cpu_begin = now, cpu
            if present == 0:
                break
            time.sleep(TICK_SECONDS)
    return states, windows


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def measure_lateness(options, server):
    deadlines = Deadlines(options.keys, time.time() + options.lead, options.spread)
    load(server.ports["resp"], deadlines)
    until = deadlines.at(options.keys - 1) + PATIENCE_SECONDS
    result, child_result = multiprocessing.Pipe()
    ready, child_ready = multiprocessing.Pipe()
    reader = multiprocessing.Process(target=removals, args=(
        server.ports["resp"], deadlines, until, child_ready, child_result))
    reader.start()
    if not ready.poll(options.lead):
        raise servers.BenchError("the snapshot did not come before the first deadline")
    lateness = result.recv()
    reader.join()
    if len(lateness) != options.keys:
        raise servers.BenchError(f"{len(lateness)} of {options.keys} keys were seen to go")
    return {"lateness_ms": {name: round(quantile(lateness, share) * 1000, 1) for name, share in
                            (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1))},
            "late_over_100_ms": sum(late > 0.1 for late in lateness)}


def measure_cost(options, server):
    deadlines = Deadlines(options.keys, time.time() + options.lead, options.spread)
    load(server.ports["resp"], deadlines)
    time.sleep(max(0, deadlines.at(0) - BASE_SECONDS - time.time()))
    end = deadlines.at(options.keys - 1)
    result, child_result = multiprocessing.Pipe()
    client = multiprocessing.Process(target=light_load, args=(
        server.ports["resp"], end + 0.5, options.requests_per_second, child_result))
    client.start()
    states, windows = sample(server, deadlines, end + PATIENCE_SECONDS)
    samples = result.recv()
    client.join()
    begin = deadlines.at(0)
    before = [late for moment, late in samples if moment < begin]
    during = [late for moment, late in samples if moment >= begin]
    # The share is told while half of the keys are there: of nothing, anything is much.
    shares = [dead / (dead + alive) for _, dead, alive in states if alive * 2 >= options.keys]
    return {"dead_share_max": round(max(shares), 5),
            "dead_keys_max": max(dead for _, dead, _ in states),
            "all_gone_after_ms": round((states[-1][0] - end) * 1000),
            "get_p99_us": {"before": round(quantile(before, 0.99) * 1e6),
                           "during": round(quantile(during, 0.99) * 1e6)},
            "cpu_share_before": round(quantile([c for t, c in windows if t < begin], 0.5), 3),
            "cpu_share_per_100_ms": {
                name: round(quantile([c for t, c in windows if begin <= t <= end + 0.1], share), 3)
                for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1))}}


def run(options, measure):
    server = servers.mikura(options.binary, options.threads)
    server.start(options.cpus)
    try:
        return measure(options, server)
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=servers.ROOT / "build/release/mikura")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--spread", type=float, default=20, help="seconds from first to last deadline")
    parser.add_argument("--lead", type=float, default=20, help="seconds to load, before the first")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpus", default=f"0-{os.cpu_count() - 1}")
    parser.add_argument("--requests-per-second", type=int, default=500)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--burst", action="store_true", help="all deadlines are the same")
    options = parser.parse_args()
    if options.burst:
        options.spread = 0
    for _ in range(options.runs):
        answer = run(options, measure_lateness) | run(options, measure_cost)
        print(json.dumps(answer, indent=1), flush=True)


if __name__ == "__main__":
    main()
