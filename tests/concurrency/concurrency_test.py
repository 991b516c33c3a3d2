#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many clients at once on an engine with four threads, judged by concurrency_load: histories of
single keys are linearizable, totals stay, nothing is lost or doubled. A replica follows from the
start, another one joins in the middle; both end with the data of the primary.

MIKURA_CONCURRENCY_SECONDS: of each scenario; MIKURA_CONCURRENCY_SEED: what the clients do."""
import os
import random
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path += [str(ROOT / "tests/protocol"), str(ROOT / "tests/differential")]
from differential import READERS, pairs, unquote  # noqa: E402
from resp_client import Client  # noqa: E402
from servers import Server, mikura_binary  # noqa: E402

SECONDS = float(os.environ.get("MIKURA_CONCURRENCY_SECONDS", "4"))
SEED = int(os.environ.get("MIKURA_CONCURRENCY_SEED") or random.SystemRandom().randrange(10**9))
PATIENCE_SECONDS = 60


def load_program():
    return Path(mikura_binary()).parent / "concurrency_load"


def offset(client):
    lines = unquote(client.call("INFO", "replication").text[1:]).decode().split("\r\n")
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    if fields["role"] == "slave" and fields["master_link_status"] != "up":
        return -1
    return int(fields["slave_repl_offset" if fields["role"] == "slave" else "master_repl_offset"])


def contents(client):
    """{key: (type, deadline, what is in it)}"""
    found = {}
    for node in client.call("KEYS", "*").children:
        key = unquote(node.text[1:])
        kind = client.call("TYPE", key).text
        if kind == "+none":  # it has expired meanwhile
            continue
        before, behind, compare = READERS[kind]
        value = client.call(*before, key, *behind)
        if compare == "pairs":
            text = pairs(value)
        elif compare == "unordered":
            text = sorted(child.text for child in value.children)
        else:
            text = list(value.lines())
        found[key] = (kind, client.call("PEXPIRETIME", key).text, text)
    return found


class Concurrency(unittest.TestCase):
    SLOWNESS = 3.0  # of deadlines, beside those of an optimised engine alone on its machine
    KINDS = ("primary", "replica", "late")

    @classmethod
    def setUpClass(cls):
        cls.servers, cls.clients = {}, {}
        for kind in cls.KINDS:
            server = cls.servers[kind] = Server("mikura", "--threads", "4")
            cls.addClassCleanup(server.stop)
            cls.clients[kind] = Client(server.host, server.port, seconds_max=PATIENCE_SECONDS)
            cls.addClassCleanup(cls.clients[kind].close)
        cls.follow("replica")

    @classmethod
    def follow(cls, kind):
        primary = cls.servers["primary"]
        cls.clients[kind].call("REPLICAOF", primary.host, primary.port)

    def run_scenario(self, name):
        self.clients["primary"].call("FLUSHALL")
        join = threading.Timer(SECONDS / 2, self.follow, ["late"])
        join.start()
        primary = self.servers["primary"]
        load = subprocess.run(
            [str(load_program()), "--port", str(primary.port), "--seconds", str(SECONDS),
             "--seed", str(SEED), "--slowness", str(self.SLOWNESS), "--only", name],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=SECONDS + 200)
        join.join()
        print(load.stdout, flush=True)
        self.assertEqual(load.returncode, 0, f"{load.stdout}\n{primary.log()}")
        for kind in ("replica", "late"):
            self.compare(kind)
        self.clients["late"].call("REPLICAOF", "NO", "ONE")
        for server in self.servers.values():
            self.assertIsNone(server.process.poll(), server.log())

    def compare(self, kind):
        primary, replica = self.clients["primary"], self.clients[kind]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while offset(replica) != offset(primary):
            self.assertLess(time.monotonic(), deadline, f"{kind} does not catch up")
            time.sleep(0.05)
        expected, got = contents(primary), contents(replica)
        for key in expected.keys() | got.keys():
            self.assertEqual(got.get(key), expected.get(key), f"{kind}, seed {SEED}: {key}")

    def test_histories_of_single_keys_are_linearizable(self):
        self.run_scenario("single-keys")

    def test_a_bank_has_the_same_total_at_any_moment(self):
        self.run_scenario("bank")

    def test_what_moves_is_in_one_place(self):
        self.run_scenario("moves")

    def test_queues_lose_nothing_and_double_nothing(self):
        self.run_scenario("queues")

    def test_who_waits_longest_is_served_first(self):
        self.run_scenario("fairness")

    def test_no_cache_keeps_what_has_changed(self):
        self.run_scenario("tracking")

    def test_a_script_without_end_stops_nobody(self):
        self.run_scenario("endless-scripts")


if __name__ == "__main__":
    unittest.main()
