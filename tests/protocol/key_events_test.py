#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Keyspace notifications: the same commands to our engine and to redis-server, the same events in
the same order."""
import re
import socket
import sys
import time
import unittest

from servers import Server, free_port
from side_by_side import SideBySide

# Each line is a command; "; " separates what runs after the one before. Every scenario begins with
# an empty server.
SCENARIOS = {
    "strings": """
        SET k v; SET k w; SET k x NX; SET n x NX; SET k y XX; SET absent y XX; SET k v GET
        SET g v GET; SET g v NX GET
        SET k v EX 100; SET k v PX 100000; SET k v EXAT 9999999999; SET k v PXAT 9999999999999
        SET k v KEEPTTL; SET k w EX 0; SETNX k v; SETNX new v; SETEX k 100 v; PSETEX k 100000 v
        SETEX k 0 v; GETSET k w; GETSET fresh w; GETDEL fresh; GETDEL fresh
        GETEX k; GETEX k EX 100; GETEX k PX 100000; GETEX k PERSIST; GETEX k PERSIST
        GETEX k EXAT 9999999999; GETEX absent EX 10; GETEX k PXAT 1
        MSET a 1 b 2 a 3; MSETNX a 1 c 2; MSETNX d 1 e 2; MGET a nope b
        APPEND a x; APPEND fresh2 x; APPEND a ""; SETRANGE a 3 xyz; SETRANGE a 0 ""
        SETRANGE fresh3 2 x; SETRANGE fresh4 0 ""; GETRANGE a 0 1; GETRANGE none 0 1; STRLEN none
        INCR i; INCR i; DECR i; INCRBY i 5; DECRBY i 2; DECR j; INCRBY i x; INCR a
        INCRBYFLOAT i 0.5; INCRBYFLOAT f 1; INCRBYFLOAT a 1; LCS a b; LCS a none; GET none""",
    "deadlines in the past": """
        SET k v; EXPIRE k -1; SET k v; PEXPIREAT k 1; SET k v; EXPIREAT k 1; EXPIRE k 1
        SET k v; GETEX k EXAT 1; GET k""",
    "generic": """
        SET k v; DEL k; DEL k none; MSET a 1 b 2; DEL a none b a; SET u v; UNLINK u none
        SET k v; EXPIRE k 100; EXPIRE k 50 GT; EXPIRE k 500 GT; EXPIRE none 5; PEXPIRE k 100000
        EXPIREAT k 9999999999; PEXPIREAT k 9999999999999; EXPIRE k 10 NX; PERSIST k; PERSIST k
        PERSIST none; EXPIRE k 10 XX; TTL k; TTL none; PTTL none; EXPIRETIME none; TYPE none
        EXISTS k none k; TOUCH k none; OBJECT ENCODING none; OBJECT FREQ none
        RENAME k r; RENAME none r; SET o v; RENAME o r; RENAME r r; SET x 1; RENAMENX x r
        RENAMENX x fresh; RENAMENX fresh fresh; COPY fresh copy; COPY fresh copy; COPY none copy
        COPY fresh copy REPLACE; COPY fresh there DB 1; COPY fresh there DB 1; MOVE fresh 1
        MOVE fresh 1; MOVE there 1; SET there 1; MOVE there 1; RANDOMKEY; KEYS *; SCAN 0; DBSIZE
        SELECT 1; SET in1 v; DEL in1; SWAPDB 0 1; SELECT 0; FLUSHDB; SET k v; FLUSHALL; GET k""",
    "transactions": """
        MULTI; SET a 1; INCR a; GET none; DEL a; EXEC; MULTI; SET a 1; DISCARD; GET a
        WATCH a; SET a 1; MULTI; SET a 2; EXEC; GET a""",
}

CLASSES = ["", "KEA", "K$", "Eg", "KEn", "Em", "KEAmn", "E$x", "Kx"]


def words(text):
    return [b"" if word == '""' else word.encode() for word in text.split()]


def memory(client, field):
    text = client.call("INFO", "memory").text
    return int(re.search(rf"\b{field}:(\d+)", text.replace("\\r\\n", "\n")).group(1))


class KeyEvents(SideBySide):
    def events_of(self, server, letters, commands):
        """The commands with what they caused: channel and payload, in order."""
        client, listener, admin = (self.client(server) for _ in range(3))
        admin.call("FLUSHALL")
        self.assertEqual(admin.call("CONFIG", "SET", "notify-keyspace-events", letters).text, "+OK")
        listener.call("PSUBSCRIBE", "__key*")
        log = []
        for line in commands:
            client.call(*words(line))
            self.assertEqual(admin.call("PUBLISH", "__keyend__", "x").text, ":1")
            events = []
            while True:
                _, _, channel, payload = (child.text[1:] for child in listener.read().children)
                if channel == "__keyend__":
                    break
                events.append(f"{channel} {payload}")
            log.append((line, events))
        for each in (client, listener, admin):
            each.close()
        return log

    def test_the_same_events_come_in_the_same_order(self):
        self.maxDiff = None
        for name, text in SCENARIOS.items():
            commands = [part.strip() for line in text.splitlines() for part in line.split(";")
                        if part.strip()]
            with self.subTest(scenario=name):
                ours, theirs = (self.events_of(s, "KEAmn", commands) for s in self.nodes)
                self.assertEqual([pair for pair in zip(ours, theirs) if pair[0] != pair[1]], [])

    def test_only_what_was_asked_for_is_published(self):
        commands = ["SET k v", "EXPIRE k 100", "GET none", "DEL k", "SET k v PX 1", "APPEND k2 v"]
        for letters in CLASSES:
            with self.subTest(letters=letters):
                ours, theirs = (self.events_of(s, letters, commands) for s in self.nodes)
                self.assertEqual(ours, theirs)

    def test_what_expires_is_told_once_and_in_time(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                client, listener = self.client(server), self.client(server)
                client.call("FLUSHALL")
                client.call("CONFIG", "SET", "notify-keyspace-events", "Ex")
                listener.call("PSUBSCRIBE", "__keyevent@*")
                client.call("SELECT", "1")
                begin = time.monotonic()
                client.call("SET", "in the background", "v", "PX", "100")
                client.call("SET", "looked at", "v", "PX", "20")
                time.sleep(0.03)
                client.call("GET", "looked at")
                got = [[child.text for child in listener.read().children[2:]] for _ in range(2)]
                self.assertLess(time.monotonic() - begin, 5)
                self.assertEqual(got, [["$__keyevent@1__:expired", "$looked at"],
                                       ["$__keyevent@1__:expired", "$in the background"]])

    def test_what_is_evicted_is_told(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                client, listener = self.client(server), self.client(server)
                client.call("FLUSHALL")
                client.call("CONFIG", "SET", "notify-keyspace-events", "Ke")
                client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
                listener.call("PSUBSCRIBE", "__keyspace@0__:*")
                for i in range(300):
                    client.call("SET", f"key:{i}", "v" * 20000)
                used = memory(client, "used_memory") - memory(client, "mem_not_counted_for_evict")
                client.call("CONFIG", "SET", "maxmemory", str(used - 2_000_000))
                client.call("SET", "one more", "v" * 20000)
                gone = set()
                for _ in range(20):
                    event = listener.read().children
                    self.assertEqual(event[3].text, "$evicted")
                    gone.add(event[2].text.split(":", 1)[1])
                self.assertEqual(len(gone), 20)
                for name in gone:
                    self.assertEqual(client.call("EXISTS", name).text, ":0")
                client.call("CONFIG", "SET", "maxmemory", "0")

    def test_what_memcached_clients_do_is_told_in_the_same_words(self):
        port = free_port()
        with Server("mikura", "--memcached-port", str(port)) as server:
            listener, client = self.client(server), self.client(server)
            client.call("CONFIG", "SET", "notify-keyspace-events", "KA")
            listener.call("PSUBSCRIBE", "__keyspace@0__:*")
            with socket.create_connection((server.host, port), timeout=20) as text:
                text.sendall(b"set k 0 0 1\r\n5\r\nappend k 0 0 1\r\n7\r\nprepend k 0 0 1\r\n1\r\n"
                             b"incr k 5\r\ntouch k 1000\r\ntouch k 0\r\ndelete k\r\ndelete k\r\n"
                             b"add k 0 0 1\r\nx\r\nadd k 0 0 1\r\ny\r\nget k\r\n")
                got = [listener.read().children[3].text for _ in range(8)]
            self.assertEqual(got, ["$set", "$append", "$prepend", "$incrby", "$expire", "$persist",
                                   "$del", "$set"])
            client.call("PUBLISH", "__keyspace@0__:end", "no more")
            self.assertEqual(listener.read().children[3].text, "$no more")

    def test_a_listener_of_resp3_hears_of_its_own_changes_before_the_reply(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                client = self.client(server)
                client.call("CONFIG", "SET", "notify-keyspace-events", "Kg$")
                client.call("HELLO", "3")
                client.call("SUBSCRIBE", "__keyspace@0__:mine")
                self.assertEqual(client.call("SET", "mine", "v").children[2].text, "$set")
                self.assertEqual(client.read().text, "+OK")


if __name__ == "__main__":
    sys.exit(unittest.main())
