# SPDX-License-Identifier: Apache-2.0
"""Tests that compare all bytes of large replies, of our engine and of redis-server."""
import unittest

from resp_client import Client, encode
from servers import Server

END = b"$12\r\nend-of-reply\r\n"


def request(*words):
    return encode([w if isinstance(w, bytes) else str(w).encode() for w in words])


class WholeReplies(unittest.TestCase):
    """Both servers begin each test with what FILL says."""

    FILL = b""
    SECONDS_MAX = 20

    def setUp(self):
        self.servers, self.clients = {}, {}
        for kind in ("mikura", "redis"):
            self.servers[kind] = Server(kind)
            self.addCleanup(self.servers[kind].stop)
            self.clients[kind] = self.connect(kind)
            self.raw(kind, self.FILL)

    def connect(self, kind="mikura"):
        client = Client(self.servers[kind].host, self.servers[kind].port,
                        seconds_max=self.SECONDS_MAX)
        self.addCleanup(client.close)
        return client

    def raw(self, kind, requests, client=None):
        """All bytes that come as the answer to the requests."""
        client = client or self.clients[kind]
        client.send(requests + request("ECHO", "end-of-reply"))
        received = bytearray()
        while not received.endswith(END):
            piece = client.socket.recv(1 << 20)
            self.assertTrue(piece, "the connection was closed")
            received += piece
        return bytes(received[:-len(END)])
