#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that wait for entries of streams: who is served, with what, and what ends a wait."""
import sys
import unittest

import blocking_test

GONE = "-UNBLOCKED the stream key no longer exists"
NO_GROUP = "-NOGROUP the consumer group this client was blocked on no longer exists"


class Cases(blocking_test.Fixture):
    """The same for both servers."""

    def entry(self, stream_id, *fields):
        return [f"${stream_id}", [f"${field}" for field in fields]]

    def make_group(self):
        self.control.call("XADD", "s", "5-1", "f", "v")
        self.control.call("XGROUP", "CREATE", "s", "g", "$")

    def waiting_in_group(self, consumer="c", *options):
        return self.waiting("XREADGROUP", "GROUP", "g", consumer, "BLOCK", 0, *options,
                            "STREAMS", "s", ">")

    def test_all_readers_get_the_entry(self):
        self.control.call("XADD", "s", "1-1", "f", "v")
        clients = [self.waiting("XREAD", "BLOCK", 0, "STREAMS", "s", "$") for _ in range(3)]
        clients.append(self.waiting("XREAD", "BLOCK", 0, "STREAMS", "other", "s", "$", "1-1"))
        self.control.call("XADD", "s", "2-1", "f", "w")
        for client in clients:
            self.assert_reply(client, [["$s", [self.entry("2-1", "f", "w")]]])
        self.await_blocked(0)

    def test_a_reader_waits_for_an_id_above_its_own(self):
        client = self.waiting("XREAD", "BLOCK", 0, "STREAMS", "s", "5-5")
        self.control.call("XADD", "s", "5-4", "f", "v")
        self.control.call("XADD", "s", "5-5", "f", "v")
        self.assertEqual(self.blocked(), 1)
        self.control.call("XADD", "s", "5-6", "f", "v")
        self.assert_reply(client, [["$s", [self.entry("5-6", "f", "v")]]])

    def test_a_transaction_is_over_before_anybody_is_served(self):
        client = self.waiting("XREAD", "BLOCK", 0, "COUNT", 2, "STREAMS", "s", "0")
        self.control.call("MULTI")
        for number in (1, 2, 3):
            self.control.call("XADD", "s", f"{number}-1", "f", number)
        self.control.call("EXEC")
        self.assert_reply(client, [["$s", [self.entry("1-1", "f", "1"),
                                           self.entry("2-1", "f", "2")]]])

    def test_a_reader_does_not_mind_that_the_key_goes(self):
        self.control.call("XADD", "s", "5-1", "f", "v")
        client = self.waiting("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
        self.control.call("DEL", "s")
        self.control.call("SET", "s", "string")
        self.control.call("DEL", "s")
        self.control.call("XADD", "s", "1-1", "f", "v")
        self.assertEqual(self.blocked(), 1)
        self.control.call("XADD", "s", "6-1", "f", "v")
        self.assert_reply(client, [["$s", [self.entry("6-1", "f", "v")]]])

    def test_time_is_up(self):
        client = self.client()
        client.call("XADD", "s", "1-1", "f", "v")
        client.call("XGROUP", "CREATE", "s", "g", "$")
        self.send(client, "XREAD", "BLOCK", 20, "STREAMS", "s", "$")
        self.assert_reply(client, "(null array)")
        self.send(client, "XREADGROUP", "GROUP", "g", "c", "BLOCK", 20, "STREAMS", "s", ">")
        self.assert_reply(client, "(null array)")
        client.call("HELLO", 3)
        self.send(client, "XREAD", "BLOCK", 20, "STREAMS", "s", "$")
        self.assert_reply(client, "_")

    def test_in_resp3_the_reply_is_a_map(self):
        client = self.client()
        client.call("HELLO", 3)
        self.send(client, "XREAD", "BLOCK", 0, "STREAMS", "s", "$")
        self.await_blocked(1)
        self.control.call("XADD", "s", "1-1", "f", "v")
        reply = client.read()
        self.assertEqual(reply.text, "%1")
        self.assertEqual(self.tree(reply), ["$s", [self.entry("1-1", "f", "v")]])

    # ---- groups

    def test_each_consumer_of_a_group_gets_another_entry(self):
        self.make_group()
        first = self.waiting_in_group("one")
        second = self.waiting_in_group("two")
        self.control.call("XADD", "s", "6-1", "f", "v")
        self.assert_reply(first, [["$s", [self.entry("6-1", "f", "v")]]])
        self.assertEqual(self.blocked(), 1)
        self.control.call("XADD", "s", "7-1", "f", "v")
        self.assert_reply(second, [["$s", [self.entry("7-1", "f", "v")]]])
        self.assertEqual(self.tree(self.control.call("XPENDING", "s", "g")),
                         [":2", "$6-1", "$7-1", [["$one", "$1"], ["$two", "$1"]]])

    def test_with_noack_nothing_is_pending(self):
        self.make_group()
        client = self.waiting_in_group("c", "NOACK")
        self.control.call("XADD", "s", "6-1", "f", "v")
        self.assert_reply(client, [["$s", [self.entry("6-1", "f", "v")]]])
        self.assertEqual(self.control.call("XPENDING", "s", "g").children[0].text, ":0")

    def test_a_group_or_its_key_that_goes_ends_the_wait(self):
        for change, error in (((("DEL", "s"),), GONE),
                              ((("UNLINK", "s"),), GONE),
                              ((("SET", "s", "x"),), GONE),
                              ((("FLUSHALL",),), GONE),
                              ((("MULTI",), ("DEL", "s"), ("RPUSH", "s", "e"), ("EXEC",)), GONE),
                              ((("RENAME", "s", "t"),), GONE),
                              ((("XADD", "u", "9-1", "f", "v"), ("RENAME", "u", "s")), NO_GROUP),
                              ((("XGROUP", "DESTROY", "s", "g"),), NO_GROUP)):
            with self.subTest(change):
                self.control.call("FLUSHALL")
                self.make_group()
                client = self.waiting_in_group()
                for words in change:
                    self.control.call(*words)
                self.assert_reply(client, error)

    def test_a_wait_that_ends_with_an_error_counts_as_failed(self):
        self.make_group()
        client = self.waiting_in_group()
        self.control.call("CONFIG", "RESETSTAT")
        client.close()
        self.await_blocked(0)
        client = self.waiting_in_group()
        self.control.call("XGROUP", "DESTROY", "s", "g")
        self.assertEqual(client.read().text, NO_GROUP)
        errors = self.control.call("INFO", "errorstats").text
        self.assertIn("errorstat_NOGROUP:count=1", errors)
        calls = self.control.call("INFO", "commandstats").text
        calls = calls.split("cmdstat_xreadgroup:")[1].split("\\r")[0]
        self.assertRegex(calls, "^calls=1,.*,rejected_calls=0,failed_calls=1$")
        self.assertIn("total_error_replies:1\\r", self.control.call("INFO", "stats").text)

    def test_an_expired_key_ends_the_wait(self):
        self.make_group()
        client = self.waiting_in_group()
        self.control.call("PEXPIRE", "s", 10)
        self.assert_reply(client, GONE)

    def test_a_renamed_stream_with_that_group_serves(self):
        self.make_group()
        client = self.waiting_in_group()
        self.control.call("XGROUP", "CREATE", "t", "g", "$", "MKSTREAM")
        self.control.call("XADD", "t", "1-1", "f", "v")
        self.control.call("RENAME", "t", "s")
        self.assert_reply(client, [["$s", [self.entry("1-1", "f", "v")]]])

    def test_another_group_and_what_does_not_add_wake_nobody(self):
        self.make_group()
        client = self.waiting_in_group()
        self.control.call("XGROUP", "CREATE", "s", "h", 0)
        self.control.call("XGROUP", "DESTROY", "s", "h")
        self.control.call("XGROUP", "SETID", "s", "g", 0)
        self.control.call("XDEL", "s", "5-1")
        self.assertEqual(self.blocked(), 1)
        self.control.call("XADD", "s", "6-1", "f", "v")
        self.assert_reply(client, [["$s", [self.entry("6-1", "f", "v")]]])

    def test_inside_a_transaction_it_does_not_wait(self):
        self.make_group()
        self.control.call("MULTI")
        self.control.call("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
        self.control.call("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">")
        self.assertEqual(self.tree(self.control.call("EXEC")), ["(null array)", "(null array)"])

    def test_unblocked_by_another_client(self):
        self.make_group()
        client = self.client()
        number = client.call("CLIENT", "ID").text[1:]
        for reason, expected in ((("TIMEOUT",), "(null array)"),
                                 (("ERROR",), "-UNBLOCKED client unblocked via CLIENT UNBLOCK")):
            self.send(client, "XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">")
            self.await_blocked(1)
            self.control.call("CLIENT", "UNBLOCK", number, *reason)
            self.assert_reply(client, expected)


class MikuraBlocking(Cases, unittest.TestCase):
    kind = "mikura"

    # Redis answers with a stream without entries.
    def test_an_entry_that_is_trimmed_at_once_wakes_nobody(self):
        client = self.waiting("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
        self.control.call("XADD", "s", "MAXLEN", 0, "1-1", "f", "v")
        self.assertEqual(self.blocked(), 1)
        self.control.call("XADD", "s", "2-1", "f", "v")
        self.assert_reply(client, [["$s", [self.entry("2-1", "f", "v")]]])


class RedisBlocking(Cases, unittest.TestCase):
    kind = "redis"


if __name__ == "__main__":
    sys.exit(unittest.main())
