#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that wait for elements of lists: who is served, when, and what ends a wait."""
import os
import random
import sys
import threading
import time
import unittest

from resp_client import Client, encode
from servers import Server

SECONDS = float(os.environ.get("MIKURA_TEST_SECONDS", "3"))


class Fixture:
    kind = ""
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.kind, *cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.control = self.client()
        self.control.call("FLUSHALL")
        self.await_blocked(0)  # clients of the test before may still be leaving

    def client(self):
        client = Client(self.server.host, self.server.port)
        self.addCleanup(client.close)
        return client

    def send(self, client, *words):
        client.send(encode([str(word).encode() for word in words]))

    def blocked(self):
        info = self.control.call("INFO", "clients").text
        return int(info.split("blocked_clients:")[1].split("\\r")[0])

    def await_blocked(self, count):
        deadline = time.monotonic() + 10
        while self.blocked() != count:
            self.assertLess(time.monotonic(), deadline, f"blocked_clients {self.blocked()}")
            time.sleep(0.002)

    def waiting(self, *words):
        """A new client that waits in this command."""
        before = self.blocked()
        client = self.client()
        self.send(client, *words)
        self.await_blocked(before + 1)
        return client

    def tree(self, node):
        return [self.tree(child) for child in node.children] if node.children else node.text

    def assert_reply(self, client, expected):
        self.assertEqual(self.tree(client.read()), expected)

    def elements(self, key):
        return [node.text[1:] for node in self.control.call("LRANGE", key, 0, -1).children]


