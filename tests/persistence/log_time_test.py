#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aof-timestamp-enabled: the append log notes when its records were written, as Redis' does, and can
be cut at a time."""
import re
import subprocess
import time
import unittest

from log_nodes import LogTest, have

NOTE = re.compile(rb"#TS:(\d+)\r\n")


class LogTime(LogTest):
    def setUp(self):
        self.kinds = ("mikura", "redis") if have("redis-server") else ("mikura",)

    def notes(self, node):
        return [int(second) for second in NOTE.findall(self.increment(node).read_bytes())]

    def await_next_second(self):
        # Servers look at the clock up to some tenths of a second late.
        begin = int(time.time()) + 1.3
        self.await_true(lambda: time.time() > begin, "the clock goes on")

    def test_notes_are_switched_while_it_runs(self):
        for kind in self.kinds:
            with self.subTest(kind=kind):
                node = self.node(kind, "--appendfsync", "always")
                client = self.ready(node)
                self.assertEqual(list(client.call("CONFIG", "GET", "aof-timestamp-enabled").lines()),
                                 ["*2", "$aof-timestamp-enabled", "$no"])
                client.call("SET", "a", "1")
                self.assertEqual(self.notes(node), [])
                self.assertEqual(
                    client.call("CONFIG", "SET", "aof-timestamp-enabled", "yes").text, "+OK")
                before = int(time.time())
                client.call("SET", "b", "1")
                self.await_next_second()
                client.call("SET", "c", "1")
                notes = self.notes(node)
                self.assertGreaterEqual(len(notes), 2)
                self.assertTrue(before <= notes[0] < notes[-1] <= int(time.time()), notes)
                client.call("CONFIG", "SET", "aof-timestamp-enabled", "no")
                self.await_next_second()
                client.call("SET", "d", "1")
                self.assertEqual(self.notes(node), notes)

    @unittest.skipUnless(have("redis-server"), "there is no redis-server")
    def test_each_loads_the_notes_of_the_other(self):
        for source_kind, target_kind in (("mikura", "redis"), ("redis", "mikura")):
            with self.subTest(source=source_kind):
                source = self.node(source_kind, "--aof-timestamp-enabled", "yes")
                target = self.node(target_kind)
                client = self.ready(source)
                client.call("SET", "a", "1")
                client.call("MULTI")
                client.call("SET", "b", "1")
                client.call("SET", "c", "1")
                client.call("EXEC")
                self.await_next_second()
                client.call("SET", "d", "1")
                self.end(source)
                self.assertGreaterEqual(len(self.notes(source)), 2)
                self.check(source)
                client = self.move_log(source, target)
                self.assertEqual(client.call("EXISTS", "a", "b", "c", "d").text, ":4")

    @unittest.skipUnless(have("redis-check-aof"), "there is no redis-check-aof")
    def test_the_log_is_cut_at_a_time(self):
        node = self.node("mikura", "--aof-timestamp-enabled", "yes")
        client = self.ready(node)
        client.call("SET", "early", "1")
        self.await_next_second()
        client.call("SET", "late", "1")
        self.end(node)
        early, late = self.notes(node)
        self.assertLess(early, late)
        done = subprocess.run(
            ["redis-check-aof", "--truncate-to-timestamp", str(early),
             str(self.folder(node) / "appendonly.aof.manifest")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.notes(node), [early])
        node.start()
        client = self.ready(node)
        self.assertEqual(client.call("GET", "early").text, "$1")
        self.assertEqual(client.call("GET", "late").text, "(null)")


if __name__ == "__main__":
    unittest.main()
