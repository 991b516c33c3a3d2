# SPDX-License-Identifier: Apache-2.0
"""A primary or a replica is killed or hangs, and the same endpoints go on answering."""

import os
import signal
import time
import unittest

import redis

from service import Service, client, until


def time_to_answer(endpoint):
    """How long until a new connection to the endpoint gets a write through."""
    begin = time.monotonic()
    while True:
        try:
            client(endpoint).set("probe", "1")
            return time.monotonic() - begin
        except redis.RedisError:
            if time.monotonic() - begin > 20:
                raise


def is_stopped(pid):
    """Whether every thread of the process has stopped: a signal reaches them one by one."""
    states = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
            states.append(file.read().rpartition(")")[2].split()[0])
    return set(states) == {"T"}


class Failover(Service):
    def setUp(self):
        super().setUp()
        self.nodes = self.create_group("demo", 3)
        self.endpoint = self.nodes["PrimaryEndpoint"]
        self.write_everywhere("demo", "kept", "yes")

    def lose_primary(self, how, limit):
        lost = self.primary_of("demo")
        pid = self.pid_of(lost)
        os.kill(pid, how)
        if how == signal.SIGSTOP:
            until(lambda: is_stopped(pid), "the process has stopped")
        took = time_to_answer(self.endpoint)
        print(f"  primary lost by {how.name}: the endpoint answered after {took:.3f} s")
        self.assertLess(took, limit)
        self.assertEqual(client(self.endpoint).get("kept"), b"yes")
        until(lambda: self.primary_of("demo") != lost, "the new primary is announced")
        until(lambda: self.status("demo") == "available", "the group is whole again")

    def test_a_killed_primary_is_replaced(self):
        self.lose_primary(signal.SIGKILL, 2.0)

    def test_a_hung_primary_is_replaced(self):
        self.lose_primary(signal.SIGSTOP, 5.0)

    def test_it_happens_again_and_again(self):
        for _ in range(3):
            self.lose_primary(signal.SIGKILL, 2.0)

    def test_a_killed_replica_comes_back_with_the_data(self):
        replica = [m["CacheClusterId"] for m in self.nodes["NodeGroupMembers"]
                   if m["CurrentRole"] == "replica"][0]
        os.kill(self.pid_of(replica), signal.SIGKILL)
        until(lambda: self.status("demo") != "available", "the loss is seen")
        until(lambda: self.status("demo") == "available", "the group is whole again")
        member = [m for m in self.node_group("demo")["NodeGroupMembers"]
                  if m["CacheClusterId"] == replica][0]
        self.assertEqual(client(member["ReadEndpoint"]).get("kept"), b"yes")

    def test_the_reader_endpoint_reads_what_was_written(self):
        self.assertEqual(client(self.nodes["ReaderEndpoint"]).get("kept"), b"yes")
        with self.assertRaises(redis.ReadOnlyError):
            client(self.nodes["ReaderEndpoint"]).set("x", "y")


if __name__ == "__main__":
    unittest.main()
