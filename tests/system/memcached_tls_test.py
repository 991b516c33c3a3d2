# SPDX-License-Identifier: Apache-2.0
"""A memcached cluster with TransitEncryptionEnabled: all its addresses speak TLS, and TLS alone."""

import contextlib
import os
import signal
import ssl
import unittest

from pymemcache.client.base import Client

from memcached_test import discover
from service import CACHE_PORT, Service, until


class MemcachedTls(Service):
    def setUp(self):
        super().setUp()
        self.created = self.create("mc")
        until(self.available, "the cluster is available")
        self.tls = ssl.create_default_context(cafile=f"{self.data_dir}/tls/ca.crt")

    def create(self, name, **more):
        asked = dict(Engine="memcached", CacheNodeType="cache.t3.micro", NumCacheNodes=2,
                     Port=CACHE_PORT, TransitEncryptionEnabled=True)
        asked.update(more)
        return self.cache.create_cache_cluster(CacheClusterId=name, **asked)["CacheCluster"]

    def available(self):
        return self.cluster("mc")["CacheClusterStatus"] == "available"

    def connect(self, endpoint, tls=True):
        return contextlib.closing(Client(
            (endpoint["Address"], endpoint["Port"]), timeout=5, connect_timeout=5,
            default_noreply=False, tls_context=self.tls if tls else None))

    def endpoints(self):
        cluster = self.cluster("mc")
        return [*[node["Endpoint"] for node in cluster["CacheNodes"]],
                cluster["ConfigurationEndpoint"]]

    def expect_tls_everywhere(self):
        for endpoint in self.endpoints():
            with self.connect(endpoint) as link:
                self.assertTrue(link.set("key", "value"))
                self.assertEqual(link.get("key"), b"value")
            nodes = discover(endpoint, self.tls)[1].split(" ")
            self.assertEqual(nodes, [f"{e['Address']}|{e['Address']}|{e['Port']}"
                                     for e in self.endpoints()[:-1]])
            with self.connect(endpoint, tls=False) as link, self.assertRaises(Exception):
                link.get("key")

    def test_every_address_speaks_tls_and_tls_alone(self):
        self.assertTrue(self.created["TransitEncryptionEnabled"])
        self.assertTrue(self.cluster("mc")["TransitEncryptionEnabled"])
        self.expect_tls_everywhere()

    def test_nodes_that_are_lost_or_added_have_it(self):
        os.kill(self.pid_of("mc", "0002"), signal.SIGKILL)
        until(lambda: not self.available(), "the loss is seen")
        until(self.available, "the node is back")
        self.cache.modify_cache_cluster(CacheClusterId="mc", NumCacheNodes=3, ApplyImmediately=True)
        until(self.available, "a node was added")
        self.assertEqual(len(self.endpoints()), 4)
        self.expect_tls_everywhere()

    def test_it_outlives_the_service(self):
        self.kill()
        self.start()
        until(self.available, "the cluster is available")
        self.expect_tls_everywhere()

    def test_where_elasticache_has_none_it_is_refused(self):
        errors = self.cache.exceptions
        with self.assertRaises(errors.InvalidParameterCombinationException):
            self.create("old", EngineVersion="1.6.6")
        with self.assertRaises(errors.InvalidParameterValueException):
            self.create("one", Engine="redis", NumCacheNodes=1)


if __name__ == "__main__":
    unittest.main()
