#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the service takes to create a replication group, and to describe many of them.

Groups of three nodes are created one after the other, each deleted before the next; the time is from
the call until DescribeReplicationGroups says "available", asked every 10 ms. Then many groups of one
node are created at once and described, in pages of 100 and of 20; and the processor time is read
that service and nodes take while nobody asks them anything.

  ./dev bench service-times
  bench/service_times.py --groups 50 --creations 3

MIKURA_BIN names the program (default build/release/mikura), MIKURA_CACHE_PORT the port of caches (6379).
"""
import argparse
import concurrent.futures
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/system"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import report  # noqa: E402
from service import CACHE_PORT, Service, binary, until  # noqa: E402

NODES = 3
NODE_TYPE = "cache.t3.micro"
MEMORY_SCALE = "0.02"  # of 512 MiB: that many nodes fit any machine
CREATION_SECONDS_MAX = 60
WHOLE_SECONDS_MAX = 600
WORDS = """A group of three nodes: from the call of CreateReplicationGroup to `available`, each deleted before the next. Then groups of
one node, all created at once: how long until all are available, and what DescribeReplicationGroups takes for a page and for all of
them, from the first byte sent to the last received, and with what boto3 makes of it. Processor time, in parts of one core, is that of
20 seconds in which nobody asks for anything."""


class Machine(Service):
    def runTest(self):  # a TestCase needs one
        pass

    def options(self):
        return ("--memory-scale", MEMORY_SCALE)

    def create(self, name, nodes):
        self.cache.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription="a measurement",
            CacheNodeType=NODE_TYPE, NumCacheClusters=nodes, Port=CACHE_PORT,
            AutomaticFailoverEnabled=nodes > 1)

    def creation(self, name):
        """Seconds until a new group of three is available; it is gone afterwards."""
        begin = time.monotonic()
        self.create(name, NODES)
        until(lambda: self.status(name) == "available", f"{name} is available",
              CREATION_SECONDS_MAX)
        took = time.monotonic() - begin
        self.cache.delete_replication_group(ReplicationGroupId=name)
        until(lambda: self.is_gone(name), f"{name} is gone", CREATION_SECONDS_MAX)
        return took

    def is_gone(self, name):
        try:
            self.status(name)
        except self.cache.exceptions.ReplicationGroupNotFoundFault:
            return True
        return False

    def pages(self, size):
        """All groups, as pages of that size."""
        pages, marker = [], {}
        while True:
            answer = self.cache.describe_replication_groups(MaxRecords=size, **marker)
            pages.append(answer["ReplicationGroups"])
            if "Marker" not in answer:
                return pages
            marker = {"Marker": answer["Marker"]}

    def create_all(self, count):
        """Seconds until all of so many groups are available."""
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(self.create, f"g{i:03}", 1) for i in range(count)]:
                done.result()
        until(lambda: all(group["Status"] == "available" for page in self.pages(100)
                          for group in page), "all are available", WHOLE_SECONDS_MAX)
        return time.monotonic() - begin

    def engines(self):
        """The pids of all nodes of this service."""
        pids = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if f"\0engine\0{self.data_dir}/nodes/" in words:
                pids.append(int(pid))
        return pids

    def processor(self, seconds):
        """Shares of one core that service and nodes take in that time."""
        engines = self.engines()
        before = ticks([self.process.pid]), ticks(engines), time.monotonic()
        time.sleep(seconds)
        took = (time.monotonic() - before[2]) * os.sysconf("SC_CLK_TCK")
        return ((ticks([self.process.pid]) - before[0]) / took,
                (ticks(engines) - before[1]) / took)


def ticks(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total


class Answers:
    """How long the answers to a client's calls take, from the first byte sent to the last received."""

    def __init__(self, client):
        self.seconds = 0.0
        session = client._endpoint.http_session  # pylint: disable=protected-access
        send = session.send

        def timed(request):
            begin = time.monotonic()
            try:
                return send(request)
            finally:
                self.seconds += time.monotonic() - begin

        session.send = timed


def times(count, answers, call):
    """A row's cells, in milliseconds, of so many calls: of the answers median and worst, and with what the
    client makes of them the median."""
    served, whole = [], []
    for _ in range(count):
        answers.seconds = 0.0
        begin = time.monotonic()
        call()
        whole.append((time.monotonic() - begin) * 1000)
        served.append(answers.seconds * 1000)
    return (f"{statistics.median(served):.1f} ms | {max(served):.1f} ms | "
            f"{statistics.median(whole):.1f} ms")


def measure(options):
    machine = Machine()
    machine.setUp()
    try:
        created = sorted(machine.creation(f"c{i}") for i in range(options.creations))
        took = machine.create_all(options.groups)
        answers = Answers(machine.cache)
        groups = options.groups
        rows = []
        for what, wanted, call in (
                (f"first page of {min(groups, 100)} of {groups} groups", "",
                 machine.cache.describe_replication_groups),
                (f"all {groups} groups in pages of 100", "100 ms", lambda: machine.pages(100)),
                (f"all {groups} groups in pages of 20", "", lambda: machine.pages(20)),
                (f"one of {groups} groups by its name", "", lambda: machine.status("g000"))):
            rows.append(f"| {what} | {times(options.calls, answers, call)} | {wanted} |")
        service, engines = machine.processor(options.idle_seconds)
        beside = sorted(machine.creation(f"d{i}") for i in range(options.creations))
    finally:
        machine.doCleanups()
    return ["| what | median | worst | median in boto3 | wanted |", "|---|---|---|---|---|",
            f"| group of {NODES} nodes, {len(created)} creations | "
            f"{statistics.median(created):.2f} s | {created[-1]:.2f} s | | 2 s |",
            f"| the same beside {groups} groups | {statistics.median(beside):.2f} s | "
            f"{beside[-1]:.2f} s | | 2 s |", *rows, "",
            f"{groups} groups created at once were available after {took:.1f} s. With them idle the "
            f"service took {service:.3f} of a core, the {groups} nodes together {engines:.3f}."]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--creations", type=int, default=10)
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--idle-seconds", type=float, default=20)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/service-times.md")
    options = parser.parse_args()
    lines = measure(options)
    print("\n".join(lines))
    if options.write:
        report.write_section("service-times", "The service", WORDS, "./dev bench service-times --write",
                             binary(), ["mikura"], lines)


if __name__ == "__main__":
    main()
