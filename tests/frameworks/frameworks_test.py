#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Frameworks that people build on, against `mikura engine`: the programs of frameworks.tsv.

    frameworks_test.py [--server mikura|redis] [--threads N] [--jobs N] [-v] [word ...]

Each program has a server of its own. With words, only the programs whose file holds one of them run.
--server redis runs the same programs against Debian's redis-server (and memcached), which shows that
they ask for what these servers do. MIKURA_BIN names our program (default build/release/mikura).
"""
import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]
import node_packages  # noqa: E402
import programs  # noqa: E402
from servers import Server, free_port  # noqa: E402


class Servers:
    """A server of Redis' protocol and, on a port of its own, of memcached's."""

    def __init__(self, kind, threads):
        self.memcached_port, self.memcached = free_port(), None
        if kind == "mikura":
            self.redis = Server(kind, "--threads", str(threads),
                                "--memcached-port", str(self.memcached_port))
            return
        self.redis = Server(kind)
        self.memcached = subprocess.Popen(
            ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(self.memcached_port)],
            stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.redis.stop()
        if self.memcached:
            self.memcached.kill()
            self.memcached.wait()


def run(program, options):
    """(passed, failed), and says how it went."""
    begin = time.monotonic()
    with Servers(options.server, options.threads) as servers:
        passed, failed, output = programs.run(program, servers.redis.port, servers.memcached_port)
        if servers.redis.process.poll() is not None:
            failed += 1
            output += f"the server ended with {servers.redis.process.returncode}\n{servers.redis.log()}"
    if failed or options.verbose:
        print(output)
    print(f"{program.file:28} {passed} passed, {failed} failed "
          f"({time.monotonic() - begin:.1f} s)  {program.frameworks}", flush=True)
    return passed, failed


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=("mikura", "redis"), default="mikura")
    parser.add_argument("--threads", type=int, default=4, help="event loops of our engine")
    parser.add_argument("--jobs", type=int, default=3, help="programs at once")
    parser.add_argument("-v", "--verbose", action="store_true", help="what passing programs say too")
    parser.add_argument("words", nargs="*")
    return parser.parse_args()


def main():
    options = parse_arguments()
    chosen = [program for program in programs.all_programs()
              if not options.words or any(word in program.file for word in options.words)]
    try:
        node_packages.install()
    except node_packages.InstallError as error:
        print(f"{error}\n0 passed, 1 failed")
        return 1
    with ThreadPoolExecutor(options.jobs) as pool:
        counts = list(pool.map(lambda program: run(program, options), chosen))
    passed, failed = (sum(column) for column in zip(*counts)) if counts else (0, 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
