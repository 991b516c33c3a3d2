#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a primary sends its replicas: the same commands as redis-server, and SELECT where it does."""
import shutil
import socket
import sys
import time
import unittest

from resp_client import Client, encode
from servers import Server


class Replica:
    """A connection that follows like a replica and keeps what it is sent."""

    def __init__(self, server):
        self.socket = socket.create_connection((server.host, server.port), 30)
        self.input = self.socket.makefile("rb")
        self.socket.sendall(b"SYNC\r\n")
        line = self.input.readline()
        while not line.startswith(b"$"):
            assert line == b"\n", line
            line = self.input.readline()
        self.input.read(int(line[1:]))

    def command(self):
        words = []
        for _ in range(int(self.input.readline()[1:])):
            size = int(self.input.readline()[1:])
            words.append(self.input.read(size + 2)[:-2].decode("latin-1"))
        return " ".join(words)

    def commands_until(self, last):
        """All but the PINGs, up to the command `last`."""
        commands = []
        while not commands or commands[-1] != last:
            command = self.command()
            if command.upper() not in ("PING", "REPLCONF GETACK *"):
                commands.append(command)
        return commands

    def close(self):
        self.input.close()
        self.socket.close()


class Stream:
    kind = ""

    def setUp(self):
        # Redis waits so long for further replicas before it copies.
        options = ("--repl-diskless-sync", "no") if self.kind == "redis" else ()
        self.server = Server(self.kind, *options)
        self.addCleanup(self.server.stop)
        self.client = Client(self.server.host, self.server.port)
        self.addCleanup(self.client.close)

    def replica(self):
        replica = Replica(self.server)
        self.addCleanup(replica.close)
        return replica

    def run_all(self, *commands):
        for command in commands:
            self.client.call(*command.split())

    def test_a_database_is_selected_when_it_changes(self):
        replica = self.replica()
        self.run_all("SET a 1", "SET b 2", "SELECT 9", "GET a", "SET c 3", "DEL c", "SELECT 0",
                     "INCR a", "SELECT 9", "SET end 1")
        self.assertEqual(replica.commands_until("SET end 1"),
                         ["SELECT 0", "SET a 1", "SET b 2", "SELECT 9", "SET c 3", "DEL c",
                          "SELECT 0", "INCR a", "SELECT 9", "SET end 1"])

    def test_select_stands_before_a_transaction_and_inside(self):
        replica = self.replica()
        self.run_all("SELECT 2", "MULTI", "SET a 1", "SELECT 3", "SET b 1", "EXEC", "SET c 1",
                     "SELECT 2", "SET end 1")
        self.assertEqual(replica.commands_until("SET end 1"),
                         ["SELECT 2", "MULTI", "SET a 1", "SELECT 3", "SET b 1", "EXEC", "SET c 1",
                          "SELECT 2", "SET end 1"])

    def test_a_replica_that_joins_is_told_the_database(self):
        first = self.replica()
        self.run_all("SELECT 5", "SET a 1")
        second = self.replica()
        self.run_all("SET b 1", "SET end 1")
        self.assertEqual(first.commands_until("SET end 1"),
                         ["SELECT 5", "SET a 1", "SELECT 5", "SET b 1", "SET end 1"])
        self.assertEqual(second.commands_until("SET end 1"), ["SELECT 5", "SET b 1", "SET end 1"])

    def test_commands_of_several_clients(self):
        other = Client(self.server.host, self.server.port)
        self.addCleanup(other.close)
        replica = self.replica()
        other.call("SELECT", "1")
        for i in range(3):
            self.client.call("SET", "k", i)
            other.call("SET", "k", i)
        self.run_all("SET end 1")
        self.assertEqual(replica.commands_until("SET end 1"),
                         ["SELECT 0", "SET k 0", "SELECT 1", "SET k 0", "SELECT 0", "SET k 1",
                          "SELECT 1", "SET k 1", "SELECT 0", "SET k 2", "SELECT 1", "SET k 2",
                          "SELECT 0", "SET end 1"])

    def test_what_a_waiting_client_gets_follows_the_push(self):
        replica = self.replica()
        waiting = Client(self.server.host, self.server.port)
        self.addCleanup(waiting.close)
        for popped, commands in (("LPOP l", ("RPUSH l 1",)), ("LPOP l", ("RPUSH l 2 3", "DEL l")),
                                 ("LPOP l", ("MULTI", "RPUSH l 4", "RPUSH l 5", "DEL m", "EXEC"))):
            waiting.send(encode([b"BLPOP", b"l", b"0"]))
            while "blocked_clients:1" not in self.client.call("INFO", "clients").text:
                time.sleep(0.01)
            self.run_all(*commands)
            waiting.read()
        self.run_all("SET end 1")
        self.assertEqual(replica.commands_until("SET end 1"),
                         ["SELECT 0", "RPUSH l 1", "LPOP l", "RPUSH l 2 3", "LPOP l", "DEL l",
                          "MULTI", "RPUSH l 4", "RPUSH l 5", "EXEC", "LPOP l", "SET end 1"])

    def test_restore_replaces_when_told(self):
        replica = self.replica()
        payload = b"\x00\x05hello\n\x00cr\xdfve4 \n"
        for ttl, options in (("0", ()), ("100000", ("REPLACE",)), ("0", ("REPLACE",))):
            self.client.call("RESTORE", "k", ttl, payload, *options)
        self.run_all("SET end 1")
        commands = replica.commands_until("SET end 1")[1:-1]
        self.assertEqual(["REPLACE" in command for command in commands], [False, True, True])
        self.assertEqual(["ABSTTL" in command for command in commands], [False, True, False])

    def test_what_is_kept_and_what_was_taken_is_said(self):
        replica = self.replica()
        self.run_all("SET k 1 EX 100", "PERSIST k", "SET k 2 KEEPTTL", "SET absent 1 KEEPTTL",
                     "SADD s 1", "SPOP s", "SADD s 1", "SPOP s 1", "SET end 1")
        self.assertEqual(replica.commands_until("SET end 1")[2:],
                         ["PERSIST k", "SET k 2 KEEPTTL", "SET absent 1 KEEPTTL", "SADD s 1",
                          "SREM s 1", "SADD s 1", "DEL s", "SET end 1"])

    def test_no_ping_comes_before_its_time(self):
        replica = self.replica()
        time.sleep(1.5)
        self.run_all("SET end 1")
        self.assertEqual(replica.command(), "SELECT 0")


class MikuraStream(Stream, unittest.TestCase):
    kind = "mikura"


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class RedisStream(Stream, unittest.TestCase):
    kind = "redis"

    # Its PINGs come whenever its clock says so.
    test_no_ping_comes_before_its_time = None


if __name__ == "__main__":
    sys.exit(unittest.main())