class Cases(Fixture):
    """The same for both servers."""

    def test_first_come_first_served(self):
        clients = [self.waiting("BLPOP", "l", 0) for _ in range(3)]
        self.control.call("RPUSH", "l", "a", "b")
        self.assert_reply(clients[0], ["$l", "$a"])
        self.assert_reply(clients[1], ["$l", "$b"])
        self.await_blocked(1)
        self.control.call("LPUSH", "l", "c", "d", "e")
        self.assert_reply(clients[2], ["$l", "$e"])
        self.assertEqual(self.elements("l"), ["d", "c"])
        self.await_blocked(0)

    def test_each_command_takes_its_way(self):
        for words, expected, left in (
                (("BRPOP", "l", 0), ["$l", "$b"], ["a"]),
                (("BLMPOP", 0, 2, "x", "l", "RIGHT", "COUNT", 5), ["$l", ["$b", "$a"]], []),
                (("BLMOVE", "l", "t", "RIGHT", "LEFT", 0), "$b", ["a"]),
                (("BRPOPLPUSH", "l", "t", 0), "$b", ["a"])):
            with self.subTest(words[0]):
                self.control.call("FLUSHALL")
                client = self.waiting(*words)
                self.control.call("RPUSH", "l", "a", "b")
                self.assert_reply(client, expected)
                self.assertEqual(self.elements("l"), left)
                if expected == "$b":
                    self.assertEqual(self.elements("t"), ["b"])

    def test_one_of_many_keys(self):
        client = self.waiting("BLPOP", "a", "b", "c", "b", 0)
        self.control.call("RPUSH", "b", 1)
        self.assert_reply(client, ["$b", "$1"])
        self.control.call("RPUSH", "c", 2)
        self.assertEqual(self.elements("c"), ["2"])

    def test_the_key_that_was_touched_first(self):
        client = self.waiting("BLPOP", "a", "b", 0)
        self.control.call("MULTI")
        self.control.call("RPUSH", "b", 1)
        self.control.call("RPUSH", "a", 2)
        self.control.call("EXEC")
        self.assert_reply(client, ["$b", "$1"])

    def test_a_transaction_is_over_before_anybody_is_served(self):
        client = self.waiting("BLPOP", "l", 0)
        self.control.call("MULTI")
        for element in "abc":
            self.control.call("LPUSH", "l", element)
        self.control.call("LLEN", "l")
        self.assertEqual(self.tree(self.control.call("EXEC")), [":1", ":2", ":3", ":3"])
        self.assert_reply(client, ["$l", "$c"])
        client = self.waiting("BLPOP", "m", 0)
        self.control.call("MULTI")
        self.control.call("RPUSH", "m", 1)
        self.control.call("DEL", "m")
        self.control.call("EXEC")
        self.assertEqual(self.blocked(), 1)
        self.control.call("RPUSH", "m", 2)
        self.assert_reply(client, ["$m", "$2"])

    def test_chains_of_moves(self):
        third = self.waiting("BLPOP", "d", 0)
        second = self.waiting("BLMOVE", "b", "d", "LEFT", "LEFT", 0)
        first = self.waiting("BRPOPLPUSH", "a", "b", 0)
        self.control.call("RPUSH", "a", "x")
        self.assert_reply(first, "$x")
        self.assert_reply(second, "$x")
        self.assert_reply(third, ["$d", "$x"])
        self.assertEqual(self.control.call("EXISTS", "a", "b", "d").text, ":0")

    def test_moves_in_a_circle(self):
        one = self.waiting("BLMOVE", "a", "b", "LEFT", "LEFT", 0)
        two = self.waiting("BLMOVE", "b", "a", "LEFT", "LEFT", 0)
        self.control.call("RPUSH", "a", "x")
        self.assert_reply(one, "$x")
        self.assert_reply(two, "$x")
        self.assertEqual(self.elements("a"), ["x"])

    def test_a_move_to_itself(self):
        client = self.waiting("BRPOPLPUSH", "l", "l", 0)
        self.control.call("RPUSH", "l", "a", "b")
        self.assert_reply(client, "$b")
        self.assertEqual(self.elements("l"), ["b", "a"])

    def test_a_move_to_what_is_no_list(self):
        self.control.call("SET", "s", "x")
        client = self.waiting("BLMOVE", "l", "s", "LEFT", "LEFT", 0)
        self.control.call("RPUSH", "l", "a")
        self.assertEqual(client.read().text[:10], "-WRONGTYPE")
        self.assertEqual(self.elements("l"), ["a"])

    def test_another_type_wakes_nobody(self):
        client = self.waiting("BLPOP", "l", 0)
        self.control.call("SET", "l", "string")
        self.control.call("DEL", "l")
        self.control.call("SET", "l", "string")
        self.assertEqual(self.blocked(), 1)
        self.control.call("DEL", "l")
        self.control.call("RPUSH", "l", 1)
        self.assert_reply(client, ["$l", "$1"])

    def test_keys_that_come_by_other_ways(self):
        for words in (("RENAME", "from", "l"), ("COPY", "from", "l"), ("LMOVE", "from", "l", "LEFT", "LEFT"),
                      ("SWAPDB", 0, 5)):
            with self.subTest(words[0]):
                self.control.call("FLUSHALL")
                client = self.waiting("BLPOP", "l", 0)
                self.control.call("RPUSH", "from", "x")
                if words[0] == "SWAPDB":
                    other = self.client()
                    other.call("SELECT", 5)
                    other.call("RPUSH", "l", "x")
                self.control.call(*words)
                self.assert_reply(client, ["$l", "$x"])

    def test_flushes_do_not_disturb(self):
        client = self.waiting("BLPOP", "l", 0)
        self.control.call("FLUSHALL")
        self.control.call("FLUSHDB")
        self.assertEqual(self.blocked(), 1)
        self.control.call("RPUSH", "l", 1)
        self.assert_reply(client, ["$l", "$1"])

    def test_databases_are_apart(self):
        client = self.client()
        client.call("SELECT", 3)
        self.send(client, "BLPOP", "l", 0)
        self.await_blocked(1)
        self.control.call("RPUSH", "l", "zero")
        self.assertEqual(self.blocked(), 1)
        other = self.client()
        other.call("SELECT", 3)
        other.call("RPUSH", "l", "three")
        self.assert_reply(client, ["$l", "$three"])
        self.assertEqual(self.elements("l"), ["zero"])

    def test_time_is_kept(self):
        for seconds in (0.005, 0.05, 0.3):
            client = self.client()
            begin = time.monotonic()
            self.assertEqual(client.call("BLPOP", "l", seconds).text, "(null array)")
            passed = time.monotonic() - begin
            self.assertGreater(passed, seconds - 0.002)
            self.assertLess(passed, seconds + 0.2)
        self.assertEqual(self.blocked(), 0)

    def test_many_deadlines(self):
        clients = [self.client() for _ in range(40)]
        begin = time.monotonic()
        for i, client in enumerate(clients):
            self.send(client, "BLPOP", "l", f"0.{i % 4 + 1}")
        for i in sorted(range(40), key=lambda i: i % 4):
            self.assertEqual(clients[i].read().text, "(null array)")
            self.assertGreater(time.monotonic() - begin, (i % 4 + 1) / 10 - 0.002)
        self.assertLess(time.monotonic() - begin, 2)

    def test_client_unblock(self):
        client = self.client()
        number = client.call("CLIENT", "ID").text[1:]
        self.assertEqual(self.control.call("CLIENT", "UNBLOCK", number).text, ":0")
        for words, reply in (((), "(null array)"), (("TIMEOUT",), "(null array)"),
                             (("ERROR",), "-UNBLOCKED client unblocked via CLIENT UNBLOCK")):
            self.send(client, "BLPOP", "l", 0)
            self.await_blocked(1)
            self.assertEqual(self.control.call("CLIENT", "UNBLOCK", number, *words).text, ":1")
            self.assertEqual(client.read().text, reply)
        self.assertEqual(self.control.call("CLIENT", "UNBLOCK", number).text, ":0")
        self.control.call("RPUSH", "l", 1)
        self.assertEqual(client.call("LLEN", "l").text, ":1")

    def test_who_goes_away_takes_nothing(self):
        clients = [self.waiting("BLPOP", "l", "m", 0) for _ in range(5)]
        clients[0].close()
        self.await_blocked(4)
        ids = [line.split()[0].split("=")[1] for line in
               self.control.call("CLIENT", "LIST").text.replace("\\n", "\n").splitlines()
               if " flags=b " in line]
        self.assertEqual(len(ids), 4)
        self.assertEqual(self.control.call("CLIENT", "KILL", "ID", ids[0]).text, ":1")
        self.await_blocked(3)
        self.control.call("RPUSH", "l", 1, 2, 3, 4)
        self.await_blocked(0)
        self.assertEqual(self.elements("l"), ["4"])

    def test_what_stands_behind_waits(self):
        client = self.client()
        client.send(b"BLPOP l 0\r\nRPUSH m 1\r\nLLEN m\r\n")
        self.await_blocked(1)
        client.send(b"PING\r\n" * 1000)
        time.sleep(0.02)
        self.assertEqual(self.control.call("EXISTS", "m").text, ":0")
        self.control.call("RPUSH", "l", "x")
        self.assert_reply(client, ["$l", "$x"])
        self.assertEqual([client.read().text for _ in range(2)], [":1", ":1"])
        self.assertEqual([client.read().text for _ in range(1000)], ["+PONG"] * 1000)

    def test_replies_that_are_not_wanted(self):
        client = self.client()
        client.send(b"CLIENT REPLY SKIP\r\nBLPOP l 0\r\nPING\r\n")
        self.await_blocked(1)
        self.control.call("RPUSH", "l", "x")
        self.assertEqual(client.read().text, "+PONG")
        client.send(b"CLIENT REPLY OFF\r\nBLPOP l 0\r\nCLIENT REPLY ON\r\n")
        self.await_blocked(1)
        self.control.call("RPUSH", "l", "y")
        self.assertEqual(client.read().text, "+OK")
        self.assertEqual(self.elements("l"), [])

    def test_watch_sees_what_is_served(self):
        watcher = self.client()
        watcher.call("WATCH", "t")
        self.waiting("BLMOVE", "l", "t", "LEFT", "LEFT", 0)
        self.control.call("RPUSH", "l", 1)
        self.await_blocked(0)
        watcher.call("MULTI")
        self.assertEqual(watcher.call("EXEC").text, "(null array)")

    def test_large_elements(self):
        client = self.waiting("BLPOP", "l", 0)
        value = "x" * 3_000_000
        self.control.call("RPUSH", "l", value)
        self.assert_reply(client, ["$l", "$" + value])


