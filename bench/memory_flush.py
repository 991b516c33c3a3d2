#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""FLUSHALL of millions of keys: how long another client waits, and when the memory is back.

A server is filled; then one client sends FLUSHALL while another asks for PING every millisecond, on
a connection of each of the server's loops. "Longest wait" is the longest of those PINGs from the
flush until its memory is back; "before" the longest in the three seconds before it. "Back" is when
RSS has come down to a tenth of what the keys took.

  ./dev bench memory-flush
  ./dev bench memory-flush --rt    as root: real-time priority, so that other work of the machine
                                   does not show as waiting
"""
import argparse
import os
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import memory_per_key  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
from resp_pipe import Pipe, ReplyError  # noqa: E402

BACK_SECONDS_MAX = 60
QUIET_SECONDS = 3


class Pinger(threading.Thread):
    """Asks for PING every millisecond and keeps (when, how long it took)."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waits = []
        self.stopping = False

    def run(self):
        while not self.stopping:
            begin = time.perf_counter()
            self.socket.sendall(b"PING\r\n")
            if self.socket.recv(64) != b"+PONG\r\n":
                raise ReplyError("PING was not answered by PONG")
            self.waits.append((begin, time.perf_counter() - begin))
            time.sleep(0.001)

    def stop(self):
        self.stopping = True
        self.join()


def ask_first(real_time):
    """Puts this process before the server (or back to normal): its own waits are not the server's."""
    if real_time:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(2))
    else:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def longest(pingers, begin, end):
    return 1e3 * max(wait for p in pingers for when, wait in p.waits if begin <= when + wait
                     and when <= end)


def flush_once(a, name, command):
    """(longest wait before, during, ms until the reply, seconds until the memory is back)."""
    server, protocol = memory_per_key.server_of(name, a)
    server.start(a.cpus, a.rt)
    pingers = []
    try:
        pid = server.process.pid
        empty = memory_per_key.settled(pid)
        memory_per_key.load(a, server, protocol, "--keys", a.keys, "--fill", "--pipeline", 64)
        full = memory_per_key.settled(pid)
        ask_first(a.rt)
        pingers = [Pinger(server.ports["resp"]) for _ in range(a.threads)]
        for pinger in pingers:
            pinger.start()
        time.sleep(QUIET_SECONDS)
        pipe = Pipe(server.ports["resp"])
        begin = time.perf_counter()
        pipe.ask(*command.split())
        answered = time.perf_counter()
        while servers.resident_bytes(pid) > empty + (full - empty) / 10:
            if time.perf_counter() - begin > BACK_SECONDS_MAX:
                raise ReplyError(f"{name}: the memory is not back after {BACK_SECONDS_MAX} s")
            time.sleep(0.01)
        back = time.perf_counter()
        for pinger in pingers:
            pinger.stop()
        return (longest(pingers, begin - QUIET_SECONDS + 0.2, begin),
                longest(pingers, begin, back + 0.1), 1e3 * (answered - begin), back - begin)
    finally:
        ask_first(False)
        for pinger in pingers:
            pinger.stopping = True
        server.stop()


def main(arguments=None):
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--keys", type=int, default=5_000_000)
    p.add_argument("--servers", default="mikura,redis")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--threads", type=int, default=2, help="of mikura")
    p.add_argument("--cpus", default="0,1")
    p.add_argument("--build", type=Path, default=servers.ROOT / "build/release")
    p.add_argument("--binary", type=Path, help="mikura; that of --build by default")
    p.add_argument("--rt", action="store_true", help="real-time priority")
    p.add_argument("--write", action="store_true", help="write docs/benchmarks/memory-flush.md")
    a = p.parse_args(arguments)
    a.binary = a.binary or a.build / "mikura"
    if a.rt and not servers.may_use_real_time():
        print("--rt: not permitted here, running without", file=sys.stderr)
        a.rt = False
    lines = ["| server | command | longest wait before, ms | longest wait, ms | reply after ms "
             "| memory back after s |", "|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    try:
        for name in a.servers.split(","):
            for command in ("FLUSHALL", "FLUSHALL ASYNC"):
                found = zip(*[flush_once(a, name, command) for _ in range(a.rounds)])
                cells = [f"{min(v):.1f}-{max(v):.1f}" for v in map(list, found)]
                lines.append(f"| {name} | {command} | " + " | ".join(cells) + " |")
                print(lines[-1], flush=True)
    except (servers.BenchError, ReplyError) as error:
        print(f"memory_flush: {error}", file=sys.stderr)
        return 1
    if a.write:
        words = "\n\n".join(__doc__.split("\n\n")[:2])
        report.write_section("memory-flush", "Flushing millions of keys",
                             f"{words}\n\n{a.keys} keys, {a.rounds} rounds, lowest to highest"
                             f"{', real-time priority' if a.rt else ''}.",
                             "./dev bench memory-flush", a.binary, a.servers.split(","), lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
