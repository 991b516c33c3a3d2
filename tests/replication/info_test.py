# SPDX-License-Identifier: Apache-2.0
"""INFO replication and ROLE, beside redis-server's, in every state of a primary and a replica."""
import re
import signal
import socket
import unittest

from nodes import MIKURA, REDIS, Node, await_caught_up, eventually


def fields(node):
    """The names of the lines in their order, with the names inside of a replica's line."""
    text = node.client.execute_command("INFO", "replication")
    if isinstance(text, dict):  # the client has parsed it
        return [(name, list(value) if isinstance(value, dict) else None)
                for name, value in text.items()]
    return re.findall(rb"^(\w+):", text, re.MULTILINE)


# What both have to say in the same words.
ALIKE = ("role", "master_link_status", "master_sync_in_progress", "slave_priority",
         "slave_read_only", "replica_announced", "connected_slaves", "master_failover_state",
         "repl_backlog_active", "second_repl_offset", "min_slaves_good_slaves")


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class InfoTest(unittest.TestCase):
    def nodes(self, *options):
        """One of each kind."""
        pair = []
        for kind in ("mikura", "redis"):
            pair.append(Node(kind, *options))
            self.addCleanup(pair[-1].stop)
        return pair

    def assert_alike(self, ours, theirs):
        self.assertEqual(fields(ours), fields(theirs))
        one, other = ours.replication(), theirs.replication()
        for name in ALIKE:
            self.assertEqual(one.get(name), other.get(name), name)

    def test_alone(self):
        self.assert_alike(*self.nodes())
        self.assert_alike(*self.nodes("--min-replicas-to-write", "1"))

    def test_a_replica_of_nobody(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            ours, theirs = self.nodes()
            for node in (ours, theirs):
                node.client.replicaof("127.0.0.1", port)
            for node in (ours, theirs):
                eventually(lambda: node.client.role()[3] == b"handshake", "it says who it is")
            self.assert_alike(ours, theirs)
            self.assertEqual(ours.client.role(), theirs.client.role())
            for node in (ours, theirs):
                self.assertEqual(node.client.execute_command("REPLICAOF", "127.0.0.1", port),
                                 b"OK Already connected to specified master")

    def test_with_a_link_that_is_up_and_one_that_is_lost(self):
        replicas = self.nodes("--replica-priority", "7", "--replica-announced", "no")
        for kind in ("mikura", "redis"):
            with self.subTest(primary=kind):
                primary = Node(kind)
                self.addCleanup(primary.stop)
                primary.client.set("k", "v")
                for replica in replicas:
                    replica.follow(primary)
                for replica in replicas:
                    await_caught_up(replica, primary)
                self.assert_alike(*replicas)
                self.assertEqual(replicas[0].client.role()[3:], replicas[1].client.role()[3:])
                primary.kill()
                for replica in replicas:
                    eventually(lambda: replica.replication()["master_link_status"] == "down",
                               "the link is lost")
                    eventually(lambda: replica.client.role()[3] == b"connect", "it tries again")
                self.assert_alike(*replicas)
                self.assertEqual(replicas[0].client.role()[3:], replicas[1].client.role()[3:])

    def test_primaries_with_replicas_of_either_kind(self):
        primaries = self.nodes()
        for primary in primaries:
            for replica in self.nodes():
                replica.follow(primary)
                await_caught_up(replica, primary)
        for primary in primaries:
            eventually(lambda: len(primary.client.role()[2]) == 2, "both are online")
        self.assert_alike(*primaries)

    def test_in_the_middle_of_a_full_sync(self):
        replicas = self.nodes()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            links = []
            for replica in replicas:
                replica.client.replicaof("127.0.0.1", listener.getsockname()[1])
                link, _ = listener.accept()
                links.append(link)
                asked = b""
                while b"PSYNC" not in asked:
                    asked = link.recv(4096)
                    if b"PSYNC" not in asked:
                        link.sendall(b"+PONG\r\n" if b"PING" in asked else
                                     b"+OK\r\n" * asked.count(b"REPLCONF"))
                link.sendall(b"+FULLRESYNC " + b"a" * 40 + b" 5\r\n$1000\r\nREDIS0009")
            for replica in replicas:
                eventually(lambda: replica.replication()["master_sync_in_progress"] == 1,
                           "it copies")
            ours, theirs = (fields(replica) for replica in replicas)
            self.assertEqual(ours, theirs)
            for name in ("master_sync_total_bytes", "master_sync_left_bytes"):
                self.assertGreater(replicas[0].replication()[name], 900)
            for link in links:
                link.close()

    def test_a_failover(self):
        for kind in ("mikura", "redis"):
            primary, replica = Node(kind), Node("mikura")
            self.addCleanup(primary.stop)
            self.addCleanup(replica.stop)
            replica.follow(primary)
            await_caught_up(replica, primary)
            eventually(lambda: len(primary.client.role()[2]) == 1, "it is online")
            replica.process.send_signal(signal.SIGSTOP)
            self.addCleanup(replica.process.send_signal, signal.SIGCONT)
            primary.client.set("k", "v")
            primary.client.execute_command("FAILOVER")
            self.assertEqual(primary.replication()["master_failover_state"], "waiting-for-sync")
            primary.client.execute_command("FAILOVER", "ABORT")
            self.assertEqual(primary.replication()["master_failover_state"], "no-failover")
            replica.process.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
