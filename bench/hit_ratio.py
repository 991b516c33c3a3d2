#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hit ratios of eviction policies on running servers, side by side.

A client reads keys in the order of a trace and stores those that are missing. Every server is held
to the same number of keys, not of bytes: Redis needs more memory for a key, which would give it a
smaller cache. For each server and size the limit is searched at which it keeps that many keys, and
corrected as the replay goes on. A size is a share of the trace's distinct keys.

Redis' LRU clock ticks once a second; a replay of a few seconds would make its LRU nearer to random
than it is in a long-running cache. So its caches all run side by side, slowed down (--pace).
"LRU exact" is computed, not measured: a list in order of use.

  hit_ratio.py                      all traces, sizes and servers (some minutes)
  hit_ratio.py --write              the same, into docs/benchmarks/hit-ratio.md
  hit_ratio.py --traces loop,zipf   those whose name holds one of the words
  hit_ratio.py --servers mikura-s3fifo --shares 1,10
"""
import argparse
import collections
import concurrent.futures
import contextlib
import platform
import subprocess
import sys
import time

from hit_ratio_replay import MIKURA, REDIS, ROOT, SERVERS, WARM_UP, Node, Replay, run_paced
from hit_ratio_traces import all_traces

DOCUMENT = ROOT / "docs/benchmarks/hit-ratio.md"
PACED = ("redis-lru",)
EXACT = "LRU exact"

# capacity: keys; trace: the name of one
Cell = collections.namedtuple("Cell", "trace share capacity server")


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


def ratio_of(cell, replay):
    kept = replay.average_size()
    if abs(kept - cell.capacity) > max(2, cell.capacity // 33):
        print(f"  {cell.server}, {cell.trace}: {kept:.0f} keys on average instead of {cell.capacity}",
              file=sys.stderr, flush=True)
    return replay.ratio()


def measure(cell, traces):
    if cell.server == EXACT:
        return exact_lru(traces[cell.trace], cell.capacity)
    with Node(SERVERS[cell.server]) as node:
        return ratio_of(cell, Replay(node.link, traces[cell.trace], cell.capacity).run())


def measure_paced(cells, traces, seconds):
    """Cell -> hit ratio, of caches that run side by side."""
    with contextlib.ExitStack() as nodes:
        replays = {}
        for cell in cells:
            node = nodes.enter_context(Node(SERVERS[cell.server]))
            replays[cell] = Replay(node.link, traces[cell.trace], cell.capacity)
        run_paced(list(replays.values()), seconds)
        return {cell: ratio_of(cell, replay) for cell, replay in replays.items()}


def cells_of(traces, shares, servers):
    for name, trace in traces.items():
        distinct = len(set(trace))
        for share in shares:
            for server in servers:
                yield Cell(name, share, max(1, int(distinct * share / 100)), server)


def measure_all(cells, traces, pace_seconds):
    """Cell -> hit ratio. The slow caches run in a process of their own, beside the others."""
    paced = [cell for cell in cells if cell.server in PACED]
    rest = sorted((cell for cell in cells if cell.server not in PACED),
                  key=lambda cell: list(SERVERS).index(cell.server) if cell.server in SERVERS else -1)
    ratios = {}
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        slow = pool.submit(measure_paced, paced, traces, pace_seconds) if paced else None
        for number, cell in enumerate(rest, 1):
            ratios[cell] = measure(cell, traces)
            if number % 20 == 0:
                print(f"  {number} of {len(rest)} caches", file=sys.stderr, flush=True)
        if slow is not None:
            ratios.update(slow.result())
    return ratios


# ---- What is printed

def table(ratios, columns):
    """Lines: one row for each trace and size, then averages."""
    rows = collections.defaultdict(dict)
    for cell, ratio in ratios.items():
        rows[cell.trace, cell.share, cell.capacity][cell.server] = 100 * ratio
    yield "| Trace | Cache | " + " | ".join(columns) + " |"
    yield "|---|---|" + "---|" * len(columns)
    for (trace, share, capacity), row in rows.items():
        yield (f"| {trace} | {share:g} %, {capacity} keys | "
               + " | ".join(f"{row[column]:.1f}" for column in columns) + " |")
    for share in dict.fromkeys(share for _, share, _ in rows):
        of_size = [row for key, row in rows.items() if key[1] == share]
        yield (f"| average | {share:g} % | "
               + " | ".join(f"{average(of_size, column):.1f}" for column in columns) + " |")
    yield ("| **average** | all | "
           + " | ".join(f"**{average(rows.values(), column):.1f}**" for column in columns) + " |")


def average(rows, column):
    return sum(row[column] for row in rows) / len(rows)


def comparisons(ratios, columns):
    """Lines: each of our policies against every other column."""
    by_row = collections.defaultdict(dict)
    for cell, ratio in ratios.items():
        by_row[cell.trace, cell.share][cell.server] = 100 * ratio
    for ours in (column for column in columns if column.startswith("mikura")):
        for other in (column for column in columns if not column.startswith("mikura")):
            gains = {key: row[ours] - row[other] for key, row in by_row.items()}
            worst = min(gains, key=gains.get)
            yield (f"* {ours} against {other}: {sum(gains.values()) / len(gains):+.1f} points on "
                   f"average, worst {gains[worst]:+.1f} ({worst[0]}, {worst[1]:g} %)")


def output_of(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False).stdout.strip()


def document(arguments, lines, seconds):
    redis = output_of([REDIS[0], "--version"]).split(" sha")[0]
    commit = output_of(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
    return "\n".join([
        "## Hit ratios", "",
        "Written by `./dev bench hit-ratio --write`; what it does is said in `bench/hit_ratio.py`, the traces in",
        "`bench/hit_ratio_traces.py`, and why the policy is as it is in `docs/adr/0003-s3-fifo.md`.", "",
        f"* Release build of {commit} against {redis}, {platform.system()} {platform.machine()}, "
        f"{seconds:.0f} s in all.",
        f"* {arguments.requests:,} requests a trace, the first {WARM_UP * 100:.0f} % not counted; "
        f"{arguments.keys:,} popular keys, values of 500 bytes.",
        "* Cache: share of the trace's distinct keys; every server is held to that many keys.",
        f"* `redis-lru` (allkeys-lru) was slowed down to {arguments.pace} s a trace: its clock ticks once a second,",
        "  and a faster replay would weaken it. `redis-lfu` (allkeys-lfu) ran as fast as it goes: its counters then hardly",
        "  decay, which suits traces whose popular keys stay the same. `LRU exact` is computed.", "",
        "Hits in percent of the requests:", "", *lines, ""])


def run(arguments):
    began = time.monotonic()
    traces = {name: trace
              for name, trace in all_traces(arguments.keys, arguments.requests).items()
              if matches(name, arguments.traces)}
    servers = [name for name in SERVERS if matches(name, arguments.servers)]
    columns = [EXACT, *servers]
    shares = [float(share) for share in arguments.shares.split(",")]
    cells = list(cells_of(traces, shares, columns))
    measured = measure_all(cells, traces, arguments.pace)
    ratios = {cell: measured[cell] for cell in cells}  # in the order of the traces
    lines = [*table(ratios, columns), "", *comparisons(ratios, columns)]
    print("\n".join(lines))
    if arguments.write:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(document(arguments, lines, time.monotonic() - began))
        print(f"written: {DOCUMENT.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--keys", type=int, default=20_000, help="popular keys of a trace")
    parser.add_argument("--requests", type=int, default=80_000)
    parser.add_argument("--shares", default="1,5,10,20", help="cache sizes, percent of the keys")
    parser.add_argument("--traces", default="", help="words of names, separated by commas")
    parser.add_argument("--servers", default="redis,s3fifo", help="words of names, separated by commas")
    parser.add_argument("--pace", type=int, default=180,
                        help="seconds for a trace on Redis with LRU, at least")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.relative_to(ROOT)}")
    arguments = parser.parse_args()
    if "release" not in MIKURA[0]:
        print(f"note: {MIKURA[0]} is not the release build", file=sys.stderr)
    run(arguments)


if __name__ == "__main__":
    main()
