# SPDX-License-Identifier: Apache-2.0
"""Snapshots with real data: made under load, restored, copied, exported, imported, interrupted."""

import os
import signal
import subprocess
import threading
import time
import unittest

from botocore.exceptions import ClientError
from redis import exceptions as redis_errors

from service import Service, client, free_port, until

KEYS = 3000


def fill(redis):
    """Keys of all types; returns what a restored node must hold."""
    pipeline = redis.pipeline(transaction=False)
    for i in range(KEYS):
        pipeline.set(f"string:{i}", f"value {i} " + "x" * (i % 300))
    for i in range(50):
        pipeline.rpush(f"list:{i}", *range(i + 1))
        pipeline.hset(f"hash:{i}", mapping={f"field{j}": j for j in range(i + 1)})
        pipeline.sadd(f"set:{i}", *(f"member{j}" for j in range(i + 1)))
        pipeline.zadd(f"zset:{i}", {f"member{j}": j / 4 for j in range(i + 1)})
        pipeline.xadd(f"stream:{i}", {"a": i}, id=f"{i + 1}-1")
    pipeline.set("expiring", "x", ex=100_000)
    pipeline.execute()
    return contents(redis)


def contents(redis):
    """Every key with its value and whether it expires."""
    found = {}
    read = {b"string": redis.get, b"list": lambda key: redis.lrange(key, 0, -1),
            b"hash": redis.hgetall, b"set": redis.smembers,
            b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
            b"stream": redis.xrange}
    for key in redis.scan_iter(count=1000):
        if key.startswith(b"load:"):
            continue
        found[key] = (read[redis.type(key)](key), redis.ttl(key) > 0)
    return found


class Load:
    """A client that goes on writing; counts what was acknowledged."""

    def __init__(self, endpoint):
        self.written = 0
        self.stopping = False
        self.redis = client(endpoint)
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stopping:
            pipeline = self.redis.pipeline(transaction=False)
            for i in range(self.written, self.written + 50):
                pipeline.set(f"load:{i}", i)
            pipeline.execute()
            self.written += 50

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()


