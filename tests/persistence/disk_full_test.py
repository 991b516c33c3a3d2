#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: writes are refused as redis-server refuses them, reads go on, and when there
is room again the node heals by itself; nothing that was on disk is lost."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from log_nodes import LogTest, have
from small_disk import can_mount, mount

from resp_client import Client  # of tests/protocol
from servers import Server

SMALL_BYTES = 3 << 20


class NodeOnSmallDisk(Server):
    """Its folder is a disk of its own."""

    def start(self):
        if not os.path.ismount(self.folder.name):
            mount(self.folder.name, SMALL_BYTES)
            # The log of the program is not to fill it.
            self.outside = tempfile.TemporaryDirectory(prefix="disk-full-")
            self.log_path = os.path.join(self.outside.name, "log")
        super().start()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        subprocess.run(["umount", self.folder.name], check=False)
        self.folder.cleanup()
        self.outside.cleanup()


@unittest.skipUnless(can_mount(), "needs the right to mount a tmpfs (root)")
class FullDisk(LogTest):
    def node(self, kind="mikura", *options):
        node = NodeOnSmallDisk(kind, "--appendonly", "yes", *options)
        self.addCleanup(node.stop)
        return node

    def fill_up(self, node):
        """Leaves some kilobytes."""
        left = shutil.disk_usage(node.folder.name).free - 16 * 1024
        ballast = Path(node.folder.name) / "ballast"
        ballast.write_bytes(b"\0" * left)
        return ballast

    def write_until_refused(self, node, client):
        """The number of the last write that is on disk, and how further ones are refused."""
        durable = -1
        writer = Client(node.host, node.port, seconds_max=2)
        self.addCleanup(writer.close)
        try:
            for number in range(100_000):
                if writer.call("SET", f"key:{number}", "x" * 200).text != "+OK":
                    break
                # One that was let in may find the disk full: then it is never said to be on it.
                if list(writer.call("WAITAOF", "1", "0", "20").lines())[1] == ":1":
                    durable = number
        except OSError:
            pass  # its reply is held back
        refusals = []

        def is_refused():
            refusals.append(client.call("SET", "probe", "x").text)
            return refusals[-1] != "+OK"
        self.await_true(is_refused, "a refusal")
        return durable, refusals[-1]

    def drill(self, sync):
        node = self.node("mikura", "--appendfsync", sync)
        client = self.ready(node)
        client.call("SET", "early", "1")
        client.call("WAITAOF", "1", "0", "0")
        ballast = self.fill_up(node)
        durable, refusal = self.write_until_refused(node, client)
        self.assertEqual(refusal,
                         "-MISCONF Errors writing to the AOF file: No space left on device")
        self.assertEqual(client.call("PING").text, refusal)
        self.assertEqual(client.call("EVAL", "return redis.call('SET', KEYS[1], 1)", "1", "k")
                         .text[:9], "-MISCONF ")
        self.assertEqual(client.call("GET", "early").text, "$1")
        self.assertEqual(self.info(client)["aof_last_write_status"], "err")
        return node, client, ballast, durable

    def test_refused_while_full_and_healed_when_there_is_room(self):
        for sync in ("always", "everysec"):
            with self.subTest(sync=sync):
                node, client, ballast, durable = self.drill(sync)
                ballast.unlink()
                self.await_true(lambda: client.call("SET", "late", "1").text == "+OK", "healed")
                self.assertEqual(self.info(client)["aof_last_write_status"], "ok")
                self.assertEqual(list(client.call("WAITAOF", "1", "0", "0").lines())[1], ":1")
                size = client.call("DBSIZE").text
                self.kill(node)
                node.start()
                client = self.ready(node)
                self.assertEqual(client.call("DBSIZE").text, size)
                self.assertEqual(client.call("EXISTS", "early", "late").text, ":2")
                for number in range(durable + 1):
                    self.assertEqual(client.call("EXISTS", f"key:{number}").text, ":1")
                self.end(node)
                self.check(node)

    def test_a_kill_while_it_is_full_loses_nothing_that_was_on_disk(self):
        node, client, ballast, durable = self.drill("always")
        self.kill(node)
        ballast.unlink()
        node.start()
        client = self.ready(node)
        for number in range(durable + 1):
            self.assertEqual(client.call("EXISTS", f"key:{number}").text, ":1")
        self.end(node)
        self.check(node)

    def test_a_rewrite_that_finds_no_room_leaves_the_log_as_it_was(self):
        node = self.node("mikura")
        client = self.ready(node)
        for number in range(1000):
            client.call("SET", f"key:{number}", "x" * 1000)
        client.call("WAITAOF", "1", "0", "0")
        ballast = self.fill_up(node)
        client.call("BGREWRITEAOF")
        self.await_true(lambda: self.info(client)["aof_rewrite_in_progress"] == "0", "its end")
        self.assertEqual(self.info(client)["aof_last_bgrewrite_status"], "err")
        self.assertEqual(client.call("SET", "after", "1").text, "+OK")
        self.end(node)
        self.check(node)
        ballast.unlink()
        node.start()
        client = self.ready(node)
        self.assertEqual(client.call("DBSIZE").text, ":1001")
        client.call("BGREWRITEAOF")
        self.await_rewrite(client)
        self.assertEqual(self.info(client)["aof_last_bgrewrite_status"], "ok")

    @unittest.skipUnless(have("redis-server"), "there is no redis-server")
    def test_redis_says_the_same(self):
        replies = {}
        for kind in ("mikura", "redis"):
            node = self.node(kind)
            client = self.ready(node)
            client.call("CONFIG", "SET", "save", "")
            self.fill_up(node)
            self.await_true(
                lambda c=client: c.call("SET", "k", "x" * 5000).text != "+OK", "refused")
            replies[kind] = [client.call(*words).text for words in
                             (("SET", "k", "v"), ("PING",), ("GET", "absent"), ("MULTI",),
                              ("GET", "k"), ("SET", "k", "v"), ("EXEC",), ("PUBLISH", "c", "m"),
                              ("EVAL", "return redis.pcall('SET', KEYS[1], 1)['err']", "1", "k"),
                              ("EVAL", "#!lua\nreturn 1", "0"),
                              ("EVAL", "#!lua flags=no-writes\nreturn 1", "0"))]
        self.assertEqual(replies["mikura"], replies["redis"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
