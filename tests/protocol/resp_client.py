# SPDX-License-Identifier: Apache-2.0
"""A small RESP client: requests as words, replies as trees of text.

A reply is a Node: its first line as it is written in test files ("+OK", "$value", ":1", "-ERR ...",
"(null)", "*2"), and the replies inside it. A bulk string that is not plain text is quoted: $"\\x00".
"""
import random
import re
import socket
from dataclasses import dataclass, field


@dataclass
class Node:
    text: str
    children: list = field(default_factory=list)

    def lines(self):
        yield self.text
        for child in self.children:
            yield from child.lines()


class Closed(Exception):
    """The server closed the connection."""


def quote(data):
    """Bytes as text: as they are when printable, otherwise in quotes with escapes."""
    text = data.decode("latin-1")
    if re.fullmatch(r'[!-~]([ -~]*[!-~])?', text) and not text.startswith(('"', "~")):
        return text
    if text == "":
        return '""'
    escaped = "".join(
        {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}.get(c)
        or (c if " " <= c <= "~" else f"\\x{ord(c):02x}") for c in text)
    return f'"{escaped}"'


def encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


class Client:
    """One connection. `split`: None, or a random.Random that cuts requests into pieces."""

    def __init__(self, host, port, split=None, seconds_max=20):
        self.socket = socket.create_connection((host, port), timeout=seconds_max)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb")
        self.split = split

    def close(self):
        self.input.close()
        self.socket.close()

    def send(self, data):
        try:
            for piece in self.pieces(data):
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed() from error

    def pieces(self, data):
        if self.split is None or len(data) > 100_000:
            yield data
            return
        biggest = self.split.choice((1, 2, 7, 40, 400))
        at = 0
        while at < len(data):
            size = self.split.randint(1, biggest)
            yield data[at:at + size]
            at += size

    def call(self, *words):
        self.send(encode([w if isinstance(w, bytes) else str(w).encode() for w in words]))
        return self.read()

    def read(self):
        """One reply. Raises Closed at the end of the connection."""
        try:
            line = self.input.readline()
        except ConnectionResetError as error:
            raise Closed() from error
        if not line.endswith(b"\r\n"):
            raise Closed()
        kind, rest = chr(line[0]), line[1:-2].decode("latin-1")
        if kind in "+-:,#(":
            return Node(kind + rest)
        if kind == "_":
            return Node("_")
        if kind in "$=!":
            if rest == "-1":
                return Node("(null)")
            data = self.input.read(int(rest) + 2)
            if len(data) != int(rest) + 2 or data[-2:] != b"\r\n":
                raise Closed()
            return Node(kind + quote(data[:-2]))
        if kind in "*~>%":
            if rest == "-1":
                return Node("(null array)")
            count = int(rest) * (2 if kind == "%" else 1)
            return Node(kind + rest, [self.read() for _ in range(count)])
        raise AssertionError(f"not RESP: {line!r}")


def splitter(seed):
    return random.Random(seed)
