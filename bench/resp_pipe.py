# SPDX-License-Identifier: Apache-2.0
"""A pipelined RESP connection for measurements that say exactly what is stored."""
import socket

BATCH_BYTES = 1 << 18


class ReplyError(Exception):
    """A reply that the measurement did not expect."""


def request(*words):
    """One request in RESP; words are bytes or str."""
    parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class Pipe:
    """Gathers requests, sends them in batches, and holds the replies against what is expected."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.requests = []
        self.request_bytes = 0
        self.expected = []

    def close(self):
        self.socket.close()

    def add(self, request_bytes, expected):
        """Adds a request; sends a batch when enough have gathered. `expected`: the whole reply."""
        self.requests.append(request_bytes)
        self.request_bytes += len(request_bytes)
        self.expected.append(expected)
        if self.request_bytes >= BATCH_BYTES:
            self.flush()

    def set(self, key, value):
        self.add(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(value), value),
                 b"+OK\r\n")

    def delete(self, key):
        self.add(b"*2\r\n$3\r\nDEL\r\n$%d\r\n%s\r\n" % (len(key), key), b":1\r\n")

    def flush(self):
        """Sends what has gathered and awaits all replies."""
        if not self.requests:
            return
        self.socket.sendall(b"".join(self.requests))
        wanted = b"".join(self.expected)
        got = bytearray()
        while len(got) < len(wanted):
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise ReplyError("the server closed the connection")
            got += piece
        if got != wanted:
            at = next((i for i, pair in enumerate(zip(got, wanted)) if pair[0] != pair[1]), 0)
            raise ReplyError(f"unexpected reply: {bytes(got[at:at + 80])!r}")
        self.requests, self.request_bytes, self.expected = [], 0, []

    def ask(self, *words):
        """One command whose reply is a line or a bulk string, as text."""
        self.flush()
        self.socket.sendall(request(*words))
        with self.socket.makefile("rb") as reader:
            line = reader.readline().rstrip(b"\r\n")
            if line[:1] in b"-":
                raise ReplyError(line.decode())
            if line[:1] != b"$":
                return line[1:].decode()
            size = int(line[1:])
            return "" if size < 0 else reader.read(size + 2)[:-2].decode()

    def info(self, section):
        """The fields of a section of INFO."""
        lines = self.ask("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)
