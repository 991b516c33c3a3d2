#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Resident bytes per key: 16-byte keys, 32-byte values, without and with a TTL.

A fresh server is filled with so many keys by the load generator; what its RSS grew by, divided by
the keys, is the figure. Counts between powers of two matter: tables that double swing by a quarter.
Hits are verified afterwards. The spread is over the rounds, lowest to highest.

  ./dev bench memory-per-key                  3.5, 5 and 7 million keys, three servers
  bench/memory_per_key.py --keys 1000000 --servers mikura --rounds 3
"""
import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import report  # noqa: E402
import servers  # noqa: E402
from servers import BenchError  # noqa: E402

KEY_BYTES, VALUE_BYTES = 16, 32
TTL_SECONDS = 86_400
TARGETS = {0: 75, TTL_SECONDS: 83}


def server_of(name, a):
    if name == "mikura":
        return servers.mikura(a.binary, a.threads), "resp"
    if name == "redis":
        return servers.redis(1), "resp"
    return servers.memcached(1), "text"


def load(a, server, protocol, *more):
    command = [str(a.build / "load_generator"), "--port", str(server.ports[protocol]), "--protocol",
               protocol, "--connections", "10", "--key-bytes", str(KEY_BYTES), "--value-bytes",
               str(VALUE_BYTES), *map(str, more)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=600, check=False)
    if done.returncode != 0:
        raise BenchError(f"{server.name}: {done.stderr.strip()[-400:]}")
    result = json.loads(done.stdout)
    if result["errors"] or result["wrong"] or result["misses"]:
        raise BenchError(f"{server.name}: {result}")
    return result


def settled(pid):
    """Resident bytes, two seconds after they last changed by a tenth of a per cent."""
    seen, since = servers.resident_bytes(pid), time.monotonic()
    deadline = since + 30
    while time.monotonic() < min(since + 2, deadline):
        time.sleep(0.25)
        now = servers.resident_bytes(pid)
        if abs(now - seen) > seen / 1000:
            seen, since = now, time.monotonic()
    return servers.resident_bytes(pid)


def measure(a, name, keys, ttl):
    """Bytes per key of one fresh server."""
    server, protocol = server_of(name, a)
    server.start(a.cpus)
    try:
        pid = server.process.pid
        empty = settled(pid)
        load(a, server, protocol, "--keys", keys, "--ttl", ttl, "--fill", "--pipeline", 64)
        full = settled(pid)
        load(a, server, protocol, "--keys", keys, "--ttl", ttl, "--seconds", 0.5, "--pipeline", 16)
        return (full - empty) / keys
    finally:
        server.stop()


def rows(a):
    """Yields the lines of the table, measuring while they are read."""
    yield "| server | TTL | " + " | ".join(f"{k / 1e6:g}M keys" for k in a.keys) + " | worst | target |"
    yield "|---" * (len(a.keys) + 4) + "|"
    for ttl in (0, TTL_SECONDS):
        for name in a.servers.split(","):
            cells, worst = [], 0
            for keys in a.keys:
                found = [measure(a, name, keys, ttl) for _ in range(a.rounds)]
                middle = statistics.median(found)
                worst = max(worst, middle)
                spread = f" [{min(found):.1f}-{max(found):.1f}]" if a.rounds > 1 else ""
                cells.append(f"{middle:.1f}{spread}")
            target = TARGETS[ttl] if name == "mikura" else ""
            yield (f"| {name} | {'yes' if ttl else 'no'} | " + " | ".join(cells)
                   + f" | **{worst:.1f}** | {target} |")


def main(arguments=None):
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--keys", default="3500000,5000000,7000000")
    p.add_argument("--servers", default="mikura,redis,memcached")
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--threads", type=int, default=2, help="of mikura")
    p.add_argument("--cpus", default="0,1")
    p.add_argument("--build", type=Path, default=servers.ROOT / "build/release")
    p.add_argument("--binary", type=Path, help="mikura; that of --build by default")
    p.add_argument("--write", action="store_true", help="write docs/benchmarks/memory-per-key.md")
    a = p.parse_args(arguments)
    a.keys = [int(k) for k in a.keys.split(",")]
    a.binary = a.binary or a.build / "mikura"
    lines = []
    try:
        for line in rows(a):
            print(line, flush=True)
            lines.append(line)
    except BenchError as error:
        print(f"memory_per_key: {error}", file=sys.stderr)
        return 1
    if a.write:
        report.write_section("memory-per-key", "Memory per key",
                             "\n\n".join(__doc__.split("\n\n")[:2]), "./dev bench memory-per-key",
                             a.binary, a.servers.split(","), lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
