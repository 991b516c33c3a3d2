# SPDX-License-Identifier: Apache-2.0
"""Starts nodes of both kinds, ours and redis-server, and compares what they hold.

MIKURA_BIN names the program under test; without it the tests of this folder are skipped.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import redis

MIKURA = os.environ.get("MIKURA_BIN", "")
REDIS = shutil.which("redis-server")
PATIENCE_SECONDS = 30
DATABASES = 4


def unless_loading(run, *arguments):
    try:
        return run(*arguments)
    except redis.exceptions.BusyLoadingError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition, what):
    """Waits for what happens in other processes; the limit is a failure, not a hope. A node that
    loads a copy has not come so far."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not unless_loading(condition):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")
        time.sleep(0.01)


class Node:
    """One server process with an empty directory of its own."""

    def __init__(self, kind, *options, password=None):
        self.kind = kind
        self.options = options
        self.password = password
        self.port = free_port()
        self.directory = tempfile.mkdtemp(prefix="replication-test-")
        self.start()

    def start(self):
        program = [MIKURA, "engine"] if self.kind == "mikura" else [REDIS, "--save", ""]
        self.log = open(os.path.join(self.directory, "log"), "ab")
        self.process = subprocess.Popen(
            [*program, "--port", str(self.port), "--bind", "127.0.0.1",
             "--databases", str(DATABASES), "--dir", self.directory, *self.options],
            stdout=self.log, stderr=self.log)
        self.client = self.database(0)
        try:
            eventually(self.answers, f"{self.kind} answers")
        except AssertionError:
            print(self.log_text())
            self.stop()
            raise

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.kind} ended: {self.log_text()}")
        try:
            return self.client.ping()
        except redis.exceptions.BusyLoadingError:
            return True
        except redis.exceptions.ConnectionError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_text(self):
        with open(os.path.join(self.directory, "log"), "rb") as text:
            return text.read().decode(errors="replace")

    def database(self, number):
        return redis.Redis("127.0.0.1", self.port, db=number, password=self.password)

    def terminate(self):
        """Ends the process as an operator does, and waits for it."""
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_SECONDS)
        self.log.close()

    def replication(self):
        return self.client.info("replication")

    def offset(self):
        return self.replication()["master_repl_offset"]

    def follow(self, primary):
        self.client.execute_command("REPLICAOF", "127.0.0.1", primary.port)

    def promote(self):
        self.client.execute_command("REPLICAOF", "NO", "ONE")

    def contents(self):
        """All keys of all databases with value and deadline."""
        everything = {}
        for number in range(DATABASES):
            database = self.database(number)
            keys = sorted(database.scan_iter(count=1000))
            for first in range(0, len(keys), 500):
                some = keys[first:first + 500]
                pipe = database.pipeline(transaction=False)
                for key in some:
                    pipe.get(key)
                    pipe.execute_command("PEXPIRETIME", key)
                answers = pipe.execute()
                for i, key in enumerate(some):
                    everything[number, key] = (answers[2 * i], answers[2 * i + 1])
        return everything


def caught_up(replica, primary):
    link = replica.replication()
    return link.get("master_link_status") == "up" and replica.offset() == primary.offset()


def await_caught_up(replica, primary):
    try:
        eventually(lambda: caught_up(replica, primary), "the replica has caught up")
    except AssertionError:
        print(replica.replication(), primary.replication(), replica.log_text()[-3000:],
              primary.log_text()[-3000:], sep="\n")
        raise
