#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Administration of memcached: tuning, dumps and watchers, compared with memcached where the answer
does not depend on its inner works.

Run: MIKURA_BIN=build/release/mikura python3 -m unittest discover -s tests/memcached -p 'admin_test.py'
"""
import re
import socket
import struct
import subprocess
import time
import unittest

import servers

# Answered alike by both, in this order, on a server with its defaults.
SAME = [
    b"lru", b"lru foo", b"lru tune 1", b"lru tune 10 20 0.1 0.3", b"lru tune 60 60 0.1 0.3",
    b"lru tune 10 20 0 1", b"lru mode x", b"lru mode flat", b"lru mode segmented",
    b"lru temp_ttl x", b"lru temp_ttl 5", b"lru temp_ttl -1",
    b"lru_crawler", b"lru_crawler foo", b"lru_crawler enable", b"lru_crawler crawl 99",
    b"lru_crawler crawl 0", b"lru_crawler tocrawl a", b"lru_crawler tocrawl 5",
    b"lru_crawler sleep 2000000", b"lru_crawler sleep 200", b"lru_crawler metadump 70",
    b"slabs", b"slabs foo", b"slabs automove", b"slabs automove x", b"slabs automove 3",
    b"slabs automove 0", b"slabs automove 1", b"slabs reassign 1", b"slabs reassign 1 1",
    b"slabs reassign x y", b"watch foo", b"stats detail", b"stats detail foo",
    b"stats detail dump", b"stats detail on", b"stats detail off", b"stats cachedump 1",
    b"stats cachedump 99 0", b"stats foo", b"stats sizes", b"verbosity", b"verbosity x",
]
SETTINGS_LEFT_OUT = re.compile(rb"STAT (ext_|ssl_|num_napi|memory_file|num_threads_per|oldest)")
# Its own value, or shown only by newer memcached.
SETTINGS_DIFFERENT = {b"tcpport", b"inter", b"watch_enabled", b"slab_automove_freeratio"}


class Lines:
    """A connection read line by line, every line within a time limit."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=servers.REPLY_SECONDS)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        return self.file.readline()

    def close(self):
        self.file.close()
        self.socket.close()


def start(*flags):
    port = servers.free_port()
    return servers.Server([servers.MIKURA, "memcached", "-l", "127.0.0.1", "-p", str(port),
                           *flags], port)


