#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Published messages between many clients: order, losses, slow readers, large messages. The same
tests run against redis-server."""
import os
import sys
import threading
import time
import unittest

from limits_test import MEGABYTE, slow_reader, wait_until
from resp_client import Client, encode
from servers import Server

PUBLISHERS = 4
SUBSCRIBERS = 12
MESSAGES = 1500


class PubSub(unittest.TestCase):
    def servers(self):
        for kind in ("mikura", "redis"):
            options = ("--threads", "4") if kind == "mikura" else ()
            with self.subTest(server=kind), Server(kind, *options) as server:
                self.address = (server.host, server.port)
                yield server

    def client(self):
        client = Client(*self.address)
        self.addCleanup(client.close)
        return client

    def subscriber(self, *words):
        client = self.client()
        client.call(*words)
        return client

    def test_all_subscribers_get_all_messages_in_one_order(self):
        for _ in self.servers():
            subscribers = [self.subscriber("SUBSCRIBE", "c") if i % 2 else
                           self.subscriber("PSUBSCRIBE", "?") for i in range(SUBSCRIBERS)]
            got = [[] for _ in subscribers]

            def listen(client, messages):
                for _ in range(PUBLISHERS * MESSAGES):
                    messages.append(client.read().children[-1].text)

            def publish(number, client):
                for first in range(0, MESSAGES, 50):
                    client.send(b"".join(encode([b"PUBLISH", b"c", b"%d:%d" % (number, i)])
                                         for i in range(first, first + 50)))
                    for _ in range(50):
                        assert client.read().text == f":{SUBSCRIBERS}"

            threads = [threading.Thread(target=listen, args=pair)
                       for pair in zip(subscribers, got)]
            threads += [threading.Thread(target=publish, args=(number, self.client()))
                        for number in range(PUBLISHERS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            for messages in got:
                self.assertEqual(len(messages), PUBLISHERS * MESSAGES)
                self.assertEqual(messages, got[0])
            for number in range(PUBLISHERS):
                own = [text for text in got[0] if text.startswith(f"${number}:")]
                self.assertEqual(own, [f"${number}:{i}" for i in range(MESSAGES)])

    def test_a_message_comes_before_what_is_asked_after_it_was_published(self):
        for _ in self.servers():
            publisher, others = self.client(), [self.client() for _ in range(8)]
            for client in others:
                client.call("SUBSCRIBE", "c")
            for i in range(300):
                self.assertEqual(publisher.call("PUBLISH", "c", str(i)).text, ":8")
                client = others[i % 8]
                client.send(encode([b"PING"]))
                for _ in range(min(i + 1, 8) if i < 8 else 8):
                    node = client.read()
                    self.assertEqual(node.children[0].text, "$message")
                self.assertEqual(client.read().children[0].text, "$pong")

    def test_who_unsubscribes_loses_nothing_that_was_counted(self):
        for _ in self.servers():
            publisher, client = self.client(), self.client()
            for i in range(300):
                client.call("SUBSCRIBE", "c")
                publisher.send(encode([b"PUBLISH", b"c", b"%d" % i]))
                client.send(encode([b"UNSUBSCRIBE", b"c"]))
                counted = publisher.read().text == ":1"
                kinds = [client.read().children[0].text]
                if kinds[-1] != "$unsubscribe":
                    kinds.append(client.read().children[0].text)
                self.assertEqual(kinds, ["$message"] * counted + ["$unsubscribe"])

    def test_large_messages_arrive_whole(self):
        for _ in self.servers():
            plain = [self.subscriber("SUBSCRIBE", "large") for _ in range(3)]
            pattern = self.subscriber("PSUBSCRIBE", "l*")
            publisher = self.client()
            for size in (16_000, 17_000, 3 * MEGABYTE):
                payload = os.urandom(size // 2).hex()
                publisher.send(encode([b"PUBLISH", b"large", payload.encode()]))
                for client in plain + [pattern]:
                    self.assertEqual(client.read().children[-1].text, "$" + payload)
                self.assertEqual(publisher.read().text, ":4")

    def flood(self, server, limit, seconds_min):
        """A subscriber that reads nothing is closed; one that reads is not."""
        reader = slow_reader(server)
        reader.sendall(encode([b"SUBSCRIBE", b"c"]))
        reader.recv(100)
        admin, good = self.client(), self.subscriber("SUBSCRIBE", "c")
        admin.call("CONFIG", "SET", "client-output-buffer-limit", limit)
        begin = time.monotonic()
        for _ in range(8):
            admin.call("PUBLISH", "c", b"x" * MEGABYTE)
            self.assertEqual(good.read().children[0].text, "$message")
        self.assertTrue(wait_until(
            lambda: admin.call("PUBSUB", "NUMSUB", "c").children[1].text == ":1"))
        self.assertGreaterEqual(time.monotonic() - begin, seconds_min)
        self.assertEqual(admin.call("PUBLISH", "c", "last").text, ":1")
        self.assertEqual(good.read().children[2].text, "$last")
        reader.close()

    def test_a_slow_subscriber_over_the_hard_limit_is_closed(self):
        for server in self.servers():
            self.flood(server, "pubsub 4mb 0 0 normal 0 0 0", 0)

    def test_a_slow_subscriber_over_the_soft_limit_is_closed_after_its_time(self):
        for server in self.servers():
            self.flood(server, "pubsub 0 1mb 2", 1.9)

    def test_publishers_wait_for_loops_that_have_much_to_deliver(self):
        """What is published faster than it can be delivered does not fill memory."""
        for _ in self.servers():
            subscribers = [self.subscriber("SUBSCRIBE", "c") for _ in range(40)]
            done = []

            def drain(client):
                left = 1500
                while left:
                    client.read()
                    left -= 1
                done.append(client)

            threads = [threading.Thread(target=drain, args=(client,)) for client in subscribers]
            for thread in threads:
                thread.start()
            publisher = self.client()
            for _ in range(15):
                publisher.send(encode([b"PUBLISH", b"c", b"y" * 8000]) * 100)
                for _ in range(100):
                    self.assertEqual(publisher.read().text, ":40")
            for thread in threads:
                thread.join(60)
            self.assertEqual(len(done), 40)

    def test_many_patterns_and_channels_of_one_client(self):
        for _ in self.servers():
            client, publisher = self.client(), self.client()
            for kind in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"):
                client.send(encode([kind.encode()] + [b"n%d" % i for i in range(3000)]))
                for _ in range(3000):
                    client.read()
            self.assertEqual(publisher.call("PUBSUB", "NUMPAT").text, ":3000")
            self.assertEqual(publisher.call("PUBLISH", "n77", "x").text, ":2")
            client.close()
            for what, none in (("NUMPAT", ":0"), ("CHANNELS", "*0"), ("SHARDCHANNELS", "*0")):
                self.assertTrue(wait_until(
                    lambda what=what, none=none: publisher.call("PUBSUB", what).text == none), what)


if __name__ == "__main__":
    sys.exit(unittest.main())
