#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aof-use-rdb-preamble no: a rewrite writes the base of the append log as commands."""
import socket
import unittest

from log_nodes import LogTest, have

from resp_client import encode  # of tests/protocol
from save_test import DATA, QUESTIONS

LONG = [("RPUSH", "long list", *[f"element {i}" for i in range(5000)]),
        ("SADD", "long set", *map(str, range(1000))), ("SADD", "texts", *[f"t{i}" for i in range(65)]),
        ("ZADD", "long zset", *[w for i in range(500) for w in (f"{i}.25", f"member {i}")]),
        ("ZADD", "ends", "inf", "a", "-inf", "b", "-0.1", "c"),
        ("HSET", "long hash", *[w for i in range(300) for w in (f"field {i}", "v" * i)]),
        ("SET", "binary", "a\r\nb"), ("PEXPIREAT", "long list", "33333333333333"),
        ("SET", "huge", "y" * 200_000), ("PEXPIREAT", "huge", "33333333333333")]
STREAMS = [("XGROUP", "CREATE", "empty", "g", "0", "MKSTREAM"),
           ("XADD", "trimmed", "MAXLEN", "0", "7-7", "f", "v"),
           *[("XADD", "read", f"1-{i}", "f", str(i), "g", "x") for i in range(1, 200)],
           ("XGROUP", "CREATE", "read", "g", "0"), ("XGROUP", "CREATECONSUMER", "read", "g", "idle"),
           ("XREADGROUP", "GROUP", "g", "c", "COUNT", "150", "STREAMS", "read", ">"),
           ("XDEL", "read", "1-180", "1-199")]
STREAM_QUESTIONS = [*[("XINFO", "STREAM", key) for key in ("empty", "trimmed", "read")],
                    ("XRANGE", "read", "-", "+"), ("XPENDING", "read", "g"),
                    ("XINFO", "GROUPS", "read"), ("PEXPIRETIME", "long list"),
                    ("PEXPIRETIME", "huge")]


