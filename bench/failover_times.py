#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a client of the primary endpoint cannot write when the primary changes, and what is lost.

A group of three nodes; clients write key after key through the primary endpoint, repeating what was
not answered. The time is the longest between two acknowledgements of one client around the change.
A write is lost when it was acknowledged and is not there once the group is available again. Each
client pauses a millisecond between its writes: the load is that of applications, not the most that
the engine takes.

  bench/failover_times.py
  bench/failover_times.py --runs 5 --only planned --clients 4

MIKURA_BIN names the program (default build/release/mikura).
"""
import argparse
import os
import signal
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "bench")]
import report  # noqa: E402
from service import Service, binary, client, until  # noqa: E402
from writer import Writer  # noqa: E402

# A service of its own for so many runs: a node that is lost again and again is started later each
# time, and TestFailover is limited to 15 a day.
RUNS_OF_A_SERVICE = 5
WRITES_BEFORE = 200
PAUSE_SECONDS = 0.001
WORDS = """How long a client of the primary endpoint cannot write when the primary changes: a crash (`kill -9`), a
hang (SIGSTOP), a planned failover, TestFailover. A group of three nodes; 4 clients write key after key and repeat what was
not answered. Lost is what was acknowledged and is not there afterwards (replication is asynchronous)."""


class Drill(Service):
    """One service with one group; each change goes on from the one before."""

    def runTest(self):  # a TestCase needs one
        pass

    def setUp(self):
        super().setUp()
        self.endpoint = self.create_group("demo", 3)["PrimaryEndpoint"]

    def crash(self):
        os.kill(self.pid_of(self.primary_of("demo")), signal.SIGKILL)

    def hang(self):
        os.kill(self.pid_of(self.primary_of("demo")), signal.SIGSTOP)

    def planned(self):
        target = [m["CacheClusterId"] for m in self.node_group("demo")["NodeGroupMembers"]
                  if m["CurrentRole"] == "replica"][0]
        self.cache.modify_replication_group(
            ReplicationGroupId="demo", PrimaryClusterId=target, ApplyImmediately=True)

    def test(self):
        self.cache.test_failover(ReplicationGroupId="demo", NodeGroupId="0001")

    def change(self, how, writers):
        """Returns the longest gap in seconds, the writes that were acknowledged and those lost."""
        before = self.primary_of("demo")
        client(self.endpoint).flushall()  # else copies take longer with each run
        # One write of each may have come before that and be acknowledged after it.
        first = [writer.acknowledged + 1 for writer in writers]
        until(lambda: all(w.acknowledged > n + WRITES_BEFORE for w, n in zip(writers, first)),
              "writes go on")
        for writer in writers:
            writer.longest_gap = 0.0
        getattr(self, how)()
        until(lambda: self.primary_of("demo") != before, "another node leads", 30)
        seen = [writer.acknowledged for writer in writers]
        until(lambda: all(w.acknowledged > n + WRITES_BEFORE for w, n in zip(writers, seen)),
              "writes go on")
        gap = max(writer.longest_gap for writer in writers)
        until(lambda: self.status("demo") == "available", "the group is whole again", 30)
        end = [writer.acknowledged for writer in writers]
        lost = sum(w.lost(first=a, end=b) for w, a, b in zip(writers, first, end))
        return gap, sum(end) - sum(first), lost


def measure(how, runs, clients):
    results = []
    while len(results) < runs:
        drill = Drill()
        drill.setUp()
        writers = [Writer(drill.endpoint, PAUSE_SECONDS, f"c{i}:") for i in range(clients)]
        try:
            for writer in writers:
                writer.__enter__()
            for _ in range(min(RUNS_OF_A_SERVICE, runs - len(results))):
                results.append(drill.change(how, writers))
        finally:
            for writer in writers:
                writer.__exit__()
            drill.doCleanups()
        failed = sorted({error for writer in writers for error in writer.errors})
        if failed:
            print(f"  {how}: answered with errors: {failed}")
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--only", choices=["crash", "hang", "planned", "test"])
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/failover.md")
    options = parser.parse_args()
    rows = []
    for how in [options.only] if options.only else ["crash", "hang", "planned", "test"]:
        results = measure(how, options.runs, options.clients)
        gaps = sorted(gap * 1000 for gap, _, _ in results)
        written = sum(count for _, count, _ in results)
        with_loss = sum(lost > 0 for _, _, lost in results)
        rows.append(f"| {how} | {statistics.median(gaps):.0f} | {gaps[-1]:.0f} | {written} | "
                    f"{sum(lost for _, _, lost in results)} | {with_loss} of {len(results)} |")
    table = ["| change | median ms | worst ms | writes acknowledged | lost | runs with a loss |",
             "|---|---|---|---|---|---|", *rows]
    print("\n".join(table))
    if options.write:
        report.write_section("failover", "Failover", WORDS, "bench/failover_times.py --write",
                             Path(binary()), ["mikura"], table)


if __name__ == "__main__":
    main()
