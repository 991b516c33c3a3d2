#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A replica that follows its primary over TLS, ours and redis-server in both roles."""
import os
import sys
import unittest

import redis

import nodes

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "protocol"))
from certificates import Certificates  # noqa: E402


@unittest.skipUnless(nodes.MIKURA and nodes.REDIS, "needs MIKURA_BIN and redis-server")
class ReplicationOverTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = Certificates()
        cls.addClassCleanup(cls.files.close)

    def start(self, kind, name="server"):
        tls_port = nodes.free_port()
        node = nodes.Node(kind, "--tls-port", str(tls_port), "--tls-replication", "yes",
                          "--tls-cert-file", self.files.path(f"{name}.pem"),
                          "--tls-key-file", self.files.path(f"{name}.key"),
                          "--tls-ca-cert-file", self.files.path("ca.pem"))
        node.tls_port = tls_port
        self.addCleanup(node.stop)
        return node

    @staticmethod
    def is_up(node):
        return node.client.info("replication").get("master_link_status") == "up"

    def test_full_sync_and_stream(self):
        value = os.urandom(20_000_000)
        for kinds in (("mikura", "mikura"), ("mikura", "redis"), ("redis", "mikura")):
            with self.subTest(kinds):
                primary, replica = (self.start(kind) for kind in kinds)
                primary.client.set("big", value)
                primary.client.mset({f"k{i}": i for i in range(1000)})
                replica.client.execute_command("REPLICAOF", "127.0.0.1", primary.tls_port)
                nodes.eventually(lambda: self.is_up(replica), "the link is up")
                self.assertTrue(replica.client.get("big") == value)
                for i in range(2000):
                    primary.client.set(f"s{i}", i)
                primary.client.set("big2", value)
                nodes.eventually(lambda: replica.client.get("big2") == value, "it follows")
                self.assertEqual(replica.client.dbsize(), primary.client.dbsize())
                listed = primary.client.info("replication")["slave0"]
                self.assertEqual(listed["port"], replica.tls_port)

    def test_a_primary_without_the_right_certificate_is_not_followed(self):
        primary, replica = self.start("mikura", "stranger"), self.start("mikura")
        primary.client.set("k", "v")
        replica.client.execute_command("REPLICAOF", "127.0.0.1", primary.tls_port)
        nodes.eventually(lambda: "certificate verify failed" in replica.log_text(), "it says why")
        self.assertFalse(self.is_up(replica))
        with self.assertRaises(redis.exceptions.ConnectionError):
            redis.Redis(port=primary.tls_port).ping()


if __name__ == "__main__":
    unittest.main()
