#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What clients of a managed cache cannot do, whatever their rights: commands that are the service's business.

  tests/system/restricted_commands_test.py
"""

import os
import signal
import unittest

import redis

import service

RESTRICTED = ["CONFIG GET *", "CONFIG SET maxmemory 0", "CONFIG REWRITE", "CONFIG HELP", "DEBUG SLEEP 0",
              "REPLICAOF NO ONE", "SLAVEOF NO ONE", "SHUTDOWN", "SHUTDOWN NOSAVE", "SAVE", "BGSAVE",
              "BGREWRITEAOF", "MIGRATE 127.0.0.1 1 key 0 100", "FAILOVER", "MODULE LIST", "SYNC",
              "PSYNC ? -1"]
RESTRICTED_SUBCOMMANDS = ["ACL SETUSER x on", "ACL DELUSER default", "ACL LOAD", "ACL SAVE",
                          "CLUSTER MEET 127.0.0.1 1", "CLUSTER FAILOVER"]


class RestrictedCommandsTest(service.Service):
    def refused(self, words, call):
        with self.assertRaises(redis.exceptions.ResponseError, msg=words) as caught:
            call()
        return str(caught.exception)

    def expect_refused(self, endpoint):
        with service.client(endpoint) as node:
            for words in RESTRICTED:
                arguments = words.split()
                said = self.refused(words, lambda: node.execute_command(*arguments))
                begin = f"unknown command '{arguments[0]}', with args beginning with: "
                self.assertTrue(said.startswith(begin), said)
            for words in RESTRICTED_SUBCOMMANDS:
                command, subcommand, *more = words.split()
                # In one word "ACL SETUSER" redis-py takes both apart again.
                said = self.refused(words, lambda: node.execute_command(command, subcommand, *more))
                self.assertIn(f"unknown subcommand '{subcommand}'", said)
            self.expect_refused_inside(node)
            self.assertTrue(node.ping())
            self.assertEqual(node.acl_whoami(), "default")
            names = node.execute_command("COMMAND LIST")
            self.assertNotIn(b"config", names)
            self.assertNotIn(b"acl|setuser", names)
            self.assertIn(b"acl|getuser", names)

    def expect_refused_inside(self, node):
        """In scripts and transactions, too."""
        self.assertIn("Unknown Redis command", self.refused("EVAL", lambda: node.eval(
            "return redis.call('MIGRATE', '127.0.0.1', 1, 'key', 0, 100)", 0)))
        with node.pipeline(transaction=True) as pipeline:
            pipeline.execute_command("CONFIG", "SET", "maxmemory", "0")
            self.assertIn("unknown command 'CONFIG'", self.refused("EXEC", pipeline.execute))

    def test_a_group_refuses_them_and_goes_on(self):
        group = self.create_group("demo", 3)
        self.write_everywhere("demo", "before", "1")
        for member in group["NodeGroupMembers"]:
            self.expect_refused(member["ReadEndpoint"])
        self.expect_refused(group["PrimaryEndpoint"])
        self.write_everywhere("demo", "after", "2")
        # A replica that begins anew copies from a node that refuses PSYNC to clients.
        lost = self.pid_of("demo-003")
        os.kill(lost, signal.SIGKILL)
        service.until(lambda: self.status("demo") != "available", "the loss is seen")
        service.until(lambda: self.status("demo") == "available", "the group is whole again")
        self.write_everywhere("demo", "again", "3")

    def test_a_user_with_all_rights_has_them_neither(self):
        password = "a-password-of-16"
        self.cache.create_user(UserId="everything", UserName="everything", Engine="redis",
                               Passwords=[password], AccessString="on ~* &* +@all")
        self.cache.create_user(UserId="nobody", UserName="default", Engine="redis",
                               NoPasswordRequired=True, AccessString="off -@all")
        self.cache.create_user_group(UserGroupId="people", Engine="redis",
                                     UserIds=["everything", "nobody"])
        self.cache.create_replication_group(
            ReplicationGroupId="demo", ReplicationGroupDescription="a test", Port=service.CACHE_PORT,
            CacheNodeType="cache.t3.micro", NumCacheClusters=2, AutomaticFailoverEnabled=True,
            TransitEncryptionEnabled=True, UserGroupIds=["people"])
        service.until(lambda: self.status("demo") == "available", "the group is available")
        endpoint = self.node_group("demo")["PrimaryEndpoint"]
        with redis.Redis(host=endpoint["Address"], port=endpoint["Port"], username="everything",
                         password=password, ssl=True,
                         ssl_ca_certs=f"{self.data_dir}/tls/ca.crt") as node:
            for words in RESTRICTED:
                self.refused(words, lambda: node.execute_command(*words.split()))
            self.assertIn("unknown subcommand", self.refused(
                "ACL SETUSER", lambda: node.execute_command("ACL", "SETUSER", "default", "on")))
            node.set("k", "v")

    def test_a_cluster_of_one_node_refuses_them(self):
        self.cache.create_cache_cluster(CacheClusterId="one", Engine="redis", NumCacheNodes=1,
                                        CacheNodeType="cache.t3.micro", Port=service.CACHE_PORT)
        service.until(lambda: self.cluster("one")["CacheClusterStatus"] == "available", "one is available")
        self.expect_refused(self.cluster("one")["CacheNodes"][0]["Endpoint"])


if __name__ == "__main__":
    unittest.main()
