#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The append log: what was written comes back, also after a kill at any moment; the files are those
of redis-server 7, both ways."""
import random
import shutil
import threading
import time
import unittest
from pathlib import Path

from log_nodes import LogTest, have

from resp_client import Closed, encode  # of tests/protocol
from save_test import DATA, QUESTIONS


KILLS = 50
PIPELINE = 8


class AppendLog(LogTest):
    def fill(self, client):
        for words in DATA:
            self.assertNotEqual(client.call(*words).text[0], "-", words)

    def answers(self, client):
        return [list(client.call(*words).lines()) for words in QUESTIONS]

    def test_all_types_survive_a_kill_before_and_after_a_rewrite(self):
        for rewrites in (False, True):
            with self.subTest(rewrites=rewrites):
                node = self.node()
                client = self.ready(node)
                self.fill(client)
                if rewrites:
                    client.call("BGREWRITEAOF")
                    self.await_rewrite(client)
                before = self.answers(client)
                self.assertEqual(list(client.call("WAITAOF", "1", "0", "0").lines())[1], ":1")
                self.kill(node)
                node.start()
                client = self.ready(node)
                self.assertEqual(self.answers(client), before)
                self.assertTrue(900 < int(client.call("TTL", "soon").text[1:]) <= 1000)
                self.check(node)

    def test_a_snapshot_beside_it_is_not_loaded(self):
        node = self.node()
        client = self.ready(node)
        client.call("SET", "of the snapshot", "1")
        self.assertEqual(client.call("SAVE").text, "+OK")
        self.end(node)
        shutil.rmtree(self.folder(node))
        node.start()
        self.assertEqual(self.ready(node).call("DBSIZE").text, ":0")

    def test_keys_whose_time_comes_while_it_is_loaded(self):
        node = self.node()
        client = self.ready(node)
        client.call("SET", "goes", "1", "PX", "50")
        client.call("SET", "stays", "1", "PX", "50")
        client.call("PERSIST", "stays")
        client.call("WAITAOF", "1", "0", "0")
        self.kill(node)
        time.sleep(0.1)
        node.start()
        client = self.ready(node)
        self.assertEqual(client.call("GET", "stays").text, "$1")
        self.assertEqual(client.call("GET", "goes").text, "(null)")

    # ---- Files of both kinds

    def exchange(self, source_kind, target_kind, *options, rewrites=False):
        source, target = self.node(source_kind, *options), self.node(target_kind)
        client = self.ready(source)
        if rewrites:
            self.fill(client)
            client.call("BGREWRITEAOF")
            self.await_rewrite(client)
        else:
            self.fill(client)
        client.call("MULTI")
        client.call("INCR", "number")
        client.call("SELECT", "3")
        client.call("SET", "there", "1")
        client.call("EXEC")
        client.call("SELECT", "0")
        before = self.answers(client)
        self.end(source)
        self.check(source)
        client = self.move_log(source, target)
        self.assertEqual(self.answers(client), before)
        self.assertEqual(client.call("SET", "goes on", "1").text, "+OK")
        client.call("BGREWRITEAOF")
        self.await_rewrite(client)
        self.end(target)
        self.check(target)

    @unittest.skipUnless(have("redis-server"), "there is no redis-server")
    def test_redis_loads_our_log(self):
        for rewrites in (False, True):
            with self.subTest(rewrites=rewrites):
                self.exchange("mikura", "redis", rewrites=rewrites)

    @unittest.skipUnless(have("redis-server"), "there is no redis-server")
    def test_we_load_a_log_of_redis(self):
        for preamble in ("yes", "no"):
            for rewrites in (False, True):
                with self.subTest(preamble=preamble, rewrites=rewrites):
                    self.exchange("redis", "mikura", "--aof-use-rdb-preamble", preamble,
                                  "--aof-timestamp-enabled", "yes", rewrites=rewrites)

    def test_a_single_file_of_an_older_redis_becomes_the_base(self):
        node = self.node()
        self.end(node)
        shutil.rmtree(self.folder(node))
        single = Path(node.folder.name) / "appendonly.aof"
        single.write_bytes(encode([b"SELECT", b"2"]) + encode([b"SET", b"k", b"v"]))
        node.start()
        client = self.ready(node)
        client.call("SELECT", "2")
        self.assertEqual(client.call("GET", "k").text, "$v")
        self.assertFalse(single.exists())
        self.end(node)
        self.check(node)

    # ---- Files that are not whole

    def test_a_cut_tail_is_dropped_or_refused(self):
        node = self.node()
        client = self.ready(node)
        client.call("SET", "first", "1")
        client.call("MULTI")
        client.call("SET", "second", "1")
        client.call("SET", "third", "1")
        client.call("EXEC")
        self.end(node)
        whole = self.increment(node).read_bytes()
        transaction = whole.index(b"*1\r\n$5\r\nMULTI")
        for size in (transaction + 1, transaction + 20, len(whole) - 1):
            with self.subTest(size=size):
                self.increment(node).write_bytes(whole[:size])
                self.assertIn(f"appendonly.aof.1.incr.aof at byte {transaction}: the file ends "
                              "within", self.refusal(node, "--aof-load-truncated", "no"))
                node.start()
                client = self.ready(node)
                self.assertEqual(client.call("EXISTS", "first", "second", "third").text, ":1")
                self.end(node)
                self.check(node)

    def test_what_is_malformed_is_refused_with_file_and_offset(self):
        node = self.node()
        client = self.ready(node)
        client.call("SET", "k", "v")
        self.end(node)
        whole = self.increment(node).read_bytes()
        self.increment(node).write_bytes(whole + b"junk" + whole)
        self.assertIn(f"appendonlydir/appendonly.aof.1.incr.aof at byte {len(whole)}: no command",
                      self.refusal(node))
        self.increment(node).write_bytes(whole + encode([b"NOSUCHTHING", b"k"]))
        self.assertIn(f"appendonly.aof.1.incr.aof at byte {len(whole)}: the stream has "
                      "'NOSUCHTHING'", self.refusal(node))
        self.increment(node).write_bytes(whole)
        base = self.folder(node) / "appendonly.aof.1.base.rdb"
        base.write_bytes(base.read_bytes()[:30])
        self.assertIn("appendonlydir/appendonly.aof.1.base.rdb: ", self.refusal(node))
        base.unlink()
        self.assertIn("cannot find appendonlydir/appendonly.aof.1.base.rdb", self.refusal(node))
        manifest = self.folder(node) / "appendonly.aof.manifest"
        manifest.write_text("file x seq 1 type b\nfile y\n")
        self.assertIn("appendonly.aof.manifest line 2: ", self.refusal(node))

    def test_clients_are_told_that_it_loads_and_how_far(self):
        node = self.node()
        self.end(node)
        records = encode([b"RPUSH", b"list", b"x"]) * 1_500_000
        self.increment(node).write_bytes(records)
        node.start()
        client = self.client(node)
        info = self.info(client)
        self.assertEqual(info["loading"], "1")
        self.assertGreaterEqual(int(info["loading_total_bytes"]), len(records))
        self.assertTrue(0 <= float(info["loading_loaded_perc"]) <= 100, info)
        self.assertEqual(client.call("GET", "k").text,
                         "-LOADING Redis is loading the dataset in memory")
        self.assertEqual(self.ready(node).call("LLEN", "list").text, ":1500000")

    # ---- Kills and rewrites under load

    # Each writes the numbers 1, 2, ...; true: it was acknowledged.

    def write_single(self, client, name, number):
        return client.call("SET", f"single:{name}", number).text == "+OK"

    def write_pipeline(self, client, name, number):
        """Eight keys, each with the number, in one batch: acknowledged one by one, all or none here."""
        batch = [encode([b"SET", f"pipe:{name}:{i}".encode(), str(number).encode()])
                 for i in range(PIPELINE)]
        client.send(b"".join(batch))
        return all([client.read().text == "+OK" for _ in batch])

    def write_transaction(self, client, name, number):
        client.call("MULTI")
        client.call("SET", f"a:{name}", number)
        client.call("RPUSH", f"list:{name}", number)
        client.call("SET", f"b:{name}", number)
        return client.call("EXEC").text.startswith("*3")

    def write_script(self, client, name, number):
        return client.call(
            "EVAL", "redis.call('SET', KEYS[1], ARGV[1]) redis.call('RPUSH', KEYS[2], ARGV[1]) "
            "redis.call('SET', KEYS[3], ARGV[1]) return 1", 3, f"c:{name}", f"log:{name}",
            f"d:{name}", number).text == ":1"

    def write_until_killed(self, node, write, acknowledged, name):
        number = acknowledged[name] + 1
        try:
            client = self.client(node)
            while True:
                if write(client, name, number):
                    acknowledged[name] = number
                number += 1
        except (Closed, OSError):
            pass

    def number(self, client, key):
        return int(client.call("GET", key).text.lstrip("$(nul)") or 0)

    def check_writes(self, client, kind, name, acknowledged):
        """What was acknowledged is there, and what belongs together is there together."""
        if kind == "single":
            self.assertGreaterEqual(self.number(client, f"single:{name}"), acknowledged)
        elif kind == "pipeline":
            found = [self.number(client, f"pipe:{name}:{i}") for i in range(PIPELINE)]
            self.assertGreaterEqual(min(found), acknowledged)
            # In order: a later one is not there without those before it.
            self.assertEqual(found, sorted(found, reverse=True))
        else:
            first, elements, second = (("a", "list", "b") if kind == "transaction" else
                                       ("c", "log", "d"))
            number = self.number(client, f"{first}:{name}")
            self.assertGreaterEqual(number, acknowledged)
            self.assertEqual(self.number(client, f"{second}:{name}"), number, "torn")
            # Writers that were killed left out numbers, and repeated none.
            last = client.call("LINDEX", f"{elements}:{name}", "-1").text.lstrip("$(nul)") or 0
            self.assertEqual(int(last), number, "torn")

    def test_fifty_kills_under_load_and_rewrites_lose_nothing_acknowledged(self):
        generator = random.Random(5)
        node = self.node("mikura", "--appendfsync", "always")
        kinds = {"single": self.write_single, "pipeline": self.write_pipeline,
                 "transaction": self.write_transaction, "script": self.write_script}
        writers = [(kind, index) for kind in kinds for index in range(2)]
        names = {writer: f"{writer[0]}{writer[1]}" for writer in writers}
        numbers = {names[writer]: 0 for writer in writers}
        for round_number in range(KILLS):
            threads = [threading.Thread(target=self.write_until_killed,
                                        args=(node, kinds[writer[0]], numbers, names[writer]))
                       for writer in writers]
            for thread in threads:
                thread.start()
            client = self.ready(node)
            deadline = time.monotonic() + generator.uniform(0.02, 0.3)
            while time.monotonic() < deadline:
                client.call("BGREWRITEAOF")
            self.kill(node)
            for thread in threads:
                thread.join()
            node.start()
            client = self.ready(node)
            for writer in writers:
                with self.subTest(round=round_number, writer=writer):
                    self.check_writes(client, writer[0], names[writer], numbers[names[writer]])
        for writer in writers:
            self.assertGreater(numbers[names[writer]], KILLS, writer)
        self.end(node)
        self.check(node)
        self.assertLessEqual(len(list(self.folder(node).iterdir())), 8)

    def test_switched_on_and_rewritten_under_load(self):
        node = self.node("mikura", "--appendonly", "no")
        client = self.ready(node)
        for i in range(2000):
            client.call("SET", f"key:{i}", "x" * 100)
        stops = threading.Event()

        def count(name):
            writer = self.client(node)
            while not stops.is_set():
                writer.call("INCR", f"count:{name}")
                writer.call("RPUSH", f"list:{name}", "x")

        threads = [threading.Thread(target=count, args=(name,)) for name in range(3)]
        for thread in threads:
            thread.start()
        self.assertEqual(client.call("CONFIG", "SET", "appendonly", "yes").text, "+OK")
        self.await_rewrite(client)
        for _ in range(5):
            client.call("BGREWRITEAOF")
            self.await_rewrite(client)
        stops.set()
        for thread in threads:
            thread.join()
        names = [(kind, name) for kind in ("count", "list") for name in range(3)]
        question = {"count": "GET", "list": "LLEN"}
        before = [client.call(question[kind], f"{kind}:{name}").text for kind, name in names]
        self.end(node)
        self.check(node)
        node.options = ("--appendonly", "yes")
        node.start()
        client = self.ready(node)
        self.assertEqual(client.call("DBSIZE").text, ":2006")
        self.assertEqual(
            [client.call(question[kind], f"{kind}:{name}").text for kind, name in names], before)

    def test_a_grown_log_is_rewritten_by_itself(self):
        node = self.node("mikura", "--auto-aof-rewrite-min-size", "10kb")
        client = self.ready(node)
        for i in range(1000):
            client.call("SET", "k", i)
        self.await_true(lambda: int(self.info(client)["aof_rewrites"]) > 0, "a rewrite")
        self.await_rewrite(client)
        self.assertLess(int(self.info(client)["aof_current_size"]), 45_000)

    def test_switched_off_and_on_again_begins_with_the_data_of_then(self):
        node = self.node()
        client = self.ready(node)
        client.call("SET", "k", "1")
        client.call("CONFIG", "SET", "appendonly", "no")
        client.call("SET", "k", "2")
        client.call("CONFIG", "SET", "appendonly", "yes")
        self.await_rewrite(client)
        client.call("SET", "l", "3")
        client.call("WAITAOF", "1", "0", "0")
        self.kill(node)
        node.start()
        client = self.ready(node)
        self.assertEqual(client.call("GET", "k").text, "$2")
        self.assertEqual(client.call("GET", "l").text, "$3")


if __name__ == "__main__":
    unittest.main(verbosity=2)
