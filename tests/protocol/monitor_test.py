#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""MONITOR: the lines that it shows, compared with redis-server."""
import sys
import time
import unittest

from resp_client import encode
from side_by_side import SideBySide
from transcripts import differences

SCENARIOS = {
    "commands of others": r"""
        m: MONITOR
        w: PING
        w: SET k "a\"b\\c\n\r\t\a\b\x00\x7f\x80"
        w: set K ""
        w: GET k
        w: GET
        w: NONSENSE x
        w: SELECT 2
        w: GET k
        w: SELECT 0
        w: EXPIRE k 100
        w: PUBLISH a b
        w: CLIENT GETNAME
        w: CLIENT SETNAME me
        w: COMMAND GETKEYS GET k
        w: CONFIG GET maxmemory
        w: CLIENT LIST ID 0
        w: INCR k
        w: OBJECT ENCODING k
        w: FLUSHALL
        w: SET k v | GET k | DEL k
        w: RESET
        w: QUIT
        x: ECHO on""",
    "passwords are not shown": """
        m: MONITOR
        w: AUTH secret
        w: AUTH default secret
        w: HELLO 2
        w: HELLO 3 AUTH default secret SETNAME me
        w: ACL WHOAMI""",
    "transactions": """
        m: MONITOR
        w: MULTI | SET a 1 | INCR a | GET none | EXEC
        w: MULTI | GET a | DISCARD
        w: WATCH a
        w: UNWATCH
        w: MULTI | GET | EXEC
        w: MULTI | CONFIG GET maxmemory | SELECT 1 | SET in1 x | EXEC
        w: SELECT 0""",
    "scripts": r"""
        m: MONITOR
        w: EVAL "redis.call('set',KEYS[1],ARGV[1]); return redis.pcall('get',KEYS[1])" 1 k v
        w: EVAL "return 1" 0
        w: EVAL_RO "return redis.call('get','k')" 0
        w: EVALSHA 0000000000000000000000000000000000000000 0
        w: SCRIPT LOAD "return 2"
        w: EVALSHA 7f923f79fe76194c868d7e1d0820de36700eb649 0
        w: FUNCTION LOAD "#!lua name=l\nredis.register_function('f', function(k, a) return redis.call('ping') end)"
        w: FCALL f 0
        w: MULTI | EVAL "return redis.call('incr','n')" 0 | EXEC""",
    "subscribers": """
        m: MONITOR
        s: SUBSCRIBE a
        w: PUBLISH a b
        s: UNSUBSCRIBE""",
    "what a monitor may do itself": """
        m: MONITOR
        m: MONITOR
        m: PING
        m: SET k v
        m: GET k
        m: PUBLISH a b
        m: MULTI | SET k v | EXEC
        m: CLIENT GETNAME
        m: PING | PING one | ECHO two
        m: RESET
        m: GET k
        w: SET k v
        m: HELLO 3
        m: MONITOR
        w: SET k w
        m: MULTI | MONITOR | EXEC
        m: MONITOR x
        m: SUBSCRIBE a
        w: PUBLISH a b
        m: close
        w: GET k""",
    "from a transaction, or by a subscriber, it is refused": """
        m: MULTI | MONITOR | EXEC
        m: SUBSCRIBE a
        m: MONITOR""",
    "two monitors": """
        m: MONITOR
        n: MONITOR
        w: SET k v
        m: ECHO x
        n: close
        w: GET k""",
}


class Monitor(SideBySide):
    OPTIONS = ("--threads", "4")

    def test_the_same_lines_are_shown(self):
        self.maxDiff = None
        for name, scenario in SCENARIOS.items():
            with self.subTest(scenario=name):
                for server in self.nodes:
                    self.client(server).call("FLUSHALL")
                self.assertEqual(differences(self.nodes, scenario), [])

    def test_lines_have_the_time_of_the_command(self):
        for server in self.nodes:
            monitor, client = self.client(server), self.client(server)
            monitor.call("MONITOR")
            before = time.time()
            client.call("PING")
            shown = float(monitor.read().text[1:].split()[0])
            self.assertLess(before - 0.01, shown)
            self.assertLess(shown, time.time() + 0.01)

    def test_no_command_of_many_clients_is_missed_and_each_client_keeps_its_order(self):
        for server in self.nodes:
            monitor = self.client(server)
            monitor.call("MONITOR")
            clients = [self.client(server) for _ in range(8)]
            for client in clients:
                client.send(b"".join(encode([b"SET", b"k", b"%d" % i]) for i in range(500)))
            for client in clients:
                for _ in range(500):
                    self.assertEqual(client.read().text, "+OK")
            by_client = {}
            for _ in range(8 * 500):
                words = monitor.read().text.split()
                by_client.setdefault(words[2], []).append(words[5])
            self.assertEqual(len(by_client), 8)
            for numbers in by_client.values():
                self.assertEqual(numbers, [f'"{i}"' for i in range(500)])


if __name__ == "__main__":
    sys.exit(unittest.main())
