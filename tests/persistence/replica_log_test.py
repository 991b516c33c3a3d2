#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The append log of a replica: what it receives comes back, and a copy of another node's data
replaces the log as a whole. The stream of a primary that has a log and no replica holds data only."""
import unittest

from log_nodes import LogTest, have


class ReplicaLog(LogTest):
    def offset(self, client):
        return int(self.info(client, "replication")["master_repl_offset"])

    def follow(self, replica, primary):
        replica.call("REPLICAOF", primary.host, str(primary.port))
        self.await_true(lambda: self.info(replica, "replication").get("master_link_status") == "up",
                        "a link")
        self.await_true(lambda: self.info(replica)["aof_rewrite_in_progress"] == "0", "a base")

    def await_same(self, primary, replica):
        self.await_true(lambda: self.offset(primary) == self.offset(replica), "the same offset")

    def roundtrip(self, kind):
        primary, node = self.node(kind), self.node()
        source, replica = self.ready(primary), self.ready(node)
        replica.call("SET", "own", "1")
        source.call("SET", "before", "1")
        source.call("SELECT", "2")
        source.call("SET", "before too", "1")
        self.follow(replica, primary)
        source.call("SET", "behind", "1")  # in the database that the stream has selected
        self.await_same(source, replica)
        replica.call("BGREWRITEAOF")  # the new file has to select it, too
        self.await_rewrite(replica)
        source.call("SET", "late", "1")
        source.call("INCR", "late")
        self.await_same(source, replica)
        self.await_true(lambda: self.info(replica)["aof_buffer_length"] == "0", "it is written")
        self.kill(node)
        node.start()
        replica = self.ready(node)
        self.assertEqual(replica.call("KEYS", "*").text, "*1")
        self.assertEqual(replica.call("GET", "before").text, "$1")
        replica.call("SELECT", "2")
        self.assertEqual(
            [replica.call("GET", key).text for key in ("before too", "behind", "late")],
            ["$1", "$1", "$2"])
        self.end(node)
        self.check(node)

    def test_of_a_primary_of_our_own(self):
        self.roundtrip("mikura")

    @unittest.skipUnless(have("redis-server"), "there is no redis-server")
    def test_of_redis(self):
        self.roundtrip("redis")

    def test_waitaof_counts_what_a_replica_has_on_disk(self):
        primary, node = self.node(), self.node("mikura", "--appendfsync", "always")
        source, replica = self.ready(primary), self.ready(node)
        self.follow(replica, primary)
        source.call("SET", "k", "v")
        self.assertEqual(list(source.call("WAITAOF", "1", "1", "0").lines()), ["*2", ":1", ":1"])

    def test_promoted_it_goes_on_with_its_log(self):
        primary, node = self.node(), self.node()
        source, replica = self.ready(primary), self.ready(node)
        source.call("SET", "a", "1")
        self.follow(replica, primary)
        replica.call("REPLICAOF", "NO", "ONE")
        replica.call("SELECT", "1")
        replica.call("SET", "b", "2")
        self.assertEqual(list(replica.call("WAITAOF", "1", "0", "0").lines())[1], ":1")
        self.kill(node)
        node.start()
        replica = self.ready(node)
        self.assertEqual(replica.call("GET", "a").text, "$1")
        replica.call("SELECT", "1")
        self.assertEqual(replica.call("GET", "b").text, "$2")

    def test_a_log_alone_adds_nothing_to_the_stream(self):
        node = self.node("mikura", "--repl-ping-replica-period", "1")
        client = self.ready(node)
        client.call("SET", "k", "v")
        before = self.offset(client)
        for _ in range(20):
            client.call("WAITAOF", "1", "0", "0")
            client.call("WAITAOF", "0", "1", "100")
        self.assertEqual(self.offset(client), before)
        self.assertEqual(self.info(client, "replication")["repl_backlog_active"], "0")
        self.end(node)
        self.assertEqual(self.increment(node).read_bytes().count(b"*"), 2)  # SELECT and SET


if __name__ == "__main__":
    unittest.main(verbosity=2)
