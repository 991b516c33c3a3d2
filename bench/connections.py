#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What idle connections cost a node: resident memory each, and processor time while they idle.

Every connection sends one request and reads its reply, so that it is what a pool keeps open. Then
all are silent for some seconds, and the ticks of the process are counted; the same is counted
before they came. The kernel's own memory for sockets is not the process's, and not counted.
"""
import argparse
import json
import os
import resource
import socket
import time
from pathlib import Path

import servers

REQUESTS = {"resp": (b"*2\r\n$3\r\nGET\r\n$7\r\nmissing\r\n", b"$-1\r\n"),
            "text": (b"get missing\r\n", b"END\r\n"),
            "mcbin": (bytes([0x80, 0x0a]) + bytes(22), None)}  # no-op
BINARY_REPLY_BYTES = 24
SETTLE_SECONDS = 1.5
PER_ADDRESS = 20_000  # fewer than there are ports for one address
DESCRIPTORS_SPARE = 200


def resident_bytes(pid):
    """Of memory that is the process's own: pages of files come and go with the cache."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise servers.BenchError("no RssAnon in /proc")


def cpu_seconds(pid):
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def ask(connection, protocol):
    request, expected = REQUESTS[protocol]
    connection.sendall(request)
    wanted = BINARY_REPLY_BYTES if expected is None else len(expected)
    reply = b""
    while len(reply) < wanted:
        more = connection.recv(wanted - len(reply))
        if not more:
            raise servers.BenchError("the node closed a connection")
        reply += more
    if expected is not None and reply != expected:
        raise servers.BenchError(f"a reply that was not expected: {reply!r}")


def connect(port, number):
    connection = socket.socket()
    connection.settimeout(30)
    connection.bind((f"127.0.0.{1 + number // PER_ADDRESS}", 0))
    connection.connect(("127.0.0.1", port))
    return connection


def idle_cpu_share(pid, seconds):
    before, begin = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - begin)


def measure(server, protocol, options):
    pid, port = server.process.pid, server.ports[protocol]
    warm_up = [connect(port, 0) for _ in range(50)]
    for connection in warm_up:
        ask(connection, protocol)
        connection.close()
    time.sleep(SETTLE_SECONDS)
    cpu_before = idle_cpu_share(pid, options.seconds)
    memory_before = resident_bytes(pid)
    connections = []
    for number in range(options.connections):
        connections.append(connect(port, number))
        ask(connections[-1], protocol)
    time.sleep(SETTLE_SECONDS)
    memory = resident_bytes(pid) - memory_before
    cpu_idle = idle_cpu_share(pid, options.seconds)
    for connection in connections[::100]:  # they are still served
        ask(connection, protocol)
    for connection in connections:
        connection.close()
    time.sleep(SETTLE_SECONDS)
    return {"server": server.name, "protocol": protocol, "connections": options.connections,
            "bytes_each": round(memory / options.connections),
            "bytes_each_left_after_closing":
                round((resident_bytes(pid) - memory_before) / options.connections),
            "cpu_share_without": round(cpu_before, 5), "cpu_share_idle": round(cpu_idle, 5)}


def allow_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=servers.ROOT / "build/release/mikura")
    parser.add_argument("--connections", type=int, default=9_990, help="below maxclients")
    parser.add_argument("--seconds", type=float, default=5, help="of idling")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpus", default=f"0-{os.cpu_count() - 1}")
    parser.add_argument("--compare", action="store_true", help="also redis-server and memcached")
    options = parser.parse_args()
    allow_descriptors(options.connections + DESCRIPTORS_SPARE)
    makers = [(lambda: servers.mikura(options.binary, options.threads), "resp"),
              (lambda: servers.mikura(options.binary, options.threads), "text"),
              (lambda: servers.mikura(options.binary, options.threads), "mcbin")]
    if options.compare:
        makers += [(lambda: servers.redis(1), "resp"),
                   (lambda: servers.memcached(options.threads, options.connections + 10), "text")]
    for make, protocol in makers:
        server = make()
        server.start(options.cpus)
        try:
            print(json.dumps(measure(server, protocol, options)), flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
