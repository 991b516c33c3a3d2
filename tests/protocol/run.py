#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs *.test files against servers: ours, Redis, or any that is already running.

  run.py [files]                         against both MIKURA_BIN engine and redis-server
  run.py --server mikura [files]         against one of them
  run.py --target host:port --as redis   against a running server (its data are lost)
  run.py --split 7                       requests cut into random pieces, from this seed
  run.py --pipeline                      many requests in one piece
  run.py --check-coverage                every command of our COMMAND LIST is sent by some file

The format of the files: test_files.py.
"""
import argparse
import sys
import time
from pathlib import Path

from resp_client import Client, Closed, Node, encode, splitter
from servers import Server
from test_files import Directive, Exchange, fits, parse

HERE = Path(__file__).resolve().parent
EVENTUALLY_SECONDS = 10


class Failure(Exception):
    pass


class FileRun:
    """One file against one server."""

    def __init__(self, path, kind, host, port, split=None, pipeline=False):
        self.path, self.kind, self.address = path, kind, (host, port)
        self.split, self.pipeline = split, pipeline
        self.clients, self.name = {}, "first"
        self.passed, self.failures = 0, []
        self.queue = []

    def client(self):
        if self.name not in self.clients:
            self.clients[self.name] = Client(*self.address, split=self.split)
        return self.clients[self.name]

    def drop_client(self):
        self.clients.pop(self.name).close()

    def run(self):
        setup = Client(*self.address)
        for words in (("SELECT", 0), ("FLUSHALL",)):
            setup.call(*words)
        setup.close()
        try:
            for step in parse(self.path):
                if isinstance(step, Exchange):
                    self.take_exchange(step)
                else:
                    self.flush()
                    self.direct(step)
            self.flush()
        finally:
            for client in self.clients.values():
                client.close()
        return self

    def take_exchange(self, step):
        if step.only and step.only != self.kind:
            return
        endings = ("(close)", "(nothing)")
        alone = step.eventually or step.raw is not None or any(
            node.text in endings for node in step.expected)
        if self.pipeline and not alone:
            self.queue.append(step)
            if len(self.queue) >= 40:
                self.flush()
            return
        self.flush()
        self.check(step, self.exchange_until(step) if step.eventually else self.exchange(step))

    def flush(self):
        """Sends what was held back in one piece, and compares the replies."""
        queue, self.queue = self.queue, []
        if not queue:
            return
        client = self.client()
        client.send(b"".join(encode(step.data) for step in queue))
        for step in queue:
            self.check(step, [self.read(client) for _ in step.expected])

    def read(self, client):
        try:
            return client.read()
        except Closed:
            self.drop_client()
            return Node("(close)")

    def exchange(self, step):
        client = self.client()
        try:
            client.send(step.raw if step.raw is not None else encode(step.data))
        except Closed:
            pass
        replies = []
        for node in step.expected:
            if node.text == "(nothing)":
                # Whatever comes before PING's answer would have been a reply.
                client.send(encode([b"PING", b"nothing came"]))
                got = self.read(client)
                replies.append(Node("(nothing)") if got.text == "$nothing came" else got)
            else:
                replies.append(self.read(client))
            if replies[-1].text == "(close)":
                break
        return replies

    def exchange_until(self, step):
        deadline = time.monotonic() + EVENTUALLY_SECONDS
        while True:
            replies = self.exchange(step)
            if self.fit(step, replies) or time.monotonic() > deadline:
                return replies
            time.sleep(0.01)

    @staticmethod
    def fit(step, replies):
        return len(replies) == len(step.expected) and all(map(fits, step.expected, replies))

    def check(self, step, replies):
        if self.fit(step, replies):
            self.passed += 1
            return
        expected = [line for node in step.expected for line in node.lines()]
        actual = [line for node in replies for line in node.lines()]
        self.failures.append(f"{self.path.name}:{step.line} [{self.kind}] {step.text}\n"
                             + "".join(f"    expected {line}\n" for line in expected[:40])
                             + "".join(f"    got      {line}\n" for line in actual[:40]))

    def direct(self, step):
        verb, *words = step.words
        if verb == "connection":
            self.name = words[0]
        elif verb == "reconnect":
            if self.name in self.clients:
                self.drop_client()
        elif verb == "keys":
            client = self.client()
            for i in range(int(words[0])):
                client.send(encode([b"SET", (words[1] % i).encode(), b"v"]))
            for i in range(int(words[0])):
                self.read(client)
        elif verb == "scan":
            self.scan(step, int(words[0]), words[1:])
        else:
            raise SyntaxError(f"{self.path.name}:{step.line}: unknown directive {verb}")

    def scan(self, step, count, options):
        client, cursor, names, rounds = self.client(), "0", set(), 0
        while rounds == 0 or cursor != "0":
            reply = client.call("SCAN", cursor, *options)
            cursor = reply.children[0].text[1:]
            names |= {node.text for node in reply.children[1].children}
            rounds += 1
            if rounds > 100_000:
                break
        if len(names) == count and cursor == "0":
            self.passed += 1
        else:
            self.failures.append(f"{self.path.name}:{step.line} [{self.kind}] scan: "
                                 f"{len(names)} keys instead of {count}, cursor {cursor}\n")


def sent_names(files):
    """Every command, and every command with its first argument, that the files send to us."""
    names = set()
    for path in files:
        for step in parse(path):
            if isinstance(step, Directive) or step.only == "redis" or not step.data:
                continue
            words = [word.decode("latin-1").lower() for word in step.data]
            names.add(words[0])
            names.add("|".join(words[:2]))
    return names


def check_coverage(host, port, files):
    client = Client(host, port)
    listed = {node.text[1:] for node in client.call("COMMAND", "LIST").children}
    client.close()
    missing = sorted(listed - sent_names(files))
    for name in missing:
        print(f"coverage: no .test file sends {name}")
    return len(listed) - len(missing), len(missing)


def run_files(files, kind, host, port, options):
    passed = failed = 0
    for path in files:
        split = splitter(f"{options.split}{path.name}") if options.split is not None else None
        try:
            run = FileRun(path, kind, host, port, split, options.pipeline).run()
            failures = run.failures
            passed += run.passed
        except (Closed, OSError, SyntaxError) as error:
            failures = [f"{path.name} [{kind}] {type(error).__name__} {error}\n"]
        failed += len(failures)
        for failure in failures:
            print(failure, end="")
    print(f"{kind}: {passed} replies as expected, {failed} not", flush=True)
    return passed, failed


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=("mikura", "redis"))
    parser.add_argument("--target", metavar="HOST:PORT")
    parser.add_argument("--as", dest="kind", choices=("mikura", "redis"), default="redis")
    parser.add_argument("--split", metavar="SEED")
    parser.add_argument("--pipeline", action="store_true")
    parser.add_argument("--check-coverage", action="store_true")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    options.files = options.files or sorted(HERE.glob("*.test"))
    return options


def run(options):
    """(passed, failed) of all files against the chosen servers."""
    totals = [0, 0]

    def add(result):
        totals[0] += result[0]
        totals[1] += result[1]

    if options.target:
        host, _, port = options.target.rpartition(":")
        add(run_files(options.files, options.kind, host, int(port), options))
        return totals
    for kind in [options.server] if options.server else ["mikura", "redis"]:
        with Server(kind) as server:
            add(run_files(options.files, kind, server.host, server.port, options))
            if options.check_coverage and kind == "mikura":
                try:
                    add(check_coverage(server.host, server.port, options.files))
                except (Closed, OSError) as error:
                    print(f"coverage: {type(error).__name__} {error}")
                    totals[1] += 1
            if server.process.poll() is not None:
                print(f"{kind} ended with {server.process.returncode}:\n{server.log()}")
                totals[1] += 1
    return totals


def main():
    passed, failed = run(parse_options(sys.argv[1:]))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
