# SPDX-License-Identifier: Apache-2.0
"""Real clients of the memcached port, and the keys seen from the RESP port.

Run: MIKURA_BIN=build/release/mikura python3 -m unittest discover -s tests/memcached -p '*_test.py'
"""
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import servers

try:
    from pymemcache.client.base import Client as PymemcacheClient
except ImportError:
    PymemcacheClient = None


class Resp:
    """Just enough of a RESP client: one command, one simple, integer or bulk reply."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(servers.REPLY_SECONDS)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(words)
                            + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        line = self.file.readline()[:-2]
        if line[:1] == b"$" and line != b"$-1":
            return self.file.read(int(line[1:]) + 2)[:-2]
        return None if line == b"$-1" else line


@unittest.skipUnless(servers.MIKURA, "needs MIKURA_BIN")
class ClientsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = servers.start_mikura()
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.memcached = servers.Client(self.server)
        self.addCleanup(self.memcached.close)
        self.redis = Resp(self.server.resp_port)
        self.addCleanup(self.redis.close)
        self.assertEqual(self.ask(b"flush_all\r\n"), b"OK\r\n")

    def ask(self, data):
        reply, state = self.memcached.ask(data)
        self.assertEqual(state, "open")
        return reply

    def test_a_redis_string_is_a_memcached_value(self):
        self.redis("SET", "a", "hello")
        self.assertEqual(self.ask(b"get a\r\n"), b"VALUE a 0 5\r\nhello\r\nEND\r\n")
        self.redis("SET", "a", "x", "PX", "100000")
        self.assertEqual(self.ask(b"mg a t v\r\n"), b"VA 1 t100\r\nx\r\n")

    def test_a_memcached_value_is_a_redis_string(self):
        self.ask(b"set a 7 1000 2\r\nhi\r\n")
        self.assertEqual(self.redis("GET", "a"), b"hi")
        self.assertIn(self.redis("TTL", "a"), (b":1000", b":999"))
        self.assertEqual(self.redis("TYPE", "a"), b"+string")

    def test_redis_changes_in_place_keep_the_flags_and_change_the_cas(self):
        self.ask(b"set n 7 0 1\r\n5\r\n")
        before = self.ask(b"gets n\r\n").split()[4]
        self.assertEqual(self.redis("INCR", "n"), b":6")
        self.assertEqual(self.redis("APPEND", "n", "1"), b":2")
        answer = self.ask(b"gets n\r\n").split()
        self.assertEqual(answer[2:4] + answer[5:6], [b"7", b"2", b"61"])
        self.assertNotEqual(answer[4], before)
        self.assertEqual(self.ask(b"cas n 0 0 1 %s\r\nx\r\n" % before), b"EXISTS\r\n")

    def test_a_redis_set_drops_the_flags(self):
        self.ask(b"set a 7 0 1\r\nx\r\n")
        self.redis("SET", "a", "y")
        self.assertEqual(self.ask(b"get a\r\n"), b"VALUE a 0 1\r\ny\r\nEND\r\n")

    def test_deleted_by_either_is_gone_for_both(self):
        self.ask(b"set a 0 0 1\r\nx\r\nset b 0 0 1\r\nx\r\n")
        self.assertEqual(self.redis("DEL", "a"), b":1")
        self.assertEqual(self.ask(b"get a\r\ndelete b\r\n"), b"END\r\nDELETED\r\n")
        self.assertEqual(self.redis("EXISTS", "b"), b":0")

    def test_a_planned_flush_comes(self):
        self.ask(b"set a 0 0 1\r\nx\r\nflush_all 1\r\n")
        deadline = time.monotonic() + servers.REPLY_SECONDS
        while self.ask(b"get a\r\n") != b"END\r\n":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_statistics_name_what_happened(self):
        self.ask(b"stats reset\r\nset a 0 0 1\r\nx\r\nget a\r\nget none\r\n")
        lines = self.ask(b"stats\r\n").split(b"\r\n")
        self.assertEqual(lines[-2], b"END")
        stats = dict(line.split(b" ")[1:3] for line in lines[:-2])
        self.assertEqual(stats[b"cmd_get"], b"2")
        self.assertEqual(stats[b"get_hits"], b"1")
        self.assertEqual(stats[b"curr_items"], b"1")
        self.assertEqual(int(stats[b"pid"]), self.server.process.pid)

    @unittest.skipUnless(PymemcacheClient, "needs python3-pymemcache")
    def test_pymemcache(self):
        client = PymemcacheClient(("127.0.0.1", self.server.port), timeout=servers.REPLY_SECONDS)
        self.addCleanup(client.close)
        self.assertTrue(client.set("k", b"v", expire=100, noreply=False, flags=3))
        self.assertEqual(client.get("k"), b"v")
        value, cas = client.gets("k")
        self.assertTrue(client.cas("k", b"w", cas, noreply=False))
        self.assertFalse(client.cas("k", b"z", cas, noreply=False))
        self.assertTrue(client.set_many({"n": b"41", "m": b"x" * 100000}, noreply=False) == [])
        self.assertEqual(client.incr("n", 1, noreply=False), 42)
        self.assertEqual(client.decr("n", 50, noreply=False), 0)
        self.assertEqual(client.get_many(["k", "m", "none"]), {"k": b"w", "m": b"x" * 100000})
        self.assertTrue(client.append("k", b"!", noreply=False))
        self.assertTrue(client.touch("k", 50, noreply=False))
        self.assertFalse(client.add("k", b"", noreply=False))
        self.assertTrue(client.delete("k", noreply=False))
        self.assertEqual(client.stats()[b"version"], client.version())
        self.assertTrue(client.flush_all(noreply=False))

    @unittest.skipUnless(shutil.which("memccapable"), "needs libmemcached-tools")
    def test_memccapable_in_both_protocols(self):
        result = subprocess.run(
            ["memccapable", "-h", "127.0.0.1", "-p", str(self.server.port)],
            capture_output=True, timeout=120, env={**os.environ, "LC_ALL": "C"})
        output = (result.stdout + result.stderr).decode(errors="replace")
        self.assertEqual(result.returncode, 0, output)
        self.assertNotIn("[FAIL]", output)
        self.assertIn("binary stat", output)
        self.assertIn("ascii stat", output)

    @unittest.skipUnless(shutil.which("memccp"), "needs libmemcached-tools")
    def test_libmemcached_copies_a_file_in_either_protocol(self):
        server = f"--servers=127.0.0.1:{self.server.port}"
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "sample"), "wb") as file:
                file.write(b"x" * 200_000)

            def run(*words):
                return subprocess.run(words, cwd=directory, capture_output=True, timeout=60)

            self.assertEqual(run("memccp", server, "--binary", "sample").returncode, 0)
            self.assertEqual(run("memccat", server, "sample").stdout.strip(), b"x" * 200_000)
            self.assertEqual(run("memccat", server, "--binary", "sample").stdout.strip(),
                             b"x" * 200_000)
        self.assertEqual(self.redis("STRLEN", "sample"), b":200000")


if __name__ == "__main__":
    unittest.main()
