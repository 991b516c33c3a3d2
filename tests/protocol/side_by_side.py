# SPDX-License-Identifier: Apache-2.0
"""Tests that send the same to our engine and to redis-server."""
import unittest

from resp_client import Client
from servers import Server


class SideBySide(unittest.TestCase):
    """`nodes`: one of ours, with OPTIONS, and one of theirs; they serve all tests of a class."""

    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        cls.nodes = []
        for kind, options in (("mikura", cls.OPTIONS), ("redis", ())):
            server = Server(kind, *options)
            cls.addClassCleanup(server.stop)
            cls.nodes.append(server)

    def client(self, server):
        client = Client(server.host, server.port)
        self.addCleanup(client.close)
        return client
