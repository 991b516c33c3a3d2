# SPDX-License-Identifier: Apache-2.0
"""The whole life of caches as a user of AWS tells it, whichever tool makes the calls.

A tool gives call(), which answers as boto3 does, and wait(), its own waiters. Each step is checked by data
that are written and read through the endpoints.
"""

import contextlib
import os
import time

import redis

from memcached_test import connect, discover
from service import CACHE_PORT, Service, client, until

PASSWORD_1 = "first-password-of-the-user"
PASSWORD_2 = "second-password-of-the-user"
TOKEN_1 = "the-first-token-of-a-group"
TOKEN_2 = "the-second-token-of-a-group"
ZONES = ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1c"]
SECONDS = 60.0


class Refused(Exception):
    """The AWS error code that a call was answered with."""


class Story(Service):
    def call(self, operation, service="elasticache", **members):
        raise NotImplementedError

    def wait(self, waiter, **members):
        raise NotImplementedError

    def tell_everything(self):
        for step in (self.networks_and_parameters, self.a_node_with_parameters_that_change,
                     self.a_group_over_zones, self.replicas_come_and_go, self.nodes_grow,
                     self.the_primary_fails_over, self.snapshots_and_a_restored_group,
                     self.users_behind_tls, self.a_token_behind_tls, self.memcached_out_and_in,
                     self.the_end_with_a_last_snapshot, self.nothing_is_left):
            begin = time.monotonic()
            step()
            print(f"  {step.__name__}: {time.monotonic() - begin:.1f} s", flush=True)

    def refuses(self, code, operation, **members):
        with self.assertRaises(Refused) as caught:
            self.call(operation, **members)
        self.assertEqual(str(caught.exception), code)

    def group(self, name):
        return self.call("DescribeReplicationGroups", ReplicationGroupId=name)["ReplicationGroups"][0]

    def cluster(self, name):
        return self.call("DescribeCacheClusters", CacheClusterId=name,
                         ShowCacheNodeInfo=True)["CacheClusters"][0]

    def create_group(self, name, nodes=1, **more):
        created = self.call(
            "CreateReplicationGroup", ReplicationGroupId=name, ReplicationGroupDescription=name,
            CacheNodeType="cache.t3.micro", NumCacheClusters=nodes, Port=CACHE_PORT, **more)
        self.assertEqual(created["ReplicationGroup"]["Status"], "creating")
        return self.await_group(name)

    def modify_group(self, name, **more):
        modified = self.call("ModifyReplicationGroup", ReplicationGroupId=name,
                             ApplyImmediately=True, **more)["ReplicationGroup"]
        self.assertIn(modified["Status"], ("modifying", "available"))
        return self.await_group(name)

    def await_group(self, name):
        self.wait("replication_group_available", ReplicationGroupId=name)
        return self.group(name)["NodeGroups"][0]

    def await_cluster(self, name):
        self.wait("cache_cluster_available", CacheClusterId=name)
        return self.cluster(name)

    def await_snapshot(self, name):
        until(lambda: self.call("DescribeSnapshots", SnapshotName=name)["Snapshots"][0][
            "SnapshotStatus"] == "available", f"snapshot {name} is available", SECONDS)

    def ends(self, endpoint):
        """That nobody listens there any more."""
        with self.assertRaises(redis.exceptions.ConnectionError):
            client(endpoint).ping()

    def has(self, endpoint, key, value, what):
        with contextlib.closing(client(endpoint)) as node:
            until(lambda: node.get(key) == value.encode(), f"{what} has {key}", SECONDS)

    def write_and_read(self, name, key, value):
        """By the primary endpoint, then by every other one."""
        group = self.group(name)["NodeGroups"][0]
        client(group["PrimaryEndpoint"]).set(key, value)
        self.has(group["ReaderEndpoint"], key, value, "the reader endpoint")
        for member in group["NodeGroupMembers"]:
            self.has(member["ReadEndpoint"], key, value, member["CacheClusterId"])

    # The steps, in their order.

    def networks_and_parameters(self):
        vpc = self.call("CreateVpc", "ec2", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [self.call("CreateSubnet", "ec2", VpcId=vpc, CidrBlock=f"10.0.{number}.0/24",
                             AvailabilityZone=zone)["Subnet"]["SubnetId"]
                   for number, zone in enumerate(ZONES[:2])]
        made = self.call("CreateCacheSubnetGroup", CacheSubnetGroupName="nets", SubnetIds=subnets,
                         CacheSubnetGroupDescription="two zones")["CacheSubnetGroup"]
        self.assertEqual(made["VpcId"], vpc)
        self.call("CreateCacheParameterGroup", CacheParameterGroupName="settings",
                  CacheParameterGroupFamily="redis7", Description="ours")
        self.set_parameter("reserved-memory-percent", "50")
        user = self.call("DescribeCacheParameters", CacheParameterGroupName="settings",
                         Source="user")["Parameters"]
        self.assertEqual([(p["ParameterName"], p["ParameterValue"]) for p in user],
                         [("reserved-memory-percent", "50")])

    def set_parameter(self, name, value):
        self.call("ModifyCacheParameterGroup", CacheParameterGroupName="settings",
                  ParameterNameValues=[{"ParameterName": name, "ParameterValue": value}])

    def a_node_with_parameters_that_change(self):
        self.refuses("CacheParameterGroupNotFound", "CreateCacheCluster", CacheClusterId="solo",
                     Engine="redis", NumCacheNodes=1, CacheNodeType="cache.t3.micro",
                     CacheParameterGroupName="absent")
        self.call("CreateCacheCluster", CacheClusterId="solo", Engine="redis", NumCacheNodes=1,
                  CacheNodeType="cache.t3.micro", CacheParameterGroupName="settings",
                  CacheSubnetGroupName="nets", Port=CACHE_PORT)
        made = self.await_cluster("solo")
        endpoint = made["CacheNodes"][0]["Endpoint"]
        with contextlib.closing(client(endpoint)) as node:
            node.set("k", "v")
            self.assertEqual(node.info("memory")["maxmemory"], 268435456)
            self.set_parameter("reserved-memory-percent", "25")
            self.set_parameter("maxmemory-policy", "allkeys-lfu")
            until(lambda: node.info("memory")["maxmemory_policy"] == "allkeys-lfu",
                  "the policy has changed", SECONDS)
            self.assertEqual(node.info("memory")["maxmemory"], 402653184)
            self.assertEqual(node.get("k"), b"v")
        until(lambda: self.cluster("solo")["CacheParameterGroup"]["ParameterApplyStatus"]
              == "in-sync", "the node is in sync", SECONDS)
        self.tags_of(made["ARN"])
        self.refuses("InvalidCacheParameterGroupState", "DeleteCacheParameterGroup",
                     CacheParameterGroupName="settings")
        deleted = self.call("DeleteCacheCluster", CacheClusterId="solo")["CacheCluster"]
        self.assertEqual(deleted["CacheClusterStatus"], "deleting")
        self.wait("cache_cluster_deleted", CacheClusterId="solo")
        self.ends(endpoint)

    def tags_of(self, arn):
        self.call("AddTagsToResource", ResourceName=arn,
                  Tags=[{"Key": "team", "Value": "web"}, {"Key": "cost", "Value": "7"}])
        self.call("RemoveTagsFromResource", ResourceName=arn, TagKeys=["cost"])
        self.assertEqual(self.call("ListTagsForResource", ResourceName=arn)["TagList"],
                         [{"Key": "team", "Value": "web"}])

    def a_group_over_zones(self):
        group = self.create_group(
            "demo", 3, AutomaticFailoverEnabled=True, MultiAZEnabled=True, Engine="redis",
            PreferredCacheClusterAZs=ZONES, CacheSubnetGroupName="nets",
            CacheParameterGroupName="settings", Tags=[{"Key": "of", "Value": "demo"}])
        members = group["NodeGroupMembers"]
        self.assertEqual([m["PreferredAvailabilityZone"] for m in members], ZONES)
        self.assertEqual([m["CurrentRole"] for m in members], ["primary", "replica", "replica"])
        self.write_and_read("demo", "first", "1")
        self.assertEqual(client(group["PrimaryEndpoint"]).role()[0], b"master")
        reader = client(group["ReaderEndpoint"])
        self.assertEqual(reader.role()[0], b"slave")
        with self.assertRaises(redis.exceptions.ReadOnlyError):
            reader.set("first", "2")
        self.refuses("ReplicationGroupAlreadyExists", "CreateReplicationGroup",
                     ReplicationGroupId="demo", ReplicationGroupDescription="again",
                     CacheNodeType="cache.t3.micro", NumCacheClusters=1)

    def replicas_come_and_go(self):
        changed = self.call("IncreaseReplicaCount", ReplicationGroupId="demo", NewReplicaCount=3,
                            ApplyImmediately=True)["ReplicationGroup"]
        self.assertEqual(changed["Status"], "modifying")
        self.assertEqual(len(self.await_group("demo")["NodeGroupMembers"]), 4)
        self.write_and_read("demo", "four", "4")
        self.call("DecreaseReplicaCount", ReplicationGroupId="demo", NewReplicaCount=1,
                  ApplyImmediately=True)
        self.assertEqual(len(self.await_group("demo")["NodeGroupMembers"]), 2)
        self.write_and_read("demo", "two", "2")

    def nodes_grow(self):
        endpoint = self.group("demo")["NodeGroups"][0]["PrimaryEndpoint"]
        self.assertIn("cache.t3.small", self.call(
            "ListAllowedNodeTypeModifications",
            ReplicationGroupId="demo")["ScaleUpModifications"])
        group = self.modify_group("demo", CacheNodeType="cache.t3.small")
        self.assertEqual(group["PrimaryEndpoint"], endpoint)
        for member in group["NodeGroupMembers"]:
            node = client(member["ReadEndpoint"])
            self.assertGreater(node.info("memory")["maxmemory"], 1_000_000_000)
            self.assertEqual(node.mget("first", "four", "two"), [b"1", b"4", b"2"])
        self.write_and_read("demo", "grown", "yes")

    def the_primary_fails_over(self):
        before = self.group("demo")["NodeGroups"][0]
        self.call("TestFailover", ReplicationGroupId="demo", NodeGroupId="0001")
        until(lambda: self.primary_of("demo") != self.primary_in(before), "another primary", SECONDS)
        after = self.await_group("demo")
        self.assertEqual(after["PrimaryEndpoint"], before["PrimaryEndpoint"])
        self.assertEqual(client(after["PrimaryEndpoint"]).get("grown"), b"yes")
        self.write_and_read("demo", "failed-over", "yes")
        told = [event["Message"] for event in self.call("DescribeEvents", Duration=60)["Events"]]
        moved = "Failover from primary node {} to replica node {} completed".format(
            self.primary_in(before), self.primary_in(after))
        self.assertEqual(told[told.index("Test Failover API called for node group 0001"):], [
            "Test Failover API called for node group 0001", moved, moved,
            "Recovering cache nodes 0001", "Finished recovery for cache nodes 0001"])

    def node_group(self, name):
        return self.group(name)["NodeGroups"][0]

    @staticmethod
    def primary_in(group):
        return [m["CacheClusterId"] for m in group["NodeGroupMembers"]
                if m["CurrentRole"] == "primary"][0]

    def snapshots_and_a_restored_group(self):
        made = self.call("CreateSnapshot", ReplicationGroupId="demo", SnapshotName="one")["Snapshot"]
        self.assertEqual(made["SnapshotStatus"], "creating")
        self.await_snapshot("one")
        self.await_group("demo")
        self.call("CopySnapshot", SourceSnapshotName="one", TargetSnapshotName="two")
        self.await_snapshot("two")
        self.call("DeleteSnapshot", SnapshotName="one")
        client(self.node_group("demo")["PrimaryEndpoint"]).set("later", "1")
        self.assert_restored("two")

    def assert_restored(self, snapshot, **more):
        """A new group has the data when it is available, and goes on from there."""
        name = f"from-{snapshot}"
        group = self.create_group(name, SnapshotName=snapshot)
        node = client(group["PrimaryEndpoint"])
        self.assertEqual(node.mget("first", "four", "two", "grown", "failed-over", "later"),
                         [b"1", b"4", b"2", b"yes", b"yes", more.get("later")])
        self.write_and_read(name, "new", "1")
        self.delete_group(name)

    def delete_group(self, name, **more):
        endpoint = self.node_group(name)["PrimaryEndpoint"]
        deleted = self.call("DeleteReplicationGroup", ReplicationGroupId=name, **more)
        self.assertEqual(deleted["ReplicationGroup"]["Status"], "deleting")
        self.wait("replication_group_deleted", ReplicationGroupId=name)
        self.ends(endpoint)
        self.refuses("ReplicationGroupNotFoundFault", "DescribeReplicationGroups",
                     ReplicationGroupId=name)

    def tls(self, endpoint, **credentials):
        return client(endpoint, ssl=True, ssl_ca_certs=f"{self.data_dir}/tls/ca.crt",
                      ssl_check_hostname=True, **credentials)

    def is_no_password(self, endpoint, **credentials):
        with self.assertRaisesRegex(redis.exceptions.RedisError, "WRONGPASS|invalid username"):
            self.tls(endpoint, **credentials).ping()

    def await_user(self, name):
        until(lambda: self.call("DescribeUsers", UserId=name)["Users"][0]["Status"] == "active",
              f"user {name} is active", SECONDS)

    def users_behind_tls(self):
        self.call("CreateUser", UserId="nobody", UserName="default", Engine="redis",
                  AccessString="off -@all", NoPasswordRequired=True)
        self.call("CreateUser", UserId="app", UserName="app", Engine="redis",
                  AccessString="on ~app:* +@read +@write", Passwords=[PASSWORD_1])
        self.call("CreateUserGroup", UserGroupId="people", Engine="redis",
                  UserIds=["nobody", "app"])
        until(lambda: self.call("DescribeUserGroups", UserGroupId="people")["UserGroups"][0][
            "Status"] == "active", "the user group is active", SECONDS)
        group = self.create_group("secure", 2, AutomaticFailoverEnabled=True,
                                  TransitEncryptionEnabled=True, UserGroupIds=["people"])
        endpoint = group["PrimaryEndpoint"]
        app = self.tls(endpoint, username="app", password=PASSWORD_1)
        app.set("app:1", "v")
        with self.assertRaises(redis.exceptions.NoPermissionError):
            app.set("other", "v")
        with self.assertRaises(redis.exceptions.AuthenticationError):
            self.tls(endpoint).get("app:1")
        self.call("ModifyUser", UserId="app", Passwords=[PASSWORD_2])
        self.await_user("app")
        for each in (endpoint, group["ReaderEndpoint"]):
            self.is_no_password(each, username="app", password=PASSWORD_1)
            reader = self.tls(each, username="app", password=PASSWORD_2)
            until(lambda: reader.get("app:1") == b"v", "the value is read", SECONDS)
        self.assertEqual(app.get("app:1"), b"v")  # its connection stays
        self.refuses("InvalidUserGroupState", "DeleteUserGroup", UserGroupId="people")
        self.delete_group("secure")
        self.call("DeleteUserGroup", UserGroupId="people")
        for name in ("app", "nobody"):
            self.call("DeleteUser", UserId=name)
        until(lambda: [u["UserId"] for u in self.call("DescribeUsers")["Users"]] == ["default"],
              "the users are gone", SECONDS)

    def a_token_behind_tls(self):
        endpoint = self.create_group("token", TransitEncryptionEnabled=True,
                                     AuthToken=TOKEN_1)["PrimaryEndpoint"]
        self.tls(endpoint, password=TOKEN_1).set("k", "v")
        self.modify_group("token", AuthToken=TOKEN_2, AuthTokenUpdateStrategy="ROTATE")
        for token in (TOKEN_1, TOKEN_2):
            self.assertEqual(self.tls(endpoint, password=token).get("k"), b"v")
        self.modify_group("token", AuthToken=TOKEN_2, AuthTokenUpdateStrategy="SET")
        self.assertEqual(self.tls(endpoint, password=TOKEN_2).get("k"), b"v")
        self.is_no_password(endpoint, password=TOKEN_1)
        self.delete_group("token")

    def memcached_out_and_in(self):
        self.call("CreateCacheCluster", CacheClusterId="mc", Engine="memcached", NumCacheNodes=2,
                  CacheNodeType="cache.t3.micro", AZMode="cross-az", Port=CACHE_PORT,
                  PreferredAvailabilityZones=ZONES[:2])
        made = self.await_cluster("mc")
        self.assertEqual([n["CustomerAvailabilityZone"] for n in made["CacheNodes"]], ZONES[:2])
        self.discovers(made, 2)
        with connect(made["CacheNodes"][0]["Endpoint"]) as link:
            link.set("k", "v")
        self.call("ModifyCacheCluster", CacheClusterId="mc", NumCacheNodes=4, ApplyImmediately=True)
        self.discovers(self.await_cluster("mc"), 4)
        self.call("ModifyCacheCluster", CacheClusterId="mc", NumCacheNodes=2, ApplyImmediately=True,
                  CacheNodeIdsToRemove=["0002", "0003"])
        left = self.await_cluster("mc")
        self.assertEqual([n["CacheNodeId"] for n in left["CacheNodes"]], ["0001", "0004"])
        self.discovers(left, 2)
        with connect(left["CacheNodes"][0]["Endpoint"]) as link:
            self.assertEqual(link.get("k"), b"v")
        self.call("DeleteCacheCluster", CacheClusterId="mc")
        self.wait("cache_cluster_deleted", CacheClusterId="mc")
        with self.assertRaises(OSError):
            discover(left["ConfigurationEndpoint"])

    def discovers(self, cluster, count):
        """That auto discovery names all nodes, and that each takes data."""
        nodes = [node["Endpoint"] for node in cluster["CacheNodes"]]
        self.assertEqual(len(nodes), count)
        wanted = [f"{e['Address']}|{e['Address']}|{e['Port']}" for e in nodes]
        self.assertEqual(discover(cluster["ConfigurationEndpoint"])[1].split(" "), wanted)
        for endpoint in nodes:
            with connect(endpoint) as link:
                self.assertTrue(link.set("each", "1"))

    def the_end_with_a_last_snapshot(self):
        self.delete_group("demo", FinalSnapshotIdentifier="last")
        self.await_snapshot("last")
        self.assert_restored("last", later=b"1")

    def nothing_is_left(self):
        for name in ("two", "last"):
            self.call("DeleteSnapshot", SnapshotName=name)
        until(lambda: self.call("DescribeSnapshots")["Snapshots"] == [], "no snapshots", SECONDS)
        self.call("DeleteCacheParameterGroup", CacheParameterGroupName="settings")
        self.refuses("CacheParameterGroupNotFound", "DescribeCacheParameterGroups",
                     CacheParameterGroupName="settings")
        self.call("DeleteCacheSubnetGroup", CacheSubnetGroupName="nets")
        self.assertEqual(self.call("DescribeReplicationGroups")["ReplicationGroups"], [])
        self.assertEqual(self.call("DescribeCacheClusters")["CacheClusters"], [])
        self.assertEqual(os.listdir(os.path.join(self.data_dir, "nodes")), [])
