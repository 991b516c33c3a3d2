# SPDX-License-Identifier: Apache-2.0
"""DeleteReplicationGroup with RetainPrimaryCluster: the primary goes on alone, with its data and address."""

import os
import unittest

import redis

from service import CACHE_PORT, Service, client, until


class RetainPrimary(Service):
    def setUp(self):
        super().setUp()
        self.create_group("demo", 3)

    def delete(self, **more):
        self.cache.delete_replication_group(ReplicationGroupId="demo", **more)

    def until_deleted(self):
        until(lambda: not self.cache.describe_replication_groups()["ReplicationGroups"],
              "the group is gone")

    def remaining(self):
        return [cluster["CacheClusterId"]
                for cluster in self.cache.describe_cache_clusters()["CacheClusters"]]

    def test_the_primary_goes_on_alone(self):
        self.cache.modify_replication_group(ReplicationGroupId="demo", PrimaryClusterId="demo-002",
                                            ApplyImmediately=True)
        until(lambda: self.status("demo") == "available", "demo-002 leads")
        self.write_everywhere("demo", "kept", "yes")
        member = next(m for m in self.node_group("demo")["NodeGroupMembers"]
                      if m["CacheClusterId"] == "demo-002")
        primary = self.node_group("demo")["PrimaryEndpoint"]
        pid = self.pid_of("demo-002")
        connected = client(member["ReadEndpoint"])
        connected.ping()
        self.delete(RetainPrimaryCluster=True)
        self.kill()  # in the middle of it, or after it
        self.start()
        self.until_deleted()
        self.assertEqual(self.remaining(), ["demo-002"])
        cluster = self.cluster("demo-002")
        self.assertNotIn("ReplicationGroupId", cluster)
        self.assertEqual(cluster["CacheClusterStatus"], "available")
        self.assertEqual(cluster["CacheNodes"][0]["Endpoint"], member["ReadEndpoint"])
        self.assertEqual(self.pid_of("demo-002"), pid)
        self.assertEqual(connected.get("kept"), b"yes")
        self.assertTrue(connected.set("more", "1"))
        with self.assertRaises(ConnectionError):
            try:
                client(primary).ping()
            except Exception as error:
                raise ConnectionError(str(error)) from error
        # It is a cluster as any other, and its group's name is free.
        self.create_group("other", 2)
        self.cache.create_snapshot(CacheClusterId="demo-002", SnapshotName="s")
        until(lambda: self.cluster("demo-002")["CacheClusterStatus"] == "available", "the snapshot is made")
        self.cache.delete_cache_cluster(CacheClusterId="demo-002")
        until(lambda: self.remaining() == ["other-001", "other-002"], "the cluster is gone")
        self.create_group("demo", 2)

    def test_what_a_cluster_alone_cannot_have_is_refused(self):
        errors = self.cache.exceptions
        with self.assertRaises(errors.InvalidParameterCombinationException):
            self.delete(RetainPrimaryCluster=True, FinalSnapshotIdentifier="last")
        self.cache.create_user(UserId="default-2", UserName="default", Engine="redis",
                               AccessString="on ~* +@all", Passwords=["a-password-of-16"])
        self.cache.create_user_group(UserGroupId="people", Engine="redis", UserIds=["default-2"])
        self.create_tls(UserGroupIds=["people"])
        with self.assertRaises(errors.InvalidParameterCombinationException):
            self.cache.delete_replication_group(ReplicationGroupId="tls", RetainPrimaryCluster=True)
        self.assertEqual(self.status("tls"), "available")

    def create_tls(self, **more):
        self.cache.create_replication_group(
            ReplicationGroupId="tls", ReplicationGroupDescription="a test", Port=CACHE_PORT,
            CacheNodeType="cache.t3.micro", NumCacheClusters=2, TransitEncryptionEnabled=True, **more)
        until(lambda: self.status("tls") == "available", "the group is available")

    def test_tls_and_the_token_stay(self):
        token = "a-token-of-16-characters"
        self.create_tls(AuthToken=token)
        member = self.node_group("tls")["NodeGroupMembers"][0]
        trusted = dict(ssl=True, ssl_ca_certs=os.path.join(self.data_dir, "tls/ca.crt"))
        connected = client(member["ReadEndpoint"], password=token, **trusted)
        connected.set("kept", "yes")
        self.cache.delete_replication_group(ReplicationGroupId="tls", RetainPrimaryCluster=True)
        until(lambda: "tls-002" not in self.remaining(), "the replica is gone")
        until(lambda: "ReplicationGroupId" not in self.cluster("tls-001"), "it stands alone")
        self.assertEqual(connected.get("kept"), b"yes")  # the connection of before
        cluster = self.cluster("tls-001")
        self.assertTrue(cluster["TransitEncryptionEnabled"])
        self.assertTrue(cluster["AuthTokenEnabled"])
        self.cache.reboot_cache_cluster(CacheClusterId="tls-001", CacheNodeIdsToReboot=["0001"])
        until(lambda: self.cluster("tls-001")["CacheClusterStatus"] == "available", "it is rebooted")
        self.assertTrue(client(member["ReadEndpoint"], password=token, **trusted).set("more", "1"))
        with self.assertRaises(redis.AuthenticationError):
            client(member["ReadEndpoint"], **trusted).get("more")
        with self.assertRaises(redis.ConnectionError):
            client(member["ReadEndpoint"], password=token).ping()


if __name__ == "__main__":
    unittest.main()