class CommandBase(LogTest):
    def command_node(self, kind="mikura"):
        return self.node(kind, "--aof-use-rdb-preamble", "no")

    def fill(self, client, *groups):
        for words in (words for group in groups for words in group):
            self.assertNotEqual(client.call(*words).text[0], "-", words)

    def answers(self, client):
        answers = [list(client.call(*words).lines()) for words in QUESTIONS]
        for words in STREAM_QUESTIONS:
            lines = list(client.call(*words).lines())
            if words[:2] == ("XINFO", "STREAM"):  # not how many nodes it is made of
                lines = [line for i, line in enumerate(lines)
                         if "radix" not in line and (i == 0 or "radix" not in lines[i - 1])]
            answers.append(lines)
        return answers

    def rewrite(self, client):
        client.call("BGREWRITEAOF")
        self.await_rewrite(client)

    def base(self, node):
        bases = list(self.folder(node).glob("*.base.*"))
        self.assertEqual(len(bases), 1)
        return bases[0]

    def exchange(self, source_kind, target_kind):
        source = self.command_node(source_kind)
        client = self.ready(source)
        self.fill(client, DATA, LONG, STREAMS)
        self.rewrite(client)
        client.call("SET", "behind", "1")
        before, digest = self.answers(client), client.call("DEBUG", "DIGEST").text
        self.end(source)
        self.assertTrue(self.base(source).name.endswith(".base.aof"))
        self.assertTrue(self.base(source).read_bytes().startswith((b"*", b"#TS:")))
        self.check(source)
        client = self.move_log(source, self.node(target_kind))
        self.assertEqual(client.call("GET", "behind").text, "$1")
        self.assertEqual(self.answers(client), before)
        self.assertEqual(client.call("DEBUG", "DIGEST").text, digest)

    def test_all_types_come_back(self):
        self.exchange("mikura", "mikura")

    @unittest.skipUnless(have("redis-server"), "there is no redis-server")
    def test_redis_loads_our_base(self):
        self.exchange("mikura", "redis")

    @unittest.skipUnless(have("redis-server"), "there is no redis-server")
    def test_we_load_a_base_of_redis(self):
        self.exchange("redis", "mikura")

    def test_the_first_base_has_the_form_and_the_setting_changes_while_it_runs(self):
        node = self.command_node()
        client = self.ready(node)
        self.assertEqual(list(client.call("CONFIG", "GET", "aof-use-rdb-preamble").lines()),
                         ["*2", "$aof-use-rdb-preamble", "$no"])
        self.assertEqual(self.base(node).name, "appendonly.aof.1.base.aof")
        client.call("SET", "k", "v")
        client.call("CONFIG", "SET", "aof-use-rdb-preamble", "yes")
        self.rewrite(client)
        self.assertEqual(self.base(node).name, "appendonly.aof.2.base.rdb")
        client.call("CONFIG", "SET", "aof-use-rdb-preamble", "no", "aof-timestamp-enabled", "yes")
        self.rewrite(client)
        self.assertEqual(self.base(node).name, "appendonly.aof.3.base.aof")
        self.assertTrue(self.base(node).read_bytes().startswith(b"#TS:"))
        self.end(node)
        self.check(node)
        node.start()
        self.assertEqual(self.ready(node).call("GET", "k").text, "$v")

    def test_what_is_pending_and_deleted_stays_pending(self):
        node = self.command_node()
        client = self.ready(node)
        self.fill(client, STREAMS)
        client.call("XDEL", "read", "1-3", "1-5")
        self.rewrite(client)
        before = [client.call("XPENDING", "read", "g").text, client.call("DEBUG", "DIGEST").text]
        self.assertIn(b"RESTORE", self.base(node).read_bytes())
        self.end(node)
        self.check(node)
        kinds = ("mikura", "redis") if have("redis-server") else ("mikura",)
        for kind in kinds:
            client = self.move_log(node, self.node(kind))
            self.assertEqual([client.call("XPENDING", "read", "g").text,
                              client.call("DEBUG", "DIGEST").text], before)

    def test_when_it_was_delivered_comes_back(self):
        for rewrites in (False, True):
            with self.subTest(rewrites=rewrites):
                node = self.command_node()
                client = self.ready(node)
                self.fill(client, STREAMS)
                if rewrites:
                    self.rewrite(client)
                self.end(node)
                node.start()
                client = self.ready(node)
                pending = list(client.call("XPENDING", "read", "g", "-", "+", "1").lines())
                self.assertEqual(pending[2:4], ["$1-1", "$c"])
                self.assertTrue(0 <= int(pending[4][1:]) < 600_000, pending)

    def test_an_expired_key_is_what_the_log_makes_of_it(self):
        node = self.command_node()
        client = self.ready(node)
        client.call("SET", "stays", "1", "PX", "50")
        client.call("SET", "goes", "1", "PX", "50")
        client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        self.rewrite(client)
        client.call("PERSIST", "stays")
        kept = client.call("EXISTS", "stays").text
        self.end(node)
        node.start()
        client = self.ready(node)
        self.assertEqual(client.call("EXISTS", "stays").text, kept)
        self.await_true(lambda: client.call("GET", "goes").text == "(null)", "it goes")

    def test_what_redis_has_no_command_for_survives(self):
        node = self.node("mikura", "--aof-use-rdb-preamble", "no", "--memcached-port",
                         str(self.free_memcached_port()))
        client = self.ready(node)
        self.memcached(node, b"set item 1234 0 5\r\nhello\r\n", b"STORED")
        self.memcached(node, b"set long 99 1000 100000\r\n" + b"z" * 100_000 + b"\r\n", b"STORED")
        client.call("HSET", "hash", "a", "1", "b", "2", "c", "3")
        client.call("HPEXPIREAT", "hash", "33333333333333", "FIELDS", "2", "a", "c")
        gets = b"gets item\r\n", b"gets long\r\n"
        before = [self.memcached(node, words) for words in gets]
        self.assertIn(b" 1234 5 ", before[0])
        self.rewrite(client)
        self.end(node)
        self.check(node)
        node.start()
        client = self.ready(node)
        self.assertEqual([self.memcached(node, words) for words in gets], before)
        self.assertTrue(0 < int(client.call("TTL", "long").text[1:]) <= 1000)
        self.assertEqual(
            list(client.call("HPEXPIRETIME", "hash", "FIELDS", "3", "a", "b", "c").lines())[1:],
            [":33333333333333", ":-1", ":33333333333333"])

    def free_memcached_port(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.memcached_port = probe.getsockname()[1]
        return self.memcached_port

    def memcached(self, node, request, expected=b"END"):
        with socket.create_connection((node.host, self.memcached_port), timeout=30) as client:
            client.sendall(request)
            reply = b""
            while not reply.endswith(expected + b"\r\n"):
                part = client.recv(1 << 20)
                self.assertTrue(part, reply)
                reply += part
        return reply

    def test_a_damaged_base_is_refused_with_its_offset(self):
        node = self.command_node()
        client = self.ready(node)
        client.call("SET", "k", "v")
        self.rewrite(client)
        self.end(node)
        whole = self.base(node).read_bytes()
        at = whole.index(b"*3\r\n$3\r\nSET")
        self.base(node).write_bytes(whole[:-1])
        self.assertIn(f"{self.base(node).name} at byte {at}: the file ends within a command",
                      self.refusal(node))
        self.base(node).write_bytes(whole[:at] + encode([b"NOSUCHTHING"]))
        self.assertIn(f"{self.base(node).name} at byte {at}: the stream has 'NOSUCHTHING'",
                      self.refusal(node))


if __name__ == "__main__":
    unittest.main()