class Snapshots(Service):
    def setUp(self):
        super().setUp()
        self.buckets = os.path.join(self.data_dir, "buckets")

    def options(self):
        return ("--bucket-dir", os.path.join(self.data_dir, "buckets"))

    def snapshot(self, name):
        return self.cache.describe_snapshots(SnapshotName=name)["Snapshots"][0]

    def await_snapshot(self, name, status="available"):
        took = until(lambda: self.snapshot(name)["SnapshotStatus"] == status,
                     f"snapshot {name} is {status}", 60)
        return took, self.snapshot(name)

    def await_gone(self, name):
        def gone():
            try:
                self.status(name)
                return False
            except ClientError as error:
                return error.response["Error"]["Code"] == "ReplicationGroupNotFoundFault"
        until(gone, f"group {name} is gone", 60)

    def delete_group(self, name, **more):
        self.cache.delete_replication_group(ReplicationGroupId=name, **more)
        self.await_gone(name)

    def restore(self, name, nodes=1, **source):
        self.cache.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription="restored",
            NumCacheClusters=nodes, **source)
        until(lambda: self.status(name) != "creating", f"group {name} is created", 60)
        return self.node_group(name)

    def files(self):
        folder = os.path.join(self.data_dir, "snapshots")
        return sorted(os.path.relpath(os.path.join(path, name), folder)
                      for path, _, names in os.walk(folder) for name in names)

    def test_a_snapshot_under_load_is_restored_into_a_group_with_replicas(self):
        endpoint = self.create_group("demo", 3)["PrimaryEndpoint"]
        before = fill(client(endpoint))
        with Load(endpoint) as load:
            until(lambda: load.written > 2000, "the load runs")
            acknowledged = load.written
            made = self.cache.create_snapshot(ReplicationGroupId="demo", SnapshotName="s1",
                                              Tags=[{"Key": "team", "Value": "web"}])["Snapshot"]
            self.assertEqual(made["SnapshotStatus"], "creating")
            took, snapshot = self.await_snapshot("s1")
        print(f"  snapshot under load: available after {took:.2f} s, {load.written} writes")
        self.assertEqual(snapshot["ReplicationGroupId"], "demo")
        node = snapshot["NodeSnapshots"][0]
        # A replica made it.
        self.assertNotEqual(node["CacheClusterId"], self.primary_of("demo"))
        self.assertEqual(node["CacheSize"], "1 MB")
        until(lambda: self.status("demo") == "available", "the group is available")
        self.assertEqual(len(self.files()), 1)
        self.delete_group("demo")
        group = self.restore("copy", 3, SnapshotName="s1")
        self.assertEqual(self.status("copy"), "available")
        self.assertEqual(self.group("copy")["CacheNodeType"], "cache.t3.micro")
        for member in group["NodeGroupMembers"]:
            restored = client(member["ReadEndpoint"])
            self.assertEqual(contents(restored), before)
            # All that a replica had when it was asked; what came later may be there or not, but
            # with no gap: the file is one moment.
            loaded = sorted(int(key[5:]) for key in restored.scan_iter("load:*", count=1000))
            self.assertEqual(loaded, list(range(len(loaded))))
            self.assertGreaterEqual(len(loaded), acknowledged - 2000)
        client(group["PrimaryEndpoint"]).set("new", "1")
        self.write_everywhere("copy", "new", "2")

    def test_a_final_snapshot_holds_the_last_write(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        before = fill(client(endpoint))
        self.write_everywhere("demo", "last", "yes")
        self.delete_group("demo", FinalSnapshotIdentifier="last")
        self.assertEqual(self.snapshot("last")["SnapshotStatus"], "available")
        group = self.restore("demo", 1, SnapshotName="last")
        restored = client(group["PrimaryEndpoint"])
        self.assertEqual(restored.getdel("last"), b"yes")
        self.assertEqual(contents(restored), before)

    def test_a_single_node_is_saved_and_restored(self):
        def available(name):
            return lambda: self.cluster(name)["CacheClusterStatus"] == "available"
        self.cache.create_cache_cluster(CacheClusterId="solo", Engine="valkey", NumCacheNodes=1,
                                        CacheNodeType="cache.t3.micro")
        until(available("solo"), "the cluster is available")
        node = client(self.cluster("solo")["CacheNodes"][0]["Endpoint"])
        before = fill(node)
        self.cache.create_snapshot(CacheClusterId="solo", SnapshotName="s")
        self.await_snapshot("s")
        self.cache.delete_cache_cluster(CacheClusterId="solo", FinalSnapshotIdentifier="f")
        self.await_snapshot("f")
        self.cache.create_cache_cluster(CacheClusterId="new", SnapshotName="f")
        until(available("new"), "the cluster is available")
        self.assertEqual(self.cluster("new")["Engine"], "valkey")
        self.assertEqual(contents(client(self.cluster("new")["CacheNodes"][0]["Endpoint"])), before)

    def test_a_copy_outlives_its_original_and_is_exported(self):
        endpoint = self.create_group("demo", 1)["PrimaryEndpoint"]
        before = fill(client(endpoint))
        self.cache.create_snapshot(ReplicationGroupId="demo", SnapshotName="s")
        self.await_snapshot("s")
        self.cache.copy_snapshot(SourceSnapshotName="s", TargetSnapshotName="c")
        self.await_snapshot("c")
        self.cache.delete_snapshot(SnapshotName="s")
        until(lambda: len(self.files()) == 1, "the original's file is gone")
        self.cache.copy_snapshot(SourceSnapshotName="c", TargetSnapshotName="out",
                                 TargetBucket="my-bucket")
        exported = os.path.join(self.buckets, "my-bucket/out-0001.rdb")
        until(lambda: os.path.exists(exported), "the file is exported")
        self.await_snapshot("c")
        check = subprocess.run(["redis-check-rdb", exported], capture_output=True, text=True,
                               timeout=60, check=False)
        self.assertEqual(check.returncode, 0, check.stdout)
        group = self.restore("new", 2, CacheNodeType="cache.t3.micro",
                             SnapshotArns=["arn:aws:s3:::my-bucket/out-0001.rdb"])
        for member in group["NodeGroupMembers"]:
            self.assertEqual(contents(client(member["ReadEndpoint"])), before)

    def test_a_file_that_a_redis_server_made_is_imported(self):
        folder = os.path.join(self.buckets, "mine")
        os.makedirs(folder)
        port = free_port()
        server = subprocess.Popen(
            ["redis-server", "--port", str(port), "--dir", folder, "--dbfilename", "made.rdb",
             "--save", ""], stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        redis = client({"Address": "127.0.0.1", "Port": port})

        def answers():
            try:
                return redis.ping()
            except redis_errors.RedisError:
                return False
        until(answers, "redis-server answers")
        before = fill(redis)
        redis.save()
        group = self.restore("new", 1, CacheNodeType="cache.t3.micro",
                             SnapshotArns=[f"file://{folder}/made.rdb"])
        self.assertEqual(contents(client(group["PrimaryEndpoint"])), before)

    def test_a_damaged_file_fails_the_creation_and_leaves_nothing(self):
        endpoint = self.create_group("demo", 1)["PrimaryEndpoint"]
        fill(client(endpoint))
        self.cache.create_snapshot(ReplicationGroupId="demo", SnapshotName="s")
        self.await_snapshot("s")
        path = os.path.join(self.data_dir, "snapshots", self.files()[0])
        folder = os.path.join(self.buckets, "mine")
        os.makedirs(folder)
        with open(path, "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 0xff
        with open(os.path.join(folder, "damaged.rdb"), "wb") as file:
            file.write(data)
        self.restore("new", 2, CacheNodeType="cache.t3.micro",
                     SnapshotArns=["arn:aws:s3:::mine/damaged.rdb"])
        self.assertEqual(self.status("new"), "create-failed")
        self.assertEqual(self.cluster("new-001")["CacheClusterStatus"], "restore-failed")
        self.delete_group("new")
        self.restore("new", 1, CacheNodeType="cache.t3.micro",
                     SnapshotArns=["arn:aws:s3:::mine/absent.rdb"])
        self.assertEqual(self.status("new"), "create-failed")
        self.delete_group("new")

    def test_the_daily_snapshot_is_taken_in_its_window_and_goes_with_its_group(self):
        now = time.time()
        window = "-".join(time.strftime("%H:%M", time.gmtime(now + 60 * minutes))
                          for minutes in (-30, 60))
        self.cache.create_replication_group(
            ReplicationGroupId="demo", ReplicationGroupDescription="d", NumCacheClusters=1,
            CacheNodeType="cache.t3.micro", SnapshotRetentionLimit=3, SnapshotWindow=window)

        def automated():
            return [each for each in self.cache.describe_snapshots(
                SnapshotSource="system")["Snapshots"] if each["SnapshotStatus"] == "available"]
        until(automated, "there is a daily snapshot")
        self.assertRegex(automated()[0]["SnapshotName"],
                         r"^automatic\.demo-\d{4}-\d\d-\d\d-\d\d-\d\d$")
        self.assertEqual(automated()[0]["SnapshotRetentionLimit"], 3)
        self.assertEqual(self.group("demo")["SnapshotRetentionLimit"], 3)
        with self.assertRaises(ClientError) as refused:
            self.cache.delete_snapshot(SnapshotName=automated()[0]["SnapshotName"])
        self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidSnapshotState")
        until(lambda: self.status("demo") == "available", "the group is available")
        self.delete_group("demo")
        until(lambda: self.cache.describe_snapshots()["Snapshots"] == [], "its snapshots are gone")
        self.assertEqual(self.files(), [])

    def test_a_kill_of_the_service_in_the_middle_loses_nothing(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        before = fill(client(endpoint))
        for i in range(5):
            self.cache.create_snapshot(ReplicationGroupId="demo", SnapshotName=f"s{i}")
            time.sleep(i * 0.03)  # another moment of the making each time
            self.kill()
            self.start()
            self.await_snapshot(f"s{i}")
            until(lambda: self.status("demo") == "available", "the group is available")
        self.cache.delete_replication_group(ReplicationGroupId="demo",
                                            FinalSnapshotIdentifier="last")
        self.kill()
        self.start()
        self.await_gone("demo")
        self.cache.create_replication_group(
            ReplicationGroupId="new", ReplicationGroupDescription="d", NumCacheClusters=2,
            SnapshotName="last")
        self.kill()
        self.start()
        until(lambda: self.status("new") == "available", "the group is available", 60)
        for member in self.node_group("new")["NodeGroupMembers"]:
            self.assertEqual(contents(client(member["ReadEndpoint"])), before)
        self.assertEqual(len(self.files()), 6)
        self.assertTrue(all(name.endswith("/0001.rdb") for name in self.files()), self.files())

    def test_an_engine_killed_in_the_middle_leaves_a_whole_snapshot_or_none(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        before = fill(client(endpoint))
        for i in range(3):
            self.cache.create_snapshot(ReplicationGroupId="demo", SnapshotName=f"s{i}")
            os.kill(self.pid_of("demo-002" if self.primary_of("demo") == "demo-001"
                                else "demo-001"), signal.SIGKILL)
            self.await_snapshot(f"s{i}")
            until(lambda: self.status("demo") == "available", "the group is available", 60)
        group = self.restore("new", 1, SnapshotName="s2")
        self.assertEqual(contents(client(group["PrimaryEndpoint"])), before)
        self.assertTrue(all(name.endswith("/0001.rdb") for name in self.files()), self.files())


if __name__ == "__main__":
    unittest.main()
