#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memcached's -Z on both servers: the same flags, the same answers.

Run: MIKURA_BIN=build/release/mikura python3 -m unittest discover -s tests/memcached -p 'tls_test.py'
"""
import os
import re
import shutil
import ssl
import sys
import unittest

import servers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "protocol"))
from certificates import Certificates  # noqa: E402


class TlsClient(servers.Client):
    def __init__(self, server, context):
        self.context = context
        super().__init__(server)

    def connect(self):
        super().connect()
        self.socket = self.context.wrap_socket(self.socket)

    def peer_name(self):
        subject = self.socket.getpeercert()["subject"]
        return dict(pair[0] for pair in subject)["commonName"]


@unittest.skipUnless(servers.MIKURA and servers.MEMCACHED, "needs MIKURA_BIN and memcached")
class Tls(unittest.TestCase):
    def setUp(self):
        self.files = Certificates()
        self.addCleanup(self.files.close)
        self.context = ssl.create_default_context(cafile=self.files.path("ca.pem"))
        self.context.check_hostname = False

    def start(self, program, *options):
        for name in ("pem", "key"):
            shutil.copy(self.files.path(f"server.{name}"), self.files.path(f"current.{name}"))
        files = (f"ssl_chain_cert={self.files.path('current.pem')}",
                 f"ssl_key={self.files.path('current.key')}")
        server = servers.start_memcached("-Z", "-o", ",".join((*files, *options)), program=program)
        self.addCleanup(server.stop)
        return server

    def both(self, *options):
        for program in (servers.MEMCACHED, [servers.MIKURA, "memcached"]):
            with self.subTest(program):
                yield self.start(program, *options)

    def client(self, server):
        client = TlsClient(server, self.context)
        self.addCleanup(client.close)
        return client

    def test_requests(self):
        value = os.urandom(1_000_000)
        for server in self.both():
            client = self.client(server)
            # One at a time: memcached forgets what waits inside its TLS.
            for request, reply in ((b"set k 0 0 1000000\r\n" + value + b"\r\n", b"STORED\r\n"),
                                   (b"get k\r\n",
                                    b"VALUE k 0 1000000\r\n" + value + b"\r\nEND\r\n")):
                client.socket.sendall(request)
                with client.socket.makefile("rb") as replies:
                    self.assertTrue(replies.read(len(reply)) == reply)

    def test_pipelines(self):
        client = self.client(self.start([servers.MIKURA, "memcached"]))
        value = os.urandom(1_000_000)
        self.assertTrue(client.ask(b"set k 0 0 1000000\r\n" + value + b"\r\nget k\r\n")
                        == (b"STORED\r\nVALUE k 0 1000000\r\n" + value + b"\r\nEND\r\n", "open"))

    def test_settings(self):
        shown = []
        for server in self.both("ssl_verify_mode=1", f"ssl_ca_cert={self.files.path('ca.pem')}"):
            text = self.client(server).ask(b"stats settings\r\n")[0]
            shown.append(re.findall(rb"STAT ssl_.*", text))
        self.assertEqual(shown[0], shown[1])

    def test_refresh(self):
        for server in self.both():
            old = self.client(server)
            self.assertEqual(old.peer_name(), "server")
            for name in ("pem", "key"):
                shutil.copy(self.files.path(f"server2.{name}"), self.files.path(f"current.{name}"))
            self.assertEqual(old.ask(b"refresh_certs\r\n"), (b"OK\r\n", "open"))
            self.assertEqual(self.client(server).peer_name(), "server2")
            os.remove(self.files.path("current.key"))
            self.assertRegex(old.ask(b"refresh_certs\r\n")[0], b"^Error loading the .*\r\n$")
            self.assertEqual(self.client(server).peer_name(), "server2")

    def test_refresh_without_tls(self):
        for program in (servers.MEMCACHED, [servers.MIKURA, "memcached"]):
            server = servers.start_memcached(program=program)
            self.addCleanup(server.stop)
            client = servers.Client(server)
            self.assertEqual(client.ask(b"refresh_certs\r\n"),
                             (b"Error TLS not enabled\r\n", "open"))
            client.close()

    def test_certificates_of_clients(self):
        options = ("ssl_verify_mode=2", f"ssl_ca_cert={self.files.path('ca.pem')}")
        for server in self.both(*options):
            for name, served in ((None, False), ("stranger", False), ("client", True)):
                context = ssl.create_default_context(cafile=self.files.path("ca.pem"))
                context.check_hostname = False
                if name is not None:
                    context.load_cert_chain(self.files.path(f"{name}.pem"),
                                            self.files.path(f"{name}.key"))
                try:
                    client = TlsClient(server, context)
                    answered = client.ask(b"")[1] == "open"
                    client.close()
                except (ssl.SSLError, OSError):
                    answered = False
                self.assertEqual(answered, served, name)


if __name__ == "__main__":
    unittest.main()