class MikuraBlocking(Cases, unittest.TestCase):
    kind = "mikura"


class RedisBlocking(Cases, unittest.TestCase):
    kind = "redis"


class MikuraThreads(Fixture, unittest.TestCase):
    """Many clients on four threads: nothing lost, nothing doubled."""
    kind = "mikura"
    options = ("--threads", "4")

    def run_threads(self, works):
        failures = []

        def guarded(work):
            try:
                work()
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive(), "a client hangs")
        if failures:
            raise failures[0]

    def test_queues(self):
        queues = [f"queue{i}" for i in range(6)]
        sent, got, lock = [], [], threading.Lock()
        stop = threading.Event()

        def produce(name):
            client, mine = self.client(), []
            while not stop.is_set():
                element = f"{name}.{len(mine)}"
                mine.append(element)
                queue = random.choice(queues)
                if random.random() < 0.2:
                    client.call("MULTI")
                    client.call("RPUSH", queue, element)
                    client.call("LPUSH", random.choice(queues), element + "b")
                    mine.append(element + "b")
                    client.call("EXEC")
                else:
                    client.call("RPUSH", queue, element)
            with lock:
                sent.extend(mine)

        def consume(words):
            client, mine = self.client(), []
            while True:
                reply = client.call(*words())
                if reply.children:
                    last = reply.children[-1]
                    mine.extend(node.text[1:] for node in last.children or [last])
                elif stop.is_set():
                    break
            with lock:
                got.extend(mine)

        def move():
            client = self.client()
            while not stop.is_set():
                client.call("BLMOVE", random.choice(queues), random.choice(queues), "LEFT", "RIGHT",
                            "0.01")

        def end():
            time.sleep(SECONDS)
            stop.set()

        some = lambda: random.sample(queues, 3)
        works = [end] + [lambda i=i: produce(f"p{i}") for i in range(4)] + [move] * 3
        works += [lambda: consume(lambda: ("BLPOP", *some(), "0.02"))] * 3
        works += [lambda: consume(lambda: ("BRPOP", *some(), "0.02"))] * 3
        works += [lambda: consume(lambda: ("BLMPOP", "0.02", 3, *some(), "LEFT", "COUNT", 2))] * 2
        self.run_threads(works)
        for queue in queues:
            got.extend(self.elements(queue))
        self.assertGreater(len(sent), 100)
        self.assertEqual(sorted(sent), sorted(got))
        self.assertEqual(self.blocked(), 0)

    def test_unblock_and_push_at_once(self):
        """Each wait has one answer, and what was popped is in it."""
        rounds, popped, unblocked = 400, 0, 0
        client, pusher, other = self.client(), self.client(), self.client()
        number = client.call("CLIENT", "ID").text[1:]
        for i in range(rounds):
            self.send(client, "BLPOP", f"l{i}", 0)
            if i % 2:
                self.await_blocked(1)
            self.send(pusher, "RPUSH", f"l{i}", i)
            self.send(other, "CLIENT", "UNBLOCK", number)
            pusher.read()
            was_unblocked = other.read().text == ":1"
            reply = client.read()
            self.assertEqual(reply.text, "(null array)" if was_unblocked else "*2")
            popped, unblocked = popped + (not was_unblocked), unblocked + was_unblocked
        self.assertGreater(popped, 0)
        self.assertEqual(self.control.call("DBSIZE").text, f":{unblocked}")
        self.assertEqual(client.call("PING").text, "+PONG")

    def test_disconnect_and_push_at_once(self):
        for i in range(200):
            clients = [Client(self.server.host, self.server.port) for _ in range(3)]
            for client in clients:
                self.send(client, "BLPOP", "l", "m", 0)
            self.send(self.control, "RPUSH", "l", i)
            for client in clients:
                client.close()
            self.control.read()
        self.await_blocked(0)
        self.assertEqual(self.control.call("PING").text, "+PONG")
        waiting = self.waiting("BLPOP", "m", 0)
        self.control.call("RPUSH", "m", "after")
        self.assert_reply(waiting, ["$m", "$after"])

    def test_many_waiters(self):
        clients = [self.client() for _ in range(500)]
        for i, client in enumerate(clients):
            self.send(client, "BLPOP", f"own{i}", "shared", 0)
        self.await_blocked(500)
        self.control.call("RPUSH", "shared", *range(100))
        self.await_blocked(400)
        for i in range(500):
            self.control.call("RPUSH", f"own{i}", "x")
        replies = [self.tree(client.read())[0] for client in clients]
        self.assertEqual(replies.count("$shared"), 100)
        self.await_blocked(0)

    def test_the_last_turn_of_a_primary(self):
        client = self.waiting("BLPOP", "l", 0)
        self.control.call("REPLICAOF", "127.0.0.1", 1)
        self.addCleanup(lambda: self.client().call("REPLICAOF", "NO", "ONE"))
        self.assertEqual(client.read().text,
                         "-UNBLOCKED force unblock from blocking operation, instance state changed "
                         "(master -> replica?)")
        self.await_blocked(0)


if __name__ == "__main__":
    sys.exit(unittest.main())
