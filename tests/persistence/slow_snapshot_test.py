#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A snapshot that goes to a disk which is slower than clients change the data: what it holds back is
bounded, clients' writes wait for it and reads do not, and nothing is lost. A replica that takes a
snapshot slower than that is cut off, and what it held back is given back."""
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from log_nodes import LogTest

from resp_client import encode  # of tests/protocol
from servers import Server

KEYS = 40_000
VALUE_BYTES = 512
LIMIT = 1_000_000
# What is in flight when the limit is reached may exceed it: a chain of keys of each thread.
SLACK = 100_000
SLOW_DISK_MICROS = 10_000  # for 64 KiB: 20 MB in three seconds


@unittest.skipUnless(shutil.which("cc") or shutil.which("gcc"), "there is no C compiler")
class SlowSnapshot(LogTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="slow-disk-")
        self.addCleanup(folder.cleanup)
        self.library = os.path.join(folder.name, "slow_disk.so")
        source = Path(__file__).resolve().parent / "slow_disk.c"
        subprocess.run([shutil.which("cc") or "gcc", "-shared", "-fPIC", "-O1", "-o", self.library,
                        str(source), "-ldl"], check=True)

    def slow_node(self, *options):
        with mock.patch.dict(os.environ, LD_PRELOAD=self.library,
                             SLOW_DISK_MICROS=str(SLOW_DISK_MICROS)):
            node = Server("mikura", "--snapshot-backlog-limit", str(LIMIT), "--rdbcompression",
                          "no", *options)
        self.addCleanup(node.stop)
        return node

    def write_all(self, client, text):
        for first in range(0, KEYS, 100):
            batch = [encode([b"SET", b"key:%d" % i, text]) for i in range(first, first + 100)]
            client.send(b"".join(batch))
            for _ in batch:
                self.assertEqual(client.read().text, "+OK")

    def await_equal(self, *clients):
        self.await_true(lambda: len({client.call("DEBUG", "DIGEST").text for client in clients}) == 1,
                        "the replica has everything")

    def save_while_all_is_overwritten(self, node, command, is_done, primary=None):
        """primary: of the node, where the writes are sent then."""
        client, reader = self.ready(primary or node), self.ready(node)
        self.write_all(client, b"a" * VALUE_BYTES)
        if primary:
            self.await_equal(client, reader)
        self.assertIn("+Background", reader.call(command).text)
        failures = []

        def write():
            try:
                self.write_all(client, b"b" * VALUE_BYTES)
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        most, slowest = 0, 0.0
        while not is_done(info := self.info(reader)):
            most = max(most, int(info["snapshot_backlog_bytes"]))
            begin = time.monotonic()
            self.assertEqual(len(reader.call("GET", "key:1").text), 1 + VALUE_BYTES)
            slowest = max(slowest, time.monotonic() - begin)
        writer.join()
        if primary:
            self.await_equal(client, reader)
        self.assertEqual(failures, [])
        self.assertGreater(most, LIMIT)  # else nothing was tested
        self.assertLess(most, LIMIT + SLACK)
        self.assertLess(slowest, 1)  # a read does not wait for the disk
        self.assertEqual(self.info(reader)["snapshot_backlog_bytes"], "0")
        self.assertEqual(reader.call("GET", "key:1").text, "$" + "b" * VALUE_BYTES)
        return most

    def test_of_bgsave_is_bounded(self):
        node = self.slow_node()
        self.save_while_all_is_overwritten(
            node, "BGSAVE", lambda info: info["rdb_bgsave_in_progress"] == "0")
        # The file is the data of the moment when it began.
        self.kill(node)
        node.start()
        client = self.ready(node)
        self.assertEqual(client.call("DBSIZE").text, f":{KEYS}")
        for i in range(0, KEYS, 997):
            self.assertEqual(client.call("GET", f"key:{i}").text, "$" + "a" * VALUE_BYTES)

    def test_of_a_rewrite_of_the_append_log_is_bounded(self):
        node = self.slow_node("--appendonly", "yes", "--appendfsync", "no")
        self.save_while_all_is_overwritten(
            node, "BGREWRITEAOF", lambda info: info["aof_rewrite_in_progress"] == "0")
        self.end(node)
        node.start()
        client = self.ready(node)
        for i in range(0, KEYS, 997):
            self.assertEqual(client.call("GET", f"key:{i}").text, "$" + "b" * VALUE_BYTES)

    def test_of_bgsave_on_a_replica_is_bounded(self):
        primary = Server("mikura")
        self.addCleanup(primary.stop)
        node = self.slow_node("--replicaof", f"{primary.host} {primary.port}")
        link = self.ready(node)
        self.await_true(lambda: self.info(link, "replication")["master_link_status"] == "up", "a link")
        self.save_while_all_is_overwritten(
            node, "BGSAVE", lambda info: info["rdb_bgsave_in_progress"] == "0", primary)
        info = self.info(link, "replication")
        self.assertEqual(info["master_link_status"], "up")
        self.assertEqual(self.info(self.client(primary), "stats")["sync_full"], "1")

    def test_a_replica_that_takes_nothing_of_its_snapshot_is_cut_off(self):
        node = Server("mikura", "--client-output-buffer-limit", f"replica {LIMIT} 0 0",
                      "--repl-diskless-sync-delay", "0")
        self.addCleanup(node.stop)
        client = self.client(node)
        self.write_all(client, b"a" * VALUE_BYTES)
        self.write_all(client, b"b" * VALUE_BYTES)
        before = int(self.info(client, "memory")["used_memory"])
        replica = socket.create_connection((node.host, node.port))
        self.addCleanup(replica.close)
        replica.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        replica.sendall(encode([b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]) +
                        encode([b"PSYNC", b"?", b"-1"]))
        self.await_true(lambda: "state=send_bulk" in client.call("INFO", "replication").text,
                        "the snapshot has begun")
        self.write_all(client, b"c" * VALUE_BYTES)
        self.await_true(lambda: self.info(client, "replication")["connected_slaves"] == "0",
                        "the replica is cut off")
        self.await_true(lambda: int(self.info(client, "memory")["used_memory"]) < before + 2 * LIMIT,
                        "the memory is given back")


if __name__ == "__main__":
    unittest.main()
