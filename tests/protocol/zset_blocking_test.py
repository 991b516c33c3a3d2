#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that wait for members of sorted sets: who is served, and with what."""
import sys
import unittest

import blocking_test


class Cases(blocking_test.Fixture):
    """The same for both servers."""

    def scored(self, key):
        return [node.text[1:] for node in
                self.control.call("ZRANGE", key, 0, -1, "WITHSCORES").children]

    def test_first_come_first_served(self):
        first = self.waiting("BZPOPMIN", "z", 0)
        second = self.waiting("BZPOPMAX", "z", 0)
        third = self.waiting("BZMPOP", 0, 1, "z", "MIN", "COUNT", 2)
        self.control.call("ZADD", "z", 1, "a", 2, "b", 3, "c", 4, "d", 5, "e")
        self.assert_reply(first, ["$z", "$a", "$1"])
        self.assert_reply(second, ["$z", "$e", "$5"])
        self.assert_reply(third, ["$z", [["$b", "$2"], ["$c", "$3"]]])
        self.assertEqual(self.scored("z"), ["d", "4"])
        self.await_blocked(0)

    def test_whatever_makes_members_serves(self):
        self.control.call("ZADD", "source", 1, "a", 2, "b")
        for words in (("ZINCRBY", "z", 1, "a"), ("ZADD", "z", "INCR", 1, "a"),
                      ("ZUNIONSTORE", "z", 1, "source"), ("ZINTERSTORE", "z", 1, "source"),
                      ("ZDIFFSTORE", "z", 1, "source"), ("ZRANGESTORE", "z", "source", 0, -1),
                      ("RENAME", "moved", "z"), ("COPY", "source", "z"),
                      ("GEOADD", "z", -180, -85.05, "a")):
            with self.subTest(words[0]):
                self.control.call("DEL", "z")
                self.control.call("ZADD", "moved", 1, "a")
                client = self.waiting("BZPOPMIN", "other", "z", 0)
                self.control.call(*words)
                self.assertEqual(self.tree(client.read())[:2], ["$z", "$a"])

    def test_a_key_of_another_type_serves_nobody(self):
        client = self.waiting("BZPOPMIN", "z", 0)
        for words in (("SET", "z", "x"), ("RPUSH", "z", "x")):
            self.control.call("DEL", "z")
            self.control.call(*words)
            self.assertEqual(self.blocked(), 1)
        self.control.call("DEL", "z")
        self.control.call("ZADD", "z", 1, "a")
        self.assert_reply(client, ["$z", "$a", "$1"])

    def test_what_comes_and_goes_in_one_transaction_serves_nobody(self):
        client = self.waiting("BZPOPMIN", "z", 0)
        self.control.call("MULTI")
        self.control.call("ZADD", "z", 1, "a")
        self.control.call("DEL", "z")
        self.control.call("EXEC")
        self.assertEqual(self.blocked(), 1)
        self.control.call("ZADD", "z", 2, "b")
        self.assert_reply(client, ["$z", "$b", "$2"])

    def test_in_resp3_a_score_is_a_double(self):
        client = self.client()
        client.call("HELLO", 3)
        self.send(client, "BZMPOP", 0, 1, "z", "MAX")
        self.await_blocked(1)
        self.control.call("ZADD", "z", 1.5, "a")
        self.assert_reply(client, ["$z", [["$a", ",1.5"]]])


class MikuraBlocking(Cases, unittest.TestCase):
    kind = "mikura"


class RedisBlocking(Cases, unittest.TestCase):
    kind = "redis"


if __name__ == "__main__":
    sys.exit(unittest.main())
