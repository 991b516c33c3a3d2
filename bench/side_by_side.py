#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds mikura's engine against the floor, Redis and Memcached on this machine, over loopback.

Each server is pinned to one core and the load generator to another. The cases are interleaved in
rounds, because machines change speed within minutes: trust the ratios of one run, not figures of
two. The unit is server CPU microseconds per request. Nothing is downloaded; a peer that is not
installed is left out. `floor` parses nothing: what the kernel alone costs.

  ./dev bench                       every case, about five minutes
  ./dev bench --rt                  as root: real-time priority in short bursts with pauses
  ./dev bench --protocols resp --pipelines 16 --rounds 5
  ./dev bench --protocols text,mcbin   memcached's text and binary protocols
  ./dev bench --protocols resp --operations hset,zrange10,eval --pipelines 1,16
                                    other commands (load_generator --help lists them), on
                                    collections made anew before each measurement
  ./dev bench --two-threads         servers with two threads, sharing both cores with the generator,
                                    and mikura with one thread beside them, as mikura-1
"""
import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import report  # noqa: E402
import resp_pipe  # noqa: E402
import servers  # noqa: E402
from servers import BenchError  # noqa: E402


# What --write may be given: the section's title and what it shows.
SECTIONS = {
    "speed": ("Speed", "CPU that a server with one thread, on one core, needs for a request."),
    "speed-memcached": ("Speed of memcached's protocols",
                        "As above. Measured by itself: an entry that the other protocol has written "
                        "changes its form when it is written."),
    "speed-two-threads": ("Two threads", "Servers with two threads, not pinned, beside the load "
                          "generator on the same two cores; mikura-1 has one thread."),
    "latency": ("Latency at the same load", "Every server is offered the same number of requests a "
                "second, due at fixed times: a stall shows in the tail."),
    "commands": ("Other commands", "CPU that a server with one thread, on one core, needs for a "
                 "request to a collection or a script."),
}
# These share a data set; every other command has one of its own kind.
STRINGS = ("get", "set")
# Enough for a burst that only takes away.
RPOP_ELEMENTS = 200


def parse(arguments):
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--servers", default="floor,redis,memcached,mikura")
    p.add_argument("--protocols", default="resp,text,meta")
    p.add_argument("--operations", default="get,set")
    p.add_argument("--pipelines", default="1,16,64")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, help="of one measurement; 1, or 0.6 with --rt")
    p.add_argument("--connections", type=int, default=50)
    p.add_argument("--keys", type=int, default=1_000_000)
    p.add_argument("--key-bytes", type=int, default=32)
    p.add_argument("--value-bytes", type=int, default=64)
    p.add_argument("--collections", type=int, default=10_000, help="keys of other commands")
    p.add_argument("--elements", type=int, default=20, help="of each collection")
    p.add_argument("--rate", type=float, default=0, help="offered requests per second; 0: no limit")
    p.add_argument("--rt", action="store_true", help="real-time priority, short bursts, pauses")
    p.add_argument("--two-threads", action="store_true")
    p.add_argument("--server-cpus", default="0")
    p.add_argument("--client-cpus", default="1")
    p.add_argument("--time-limit", type=float, default=900, help="seconds for everything")
    p.add_argument("--build", type=Path, default=servers.ROOT / "build/release")
    p.add_argument("--binary", type=Path, help="mikura; build/release/mikura by default")
    p.add_argument("--write", choices=SECTIONS, help="write that section of docs/benchmarks/ too")
    p.add_argument("--json", type=Path, help="write every measurement there too")
    a = p.parse_args(arguments)
    a.seconds = a.seconds or (0.6 if a.rt else 1.0)
    a.threads = 2 if a.two_threads else 1
    a.binary = a.binary or a.build / "mikura"
    if a.two_threads:
        a.server_cpus = a.client_cpus = "0,1"
    return a


def chosen_servers(a):
    """The servers to start: those asked for that are here. Says which are left out."""
    found = []
    for name in filter(None, a.servers.split(",")):
        if name == "floor":
            found += [servers.floor(a.build, protocol, a.key_bytes, a.value_bytes)
                      for protocol in a.protocols.split(",") if not a.two_threads]
        elif name == "mikura" and a.binary.exists():
            found.append(servers.mikura(a.binary, a.threads))
            if a.two_threads:
                found.append(servers.mikura(a.binary, 1, "mikura-1"))
        elif name == "redis" and shutil.which("redis-server"):
            found.append(servers.redis(a.threads))
        elif name == "memcached" and shutil.which("memcached"):
            found.append(servers.memcached(a.threads))
        else:
            print(f"left out: {name} (not found)", file=sys.stderr)
    wanted = set(a.protocols.split(","))
    return [s for s in found if s.serves & wanted]


class Bench:
    def __init__(self, a):
        self.a = a
        self.servers = chosen_servers(a)
        self.deadline = time.monotonic() + a.time_limit
        self.rows = {}  # (case, server name) -> [measurement of each round]
        self.holds = {}  # server name -> "strings" while it holds every key of gets and sets
        # Real-time threads that share cores would starve each other: none of them gives way.
        self.real_time = a.rt and not a.two_threads and servers.may_use_real_time()
        if a.rt and not self.real_time:
            print("--rt: not permitted here, or with --two-threads; running without",
                  file=sys.stderr)

    def generate(self, server, protocol, *more):
        """One run of the load generator; raises on anything but right replies."""
        a = self.a
        command = ["taskset", "-c", a.client_cpus, str(a.build / "load_generator"),
                   "--port", str(server.ports[protocol]), "--protocol", protocol,
                   "--threads", str(a.threads), "--connections", str(a.connections),
                   "--key-bytes", str(a.key_bytes),
                   "--value-bytes", str(a.value_bytes), *map(str, more)]
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise BenchError(f"the time limit of {a.time_limit:.0f} s has passed")
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=left, check=False,
                                  preexec_fn=servers.real_time if self.real_time else None)
        except subprocess.TimeoutExpired:
            raise BenchError(f"the time limit of {a.time_limit:.0f} s has passed") from None
        if done.returncode != 0:
            raise BenchError(f"{server.name}, {protocol}: {done.stderr.strip()[-400:]}")
        result = json.loads(done.stdout)
        if result["errors"] or result["wrong"]:
            raise BenchError(f"{server.name}, {protocol}: {result['errors']} error replies, "
                             f"{result['wrong']} wrong values: {result['first_error']}")
        return result

    def fill(self, server):
        """Stores every key once: a server has one data set behind all its protocols."""
        if not server.is_floor:
            protocol = sorted(server.serves & set(self.a.protocols.split(",")))[0]
            self.generate(server, protocol, "--fill", "--pipeline", 32, "--keys", self.a.keys)
        self.holds[server.name] = "strings"

    def command(self, operation):
        """What the load generator is told for a command beyond get and set."""
        a = self.a
        elements = max(a.elements, RPOP_ELEMENTS) if operation == "rpop" else a.elements
        return ["--command", operation, "--keys", a.collections, "--elements", elements]

    def empty(self, server):
        pipe = resp_pipe.Pipe(server.ports["resp"])
        pipe.add(resp_pipe.request("FLUSHALL", "SYNC"), b"+OK\r\n")
        pipe.flush()
        pipe.close()

    def prepare(self, server, operation):
        """The data that the operation needs; for other than strings anew each time."""
        if operation in STRINGS:
            if self.holds.get(server.name, "") != "strings":
                if server.name in self.holds:
                    self.empty(server)
                self.fill(server)
            return
        self.empty(server)
        self.holds[server.name] = operation
        self.generate(server, "resp", "--fill", "--pipeline", max(1, 600 // self.a.elements),
                      *self.command(operation))

    def measure(self, server, protocol, operation, pipeline):
        if server.is_floor and operation not in STRINGS:
            return
        self.prepare(server, operation)
        more = ["--pipeline", pipeline, "--seconds", self.a.seconds,
                "--warm-up", min(0.3, self.a.seconds / 2), "--server-pid", server.process.pid]
        if operation in STRINGS:
            more += ["--keys", self.a.keys, "--set-share", 1 if operation == "set" else 0]
        else:
            more += self.command(operation)
        if self.a.rate:
            more += ["--rate", self.a.rate]
        if server.is_floor:
            more += ["--verify-every", 0]
        result = self.generate(server, protocol, *more)
        if result["requests"] == 0:
            raise BenchError(f"{server.name}, {protocol}: no reply at all")
        self.rows.setdefault((protocol, operation, pipeline, server.name), []).append(result)
        if self.real_time:
            time.sleep(0.3)  # lets everything that waited behind the burst run

    def run(self):
        a = self.a
        try:
            for server in self.servers:
                server.start(a.server_cpus, self.real_time)
            for number in range(a.rounds):
                for protocol in a.protocols.split(","):
                    for operation in a.operations.split(","):
                        for pipeline in map(int, a.pipelines.split(",")):
                            for server in self.servers:
                                if protocol in server.serves:
                                    self.measure(server, protocol, operation, pipeline)
                print(f"round {number + 1} of {a.rounds} done", file=sys.stderr)
        finally:
            for server in self.servers:
                server.stop()


def ratio(rows, mine, other):
    """Median over the rounds of my CPU over the other's in the same round; '' without the other."""
    if other not in rows or mine == other:
        return ""
    pairs = zip((r["server_us_per_request"] for r in rows[mine]),
                (r["server_us_per_request"] for r in rows[other]))
    ratios = [x / y for x, y in pairs if y > 0]
    return f"{statistics.median(ratios):.2f}" if ratios else "?"


