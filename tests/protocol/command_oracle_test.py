#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What our engine says of its commands and settings, compared with redis-server: for every command
that we have and Redis 7.0 has too, and for every setting that Redis 7.0 has."""
import sys
import unittest

from resp_client import Client
from servers import Server

# Settings whose default differs, and why.
OTHER_DEFAULTS = {
    "dir": "each server has its own",
    "port": "each server has its own",
    "bind": "each server has its own",
    "pidfile": "no file unless asked",
    "logfile": "",
    "enable-debug-command": "",
    "activedefrag": "on: memory that churn leaves sparse is gathered unless told otherwise",
    "active-defrag-ignore-bytes": "not built: what is in force is 2 MiB",
    "latency-tracking": "not built: Redis' default is on",
    "crash-log-enabled": "not built: Redis' default is on",
    "crash-memcheck-enabled": "not built: Redis' default is on",
    "set-proc-title": "not built: Redis' default is on",
}

# What we have and Redis 7.0 has not.
NEWER = {
    "client|setinfo", "client|no-touch",
    "hexpire", "hpexpire", "hexpireat", "hpexpireat", "httl", "hpttl", "hexpiretime",
    "hpexpiretime", "hpersist", "hgetdel", "hgetex", "hsetex",
    "xackdel", "xdelex", "script|show",
    "delex", "delifeq", "digest", "msetex", "waitaof",
    "commandlog", "commandlog|get", "commandlog|help", "commandlog|len", "commandlog|reset",
}


# What took a word more since then.
NEWER_ARITIES = {"zrank": (3, -3), "zrevrank": (3, -3)}


def plain(node):
    """A reply as Python values."""
    if node.text[0] in "*~>":
        return [plain(child) for child in node.children]
    if node.text[0] == ":":
        return int(node.text[1:])
    return node.text[1:]


def pairs(values):
    return dict(zip(values[::2], values[1::2]))


def key_spec(values):
    spec = pairs(values)
    return {"flags": set(spec["flags"]), "begin": spec["begin_search"], "find": spec["find_keys"]}


def description(values):
    """COMMAND INFO of one command, without its subcommands; what has no order as a set."""
    return {"name": values[0], "arity": values[1], "flags": set(values[2]),
            "keys": tuple(values[3:6]), "categories": set(values[6]), "tips": set(values[7]),
            "key specs": [key_spec(spec) for spec in values[8]]}


class CommandOracle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = [Server("mikura")]
        cls.addClassCleanup(cls.servers[0].stop)
        cls.servers.append(Server("redis"))
        cls.addClassCleanup(cls.servers[1].stop)
        cls.ours, cls.theirs = (Client(s.host, s.port) for s in cls.servers)
        cls.addClassCleanup(cls.ours.close)
        cls.addClassCleanup(cls.theirs.close)

    def names(self, client):
        return set(plain(client.call("COMMAND", "LIST")))

    def test_every_command_is_described_as_redis_describes_it(self):
        common = sorted(self.names(self.ours) & self.names(self.theirs))
        self.assertGreater(len(common), 60)
        our_rows = plain(self.ours.call("COMMAND", "INFO", *common))
        their_rows = plain(self.theirs.call("COMMAND", "INFO", *common))
        self.maxDiff = None
        for ours, theirs in zip(our_rows, their_rows):
            with self.subTest(command=ours[0]):
                wanted = description(theirs)
                if ours[0] in NEWER_ARITIES:
                    before, wanted["arity"] = NEWER_ARITIES[ours[0]]
                    self.assertEqual(theirs[1], before)
                self.assertEqual(description(ours), wanted)

    def test_nothing_is_ours_alone_but_what_is_newer(self):
        self.assertEqual(self.names(self.ours) - self.names(self.theirs), NEWER)

    def test_subcommands_are_listed_with_their_command(self):
        for row in plain(self.ours.call("COMMAND")):
            if row[0] in NEWER:
                continue
            theirs = plain(self.theirs.call("COMMAND", "INFO", row[0]))[0]
            with self.subTest(command=row[0]):
                self.assertLessEqual({sub[0] for sub in row[9]} - NEWER,
                                     {sub[0] for sub in theirs[9]})

    def test_every_setting_is_known_with_the_same_default(self):
        ours = pairs(plain(self.ours.call("CONFIG", "GET", "*")))
        theirs = pairs(plain(self.theirs.call("CONFIG", "GET", "*")))
        self.assertEqual(set(theirs) - set(ours) - {"io-threads"}, set())
        for name, value in theirs.items():
            if name in OTHER_DEFAULTS or name == "io-threads":
                continue
            with self.subTest(setting=name):
                self.assertEqual(ours[name], value)

    def test_a_whole_redis_conf_can_be_set_again(self):
        """Every default that Redis has is accepted, or the setting can only change at start."""
        for name, value in pairs(plain(self.theirs.call("CONFIG", "GET", "*"))).items():
            with self.subTest(setting=name):
                reply = self.ours.call("CONFIG", "SET", name, plain_text(value)).text
                self.assertTrue(reply == "+OK" or reply.endswith("t set immutable config")
                                or reply.endswith("t set protected config"), reply)


def plain_text(value):
    return "" if value == '""' else value


if __name__ == "__main__":
    sys.exit(unittest.main())
