# SPDX-License-Identifier: Apache-2.0
"""Replicas come and go and nodes change their size, under a load of writes."""

import datetime
import unittest
import urllib.parse
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from service import Service, client, until
from writer import Writer


class Scaling(Service):
    def available(self):
        return until(lambda: self.status("demo") == "available", "the group is available", 60)

    def test_replicas_come_and_go(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        with Writer(endpoint) as writer:
            until(lambda: writer.acknowledged > 1000, "there are data")
            answer = self.cache.increase_replica_count(
                ReplicationGroupId="demo", NewReplicaCount=4, ApplyImmediately=True)
            self.assertEqual(answer["ReplicationGroup"]["Status"], "modifying")
            self.assertEqual(answer["ReplicationGroup"]["MemberClusters"],
                             [f"demo-00{i}" for i in (1, 2, 3, 4, 5)])
            print(f"  3 replicas added in {self.available():.2f} s")
            self.assertEqual(self.cluster("demo-005")["CacheClusterStatus"], "available")
            self.cache.decrease_replica_count(
                ReplicationGroupId="demo", ReplicasToRemove=["demo-002", "demo-004"],
                ApplyImmediately=True)
            print(f"  2 replicas removed in {self.available():.2f} s")
        writer.describe("replicas come and go")
        group = self.group("demo")
        self.assertEqual(group["MemberClusters"], ["demo-001", "demo-003", "demo-005"])
        for member in group["NodeGroups"][0]["NodeGroupMembers"]:
            until(lambda: writer.lost(member["ReadEndpoint"]) == 0,
                  f"{member['CacheClusterId']} has all")
        with self.assertRaises(self.cache.exceptions.CacheClusterNotFoundFault):
            self.cluster("demo-002")
        with self.assertRaises(AssertionError):
            self.pid_of("demo-002")
        self.assertEqual(writer.errors, [])
        self.assertEqual(writer.retries, 0, "the primary was not touched")

    def test_a_cluster_joins_as_a_replica_and_is_deleted(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        client(endpoint).set("kept", "yes")
        self.cache.create_cache_cluster(CacheClusterId="more", ReplicationGroupId="demo")
        self.available()
        member = [m for m in self.node_group("demo")["NodeGroupMembers"]
                  if m["CacheClusterId"] == "more"][0]
        self.assertEqual(member["CurrentRole"], "replica")
        self.assertEqual(client(member["ReadEndpoint"]).get("kept"), b"yes")
        self.cache.delete_cache_cluster(CacheClusterId="more")
        self.available()
        self.assertEqual(self.group("demo")["MemberClusters"], ["demo-001", "demo-002"])

    def test_nodes_of_another_size_take_over(self):
        endpoint = self.create_group("demo", 3)["PrimaryEndpoint"]
        with Writer(endpoint) as writer:
            for node_type, limit in (("cache.t3.small", 1103269725), ("cache.t3.micro", 402653184)):
                seen = writer.acknowledged
                until(lambda: writer.acknowledged > seen + 1000, "writes go on")
                self.cache.modify_replication_group(
                    ReplicationGroupId="demo", CacheNodeType=node_type, ApplyImmediately=True)
                self.assertEqual(
                    self.cluster("demo-001")["PendingModifiedValues"]["CacheNodeType"], node_type)
                print(f"  {node_type} after {self.available():.2f} s")
                group = self.group("demo")
                self.assertEqual(group["CacheNodeType"], node_type)
                self.assertEqual(group["MemberClusters"], ["demo-001", "demo-002", "demo-003"])
                self.assertEqual(group["NodeGroups"][0]["PrimaryEndpoint"], endpoint)
                for member in group["NodeGroups"][0]["NodeGroupMembers"]:
                    node = client(member["ReadEndpoint"])
                    self.assertAlmostEqual(node.info("memory")["maxmemory"], limit, delta=2)
                    self.assertEqual(self.cluster(member["CacheClusterId"])["CacheNodeType"],
                                     node_type)
        writer.describe("scaled up and down")
        self.assertEqual(writer.errors, [])
        self.assertEqual(writer.lost(), 0)
        self.assertLess(writer.longest_gap, 2.0)

    def test_a_change_that_waits_for_the_window_is_shown_and_changes_nothing(self):
        self.create_group("demo", 2)
        pid = self.pid_of("demo-001")
        self.cache.modify_replication_group(
            ReplicationGroupId="demo", CacheNodeType="cache.t3.small", EngineVersion="7.1",
            PreferredMaintenanceWindow=self.distant_window(), ApplyImmediately=False)
        self.assertEqual(self.status("demo"), "available")
        pending = self.cluster("demo-002")["PendingModifiedValues"]
        self.assertEqual(pending["CacheNodeType"], "cache.t3.small")
        self.assertEqual(self.pid_of("demo-001"), pid)

    @staticmethod
    def distant_window():
        day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a")
        return f"{day.lower()}:05:00-{day.lower()}:06:00"

    def test_redis_becomes_valkey(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        self.write_everywhere("demo", "kept", "yes")
        # Debian's model does not know the parameter.
        self.call("ModifyReplicationGroup", ReplicationGroupId="demo", Engine="valkey",
                  EngineVersion="8.0", ApplyImmediately="true")
        self.assertEqual(self.status("demo"), "modifying")
        self.available()
        cluster = self.cluster("demo-001")
        self.assertEqual(cluster["Engine"], "valkey")
        self.assertEqual(cluster["EngineVersion"], "8.0.1")
        self.assertEqual(cluster["CacheParameterGroup"]["CacheParameterGroupName"], "default.valkey8")
        self.assertEqual(client(endpoint).get("kept"), b"yes")
        for member in self.node_group("demo")["NodeGroupMembers"]:
            shown = client(member["ReadEndpoint"]).info("server")
            self.assertEqual((shown["server_name"], shown["valkey_version"]), ("valkey", "8.0.1"))

    def call(self, action, **parameters):
        """A request of members that Debian's boto3 does not have."""
        body = urllib.parse.urlencode({"Action": action, "Version": "2015-02-02", **parameters})
        url = f"http://127.0.0.1:{self.port}/"
        request = AWSRequest("POST", url, data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded"})
        SigV4Auth(Credentials("test", "test"), "elasticache", "ap-northeast-1").add_auth(request)
        with urllib.request.urlopen(urllib.request.Request(
                url, body.encode(), dict(request.headers.items()))) as answer:
            return answer.read()

    def test_a_kill_of_the_service_in_the_middle_loses_nothing(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        with Writer(endpoint) as writer:
            until(lambda: writer.acknowledged > 200, "there are data")
            self.cache.modify_replication_group(
                ReplicationGroupId="demo", CacheNodeType="cache.t3.small", ApplyImmediately=True)
            for _ in range(6):
                seen = writer.acknowledged
                until(lambda: writer.acknowledged > seen + 50, "writes go on")
                self.kill()
                self.start()
            self.available()
        writer.describe("scaled up with the service killed 6 times")
        self.assertEqual(self.group("demo")["CacheNodeType"], "cache.t3.small")
        self.assertEqual(writer.errors, [])
        self.assertEqual(writer.lost(), 0)


if __name__ == "__main__":
    unittest.main()
