# SPDX-License-Identifier: Apache-2.0
"""The fence of a primary: what it does at its deadline, as told over the admin socket."""
import os
import shutil
import socket
import tempfile
import time
import unittest

import redis

from nodes import MIKURA, REDIS, Node, eventually
from sync_test import MOMENT, Line, SyncTest

FENCED = "The lease of this node has ended"


def boot_millis():
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)


class Admin:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)

    def ask(self, *words):
        parts = [f"*{len(words)}\r\n"] + [f"${len(str(word))}\r\n{word}\r\n" for word in words]
        self.socket.sendall("".join(parts).encode())
        reply = b""
        while not reply.endswith(b"\r\n"):
            reply += self.socket.recv(4096)
        return reply.decode().strip()

    def fence(self, epoch, deadline):
        return self.ask("MIKURA", "FENCE", epoch, deadline)


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class FenceTest(unittest.TestCase):
    node, in_sync, line, stop, stopped = (SyncTest.node, SyncTest.in_sync, SyncTest.line,
                                          SyncTest.stop, SyncTest.stopped)
    replica, memcached_port = SyncTest.replica, SyncTest.memcached_port

    def fenced_node(self, *options):
        """A node, and the way to tell it of its fence."""
        folder = tempfile.mkdtemp(prefix="fence-test-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "admin")
        node = self.node("--admin-socket", path, *options)
        eventually(lambda: self.can_connect(path), "the admin socket answers")
        admin = Admin(path)
        self.addCleanup(admin.socket.close)
        return node, admin

    def can_connect(self, path):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(path) == 0

    def pass_deadline(self, admin, epoch=1):
        self.assertEqual(admin.fence(epoch, boot_millis() - 1), "+OK")

    def test_past_the_deadline_writes_are_refused_and_a_later_one_lets_them_in(self):
        node, admin = self.fenced_node()
        client = node.client
        client.set("k", 1)
        self.assertEqual(admin.fence(1, boot_millis() + 60_000), "+OK")
        client.set("k", 2)
        self.assertEqual(admin.fence(2, boot_millis() + 200), "+OK")
        eventually(lambda: self.refuses(client), "the deadline passes")
        self.assertEqual(client.get("k"), b"2")  # nothing is promised of reads
        with self.assertRaisesRegex(redis.exceptions.ReadOnlyError, FENCED):
            client.eval("return redis.call('SET', KEYS[1], 'x')", 1, "k")
        with self.assertRaisesRegex(redis.exceptions.ReadOnlyError, FENCED):
            client.execute_command("PUBLISH", "c", "m")
        self.assertEqual(admin.fence(2, boot_millis() + 60_000), "+OK")
        client.set("k", 3)
        self.assertEqual(client.get("k"), b"3")

    def refuses(self, client):
        try:
            client.set("other", 1)
        except redis.exceptions.ReadOnlyError:
            return True
        return False

    def test_with_sync_reads_are_refused_too(self):
        node, admin = self.fenced_node("--durability", "sync")
        self.replica(node)
        node.client.set("k", 1)
        self.pass_deadline(admin)
        for command in (("GET", "k"), ("DBSIZE",), ("SET", "k", 2), ("KEYS", "*")):
            with self.assertRaisesRegex(redis.exceptions.ReadOnlyError, FENCED):
                node.client.execute_command(*command)
        self.assertTrue(node.client.ping())
        self.assertEqual(admin.fence(1, "none"), "+OK")
        self.assertEqual(node.client.get("k"), b"1")

    def test_memcached_clients_are_refused_too(self):
        node, admin = self.fenced_node("--memcached-port", str(self.memcached_port()))
        line = Line(self.port)
        self.addCleanup(line.close)
        line.socket.sendall(b"set k 0 0 1\r\nx\r\n")
        self.assertEqual(line.read(8, 5), b"STORED\r\n")
        self.pass_deadline(admin)
        refusal = b"SERVER_ERROR the lease of this node has ended\r\n"
        for request in (b"set k 0 0 1\r\ny\r\n", b"delete k\r\n", b"flush_all\r\n"):
            line.socket.sendall(request)
            self.assertEqual(line.read(len(refusal), 5), refusal)
        line.socket.sendall(b"get k\r\n")
        self.assertEqual(line.read(21, 5), b"VALUE k 0 1\r\nx\r\nEND\r\n")

    def test_a_reply_that_is_held_back_at_the_deadline_is_failed(self):
        node, admin = self.fenced_node("--durability", "sync", "--in-sync-replica-max-lag", "60000")
        replica = self.replica(node)
        writer = self.line(node)
        with self.stopped(replica):
            writer.send(("SET", "k", 1))
            self.assertEqual(writer.read(5, MOMENT), b"")
            self.pass_deadline(admin)
            self.assertRegex(writer.ends(), b"^-UNKNOWNOUTCOME [^\r]*may or may not")

    def test_what_was_run_in_time_and_answered_late_is_failed(self):
        node, admin = self.fenced_node()
        writer, reader = self.line(node), self.line(node)
        slow = ("local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 "
                "end local begin = now() %s while now() < begin + 600 do end return 1")
        self.assertEqual(admin.fence(1, boot_millis() + 60_000), "+OK")
        node.client.set("k", 0)
        self.assertEqual(admin.fence(2, boot_millis() + 200), "+OK")
        writer.send(("EVAL", slow % "redis.call('SET', KEYS[1], 1)", 1, "k"))
        self.assertRegex(writer.ends(), b"^-UNKNOWNOUTCOME [^\r]*may or may not")
        self.assertEqual(node.client.get("k"), b"1")  # it had effect, and the client was not told
        reader.send(("GET", "k"))
        self.assertEqual(reader.read(7, 5), b"$1\r\n1\r\n")

    def test_keys_do_not_expire_behind_the_fence(self):
        node, admin = self.fenced_node()
        replica = self.node()
        replica.follow(node)
        eventually(lambda: replica.replication()["master_link_status"] == "up", "the link is up")
        node.client.set("before", "x", px=1)
        eventually(lambda: node.client.dbsize() == 0, "it expires")
        node.client.set("k", "x", px=1500)
        self.pass_deadline(admin)
        time.sleep(2)
        self.assertIsNone(node.client.get("k"))  # it is not there for clients
        self.assertEqual(node.client.dbsize(), 1)  # and its end is nobody's to decide here
        self.assertEqual(admin.fence(1, "none"), "+OK")
        eventually(lambda: node.client.dbsize() == 0, "it expires")

    def test_what_it_refuses_to_be_told(self):
        _, admin = self.fenced_node()
        for words in (("x", 1), (1, "x"), (-1, 1), (1, -1)):
            self.assertTrue(admin.fence(*words).startswith("-ERR"), words)
        self.assertEqual(admin.fence(5, boot_millis() + 60_000), "+OK")
        self.assertTrue(admin.fence(4, boot_millis() + 90_000).startswith("-STALEEPOCH"))
        self.assertTrue(admin.ask("MIKURA", "PROMOTE", 4).startswith("-STALEEPOCH"))


if __name__ == "__main__":
    unittest.main()
