# SPDX-License-Identifier: Apache-2.0
"""Packets of memcached's binary protocol: written, read, and asked of a server."""
import socket
import struct

import servers

HEADER = struct.Struct(">BBHBBHIIQ")
GET, SET, ADD, REPLACE, DELETE, INCREMENT, DECREMENT, QUIT, FLUSH, GETQ, NOOP, VERSION, GETK, \
    GETKQ, APPEND, PREPEND, STAT, SETQ, ADDQ, REPLACEQ, DELETEQ, INCREMENTQ, DECREMENTQ, QUITQ, \
    FLUSHQ, APPENDQ, PREPENDQ, VERBOSITY, TOUCH, GAT, GATQ = range(0x1f)
SASL_LIST, SASL_AUTH, SASL_STEP, GATK, GATKQ = range(0x20, 0x25)
SENTINEL_OPAQUE = 0x5e47


def request(opcode, key=b"", extras=b"", value=b"", cas=0, opaque=0xdeadbeef, magic=0x80,
            data_type=0, key_length=None, extras_length=None, body_length=None):
    """One packet; the lengths may lie."""
    body = len(key) + len(extras) + len(value)
    return HEADER.pack(magic, opcode, len(key) if key_length is None else key_length,
                       len(extras) if extras_length is None else extras_length, data_type, 0,
                       body if body_length is None else body_length, opaque, cas
                       ) + extras + key + value


def store(opcode, key, value, flags=0, exptime=0, cas=0, **more):
    return request(opcode, key, struct.pack(">II", flags, exptime), value, cas, **more)


def count(opcode, key, delta=1, initial=0, exptime=0, cas=0, **more):
    return request(opcode, key, struct.pack(">QQI", delta, initial, exptime), cas=cas, **more)


def touch(opcode, key, exptime, **more):
    return request(opcode, key, struct.pack(">I", exptime), **more)


def sasl(message, opcode=SASL_AUTH, mechanism=b"PLAIN", **more):
    return request(opcode, mechanism, value=message, **more)


def plain(user, password):
    return sasl(b"\0%s\0%s" % (user, password))


class Reply:
    def __init__(self, data):
        (self.magic, self.opcode, key, extras, self.data_type, self.status, body, self.opaque,
         self.cas) = HEADER.unpack(data[:HEADER.size])
        self.bytes = data[:HEADER.size + body]
        rest = self.bytes[HEADER.size:]
        self.extras, self.key, self.value = rest[:extras], rest[extras:extras + key], \
            rest[extras + key:]

    def without_cas(self):
        return self.bytes[:16] + self.bytes[24:]

    def __repr__(self):
        return (f"<{self.opcode:#04x} status={self.status:#x} cas={self.cas} extras={self.extras}"
                f" key={self.key} value={self.value[:60]}>")


def read(data):
    """Replies, and what is left behind them."""
    replies = []
    while len(data) >= HEADER.size:
        size = HEADER.size + HEADER.unpack(data[:HEADER.size])[6]
        if len(data) < size:
            break
        replies.append(Reply(data))
        data = data[size:]
    return replies, data


class Client(servers.Client):
    """A binary client: ask() ends its requests with a no-op of its own."""

    def ask(self, data, seconds=servers.REPLY_SECONDS):
        """Returns (replies before the no-op's, state); state as of servers.Client.ask()."""
        self.socket.settimeout(seconds)
        received = b""
        try:
            self.socket.sendall(data + request(NOOP, opaque=SENTINEL_OPAQUE))
            while True:
                piece = self.socket.recv(1 << 16)
                replies, rest = read(received + piece)
                if not piece:
                    return replies, "closed" if not rest else f"closed within {rest}"
                received += piece
                if replies and replies[-1].opaque == SENTINEL_OPAQUE and not rest:
                    last_is_ours = replies[-1].opcode == NOOP and replies[-1].status == 0
                    if last_is_ours:
                        return replies[:-1], "open"
        except socket.timeout:
            return read(received)[0], "waiting"
        except (ConnectionResetError, BrokenPipeError):
            return read(received)[0], "closed"
