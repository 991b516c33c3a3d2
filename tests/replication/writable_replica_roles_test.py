# SPDX-License-Identifier: Apache-2.0
"""replica-read-only no: roles change, and what a replica's own clients wrote goes where it belongs."""
import random
import socket
import threading
import time
import unittest

import redis

from nodes import await_caught_up, eventually, free_port
from writable_replicas import WritableReplicas, contents


class WritableReplicaRolesTest(WritableReplicas):
    def test_a_promoted_replica_keeps_what_is_own_and_logs_from_then_on(self):
        for kind in ("mikura", "redis"):
            with self.subTest(kind=kind):
                primary = self.primary()
                primary.client.set("k", 1)
                replica = self.replica(primary, kind)
                replica.client.set("own", 1)
                replica.client.set("passes", 1, px=1500)
                replica.promote()
                self.assertEqual(self.tracked(replica), 0 if kind == "mikura" else 1)
                self.assertEqual(replica.client.get("own"), b"1")
                follower = self.node("mikura")
                follower.follow(replica)
                await_caught_up(follower, replica)
                begin = replica.offset()
                replica.client.set("own", 2)
                self.assertGreater(replica.offset(), begin)
                eventually(lambda: replica.client.dbsize() == 2, "it has passed")
                eventually(lambda: follower.client.dbsize() == 2, "there too")
                await_caught_up(follower, replica)
                self.assertEqual(contents(follower), contents(replica))

    # Redis lets them continue, without what was written there before: two histories of one name.
    def test_who_follows_a_promoted_replica_has_what_it_wrote_before(self):
        primary = self.primary()
        primary.client.set("k", 1)
        replica = self.replica(primary)
        behind, sibling = self.node("mikura"), self.node("redis")
        behind.follow(replica)
        sibling.follow(primary)
        for node in (behind, sibling):
            await_caught_up(node, primary)
        replica.client.set("own", 1)
        replica.promote()
        sibling.follow(replica)
        primary.follow(replica)
        for node in (behind, sibling, primary):
            eventually(lambda: contents(node) == contents(replica), "it has all")
        replica.client.incr("own")
        for node in (behind, sibling, primary):
            await_caught_up(node, replica)
            self.assertEqual(node.client.get("own"), b"2")

    def test_without_own_writes_a_promotion_copies_nothing(self):
        primary = self.primary()
        primary.client.set("k", 1)
        replica = self.replica(primary)
        sibling = self.node("mikura")
        sibling.follow(primary)
        await_caught_up(sibling, primary)
        replica.client.publish("channel", "m")
        replica.promote()
        sibling.follow(replica)
        await_caught_up(sibling, replica)
        stats = replica.client.info("stats")
        self.assertEqual((stats["sync_full"], stats["sync_partial_ok"]), (0, 1))

    def test_a_flush_that_a_primary_planned_is_not_made_by_the_replica_that_it_becomes(self):
        port = free_port()
        primary = self.primary()
        primary.client.set("k", 1)
        replica = self.node("mikura", "--memcached-port", str(port))
        with socket.create_connection(("127.0.0.1", port), 10) as link:
            link.sendall(b"flush_all 1\r\n")
            self.assertEqual(link.recv(100), b"OK\r\n")
        replica.follow(primary)
        await_caught_up(replica, primary)
        time.sleep(1.5)  # for what must not happen
        self.assertEqual(replica.client.dbsize(), 1)

    def test_roles_change_under_load_and_followers_have_everything(self):
        one, two = self.node("mikura", "--replica-read-only", "no"), None
        two = self.node("mikura", "--replica-read-only", "no")
        behind = self.node("mikura")
        behind.follow(two)
        stop = threading.Event()
        errors = []

        def write(node, seed):
            choose = random.Random(seed)
            client = redis.Redis("127.0.0.1", node.port)
            while not stop.is_set():
                try:
                    key = f"k{choose.randrange(50)}"
                    client.set(key, choose.random(), px=choose.choice((20, 100_000)))
                    client.incr(f"n{choose.randrange(50)}")
                except (redis.exceptions.BusyLoadingError, redis.exceptions.ReadOnlyError):
                    pass
                except redis.exceptions.RedisError as error:
                    errors.append(error)
                    return

        threads = [threading.Thread(target=write, args=(node, seed))
                   for seed, node in enumerate((one, one, two, two))]
        for thread in threads:
            thread.start()
        for _ in range(6):
            two.follow(one)
            eventually(lambda: two.replication().get("master_link_status") == "up", "it follows")
            time.sleep(0.3)  # for writes on both
            two.promote()
            time.sleep(0.1)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        await_caught_up(behind, two)
        eventually(lambda: contents(behind) == contents(two), "they are alike")
        two.follow(one)
        await_caught_up(two, one)
        eventually(lambda: contents(two) == contents(one), "and these")
        await_caught_up(behind, one)
        self.assertEqual(contents(behind), contents(one))


if __name__ == "__main__":
    unittest.main()
