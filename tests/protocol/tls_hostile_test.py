#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TLS clients that mean no good, and very many that do nothing: what they cost, and that others do
not feel them."""
import os
import random
import resource
import socket
import ssl
import subprocess
import time
import unittest

import tls_test
from limits_test import resident_bytes
from resp_client import encode
from tls_client import LooseTls, client_context
from tls_test import TlsCase

KILOBYTE = 1024
HANDSHAKE_SECONDS = 10
setUpModule = tls_test.setUpModule


class HostileCase(TlsCase):
    def setUp(self):
        self.server = self.start("mikura")
        self.context = client_context(tls_test.FILES)

    def stranger(self):
        client = socket.create_connection((self.server.host, self.server.tls_port), timeout=30)
        self.addCleanup(client.close)
        return client

    def hello(self):
        return LooseTls(self.server.host, self.server.tls_port, self.context)

    def until_closed(self, client):
        """Seconds until the server ends the connection."""
        start = time.monotonic()
        try:
            while client.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return time.monotonic() - start

    def others_are_served(self, seconds_max=5):
        start = time.monotonic()
        with_tls = self.server.connect()
        for _ in range(300):
            self.assertEqual(with_tls.call("PING").text, "+PONG")
            self.assertEqual(self.control.call("PING").text, "+PONG")
        with_tls.close()
        self.assertLess(time.monotonic() - start, seconds_max)


class Handshakes(HostileCase):
    def test_bytes_without_sense(self):
        source = random.Random(3)
        hello = self.hello().hello()
        for i in range(300):
            client = self.stranger()
            data = bytearray(hello if i % 2 else source.randbytes(source.randint(1, 3000)))
            for _ in range(source.randint(0, 8)):
                data[source.randrange(len(data))] = source.randrange(256)
            del data[source.randint(1, len(data)):]
            try:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            self.until_closed(client)
            client.close()
        self.others_are_served()
        self.assertIsNone(self.server.process.poll())

    def test_an_honest_handshake_byte_by_byte(self):
        client = self.hello()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in client.hello():
            client.socket.sendall(bytes([byte]))
        client.shake_hands()
        client.pump(client.tls.write, encode([b"PING"]))
        self.assertEqual(client.pump(client.tls.read, 100), b"+PONG\r\n")
        client.close()

    def test_ten_that_stop_do_not_hurt_others_and_are_ended(self):
        stopped = []
        for i in range(10):
            client = self.hello()
            self.addCleanup(client.close)
            hello = client.hello()
            client.socket.sendall(hello if i % 2 else hello[:len(hello) // 2])
            stopped.append(client.socket)
        start = time.monotonic()
        self.others_are_served()
        for client in stopped:
            self.until_closed(client)
        self.assertLess(HANDSHAKE_SECONDS - 1, time.monotonic() - start)
        self.assertLess(time.monotonic() - start, HANDSHAKE_SECONDS + 5)

    def test_slow_ones_end_however_they_trickle(self):
        client = self.hello()
        hello = client.hello()
        start = time.monotonic()
        client.socket.settimeout(0.5)
        ended = False
        for byte in hello:
            try:
                client.socket.sendall(bytes([byte]))
                ended = client.socket.recv(1) == b""
            except socket.timeout:
                pass
            except OSError:
                ended = True
            if ended:
                break
        client.close()
        self.assertTrue(ended)
        self.assertLess(time.monotonic() - start, HANDSHAKE_SECONDS + 5)

    def test_a_message_without_end_takes_little_memory(self):
        before = resident_bytes(self.server)
        clients = []
        for _ in range(100):
            client = self.stranger()
            # A ClientHello of 131,000 bytes, of which nearly all come.
            data = b"\x01" + (131_000).to_bytes(3, "big") + b"\x03\x03" + bytes(130_000)
            for at in range(0, len(data), 16_000):
                piece = data[at:at + 16_000]
                try:
                    client.sendall(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece)
                except OSError:
                    break
            clients.append(client)
        self.others_are_served()
        self.assertLess((resident_bytes(self.server) - before) / len(clients), 300 * KILOBYTE)

    def test_many_handshakes_at_once_leave_room_for_others(self):
        hellos = [self.hello() for _ in range(200)]
        for client in hellos:
            self.addCleanup(client.close)
        for client in hellos:
            client.socket.sendall(client.hello())
        slowest = 0
        for _ in range(200):
            start = time.monotonic()
            self.assertEqual(self.control.call("PING").text, "+PONG")
            slowest = max(slowest, time.monotonic() - start)
        self.assertLess(slowest, 0.5)


class Established(HostileCase):
    def openssl_client(self, *options):
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.tls_port}", "-cert",
             tls_test.FILES.path("client.pem"), "-key", tls_test.FILES.path("client.key"),
             "-CAfile", tls_test.FILES.path("ca.pem"), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.addCleanup(client.stdin.close)
        return client

    def say(self, client, data):
        client.stdin.write(data)
        client.stdin.flush()

    def read_until(self, client, line):
        while text := client.stdout.readline():
            if text.endswith(line):  # behind what is shown of a session
                return True
        return False

    def test_new_keys_in_between(self):
        client = self.openssl_client("-tls1_3")
        for _ in range(10):
            self.say(client, b"PING\r\n")
            self.assertTrue(self.read_until(client, b"+PONG\r\n"))
            self.say(client, b"K\n")
            self.assertTrue(self.read_until(client, b"KEYUPDATE\n"))

    def test_no_renegotiation(self):
        client = self.openssl_client("-tls1_2")
        self.say(client, b"PING\r\n")
        self.assertTrue(self.read_until(client, b"+PONG\r\n"))
        self.say(client, b"R\n")
        output = client.stdout.read()
        self.assertIn(b"no renegotiation", output)
        self.others_are_served()

    def test_broken_records(self):
        for garbage in (b"\x17\x03\x03\x00\x20" + bytes(32), b"\x17\x03\x03\xff\xff", b"x" * 50):
            client = self.hello()
            client.shake_hands()
            client.pump(client.tls.write, encode([b"PING"]))
            client.socket.sendall(garbage)
            self.until_closed(client.socket)
            client.close()
        self.others_are_served()

    def test_thousands_of_idle_clients(self):
        count = 2000
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], 2 * count), limit[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limit)
        # What the first ones bring is not theirs alone.
        clients = [self.server.connect() for _ in range(50)]
        before = resident_bytes(self.server)
        for _ in range(count):
            clients.append(self.server.connect())
        for client in clients[-count:]:
            self.assertEqual(client.call("PING").text, "+PONG")
        each = (resident_bytes(self.server) - before) / count
        print(f"an idle TLS client: {each / KILOBYTE:.1f} KB", flush=True)
        self.assertLess(each, 40 * KILOBYTE)
        self.others_are_served()
        for client in clients:
            client.close()
        self.others_are_served()

    def test_large_transfers_give_their_buffers_back(self):
        clients = [self.server.connect() for _ in range(20)]
        value = os.urandom(1 << 20)
        self.control.call("SET", "k", value)

        def get(client):
            client.send(encode([b"GET", b"k"]))
            self.assertEqual(len(client.input.read(len(value) + 12)), len(value) + 12)

        for client in clients:
            get(client)
        before = resident_bytes(self.server)
        for _ in range(5):
            for client in clients:
                get(client)
        self.assertLess(resident_bytes(self.server) - before, 2 << 20)
        for client in clients:
            client.close()


if __name__ == "__main__":
    unittest.main()
