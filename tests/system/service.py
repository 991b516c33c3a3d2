# SPDX-License-Identifier: Apache-2.0
"""A running `mikura up` for the system tests, and the clients that drive it.

MIKURA_BIN names the program (default build/release/mikura), MIKURA_CACHE_PORT the port of caches (6379): two
services at once need two, as both give out the same addresses. Ends only processes that it started.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request

import boto3
import redis

REGION = "ap-northeast-1"
CACHE_PORT = int(os.environ.get("MIKURA_CACHE_PORT", "6379"))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def binary():
    return os.environ.get("MIKURA_BIN", os.path.join(ROOT, "build/release/mikura"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, seconds=20.0):
    """Waits for the condition and returns how long that took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)
    return time.monotonic() - begin


def client(endpoint, **options):
    """A Redis client of an endpoint as the API shows it."""
    return redis.Redis(host=endpoint["Address"], port=endpoint["Port"], socket_timeout=5,
                       socket_connect_timeout=5, **options)


class Service(unittest.TestCase):
    """Each test has a service of its own, with a data directory of its own."""

    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="mikura-")
        self.prepare_data_dir()
        self.port = free_port()
        self.process = None
        self.addCleanup(self.end)
        self.start()
        credentials = dict(aws_access_key_id="test", aws_secret_access_key="test")
        endpoint = f"http://127.0.0.1:{self.port}"
        self.cache = boto3.client(
            "elasticache", endpoint_url=endpoint, region_name=REGION, **credentials)
        self.addCleanup(self.cache.close)

    def end(self):
        """Ends the service and its caches, also after a test that failed in the middle."""
        if self.process is not None:
            self.kill()
        self.start("--stop-caches-on-exit")
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(30), 0)
        if "MIKURA_KEEP_LOG" in os.environ:
            shutil.copy(self.log_path(), os.environ["MIKURA_KEEP_LOG"])
        self.remove_data_dir()

    def start(self, *options):
        with open(self.log_path(), "ab") as log:
            self.process = subprocess.Popen(
                [binary(), "up", "--port", str(self.port), "--data-dir", self.data_dir,
                 *self.options(), *options],
                stdout=log, stderr=log)
        until(self.answers, "the API answers")

    def prepare_data_dir(self):
        """What a test does to it before the service starts."""

    def remove_data_dir(self):
        shutil.rmtree(self.data_dir)

    def log_path(self):
        return os.path.join(self.data_dir, "up.log")

    def options(self):
        """What the service of a test is started with beside its port and data."""
        return ()

    def answers(self):
        self.assertIsNone(self.process.poll(), "mikura up has ended")
        # A connection says nothing: what a killed service was about to start has its listening
        # socket for a moment.
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self):
        """kill -9 of the service; its caches go on."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def pid_of(self, cluster, node=None):
        """The pid of the engine of a cluster (of its node 0002, ...)."""
        name = cluster + "-" + (node + "-" if node else "")
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode(errors="replace").split("\0")
            except OSError:
                continue
            if len(words) > 2 and words[1] == "engine" and f"{self.data_dir}/nodes/{name}" in words[2]:
                return int(pid)
        raise AssertionError(f"no engine of {name}")

    def admin(self, cluster):
        """A client of the admin socket of a cluster's only node: what it answers nobody else learns."""
        for name in os.listdir(f"{self.data_dir}/nodes"):
            if not name.startswith(cluster + "-"):
                continue
            with open(f"{self.data_dir}/nodes/{name}/node.conf", encoding="utf-8") as file:
                settings = dict(line.rstrip("\n").split(" ", 1) for line in file)
            return redis.Redis(unix_socket_path=settings["admin-socket"].strip('"'), socket_timeout=5)
        raise AssertionError(f"no node of {cluster}")

    def create_group(self, name, nodes):
        self.cache.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription="a test",
            CacheNodeType="cache.t3.micro", NumCacheClusters=nodes, Port=CACHE_PORT,
            AutomaticFailoverEnabled=nodes > 1)
        took = until(lambda: self.status(name) == "available", f"group {name} is available")
        print(f"  group of {nodes}: available after {took:.2f} s")
        return self.node_group(name)

    def group(self, name):
        return self.cache.describe_replication_groups(
            ReplicationGroupId=name)["ReplicationGroups"][0]

    def status(self, name):
        return self.group(name)["Status"]

    def node_group(self, name):
        return self.group(name)["NodeGroups"][0]

    def primary_of(self, name):
        for member in self.node_group(name)["NodeGroupMembers"]:
            if member["CurrentRole"] == "primary":
                return member["CacheClusterId"]
        raise AssertionError("no primary")

    def cluster(self, name):
        return self.cache.describe_cache_clusters(
            CacheClusterId=name, ShowCacheNodeInfo=True)["CacheClusters"][0]

    @contextlib.contextmanager
    def newer_members(self, operation, **members):
        """Adds members to the calls of an operation which Debian's model of it does not have."""
        def add(params, **_):
            params["body"].update(members)
        event = f"before-call.elasticache.{operation}"
        self.cache.meta.events.register(event, add)
        try:
            yield
        finally:
            self.cache.meta.events.unregister(event, add)

    def write_everywhere(self, name, key, value):
        """Writes through the primary endpoint and waits until every replica has it."""
        group = self.node_group(name)
        client(group["PrimaryEndpoint"]).set(key, value)
        for member in group["NodeGroupMembers"]:
            until(lambda: client(member["ReadEndpoint"]).get(key) == value.encode(),
                  f"{member['CacheClusterId']} has {key}")
