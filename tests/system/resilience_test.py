#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A full disk under the service, and very many caches at once (MIKURA_MANY_CACHES; for a debug build, fewer than 200)."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import leftovers
from service import CACHE_PORT, REGION, Service, client, until

sys.path.append(str(Path(__file__).resolve().parent.parent / "persistence"))

from small_disk import can_mount, mount  # noqa: E402

DISK_BYTES = 24 << 20
MANY_SECONDS_MAX = 120
MANY = int(os.environ.get("MIKURA_MANY_CACHES", "200"))


def without_retries(port):
    return boto3.client("elasticache", endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION,
                        aws_access_key_id="test", aws_secret_access_key="test",
                        config=Config(retries={"max_attempts": 0}))


@unittest.skipUnless(can_mount(), "needs the right to mount a tmpfs (root)")
class FullDisk(Service):
    def setUp(self):
        self.logs = tempfile.mkdtemp(prefix="mikura-log-")
        super().setUp()
        self.once = without_retries(self.port)
        self.addCleanup(self.once.close)

    def log_path(self):
        return os.path.join(self.logs, "up.log")

    def prepare_data_dir(self):
        mount(self.data_dir, DISK_BYTES)

    def remove_data_dir(self):
        subprocess.run(["umount", self.data_dir], check=True)
        os.rmdir(self.data_dir)
        shutil.rmtree(self.logs)

    def fill(self):
        with open(os.path.join(self.data_dir, "ballast"), "wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def make_room(self):
        ballast = os.path.join(self.data_dir, "ballast")
        if os.path.exists(ballast):
            os.unlink(ballast)

    def end(self):
        self.make_room()
        super().end()

    def fails(self, call, **words):
        with self.assertRaises(ClientError) as caught:
            call(**words)
        print(f"  {caught.exception}")
        return caught.exception.response

    def test_changes_are_refused_and_come_back_with_the_space(self):
        group = self.create_group("demo", 2)
        endpoint = group["PrimaryEndpoint"]
        client(endpoint).set("before", "1")
        self.fill()
        answer = self.fails(self.once.create_replication_group, ReplicationGroupId="other",
                            ReplicationGroupDescription="d", CacheNodeType="cache.t3.micro",
                            NumCacheClusters=1)
        self.assertEqual(answer["Error"]["Code"], "ServiceUnavailable")
        self.assertIn("no space", answer["Error"]["Message"].lower())
        self.fails(self.once.modify_replication_group, ReplicationGroupId="demo",
                   ReplicationGroupDescription="new", ApplyImmediately=True)
        self.fails(self.once.delete_replication_group, ReplicationGroupId="demo")
        # What there is goes on: it is told of, read and written.
        self.assertEqual([each["ReplicationGroupId"] for each in
                          self.cache.describe_replication_groups()["ReplicationGroups"]], ["demo"])
        self.assertEqual(client(endpoint).get("before"), b"1")
        client(endpoint).set("meanwhile", "2")
        replica = [member["ReadEndpoint"] for member in group["NodeGroupMembers"]
                   if member["CurrentRole"] == "replica"][0]
        until(lambda: client(replica).get("meanwhile") == b"2", "the replica has the write")
        os.kill(self.pid_of(self.primary_of("demo")), 9)
        self.make_room()
        until(lambda: client(endpoint).get("meanwhile") == b"2", "the replica leads")
        until(lambda: self.status("demo") == "available", "the group is available")
        self.assertEqual(self.group("demo")["Description"], "a test")
        self.create_group("other", 1)

    def test_a_service_that_dies_meanwhile_starts_again_with_the_space(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        client(endpoint).set("before", "1")
        self.fill()
        self.fails(self.once.create_snapshot, ReplicationGroupId="demo", SnapshotName="s")
        self.kill()
        self.assertEqual(client(endpoint).get("before"), b"1")
        self.make_room()
        self.start()
        until(lambda: self.status("demo") == "available", "the group is available")
        self.assertEqual(self.cache.describe_snapshots()["Snapshots"], [])
        self.cache.create_snapshot(ReplicationGroupId="demo", SnapshotName="s")
        until(lambda: self.cache.describe_snapshots()["Snapshots"][0]["SnapshotStatus"] == "available",
              "the snapshot is available")

    def test_a_snapshot_without_room_fails_and_says_so(self):
        endpoint = self.create_group("demo", 1)["PrimaryEndpoint"]
        for i in range(8):
            client(endpoint).set(f"big{i}", os.urandom(4 << 20))
        self.cache.create_snapshot(ReplicationGroupId="demo", SnapshotName="s")
        until(lambda: self.cache.describe_snapshots()["Snapshots"][0]["SnapshotStatus"] == "failed",
              "the snapshot fails", 60)
        told = [event["Message"] for event in self.cache.describe_events(Duration=60)["Events"]]
        print(f"  {told[-1]}")
        self.assertTrue(any("Snapshot failed" in each for each in told), told)
        until(lambda: self.status("demo") == "available", "the group is available")
        self.assertEqual([each for each in leftovers.files(self.data_dir)
                          if each.startswith("snapshots/")], [])
        self.assertEqual(client(endpoint).dbsize(), 8)


class ManyCaches(Service):
    def options(self):
        return ("--memory-scale", "0.01")

    def end(self):
        """The engines are killed: after a failure there may be too many to end one by one."""
        if self.process is not None:
            self.kill()
        for pid in leftovers.engines(self.data_dir):
            os.kill(pid, signal.SIGKILL)
        self.remove_data_dir()

    def clusters(self):
        pages = self.cache.get_paginator("describe_cache_clusters").paginate(ShowCacheNodeInfo=True)
        return [each for page in pages for each in page["CacheClusters"]]

    def test_very_many_are_created_and_deleted_at_once(self):
        begin = time.monotonic()
        for i in range(MANY):
            self.cache.create_cache_cluster(CacheClusterId=f"c{i}", Engine="valkey", NumCacheNodes=1,
                                            CacheNodeType="cache.t3.micro", Port=CACHE_PORT)
        print(f"  {MANY} asked for after {time.monotonic() - begin:.1f} s")
        until(lambda: all(each["CacheClusterStatus"] == "available" for each in self.clusters()),
              "all are available", MANY_SECONDS_MAX)
        print(f"  all available after {time.monotonic() - begin:.1f} s")
        clusters = self.clusters()
        self.assertEqual(len(clusters), MANY)
        endpoints = [each["CacheNodes"][0]["Endpoint"] for each in clusters]
        self.assertEqual(len({endpoint["Address"] for endpoint in endpoints}), MANY)
        for endpoint in endpoints:
            self.assertTrue(client(endpoint).set("x", endpoint["Address"]))
        begin = time.monotonic()
        for each in clusters:
            self.cache.delete_cache_cluster(CacheClusterId=each["CacheClusterId"])
        until(lambda: not self.clusters(), "all are gone", MANY_SECONDS_MAX)
        print(f"  all gone after {time.monotonic() - begin:.1f} s")
        self.assertEqual(leftovers.engines(self.data_dir), [])
        self.assertEqual(leftovers.files(self.data_dir), [])
        self.assertEqual(leftovers.listening(self.process.pid), [("127.0.0.1", self.port)])
        self.assertEqual(leftovers.records(self.data_dir), [])


if __name__ == "__main__":
    unittest.main()
