#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `appendfsync always` costs: writes per second of ours and of Redis, with one client and with
many, in turns.

Each round starts both servers anew, with an empty append log on the same disk, and gives each the
same load: SETs, one outstanding request per connection. Every reply waits until its write is on the
disk; with many clients one fsync carries the writes of all that came meanwhile. Beside them the
disk's own pace: write and fdatasync of as many bytes, one after the other.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
import servers

SYNC_SECONDS = 1
LOAD_SECONDS_MAX = 120


def with_log(server):
    command = list(server.command)
    if "--appendonly" in command:  # off, of redis
        at = command.index("--appendonly")
        del command[at:at + 2]
    if "--dir" not in command:
        command += ["--dir", "{dir}"]
    server.command = [*command, "--appendonly", "yes", "--appendfsync", "always"]
    return server


def syncs_per_second(folder):
    """What the disk gives to one writer that waits for each record."""
    path = Path(folder) / "mikura-sync-probe"
    record = b"x" * 128
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    count, begin = 0, time.monotonic()
    try:
        while time.monotonic() - begin < SYNC_SECONDS:
            os.write(descriptor, record)
            os.fdatasync(descriptor)
            count += 1
    finally:
        os.close(descriptor)
        path.unlink()
    return count / (time.monotonic() - begin)


def measure(server, clients, arguments):
    command = ["taskset", "-c", arguments.load_cpus, str(arguments.build / "load_generator"),
               "--port", str(server.ports["resp"]), "--connections", str(clients), "--threads", "1",
               "--set-share", "1", "--keys", str(arguments.keys), "--key-bytes", "16",
               "--value-bytes", str(arguments.value_bytes), "--seconds", str(arguments.seconds),
               "--server-pid", str(server.process.pid)]
    done = subprocess.run(command, check=True, timeout=LOAD_SECONDS_MAX, stdout=subprocess.PIPE)
    result = json.loads(done.stdout)
    if result["errors"]:
        raise servers.BenchError(f"{server.name}: {result['errors']} error replies")
    return result


def rows(clients, results):
    """Of a table. results: name -> a list of a round each."""
    rates = {name: [r["requests_per_second"] for r in rounds] for name, rounds in results.items()}
    redis = statistics.median(rates["redis"])
    for name, rounds in results.items():
        middle = statistics.median(rates[name])
        cpu = statistics.median(r["server_us_per_request"] for r in rounds)
        yield (f"| {clients} | {name} | {middle:.0f} [{min(rates[name]):.0f}-{max(rates[name]):.0f}] "
               f"| {middle / redis:.2f} | {cpu:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=servers.ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 50])
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--value-bytes", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1, help="of ours")
    parser.add_argument("--server-cpus", default="0")
    parser.add_argument("--load-cpus", default="1")
    parser.add_argument("--write", action="store_true", help="docs/benchmarks/append-log.md")
    arguments = parser.parse_args()
    results = {clients: {"mikura": [], "redis": []} for clients in arguments.clients}
    syncs = []
    for _ in range(arguments.rounds):
        for clients in arguments.clients:
            for make in (lambda: servers.mikura(arguments.build / "mikura", arguments.threads),
                         lambda: servers.redis(1)):
                server = with_log(make())
                server.start(arguments.server_cpus)
                try:
                    syncs.append(syncs_per_second(server.folder))
                    results[clients][server.name].append(measure(server, clients, arguments))
                finally:
                    server.stop()
    lines = ["| clients | server | requests/s, median [min-max] | of redis | CPU us/request |",
             "|---|---|---|---|---|"]
    for clients, result in results.items():
        lines += rows(clients, result)
    words = (f"SET of {arguments.value_bytes} bytes, {arguments.rounds} rounds in turns, servers on "
             f"core {arguments.server_cpus}, {arguments.threads} thread(s) of ours; the disk alone: "
             f"{statistics.median(syncs):.0f} syncs/s ({min(syncs):.0f} to {max(syncs):.0f}).")
    print("\n".join([words, "", *lines]))
    if arguments.write:
        report.write_section("append-log", "Writes that wait for the disk",
                             f"{__doc__}\n{words}", " ".join(["./dev bench append-log", *sys.argv[1:]]),
                             arguments.build / "mikura", ["mikura", "redis"], lines)


if __name__ == "__main__":
    main()
