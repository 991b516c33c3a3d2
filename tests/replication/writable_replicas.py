# SPDX-License-Identifier: Apache-2.0
"""Replicas that take writes of clients, and what tells whether they are as they should be."""
import socket
import unittest

from nodes import DATABASES, MIKURA, REDIS, Node, await_caught_up


def stream(node, offset, size):
    """So many bytes of the replication stream behind an offset, as a replica gets them."""
    with socket.create_connection(("127.0.0.1", node.port), 10) as link:
        text = f"PSYNC {node.replication()['master_replid']} {offset + 1}\r\n"
        link.sendall(text.encode())
        answer = b""
        while b"\r\n" not in answer:
            answer += link.recv(4096)
        line, received = answer.split(b"\r\n", 1)
        assert line.startswith(b"+CONTINUE"), line
        while len(received) < size:
            received += link.recv(65536)
        return received[:size]


def contents(node):
    """All keys, which are strings and lists."""
    found = {}
    for number in range(DATABASES):
        client = node.database(number)
        for key in client.scan_iter(count=1000):
            is_list = client.type(key) == b"list"
            value = client.lrange(key, 0, -1) if is_list else client.get(key)
            found[number, key] = (value, client.execute_command("PEXPIRETIME", key))
    return found


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")


@unittest.skipUnless(MIKURA and REDIS, "MIKURA_BIN and redis-server are needed")
class WritableReplicas(unittest.TestCase):
    def node(self, kind, *options):
        own = ("--threads", "2") if kind == "mikura" else ("--repl-diskless-sync-delay", "0")
        node = Node(kind, *own, *options)
        self.addCleanup(node.stop)
        return node

    def primary(self, kind="mikura"):
        # No pings: an offset stands still when nobody writes.
        return self.node(kind, "--repl-ping-replica-period", "3600")

    def replica(self, primary, kind="mikura", *options):
        replica = self.node(kind, "--replica-read-only", "no", *options)
        replica.follow(primary)
        await_caught_up(replica, primary)
        return replica

    def tracked(self, node):
        return node.client.info("stats")["slave_expires_tracked_keys"]
