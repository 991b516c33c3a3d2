#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What clients that ask for too much can cost the server: memory, descriptors, time, other clients.

Where Redis has the same limit, the same test runs against redis-server.
"""
import os
import re
import resource
import select
import socket
import time
import unittest

from resp_client import Client, Closed, encode
from servers import Server, free_port

BOTH = ("mikura", "redis")
OURS = ("mikura",)
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 20
MEGABYTE = 1 << 20


def resident_bytes(server):
    """What is resident, without pages of the program's file: more of those come with every path
    of the code that runs for the first time."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":") for line in status)
    return sum(int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem"))


def cpu_seconds(server):
    with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def settled_descriptors(server):
    """A connection that is listed no more may have its descriptor for a moment."""
    counts = [descriptors(server)]
    wait_until(lambda: counts.append(descriptors(server)) or (
        len(counts) > 10 and len(set(counts[-10:])) == 1))
    return counts[-1]


def slow_reader(server):
    """A connection whose own buffer is small, so that unread replies stay with the server."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.settimeout(PATIENCE_SECONDS)
    reader.connect((server.host, server.port))
    return reader


def send_as_taken(connection, data):
    """Sends until all is taken, or the server takes no more, or has closed; returns what was sent."""
    connection.setblocking(False)
    sent = 0
    try:
        while sent < len(data) and select.select([], [connection], [], 0.5)[1]:
            sent += connection.send(data[sent:sent + 65536])
    except (BrokenPipeError, ConnectionResetError):
        pass
    connection.settimeout(PATIENCE_SECONDS)
    return sent


def is_listed(observer, name):
    return f" name={name} " in observer.call("CLIENT", "LIST").text


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Limits(unittest.TestCase):
    def servers(self, kinds, *options):
        """Each server in turn, with a client; the test's body runs as a subtest."""
        for kind in kinds:
            with self.subTest(kind), Server(kind, *options) as server:
                client = Client(server.host, server.port)
                self.addCleanup(client.close)
                yield server, client

    def call(self, client, *words):
        reply = client.call(*words)
        self.assertFalse(reply.text.startswith("-"), reply.text)
        return reply

    def test_a_client_over_maxclients_is_told_so_and_closed(self):
        for server, first in self.servers(BOTH, "--maxclients", "3"):
            self.assertTrue(wait_until(lambda f=first: "connected_clients:1\r" in f.call(
                "INFO", "clients").text.replace("\\r", "\r")))
            others = [Client(server.host, server.port) for _ in range(2)]
            for other in others:
                self.assertEqual(other.call("PING").text, "+PONG")
            refused = Client(server.host, server.port)
            self.assertEqual(refused.read().text, "-ERR max number of clients reached")
            self.assertRaises(Closed, refused.read)
            refused.close()
            others[0].close()

            def is_served(server=server):
                again = Client(server.host, server.port)
                try:
                    return again.call("PING").text == "+PONG"
                except (Closed, OSError):
                    return False
                finally:
                    again.close()
            self.assertTrue(wait_until(is_served))
            others[1].close()

    def test_maxclients_beyond_the_descriptors_of_the_system_is_refused(self):
        # Redis says the same, but tries every smaller number first.
        for _, client in self.servers(OURS):
            reply = client.call("CONFIG", "SET", "maxclients", "2000000000")
            self.assertRegex(reply.text, re.escape(
                "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating "
                "system is not able to handle the specified number of clients, try with ") + r"\d+$")
            self.assertEqual(client.call("CONFIG", "GET", "maxclients").children[1].text, "$10000")

    def test_descriptors_that_run_out_refuse_newcomers_and_cost_no_processor(self):
        for server, client in self.servers(OURS):
            # The connection by which the server was seen to be ready may not be closed yet.
            self.assertTrue(wait_until(
                lambda c=client: c.call("CLIENT", "LIST").text.count("laddr=") == 1))
            limit = settled_descriptors(server) + 4
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
            crowd = [socket.create_connection((server.host, server.port), PATIENCE_SECONDS)
                     for _ in range(40)]
            # 36, less one for each descriptor that was closed after the count.
            self.assertTrue(wait_until(lambda c=crowd: len(select.select(c, [], [], 0)[0]) >= 34))
            refused = select.select(crowd, [], [], 0)[0]
            for connection in refused:
                self.assertEqual(connection.recv(100), b"-ERR max number of clients reached\r\n")
            before = cpu_seconds(server)
            time.sleep(1)
            self.assertLess(cpu_seconds(server) - before, 0.3)
            self.assertEqual(client.call("PING").text, "+PONG")
            for connection in crowd:
                connection.close()
            self.assertTrue(wait_until(lambda s=server: descriptors(s) < limit - 2))
            again = Client(server.host, server.port)
            self.assertEqual(again.call("PING").text, "+PONG")
            again.close()

    def test_a_slow_reader_over_the_hard_limit_is_closed(self):
        for server, client in self.servers(BOTH):
            self.call(client, "CONFIG", "SET", "client-output-buffer-limit", "normal 3mb 0 0")
            self.call(client, "SET", "big", "v" * MEGABYTE)
            reader = slow_reader(server)
            reader.sendall(encode([b"CLIENT", b"SETNAME", b"slow"]))
            reader.recv(5)
            send_as_taken(reader, encode([b"GET", b"big"]) * 60)
            self.assertTrue(wait_until(lambda c=client: not is_listed(c, "slow")))
            self.assertEqual(self.call(client, "STRLEN", "big").text, f":{MEGABYTE}")
            reader.close()

    def test_a_slow_reader_over_the_soft_limit_is_closed_after_its_time(self):
        for server, client in self.servers(BOTH):
            self.call(client, "CONFIG", "SET", "client-output-buffer-limit", "normal 0 512kb 2")
            self.call(client, "SET", "big", "v" * MEGABYTE)
            reader = slow_reader(server)
            reader.sendall(encode([b"CLIENT", b"SETNAME", b"slow"]))
            reader.recv(5)
            begin = time.monotonic()
            send_as_taken(reader, encode([b"GET", b"big"]) * 20)
            self.assertTrue(wait_until(lambda c=client: not is_listed(c, "slow")))
            self.assertGreater(time.monotonic() - begin, 1.9)
            reader.close()

    def test_without_a_limit_a_slow_reader_waits_and_loses_nothing(self):
        for server, client in self.servers(OURS):
            value = os.urandom(50_000).hex()  # 100 KB
            self.call(client, "SET", "big", value)
            reader = slow_reader(server)
            before = resident_bytes(server)
            request = encode([b"GET", b"big"])
            count = 1000
            sent = send_as_taken(reader, request * count)
            self.assertLess(resident_bytes(server) - before, 24 * MEGABYTE)
            expected = b"$%d\r\n%s\r\n" % (len(value), value.encode())
            rest = request * count
            stream = reader.makefile("rb")
            for index in range(count):
                if sent < len(rest):  # as soon as replies are read, requests are taken again
                    sent += send_as_taken(reader, rest[sent:sent + len(request) * 100])
                self.assertEqual(stream.read(len(expected)), expected, index)
            stream.close()
            reader.close()

    def test_a_stranger_can_make_the_server_hold_little(self):
        for server, client in self.servers(OURS):
            self.call(client, "CONFIG", "SET", "requirepass", "secret")
            before = resident_bytes(server)
            strangers = [slow_reader(server) for _ in range(10)]
            for stranger in strangers:
                sent = send_as_taken(stranger, b"GET k\r\n" * 3_000_000)
                self.assertLess(sent, 21_000_000)  # closed before all was taken
            self.assertLess(resident_bytes(server) - before, 10 * MEGABYTE)
            for stranger in strangers:
                stranger.close()

    def test_a_length_is_not_believed_before_its_bytes_are_there(self):
        for server, client in self.servers(BOTH):
            before = resident_bytes(server)
            liars = [Client(server.host, server.port) for _ in range(50)]
            for liar in liars:
                liar.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n" + b"x" * 1000)
            self.call(client, "PING")
            self.assertLess(resident_bytes(server) - before, 50 * MEGABYTE)
            for liar in liars:
                liar.close()

    def test_a_request_over_the_query_buffer_limit_closes_the_client(self):
        for server, client in self.servers(BOTH):
            self.call(client, "CONFIG", "SET", "client-query-buffer-limit", "1mb")
            other = Client(server.host, server.port)
            with self.assertRaises(Closed):
                other.call("SET", "k", "v" * (4 * MEGABYTE))
            other.close()
            self.assertEqual(self.call(client, "EXISTS", "k").text, ":0")

    def test_proto_max_bulk_len_bounds_words_and_values(self):
        for server, client in self.servers(BOTH):
            self.call(client, "CONFIG", "SET", "proto-max-bulk-len", "1mb")
            self.assertEqual(self.call(client, "CONFIG", "GET", "proto-max-bulk-len").children[1].text,
                             f"${MEGABYTE}")
            self.assertEqual(client.call("SETRANGE", "k", MEGABYTE, "x").text,
                             "-ERR string exceeds maximum allowed size (proto-max-bulk-len)")
            self.assertEqual(self.call(client, "SET", "k", "v" * MEGABYTE).text, "+OK")
            other = Client(server.host, server.port)
            other.send(b"*2\r\n$3\r\nGET\r\n$%d\r\n" % (MEGABYTE + 1))
            self.assertEqual(other.read().text, "-ERR Protocol error: invalid bulk length")
            self.assertRaises(Closed, other.read)
            other.close()

    def test_an_idle_client_is_closed_after_timeout(self):
        for server, client in self.servers(BOTH):
            idle = Client(server.host, server.port)
            self.call(client, "CONFIG", "SET", "timeout", "1")
            begin = time.monotonic()
            self.assertRaises(Closed, idle.read)
            self.assertGreater(time.monotonic() - begin, 0.9)
            idle.close()

    def test_an_endless_pipeline_does_not_starve_others(self):
        for server, client in self.servers(OURS):
            hog = socket.create_connection((server.host, server.port), PATIENCE_SECONDS)
            hog.setblocking(False)
            requests = encode([b"SET", b"key", b"value"]) * 5000
            waits, sent = [], 0
            end = time.monotonic() + 2
            while time.monotonic() < end:
                try:
                    while True:
                        sent += hog.send(requests[sent % len(requests):])
                except BlockingIOError:
                    pass
                begin = time.monotonic()
                self.assertEqual(client.call("PING").text, "+PONG")
                waits.append(time.monotonic() - begin)
                try:
                    while hog.recv(1 << 20):
                        pass
                except BlockingIOError:
                    pass
            self.assertGreater(len(waits), 5)
            self.assertLess(sorted(waits)[len(waits) // 2], 0.1)
            hog.close()


class ManyConnections(unittest.TestCase):
    COUNT = 10_000
    BYTES_EACH_MAX = 10_000
    IDLE_SECONDS = 2
    IDLE_CPU_SECONDS_MAX = 0.2

    def raise_file_limit(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < self.COUNT + 500:
            self.skipTest(f"only {hard} file descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, self.COUNT + 500), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def connected(self, client):
        text = client.call("INFO", "clients").text
        return int(re.search(r"connected_clients:(\d+)", text).group(1))

    def test_ten_thousand_idle_ones_cost_little_memory_and_no_processor(self):
        self.raise_file_limit()
        with Server("mikura", "--maxclients", str(self.COUNT + 100)) as server:
            client = Client(server.host, server.port)
            before = resident_bytes(server)
            crowd = []
            for _ in range(self.COUNT):
                crowd.append(socket.create_connection((server.host, server.port), PATIENCE_SECONDS))
            self.assertTrue(wait_until(lambda: self.connected(client) == self.COUNT + 1))
            # Each was served once, and is as it is after that.
            for start in range(0, self.COUNT, 500):
                for connection in crowd[start:start + 500]:
                    connection.sendall(b"PING\r\n")
                for connection in crowd[start:start + 500]:
                    self.assertEqual(connection.recv(7), b"+PONG\r\n")
            self.assertLess((resident_bytes(server) - before) / self.COUNT, self.BYTES_EACH_MAX)
            busy = cpu_seconds(server)
            time.sleep(self.IDLE_SECONDS)
            self.assertLess(cpu_seconds(server) - busy, self.IDLE_CPU_SECONDS_MAX)
            # Active ones among them are served as ever.
            active = crowd[::100]
            begin = time.monotonic()
            for _ in range(20):
                for connection in active:
                    connection.sendall(b"GET k\r\n")
                for connection in active:
                    self.assertEqual(connection.recv(5), b"$-1\r\n")
            self.assertLess(time.monotonic() - begin, 10)
            for connection in crowd:
                connection.close()
            self.assertTrue(wait_until(lambda: self.connected(client) == 1))
            client.close()


class Memcached(unittest.TestCase):
    def test_a_client_over_the_limit_is_told_in_its_own_protocol(self):
        port = free_port()
        with Server("mikura", "--memcached-port", str(port), "--maxclients", "2") as server:
            first = Client(server.host, server.port)
            self.assertEqual(first.call("CONFIG", "SET", "maxclients", "1").text, "+OK")
            with socket.create_connection((server.host, port), PATIENCE_SECONDS) as refused:
                self.assertEqual(refused.recv(100), b"ERROR Too many open connections\r\n")
            first.close()


if __name__ == "__main__":
    unittest.main()
