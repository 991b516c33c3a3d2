# SPDX-License-Identifier: Apache-2.0
"""The same bytes to memcached and to mikura: the answers must be the same.

Run: MIKURA_BIN=build/release/mikura python3 -m unittest discover -s tests/memcached -p '*_test.py'
COMPARE_SEEDS sets how many random runs are made (default 4).
"""
import os
import random
import re
import unittest

import requests as samples
import servers

SETUP = b"flush_all\r\nset a 5 0 2\r\n10\r\nset w 0 0 1\r\nx\r\n"
# What a changed byte becomes: nothing that turns one flag into another one that memcached 1.6.18
# does not know, or into a point of time that passes while the test runs.
BYTES = b" \r\n0123456789\x00\xffabkqz+="


@unittest.skipUnless(servers.MIKURA and servers.MEMCACHED, "needs MIKURA_BIN and memcached")
class CompareTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = []
        # Without threads that hold on to entries for a moment: memcached changes a number in place
        # only when nobody else refers to it.
        for server in (servers.start_memcached("-o", "no_lru_maintainer,no_lru_crawler"),
                       servers.start_mikura()):
            cls.servers.append(server)
            cls.addClassCleanup(server.stop)

    def setUp(self):
        self.clients = [servers.Client(server) for server in self.servers]
        self.normalisers = [servers.Normaliser() for _ in self.servers]
        for client in self.clients:
            self.addCleanup(client.close)

    def compare(self, data, seconds=servers.REPLY_SECONDS):
        """Asks both; fails when they differ. Returns how the connections were left."""
        answers = []
        for client, normalise in zip(self.clients, self.normalisers):
            reply, state = client.ask(data, seconds)
            answers.append((normalise(reply), state))
        # Before the end of a data block memcached keeps replies back that we have sent.
        both_wait = answers[0][1] == answers[1][1] == "waiting"
        if answers[0] != answers[1] and not (both_wait and
                                             answers[1][0].startswith(answers[0][0])):
            self.fail(f"to {shorten(data)}\nmemcached: {shorten(answers[0][0])} {answers[0][1]}"
                      f"\nmikura:    {shorten(answers[1][0])} {answers[1][1]}")
        return answers[0][1]

    def reconnect(self):
        # What one answered while the other waited must not count from here on.
        self.normalisers = [servers.Normaliser() for _ in self.servers]
        for client in self.clients:
            client.connect()

    def test_odd_requests(self):
        for data in samples.ODD:
            with self.subTest(request=shorten(data)):
                self.reconnect()
                self.compare(SETUP)
                self.compare(data)

    def test_what_counts_as_a_number(self):
        for text in samples.NUMBER_LIKE:
            for verb in (b"incr n 1", b"decr n 1", b"ma n v"):
                with self.subTest(value=text, verb=verb):
                    self.compare(b"set n 0 0 %d\r\n%s\r\n" % (len(text), text))
                    self.compare(verb + b"\r\nget n\r\n")

    def test_a_request_that_is_not_finished_waits(self):
        for data in (b"set a 0 0 10\r\nabc", b"x" * 2048, b"get " + b"a " * 2000):
            with self.subTest(request=shorten(data)):
                self.reconnect()
                self.clients[0].socket.sendall(data)
                self.clients[1].socket.sendall(data)
                for client in self.clients:
                    client.socket.settimeout(0.2)
                    with self.assertRaises(TimeoutError):
                        client.socket.recv(1)

    def test_an_endless_line_closes_the_connection(self):
        for data in (b"x" * 2049, b"set a 0 0 " + b"1" * 4000, b" " * 101 + b"get" + b" a" * 2000):
            with self.subTest(request=shorten(data)):
                self.reconnect()
                for client in self.clients:
                    client.socket.sendall(data)
                    client.socket.settimeout(servers.REPLY_SECONDS)
                    try:
                        self.assertEqual(client.socket.recv(1), b"")
                    except ConnectionResetError:
                        pass

    def test_random_requests(self):
        for seed in range(int(os.environ.get("COMPARE_SEEDS", "4"))):
            with self.subTest(seed=seed):
                generator = samples.Generator(random.Random(seed))
                self.compare(SETUP)
                for step in range(1500):
                    state = self.compare(generator.request())
                    self.assertEqual(state, "open", f"step {step}")

    def test_random_pipelines_in_pieces(self):
        generator = samples.Generator(random.Random(99))
        for _ in range(40):
            self.compare(b"".join(generator.request(arithmetic=False) for _ in range(30)))

    def test_damaged_requests(self):
        for seed in range(int(os.environ.get("COMPARE_SEEDS", "4"))):
            dice = random.Random(1000 + seed)
            # Values shorter than a line may be, since a damaged length makes a line of them.
            generator = samples.Generator(dice, big=b"w" * 1000)
            for step in range(60):
                data = bytearray(b"".join(generator.request() for _ in range(3)))
                for _ in range(dice.randint(1, 4)):
                    at = dice.randrange(len(data))
                    change = dice.randrange(3)
                    if change == 0:
                        data[at] = dice.choice(BYTES)
                    elif change == 1:
                        data.insert(at, dice.choice(BYTES))
                    else:
                        del data[at]
                # Flag E is newer than memcached 1.6.18, which also takes base64 with '=' inside.
                if b" E" in data or re.search(rb"=[^= \r\n]", data):
                    continue
                with self.subTest(seed=seed, step=step):
                    self.reconnect()
                    self.compare(SETUP)
                    # The end of the requests, should a length have grown.
                    self.compare(bytes(data) + b"\r\n" * 3, seconds=0.4)


def shorten(data):
    return repr(data) if len(data) < 600 else repr(data[:300]) + "..." + repr(data[-100:])


if __name__ == "__main__":
    unittest.main()
