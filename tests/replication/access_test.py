#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an agent says of a running node's users and TLS, and what becomes of clients and replicas."""
import hashlib
import os
import socket
import sys
import unittest

import redis

import nodes
from fence_test import Admin

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "protocol"))
from certificates import Certificates  # noqa: E402

OPEN = "user default on nopass ~* &* +@all\n"
LINK = "user link on >secret -@all +ping +replconf +psync\n"


@unittest.skipUnless(nodes.MIKURA, "needs MIKURA_BIN")
class AccessTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = Certificates()
        cls.addClassCleanup(cls.files.close)

    def start(self, *options):
        node = nodes.Node("mikura", *options)
        self.addCleanup(node.stop)
        return node

    def start_with_admin(self, *options):
        name = os.path.join("/tmp", f"access-test-{os.getpid()}-{nodes.free_port()}")
        self.addCleanup(lambda: os.path.exists(name) and os.unlink(name))
        node = self.start("--admin-socket", name, *options)
        nodes.eventually(lambda: os.path.exists(name), "the admin socket is there")
        admin = Admin(name)
        self.addCleanup(admin.socket.close)
        return node, admin

    def files_set(self, name="server"):
        return ["tls-cert-file", self.files.path(f"{name}.pem"),
                "tls-key-file", self.files.path(f"{name}.key"),
                "tls-ca-cert-file", self.files.path("ca.pem"), "tls-auth-clients", "no"]

    def tls_client(self, node, **more):
        return redis.Redis(port=node.port, ssl=True, ssl_ca_certs=self.files.path("ca.pem"),
                           ssl_check_hostname=False, socket_timeout=5, **more)

    @staticmethod
    def parts(reply):
        return reply.split("\r\n")[2::2]

    def test_the_mode_changes_while_clients_come(self):
        node, admin = self.start_with_admin()
        early = redis.Redis(port=node.port)
        early.set("k", "v")
        self.assertEqual(self.parts(admin.ask("MIKURA", "ACCESS"))[1:], ["off", "0"])
        self.assertEqual(admin.ask("CONFIG", "SET", *self.files_set(), "port-tls", "preferred"),
                         "+OK")
        mode, end = self.parts(admin.ask("MIKURA", "ACCESS"))[1:]
        self.assertEqual(mode, "preferred")
        self.assertGreater(int(end), 0)
        self.assertEqual(self.tls_client(node).get("k"), b"v")
        self.assertEqual(redis.Redis(port=node.port).get("k"), b"v")
        self.assertEqual(early.get("k"), b"v")
        # Who says nothing yet may say it later; a request that comes in pieces is one.
        slow = socket.create_connection(("127.0.0.1", node.port), 5)
        self.addCleanup(slow.close)
        early.ping()
        slow.sendall(b"*")
        early.ping()
        slow.sendall(b"1\r\n$4\r\nPING\r\n")
        self.assertEqual(slow.recv(100), b"+PONG\r\n")
        tls = self.tls_client(node, single_connection_client=True)
        number = tls.client_id()
        self.assertEqual(admin.ask("CONFIG", "SET", "port-tls", "required"), "+OK")
        self.assertEqual(slow.recv(100), b"")
        with self.assertRaises(redis.exceptions.ConnectionError):
            redis.Redis(port=node.port).get("k")
        self.assertEqual(tls.client_id(), number)
        # Another certificate, for those that come from now on.
        self.assertEqual(admin.ask("CONFIG", "SET", *self.files_set("server2")), "+OK")
        self.assertEqual(self.tls_client(node).get("k"), b"v")
        self.assertEqual(tls.client_id(), number)
        self.assertEqual(admin.ask("CONFIG", "SET", "port-tls", "off"), "+OK")
        self.assertEqual(redis.Redis(port=node.port).get("k"), b"v")

    def test_a_mode_without_a_certificate_is_refused(self):
        node, admin = self.start_with_admin()
        self.assertIn("TLS configuration", admin.ask("CONFIG", "SET", "port-tls", "required"))
        self.assertEqual(self.parts(admin.ask("MIKURA", "ACCESS"))[1], "off")
        self.assertTrue(node.client.ping())

    def test_users_are_replaced_and_a_change_by_a_client_shows(self):
        node, admin = self.start_with_admin()
        text = OPEN + "user app on >first-password ~app:* +get\nuser gone on nopass +@all\n"
        self.assertEqual(admin.ask("MIKURA", "USERS", text), "+OK")
        known = hashlib.sha256(text.encode()).hexdigest()
        self.assertEqual(self.parts(admin.ask("MIKURA", "ACCESS"))[0], known)
        app = redis.Redis(port=node.port, username="app", password="first-password",
                          single_connection_client=True)
        app.get("app:1")
        leaver = redis.Redis(port=node.port, username="gone", password="any",
                             single_connection_client=True)
        leaver.ping()
        text = OPEN + "user app on >second-password ~app:* +set\n"
        self.assertEqual(admin.ask("MIKURA", "USERS", text), "+OK")
        app.set("app:1", "v")
        with self.assertRaises(redis.exceptions.NoPermissionError):
            app.get("app:1")
        with self.assertRaises(redis.exceptions.ResponseError):
            redis.Redis(port=node.port, username="app", password="first-password").ping()
        with self.assertRaises(redis.exceptions.RedisError):
            leaver.set("x", "y")
        node.client.acl_setuser("app", enabled=True, keys=["*"], commands=["+@all"])
        self.assertNotEqual(self.parts(admin.ask("MIKURA", "ACCESS"))[0],
                            hashlib.sha256(text.encode()).hexdigest())
        self.assertIn("Unknown command", admin.ask("MIKURA", "USERS", "user x on +nosuch\n"))
        self.assertTrue(node.client.ping())

    def test_users_of_the_start_are_known(self):
        folder = self.files.folder.name
        path = os.path.join(folder, "users.acl")
        with open(path, "w") as file:
            file.write(OPEN + LINK)
        _, admin = self.start_with_admin("--aclfile", path)
        self.assertEqual(self.parts(admin.ask("MIKURA", "ACCESS"))[0],
                         hashlib.sha256((OPEN + LINK).encode()).hexdigest())

    def test_a_replica_follows_by_its_user_and_changes_to_tls(self):
        primary, first = self.start_with_admin()
        replica, second = self.start_with_admin("--masteruser", "link", "--masterauth", "secret")
        self.assertEqual(first.ask("MIKURA", "USERS", "user default off\n" + LINK), "+OK")
        replica.client.execute_command("REPLICAOF", "127.0.0.1", primary.port)

        def link():
            return replica.client.info("replication")["master_link_status"] == "up"
        nodes.eventually(link, "the link is up")
        users = OPEN + LINK
        self.assertEqual(first.ask("MIKURA", "USERS", users), "+OK")
        syncs = primary.client.info("stats")["sync_full"]
        for admin in (first, second):
            self.assertEqual(admin.ask("CONFIG", "SET", *self.files_set(), "tls-replication",
                                       "yes", "port-tls", "preferred"), "+OK")
        nodes.eventually(lambda: "tls-replication has changed" in replica.log_text(),
                         "the link is made anew")
        self.assertEqual(first.ask("CONFIG", "SET", "port-tls", "required"), "+OK")
        nodes.eventually(link, "the link is up again")
        self.tls_client(primary).set("k", "v")
        nodes.eventually(lambda: replica.client.get("k") == b"v", "it follows")
        stats = self.tls_client(primary).info("stats")
        self.assertEqual(stats["sync_full"], syncs)


if __name__ == "__main__":
    unittest.main()