@unittest.skipUnless(servers.MIKURA and servers.MEMCACHED, "needs MIKURA_BIN and memcached")
class AdminTest(unittest.TestCase):
    def start(self, *flags):
        server = start(*flags)
        self.addCleanup(server.stop)
        return server

    def connect(self, server):
        lines = Lines(server.port)
        self.addCleanup(lines.close)
        return lines

    def pair(self):
        reference = servers.start_memcached()
        self.addCleanup(reference.stop)
        clients = [servers.Client(reference), servers.Client(self.start())]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def test_administration_answers_as_memcached(self):
        clients = self.pair()
        for line in SAME:
            with self.subTest(line=line):
                theirs, ours = (client.ask(line + b"\r\n") for client in clients)
                self.assertEqual(ours, theirs)

    def test_settings_have_memcacheds_names_and_values(self):
        theirs, ours = (client.ask(b"stats settings\r\n")[0].split(b"\r\n")
                        for client in self.pair())
        wanted = [line for line in theirs if not SETTINGS_LEFT_OUT.match(line)]
        values = [dict(line.split(b" ", 2)[1:] for line in lines if line.startswith(b"STAT"))
                  for lines in (wanted, ours)]
        for name in SETTINGS_DIFFERENT:
            for known in values:
                known.pop(name, None)
        self.assertEqual(values[1].pop(b"ssl_enabled"), b"no")
        self.assertEqual(values[1], values[0])

    def test_a_watcher_sees_what_others_do(self):
        server = self.start()
        watcher, client = self.connect(server), self.connect(server)
        watcher.send(b"watch fetchers mutations\r\n")
        self.assertEqual(watcher.read(), b"OK\r\n")
        client.send(b"set a# 5 10 3 noreply\r\nabc\r\nget a#\r\n")
        expected = [
            rb"type=item_get key=a%23 status=not_found clsid=0 cfd=\d+ size=0\n",
            rb"type=item_store key=a%23 status=stored cmd=set ttl=10 clsid=1 cfd=\d+ size=3\n",
            rb"type=item_get key=a%23 status=found clsid=1 cfd=\d+ size=3\n",
        ]
        for pattern in expected:
            self.assertRegex(watcher.read(), rb"^ts=\d+\.\d+ gid=\d+ " + pattern)

    def test_a_watcher_sees_connections_come_and_go(self):
        server = self.start()
        watcher = self.connect(server)
        watcher.send(b"watch connevents\r\n")
        self.assertEqual(watcher.read(), b"OK\r\n")
        for request, reason in ((b"quit\r\n", b"normal"), (b"GET / HTTP/1.1\r\n", b"error")):
            client = self.connect(server)
            client.send(request)
            self.assertEqual(client.read(), b"")
            # The connection that waited for the server's start may be noticed as late as now.
            mine = b" rport=%d " % client.socket.getsockname()[1]
            lines = (line for line in iter(watcher.read, b"") if mine in line)
            self.assertRegex(next(lines), rb"type=conn_new rip=127.0.0.1 rport=\d+ transport=tcp")
            self.assertRegex(next(lines), rb"type=conn_close .* reason=" + reason)

    def test_a_dump_is_as_long_as_the_client_is_slow(self):
        server = self.start("-m", "512")
        client = self.connect(server)
        count = 100_000
        sets = b"".join(b"set key%d 0 0 1 noreply\r\nx\r\n" % i for i in range(count))
        client.send(sets + b"version\r\n")
        self.assertRegex(client.read(), rb"^VERSION")
        # What follows a dump waits for its end.
        client.send(b"lru_crawler metadump all\r\nversion\r\n")
        time.sleep(0.2)  # far more than the socket holds is ready by now
        seen = set()
        while (line := client.read()) != b"END\r\n":
            self.assertRegex(line, rb"^key=key\d+ exp=-1 ")
            seen.add(line.split(b" ")[0])
        self.assertEqual(len(seen), count)
        self.assertRegex(client.read(), rb"^VERSION")

    def test_prefixes_are_counted_from_the_start_with_d(self):
        client = self.connect(self.start("-D", "/"))
        client.send(b"set a/b 0 0 1\r\nx\r\nget a/b a/c\r\ndelete a/b\r\nstats detail dump\r\n")
        seen = [client.read() for _ in range(7)]
        self.assertEqual(seen[5:], [b"PREFIX a get 2 hit 1 set 1 del 1\r\n", b"END\r\n"])

    def test_a_connection_too_many_is_told_so(self):
        server = self.start("-c", "1")
        # The connection that waited for the server's start counts until its end was noticed.
        deadline = time.monotonic() + servers.REPLY_SECONDS
        greeting = b""
        while not greeting.startswith(b"VERSION") and time.monotonic() < deadline:
            first = self.connect(server)
            first.send(b"version\r\n")
            greeting = first.read()
        self.assertRegex(greeting, rb"^VERSION")
        self.assertEqual(self.connect(server).read(), b"ERROR Too many open connections\r\n")

    def test_idle_connections_are_counted(self):
        server = self.start("-o", "idle_timeout=1")
        self.assertEqual(self.connect(server).read(), b"", "closed")
        client = servers.Client(server)
        self.addCleanup(client.close)
        self.assertIn(b"STAT idle_kicks 1\r\n", client.ask(b"stats\r\n")[0])

    def test_one_request_per_turn_is_a_yield_each(self):
        server = self.start("-R", "1")
        client = servers.Client(server)
        self.addCleanup(client.close)
        reply, _ = client.ask(b"verbosity 0\r\n" * 5 + b"stats\r\n")
        self.assertEqual(reply[:20], b"OK\r\n" * 5)
        # The no-op that ask() sends behind it makes stats wait as well.
        self.assertIn(b"STAT conn_yields 6\r\n", reply)

    def test_udp_answers_in_numbered_datagrams(self):
        port = servers.free_port()
        server = self.start("-U", str(port))
        client = servers.Client(server)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(b"set big 0 0 3000\r\n" + b"x" * 3000 + b"\r\n")[0],
                         b"STORED\r\n")
        self.assertIn(b"addr udp:127.0.0.1:%d\r\n" % port, client.ask(b"stats conns\r\n")[0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(servers.REPLY_SECONDS)
            udp.connect(("127.0.0.1", port))

            def ask(request_id, body, total=1):
                udp.send(struct.pack("!4H", request_id, 0, total, 0) + body)
                first = udp.recv(2000)
                count = struct.unpack("!4H", first[:8])[2]
                pieces = sorted([first] + [udp.recv(2000) for _ in range(count - 1)])
                self.assertEqual([struct.unpack("!4H", piece[:8]) for piece in pieces],
                                 [(request_id, number, count, 0) for number in range(count)])
                return count, b"".join(piece[8:] for piece in pieces)

            self.assertEqual(ask(7, b"get none\r\n"), (1, b"END\r\n"))
            self.assertEqual(ask(65535, b"get big\r\n"),
                             (3, b"VALUE big 0 3000\r\n" + b"x" * 3000 + b"\r\nEND\r\n"))
            self.assertEqual(ask(1, b"get none\r\n", total=2)[1],
                             b"SERVER_ERROR multi-packet request not supported\r\n")
            self.assertEqual(ask(2, b"lru_crawler metadump all\r\n")[1],
                             b"SERVER_ERROR the reply is too large for UDP\r\n")
            udp.send(b"short")  # dropped
            self.assertEqual(ask(3, b"get none\r\n"), (1, b"END\r\n"))

    def test_what_cannot_be_honoured_is_refused_by_name(self):
        for flags in (["-Z"], ["-o", "ext_path=/tmp/x:1G"]):
            done = subprocess.run([servers.MIKURA, "memcached", *flags], capture_output=True,
                                  timeout=servers.REPLY_SECONDS, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(flags[0].encode(), done.stderr)


if __name__ == "__main__":
    unittest.main()