def table(bench):
    """The Markdown table: one line per case and server."""
    a = bench.a
    others = set(a.operations.split(",")) - set(STRINGS)
    keys = f"{a.collections} collections of {a.elements}" if others else f"{a.keys} keys"
    yield (f"{a.connections} connections, {keys}, keys of {a.key_bytes} bytes, values of "
           f"{a.value_bytes} bytes, {a.rounds} rounds of {a.seconds} s, "
           f"{a.threads} server thread{'s' if a.threads > 1 else ''}"
           f"{', real-time priority' if bench.real_time else ''}"
           f"{f', {a.rate:.0f} requests/s offered' if a.rate else ''}; "
           f"{platform.system()} {platform.release()}, {platform.machine()}")
    for name in sorted({s.name for s in bench.servers}):
        version = servers.version_of(name, a.binary)
        if version and not a.write:
            yield f"* {name}: {version}"
    yield ""
    # What the others are held against: nothing but the kernel's work, or a thread less.
    least = "mikura-1" if a.two_threads else "floor"
    yield (f"| case | server | CPU us/request, median [min-max] | of {least} | of redis "
           "| of memcached | requests/s | p50 us | p99 us | misses |")
    yield "|---|---|---|---|---|---|---|---|---|---|"
    cases = dict.fromkeys(key[:3] for key in bench.rows)
    for case in cases:
        rows = {key[3]: value for key, value in bench.rows.items() if key[:3] == case}
        for name, runs in rows.items():
            cpu = [r["server_us_per_request"] for r in runs]
            middle = {k: statistics.median(r[k] for r in runs)
                      for k in ("requests_per_second", "p50_us", "p99_us")}
            yield (f"| {case[0]} {case[1]} P{case[2]} | {name} | **{statistics.median(cpu):.3f}** "
                   f"[{min(cpu):.3f}-{max(cpu):.3f}] | {ratio(rows, name, least)} "
                   f"| {ratio(rows, name, 'redis')} | {ratio(rows, name, 'memcached')} "
                   f"| {middle['requests_per_second']:.0f} | {middle['p50_us']:.0f} "
                   f"| {middle['p99_us']:.0f} | {sum(r['misses'] for r in runs)} |")


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    a = parse(arguments)
    try:
        bench = Bench(a)
        bench.run()
    except BenchError as error:
        print(f"side_by_side: {error}", file=sys.stderr)
        return 1
    lines = list(table(bench))
    print("\n".join(lines))
    if a.write:
        title, words = SECTIONS[a.write]
        names = sorted({s.name for s in bench.servers})
        report.write_section(a.write, title, words, " ".join(["./dev bench", *arguments]), a.binary,
                             names, lines)
    if a.json:
        a.json.write_text(json.dumps([{"case": list(key[:3]), "server": key[3], "runs": runs}
                                      for key, runs in bench.rows.items()], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
