#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands on collections of a million elements: how long other clients wait meanwhile.

One client runs each command on a collection that was made for it. Others, on connections of each of
the server's loops, ask for a key every millisecond: half of them for one in the shard of the
collection, half for one elsewhere. "Own" is the time until the command's whole reply has come, the
waits are the longest of the others from then until a little after. The lowest of some rounds: what
another program of the machine takes away is not the server's.

  bench/longest_wait.py
  bench/longest_wait.py --only "LRANGE|SUNION" --threads 1,4 --rounds 3
"""
import argparse
import multiprocessing
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import collections_of_a_million as workload  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
END = b"$17\r\nthis-is-the-end-7\r\n"
ECHO = workload.encode("ECHO", "this-is-the-end-7")
SETTLE_SECONDS = 0.15


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray(1 << 20)

    def run(self, request):
        """Sends it and reads all replies, up to that of an ECHO behind; returns their first bytes."""
        self.socket.sendall(request + ECHO)
        return self.read()

    def load(self, requests):
        """The same for many requests: their replies are read while they are sent."""
        sender = threading.Thread(target=self.socket.sendall, args=(requests + ECHO,))
        sender.start()
        self.read()
        sender.join()

    def read(self):
        first, tail = b"", b""
        while not tail.endswith(END):
            size = self.socket.recv_into(self.buffer)
            if size == 0:
                raise ConnectionError("the server has closed the connection")
            piece = bytes(self.buffer[max(0, size - len(END)):size])
            tail = (tail + piece)[-len(END):]
            if len(first) < 64:
                first += bytes(self.buffer[:64])[:size]
        return first


def ping(port, loops, pipe):
    """The other clients. For each word that comes: measures until the next one, answers the waits."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(2))
    except PermissionError:
        pass
    asked = {}
    epoll = select.epoll()
    for kind, key in (("same shard", workload.NEIGHBOUR), ("other shard", workload.STRANGER)):
        for _ in range(loops):
            s = Connection(port).socket
            asked[s.fileno()] = [s, kind, workload.encode("GET", key), None]
            epoll.register(s.fileno(), select.EPOLLIN)
    pipe.send("ready")
    while pipe.recv() == "begin":
        longest = {"same shard": 0.0, "other shard": 0.0}
        last_round = 0.0
        while True:
            now = time.perf_counter()
            if now - last_round >= 0.001:
                last_round = now
                for entry in asked.values():
                    if entry[3] is None:
                        entry[3] = time.perf_counter()
                        entry[0].sendall(entry[2])
            for fd, _ in epoll.poll(0.001):
                entry = asked[fd]
                entry[0].recv(64)
                longest[entry[1]] = max(longest[entry[1]], time.perf_counter() - entry[3])
                entry[3] = None
            if pipe.poll() and all(entry[3] is None for entry in asked.values()):
                pipe.recv()
                break
        pipe.send(longest)


class Server:
    def __init__(self, binary, port, threads):
        self.folder = tempfile.mkdtemp(prefix="mikura-bench-")
        self.port = port
        is_mikura = Path(binary).name == "mikura"
        words = [str(binary)] + (["engine", "--threads", str(threads)] if is_mikura else [])
        words += ["--port", str(port), "--dir", self.folder]
        if is_mikura:
            words += ["--enable-debug-command", "yes"]
        else:
            words += ["--save", "", "--enable-debug-command", "yes"]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=before_others)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise ConnectionError(f"{binary} does not listen on {port}")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def before_others():
    """What else the machine does shall not show as waiting."""
    try:
        os.nice(-19)
    except PermissionError:
        pass


def measure(case, client, pipe):
    client.load(b"".join(make() for make in case.prepare))
    time.sleep(SETTLE_SECONDS)
    pipe.send("begin")
    time.sleep(0.02)
    begin = time.perf_counter()
    reply = client.run(case.request)
    own = time.perf_counter() - begin
    time.sleep(max(SETTLE_SECONDS, case.after_seconds))
    pipe.send("end")
    waits = pipe.recv()
    client.run(workload.encode("FLUSHALL") + workload.SMALL_KEYS)
    if reply.startswith(b"-"):
        raise ValueError(f"{case.name}: {reply}")
    return own, waits["same shard"], waits["other shard"]


def run(a, threads, cases):
    rows = {}
    server = Server(a.binary, a.port, threads)
    ours, theirs = multiprocessing.Pipe()
    pinger = multiprocessing.Process(target=ping, args=(a.port, threads, theirs), daemon=True)
    try:
        client = Connection(a.port)
        client.run(workload.SMALL_KEYS)
        pinger.start()
        ours.recv()
        for case in cases:
            try:
                found = [measure(case, client, ours) for _ in range(a.rounds)]
            except ValueError as error:
                print(f"longest_wait: {error}", file=sys.stderr)
                continue
            rows[case.name] = [1e3 * min(column) for column in zip(*found)]
            own, same, other = rows[case.name]
            print(f"| {threads} | {case.name} | {own:.1f} | {same:.1f} | {other:.1f} |", flush=True)
        return rows
    finally:
        pinger.kill()
        server.stop()


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--binary", type=Path, default=ROOT / "build/release/mikura")
    p.add_argument("--port", type=int, default=28000)
    p.add_argument("--threads", default="1,4")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--elements", type=int, default=1_000_000)
    p.add_argument("--only", help="cases whose names match this expression")
    p.add_argument("--most", type=float, help="fail when somebody waits for more milliseconds")
    a = p.parse_args()
    cases = [c for c in workload.cases(a.elements) if not a.only or re.search(a.only, c.name)]
    print("| threads | command | own, ms | longest wait, same shard, ms | other shard, ms |\n"
          "|---|---|---|---|---|", flush=True)
    late = []
    for threads in map(int, a.threads.split(",")):
        rows = run(a, threads, cases)
        late += [f"{threads} threads, {name}: {max(row[1:]):.1f} ms" for name, row in rows.items()
                 if a.most and max(row[1:]) > a.most]
    if late:
        print("\nToo long:\n  " + "\n  ".join(late))
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
