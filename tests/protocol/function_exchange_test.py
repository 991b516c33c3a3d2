#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""FUNCTION DUMP of ours into FUNCTION RESTORE of redis-server, and the other way; payloads that are
wrong get the same error from both."""
import shutil
import unittest

import redis
from servers import Server


def library(name, *functions, padding=0):
    text = f"#!lua name={name}\n" + "-- " + "x" * padding + "\n"
    for function in functions:
        text += f"redis.register_function('{function}', function(k, a) return '{function}' end)\n"
    return text


def crc64(data):
    """The CRC of RDB files: reflected, polynomial 0xad93d23594c935a9."""
    crc = 0
    for byte in data:
        for bit in range(8):
            carry = crc >> 63
            crc = (crc << 1) & (2**64 - 1)
            if carry ^ (byte >> bit & 1):
                crc ^= 0xad93d23594c935a9
    return int(f"{crc:064b}"[::-1], 2)


def payload(body, version=10):
    """`body` with a footer that is right."""
    body += version.to_bytes(2, "little")
    return body + crc64(body).to_bytes(8, "little")


def function_record(code):
    return b"\xf5\x80" + len(code).to_bytes(4, "big") + code.encode()


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class FunctionExchange(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = [Server("mikura"), Server("redis")]
        cls.ours, cls.theirs = [redis.Redis("127.0.0.1", s.port) for s in cls.servers]

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.stop()

    def setUp(self):
        for client in (self.ours, self.theirs):
            client.function_flush()

    def answers(self, *words):
        found = []
        for client in (self.ours, self.theirs):
            try:
                found.append(client.execute_command(*words))
            except redis.ResponseError as error:
                found.append(str(error))
        return found

    def same(self, *words):
        ours, theirs = self.answers(*words)
        self.assertEqual(ours, theirs, words)
        return ours

    @staticmethod
    def libraries(client):
        found = client.execute_command("FUNCTION", "LIST", "WITHCODE")
        return sorted((one[1], one[7], sorted(f[1] for f in one[5])) for one in found)

    def exchange(self, source, target):
        for size in (0, 100, 20_000):
            source.function_load(library(f"lib{size}", f"f{size}", f"g{size}", padding=size))
        target.function_load(library("old", "h"))
        target.execute_command("FUNCTION", "RESTORE", source.function_dump(), "FLUSH")
        self.assertEqual(self.libraries(source), self.libraries(target))
        self.assertEqual(target.fcall("g20000", 0), b"g20000")

    def test_redis_takes_what_we_dump(self):
        self.exchange(self.ours, self.theirs)

    def test_we_take_what_redis_dumps(self):
        self.exchange(self.theirs, self.ours)

    def test_one_library_has_the_same_bytes(self):
        for client in (self.ours, self.theirs):
            client.function_load("#!lua name=a\nredis.register_function('f', function() return 1 end)")
        self.same("FUNCTION", "DUMP")
        for client in (self.ours, self.theirs):
            client.function_flush()
        self.same("FUNCTION", "DUMP")

    def test_policies(self):
        one = payload(function_record(library("one", "f")))
        both = payload(function_record(library("one", "f")) + function_record(library("two", "g")))
        self.assertEqual(self.same("FUNCTION", "RESTORE", one), b"OK")
        self.assertIn("Library one already exists", self.same("FUNCTION", "RESTORE", one))
        self.assertIn("Library one already exists", self.same("FUNCTION", "RESTORE", both, "append"))
        self.assertEqual(self.libraries(self.ours), self.libraries(self.theirs))
        self.assertEqual(self.same("FUNCTION", "RESTORE", both, "replace"), b"OK")
        self.assertEqual(self.same("FUNCTION", "RESTORE", one, "FLUSH"), b"OK")
        self.same("FUNCTION", "RESTORE", payload(function_record(library("other", "f"))), "REPLACE")
        self.assertEqual(self.libraries(self.ours), self.libraries(self.theirs))

    def test_payloads_that_are_wrong(self):
        good = self.theirs.function_dump()
        code = library("one", "f").encode()
        for body in (
                b"", b"\xf5", b"\xf5\xff", b"\x00\x01a", b"\xff",
                b"\xf5\x80\xff\xff\xff\xff" + code, b"\xf5\x81" + b"\xff" * 8 + code,
                b"\xf5\xc3\x05\x10abcde", b"\xf5\xc3\x05\x80\x7f\xff\xff\xffabcde",
                b"\xf5\x03abc", function_record("#!lua name=x\nreturn 1"),
                function_record("#!lua name=x\n!"), function_record("#!js name=x\n"),
                function_record(library("one", "f")) * 2, function_record(library("a b", "f")),
                function_record(library("one", "f")) + b"\xf5"):
            with self.subTest(body):
                self.same("FUNCTION", "RESTORE", payload(body))
                self.assertEqual(self.libraries(self.ours), self.libraries(self.theirs))
        for bad in (b"", b"x", b"\0" * 9, good[:-1], good + b"x", payload(b"", version=99)):
            with self.subTest(bad):
                self.assertIn("checksum are wrong", str(self.same("FUNCTION", "RESTORE", bad)))
        # Where redis-server reads on into the footer, ours finds an end.
        for body in (b"\xf5\x05abc", b"\xf5\x00", b"\xf6\x01a", b"\xf5\xc0\x05"):
            with self.assertRaises(redis.ResponseError):
                self.ours.execute_command("FUNCTION", "RESTORE", payload(body))
        self.same("FUNCTION", "RESTORE")
        self.same("FUNCTION", "RESTORE", good, "nonsense")
        self.same("FUNCTION", "RESTORE", good, "FLUSH", "FLUSH")


if __name__ == "__main__":
    unittest.main()
