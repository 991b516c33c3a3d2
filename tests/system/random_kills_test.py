#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random workflows, and random kills of the service, of engines, of both: everything comes to what was asked.

Each round asks for some changes, each of another cache, and kills a moment later. What is asked and killed is
chosen by MIKURA_KILLS_SEED alone. MIKURA_KILLS is the number of kills, MIKURA_KILLS_SECONDS the time after which
no further round begins.
"""

import os
import random
import signal
import time
import unittest

import redis
from botocore.exceptions import ClientError

import leftovers
from memcached_test import discover
from service import CACHE_PORT, Service, client, until

SEED = int(os.environ.get("MIKURA_KILLS_SEED", random.SystemRandom().randrange(1 << 32)))
KILLS = int(os.environ.get("MIKURA_KILLS", "100"))
SECONDS = float(os.environ.get("MIKURA_KILLS_SECONDS", "240"))
SETTLE_SECONDS_MAX = float(os.environ.get("MIKURA_SETTLE_SECONDS", "120"))
TYPES = ["cache.t3.micro", "cache.t4g.micro", "cache.t3.small"]
GROUPS = ["ga", "gb", "gc"]
MEMCACHED = ["ma", "mb"]


class RandomKills(Service):
    def setUp(self):
        print(f"  MIKURA_KILLS_SEED={SEED}", flush=True)
        super().setUp()
        self.random = random.Random(SEED)
        self.groups = {}  # name -> what was asked of it: nodes, type
        self.memcached = {}  # name -> number of nodes
        self.snapshots = {}  # name -> the marks its source had; None: not to be restored
        self.pending_marks = {}  # of snapshots that are not whole yet
        self.ending = {}  # groups that are being deleted: what they were, their final snapshot
        self.nodes_before = {}  # group -> how many it had when it was last settled
        self.marks = {}  # group -> name and value of what every node of it has acknowledged
        self.hits = {}  # group -> engines of it killed since it was last settled
        self.kills = {"service": 0, "engine": 0}
        self.lost = 0
        self.story = []

    def options(self):
        return ("--memory-scale", "0.05")

    def call(self, operation, **words):
        """A kill may have changed the status since it was looked at."""
        end = time.monotonic() + SETTLE_SECONDS_MAX
        while True:
            try:
                return getattr(self.cache, operation)(**words)
            except ClientError as error:
                late = time.monotonic() > end
                if late or error.response["Error"]["Code"] not in (
                        "InvalidReplicationGroupState", "InvalidCacheClusterState"):
                    raise
                time.sleep(0.02)

    # What is asked.

    def ask(self):
        """One change of one cache that is settled."""
        kind = self.random.choices(
            ("create", "restore", "nodes", "type", "failover", "primary", "snapshot", "delete",
             "memcached", "no memcached"), (4, 2, 5, 3, 2, 2, 3, 1.5, 4, 0.7))[0]
        free = [name for name in GROUPS if name not in self.groups and name not in self.touched]
        used = [name for name in self.groups if name not in self.touched]
        if kind in ("memcached", "no memcached"):
            return self.ask_memcached(kind)
        if kind in ("create", "restore") and free:
            return self.create(self.random.choice(free), kind == "restore")
        if not used and free:
            return self.create(self.random.choice(free), False)
        if not used:
            return None
        name = self.random.choice(used)
        self.touched.add(name)
        self.settled(name)
        group = self.groups[name]
        return {"nodes": self.change_nodes, "type": self.change_type, "failover": self.fail_over,
                "primary": self.change_primary, "snapshot": self.save, "delete": self.delete
                }.get(kind, self.change_nodes)(name, group)

    def create(self, name, restored):
        whole = [each for each, marks in self.snapshots.items() if marks is not None]
        asked = {"nodes": self.random.choice((1, 2, 3)), "type": TYPES[0]}
        source = self.random.choice(whole) if restored and whole else None
        self.touched.add(name)
        self.groups[name] = asked
        self.marks[name] = dict(self.snapshots[source]) if source else {}
        self.hits[name] = 0
        more = {"SnapshotName": source} if source else {}
        self.call(
            "create_replication_group", ReplicationGroupId=name, ReplicationGroupDescription="d",
            CacheNodeType=asked["type"], NumCacheClusters=asked["nodes"], Port=CACHE_PORT,
            AutomaticFailoverEnabled=asked["nodes"] > 1, **more)
        return f"create {name} of {asked['nodes']} from {source}"

    def change_nodes(self, name, group):
        nodes = self.random.choice([n for n in (1, 2, 3, 4) if n != group["nodes"]])
        if nodes == 1 and group["nodes"] > 1:
            self.call("modify_replication_group", ReplicationGroupId=name,
                      AutomaticFailoverEnabled=False, ApplyImmediately=True)
            until(lambda: self.status(name) == "available", f"{name} is available",
                  SETTLE_SECONDS_MAX)
        operation = "increase" if nodes > group["nodes"] else "decrease"
        self.call(f"{operation}_replica_count", ReplicationGroupId=name, NewReplicaCount=nodes - 1,
                  ApplyImmediately=True)
        group["nodes"] = nodes
        return f"{name} to {nodes} nodes"

    def change_type(self, name, group):
        group["type"] = self.random.choice([each for each in TYPES if each != group["type"]])
        self.call("modify_replication_group", ReplicationGroupId=name,
                  CacheNodeType=group["type"], ApplyImmediately=True)
        return f"{name} to {group['type']}"

    def fail_over(self, name, group):
        try:
            self.call("test_failover", ReplicationGroupId=name, NodeGroupId="0001")
        except ClientError as error:  # its quota, or automatic failover is off
            return f"no failover of {name}: {error.response['Error']['Code']}"
        self.hits[name] += 1  # it ends its primary
        return f"failover of {name}"

    def change_primary(self, name, group):
        members = self.group(name)["MemberClusters"]
        target = self.random.choice(members)
        if len(members) == 1 or target == self.primary_of(name):
            return None
        try:
            self.call("modify_replication_group", ReplicationGroupId=name,
                      PrimaryClusterId=target, ApplyImmediately=True)
        except ClientError as error:  # automatic failover is on
            return f"no new primary of {name}: {error.response['Error']['Code']}"
        return f"{name} led by {target}"

    def save(self, name, group):
        snapshot = f"s{len(self.snapshots)}"
        self.snapshots[snapshot] = None
        self.call("create_snapshot", ReplicationGroupId=name, SnapshotName=snapshot)
        self.pending_marks[snapshot] = dict(self.marks[name])
        return f"snapshot {snapshot} of {name}"

    def delete(self, name, group):
        more = {}
        if self.random.random() < 0.5:
            more["FinalSnapshotIdentifier"] = f"s{len(self.snapshots)}"
            self.snapshots[more["FinalSnapshotIdentifier"]] = None
            self.pending_marks[more["FinalSnapshotIdentifier"]] = dict(self.marks[name])
        self.call("delete_replication_group", ReplicationGroupId=name, **more)
        self.ending[name] = (group, more.get("FinalSnapshotIdentifier"))
        del self.groups[name]
        return f"delete {name} {more}"

    def settle_ends(self):
        """Groups that were deleted are gone; one whose final snapshot failed is there as before."""
        for name, (asked, snapshot) in list(self.ending.items()):
            def has_failed(snapshot=snapshot):
                return snapshot and [each for each in self.cache.describe_snapshots(
                    SnapshotName=snapshot)["Snapshots"] if each["SnapshotStatus"] == "failed"]
            until(lambda name=name, failed=has_failed: failed() or self.is_gone(self.group, name),
                  f"{name} is gone, after {self.story[-4:]}", SETTLE_SECONDS_MAX)
            del self.ending[name]
            if has_failed():
                self.groups[name] = asked

    def ask_memcached(self, kind):
        name = self.random.choice(MEMCACHED)
        if name in self.touched:
            return None
        self.touched.add(name)
        if name not in self.memcached:
            until(lambda: self.is_gone(self.cluster, name), f"{name} is gone", SETTLE_SECONDS_MAX)
            self.memcached[name] = self.random.choice((1, 2, 3))
            self.call(
                "create_cache_cluster", CacheClusterId=name, Engine="memcached",
                CacheNodeType=TYPES[0], NumCacheNodes=self.memcached[name], Port=CACHE_PORT)
            return f"create {name} of {self.memcached[name]}"
        self.cluster_settled(name)
        if kind == "no memcached":
            del self.memcached[name]
            self.call("delete_cache_cluster", CacheClusterId=name)
            return f"delete {name}"
        nodes = self.random.choice([n for n in (1, 2, 3, 4, 5) if n != self.memcached[name]])
        ids = [node["CacheNodeId"] for node in self.cluster(name)["CacheNodes"]]
        leaving = self.random.sample(ids, max(len(ids) - nodes, 0))
        more = {"CacheNodeIdsToRemove": leaving} if leaving else {}
        self.call("modify_cache_cluster", CacheClusterId=name, NumCacheNodes=nodes,
                  ApplyImmediately=True, **more)
        self.memcached[name] = nodes
        return f"{name} to {nodes} nodes"

    # What is killed.

    def strike(self):
        time.sleep(self.random.choice((0, 0.02, 0.1, 0.3)) * self.random.random())
        target = self.random.choices(("service", "engine", "both", "two engines"), (4, 4, 3, 1))[0]
        if target in ("service", "both"):
            self.kill()
            self.kills["service"] += 1
        for _ in range({"service": 0, "two engines": 2}.get(target, 1)):
            self.kill_engine()
        if self.process is None:
            time.sleep(self.random.choice((0, 0, 0.3)))
            self.start()
        return target

    def kill_engine(self):
        """One of those that run, by the name of its node."""
        engines = {}
        for pid in leftovers.engines(self.data_dir):
            name = leftovers.node_of(pid, self.data_dir)
            if name:
                engines[name] = pid
        chance = self.random.random()
        if not engines:
            return
        name = sorted(engines)[int(chance * len(engines))]
        try:
            os.kill(engines[name], signal.SIGKILL)
        except ProcessLookupError:
            return
        self.kills["engine"] += 1
        group = name[:2]
        if group in self.hits:
            self.hits[group] += 1
        self.story[-1].append(f"kill {name}")

    # What comes of it.

    def await_fine(self, flaw_of, name):
        """Until nothing is wrong with a cache; what was last wrong is told when that does not come."""
        flaws = [""]

        def is_fine():
            try:
                flaws[0] = flaw_of(name)
            except (redis.RedisError, OSError, IndexError) as error:  # its status is older than a kill
                flaws[0] = repr(error)
            return not flaws[0]
        try:
            until(is_fine, name, SETTLE_SECONDS_MAX)
        except AssertionError:
            raise AssertionError(f"{name}: {flaws[0]}; {self.story[-3:]}") from None

    def flaw_of_group(self, name):
        asked, group = self.groups[name], self.group(name)
        seen = (group["Status"], len(group["MemberClusters"]), group["CacheNodeType"])
        if seen != ("available", asked["nodes"], asked["type"]):
            return f"{seen} instead of {asked}"
        node_group = group["NodeGroups"][0]
        replicas = client(node_group["PrimaryEndpoint"]).info("replication")["connected_slaves"]
        if replicas != asked["nodes"] - 1:
            return f"{replicas} replicas instead of {asked['nodes'] - 1}"
        for member in node_group["NodeGroupMembers"]:
            client(member["ReadEndpoint"]).ping()
        client(node_group["ReaderEndpoint"]).ping()
        return ""

    def settled(self, name):
        """The group is what was asked; what its nodes had all acknowledged is there."""
        self.await_fine(self.flaw_of_group, name)
        asked = self.groups[name]
        primary = client(self.node_group(name)["PrimaryEndpoint"])
        kept = {key: primary.get(key) == value.encode() for key, value in self.marks[name].items()}
        missing = [key for key, there in kept.items() if not there]
        self.lost += len(missing)
        # One dead node of several, none of them the last with the data, loses nothing.
        if self.hits[name] == 0 or (self.hits[name] == 1 and self.nodes_before.get(name, 0) > 1
                                    and asked["nodes"] > 1):
            self.assertEqual(missing, [], (name, self.hits[name], self.story[-3:]))
        self.marks[name] = {key: value for key, value in self.marks[name].items()
                            if key not in missing}
        self.hits[name] = 0
        self.nodes_before[name] = asked["nodes"]
        self.mark(name, primary, asked["nodes"])

    def mark(self, name, primary, nodes):
        key = f"m{len(self.story)}"
        try:
            primary.set(key, key + name)
            everywhere = primary.wait(nodes - 1, 2000) >= nodes - 1
        except redis.RedisError:
            return
        if everywhere:
            self.marks[name][key] = key + name

    def flaw_of_cluster(self, name):
        cluster = self.cluster(name)
        seen = (cluster["CacheClusterStatus"], len(cluster.get("CacheNodes", ())))
        if seen != ("available", self.memcached[name]):
            return f"{seen} instead of {self.memcached[name]}"
        for endpoint in [cluster["ConfigurationEndpoint"],
                         *(node["Endpoint"] for node in cluster["CacheNodes"])]:
            told = len(discover(endpoint)[1].split(" "))
            if told != self.memcached[name]:
                return f"auto discovery tells {told} nodes"
        return ""

    def cluster_settled(self, name):
        self.await_fine(self.flaw_of_cluster, name)

    def is_gone(self, describe, name):
        try:
            describe(name)
            return False
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ReplicationGroupNotFoundFault",
                                                       "CacheClusterNotFound"):
                raise
            return True

    def note_snapshots(self):
        """Those that are whole may be restored; one that failed says why."""
        for name in list(self.pending_marks):
            found = self.cache.describe_snapshots(SnapshotName=name)["Snapshots"]
            status = found[0]["SnapshotStatus"] if found else "absent"
            if status == "available":
                self.snapshots[name] = self.pending_marks.pop(name)
            elif status not in ("creating", "copying"):
                told = [event["Message"] for page in self.cache.get_paginator(
                    "describe_events").paginate(Duration=60) for event in page["Events"]
                        if f"'{name}'" in event["Message"]]
                self.assertTrue(told, f"snapshot {name} is {status}, and nobody says why")
                print(f"  snapshot {name} is {status}: {told[-1]}")
                del self.pending_marks[name]

    def test_everything_comes_to_what_was_asked(self):
        end = time.monotonic() + SECONDS
        while sum(self.kills.values()) < KILLS and time.monotonic() < end:
            self.touched = set()
            self.story.append([])
            self.settle_ends()
            for _ in range(self.random.choice((1, 2, 3))):
                self.story[-1].append(self.ask())
            self.story[-1].append(self.strike())
            self.note_snapshots()
        if os.environ.get("MIKURA_KILLS_STORY"):
            print("\n".join(map(str, self.story)))
        print(f"  {len(self.story)} rounds, kills: {self.kills}")
        self.all_is_as_asked()
        until(lambda: not leftovers.delete_everything(self.cache), "everything is deleted",
              SETTLE_SECONDS_MAX)
        self.leaves_nothing()

    def all_is_as_asked(self):
        self.settle_ends()
        for name in list(self.groups):
            self.settled(name)
        for name in self.memcached:
            self.cluster_settled(name)
        for name in MEMCACHED:
            if name not in self.memcached:
                until(lambda name=name: self.is_gone(self.cluster, name), f"{name} is gone",
                      SETTLE_SECONDS_MAX)
        until(lambda: not leftovers.unsettled(self.cache), "all settles", SETTLE_SECONDS_MAX)
        self.note_snapshots()
        nodes = sum(group["nodes"] for group in self.groups.values()) + sum(self.memcached.values())
        until(lambda: len(leftovers.engines(self.data_dir)) == nodes, f"{nodes} engines run")
        whole = sum(marks is not None for marks in self.snapshots.values())
        saved = [name for name in leftovers.files(self.data_dir) if name.endswith("/0001.rdb")]
        self.assertEqual(len(saved), whole)
        print(f"  acknowledged by all nodes and lost where none was left with it: {self.lost}")

    def leaves_nothing(self):
        until(lambda: not leftovers.engines(self.data_dir), "no engine is left")
        until(lambda: not leftovers.files(self.data_dir), "no file of a cache is left")
        self.assertEqual(leftovers.listening(self.process.pid), [("127.0.0.1", self.port)])
        self.assertEqual(leftovers.records(self.data_dir), [])


if __name__ == "__main__":
    unittest.main()
