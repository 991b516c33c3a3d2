#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Values of many kilobytes: whole and in order for every reader, and not copied more than needed."""
import os
import random
import unittest

from limits_test import MEGABYTE, resident_bytes, send_as_taken, slow_reader
from resp_client import Client, encode
from servers import Server


def bulk(value):
    return b"$%d\r\n%s\r\n" % (len(value), value)


class LargeValues(unittest.TestCase):
    def setUp(self):
        self.server = Server("mikura")
        self.addCleanup(self.server.stop)
        self.client = Client(self.server.host, self.server.port)
        self.addCleanup(self.client.close)

    def call(self, *words):
        reply = self.client.call(*words)
        self.assertFalse(reply.text.startswith("-"), reply.text)
        return reply.text

    def test_a_reply_on_its_way_keeps_the_value_that_was_read(self):
        value = os.urandom(8 * MEGABYTE)
        changes = (("SET", "k", b"other"), ("APPEND", "k", b"tail"), ("SETRANGE", "k", 5, b"middle"),
                   ("SET", "k", os.urandom(8 * MEGABYTE)), ("DEL", "k"), ("FLUSHALL",))
        for change in changes:
            with self.subTest(change[0]):
                self.call("SET", "k", value)
                reader = slow_reader(self.server)
                reader.sendall(encode([b"GET", b"k"]) + encode([b"PING"]))
                self.assertEqual(reader.recv(1), b"$")  # the reply has begun, and cannot be sent whole
                self.call(*change)
                self.call("SET", "filler", os.urandom(8 * MEGABYTE))
                with reader.makefile("rb") as stream:
                    expected = bulk(value)[1:] + b"+PONG\r\n"
                    self.assertTrue(stream.read(len(expected)) == expected)
                reader.close()

    def test_replies_of_all_sizes_come_whole_and_in_order(self):
        source = random.Random(5)
        values = {b"k%d" % i: source.randbytes(size) for i, size in enumerate(
            (0, 3, 4095, 4097, 16383, 16384, 16385, 70_000, 262_145, 1_000_000))}
        for key, value in values.items():
            self.call("SET", key, value)
        keys = list(values)
        reader = slow_reader(self.server)
        for _ in range(20):
            requests, expected = [], []
            for _ in range(source.randint(1, 90)):
                if source.random() < 0.2:
                    wanted = source.choices(keys, k=source.randint(1, 5))
                    requests.append(encode([b"MGET", *wanted]))
                    expected.append(b"*%d\r\n" % len(wanted) + b"".join(bulk(values[k]) for k in wanted))
                else:
                    key = source.choice(keys)
                    requests.append(encode([b"GET", key]))
                    expected.append(bulk(values[key]))
            data, replies = b"".join(requests), b"".join(expected)
            reader.sendall(data)
            received = bytearray()
            while len(received) < len(replies):
                piece = reader.recv(1 << 20)
                self.assertTrue(piece, "the server closed the connection")
                received += piece
            self.assertTrue(bytes(received) == replies)
        reader.close()

    def test_dropped_replies_are_dropped_whole(self):
        value = os.urandom(100_000)
        self.call("SET", "k", value)
        self.client.send(encode([b"CLIENT", b"REPLY", b"SKIP"]) + encode([b"GET", b"k"])
                         + encode([b"GETRANGE", b"k", b"0", b"2"]) + encode([b"GET", b"k"]))
        first = self.client.input.read(len(bulk(value[:3])))
        self.assertEqual(first, bulk(value[:3]))
        self.assertTrue(self.client.input.read(len(bulk(value))) == bulk(value))

    def test_unread_large_replies_are_not_copied(self):
        self.call("SET", "k", os.urandom(4 * MEGABYTE))
        before = resident_bytes(self.server)
        readers = [slow_reader(self.server) for _ in range(5)]
        for reader in readers:
            send_as_taken(reader, encode([b"GET", b"k"]) * 40)
        # 5 readers leave 40 replies of 4 MB each unread: 800 MB if they were copied.
        self.assertLess(resident_bytes(self.server) - before, 8 * MEGABYTE)
        for reader in readers:
            reader.close()

    def test_a_large_request_takes_its_size_once_while_it_arrives(self):
        value = os.urandom(64 * MEGABYTE)
        request = encode([b"SET", b"k", value])
        before = resident_bytes(self.server)
        other = Client(self.server.host, self.server.port)
        other.send(request[:-10])
        self.call("PING")
        self.assertLess(resident_bytes(self.server) - before, 72 * MEGABYTE)
        other.send(request[-10:])
        self.assertEqual(other.read().text, "+OK")
        self.assertEqual(self.call("STRLEN", "k"), f":{64 * MEGABYTE}")
        other.close()
        self.call("DEL", "k")


if __name__ == "__main__":
    unittest.main()
