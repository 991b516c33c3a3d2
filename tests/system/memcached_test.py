# SPDX-License-Identifier: Apache-2.0
"""A memcached cluster: its nodes, its configuration endpoint, auto discovery, its end."""

import contextlib
import os
import signal
import socket
import unittest

from pymemcache.client.base import Client

from service import Service, until


def connect(endpoint):
    """A connection that waits for the answer to each write."""
    return contextlib.closing(Client((endpoint["Address"], endpoint["Port"]), timeout=5,
                                     connect_timeout=5, default_noreply=False))


def discover(endpoint, tls=None):
    """The lines of "config get cluster"; tls: an ssl.SSLContext."""
    with contextlib.ExitStack() as stack:
        link = stack.enter_context(
            socket.create_connection((endpoint["Address"], endpoint["Port"]), 5))
        if tls is not None:
            link = stack.enter_context(tls.wrap_socket(link, server_hostname=endpoint["Address"]))
        link.sendall(b"config get cluster\r\n")
        answer = b""
        while not answer.endswith(b"END\r\n"):
            part = link.recv(4096)
            if not part:
                break
            answer += part
    return answer.decode().split("\r\n")[1].split("\n")


class Memcached(Service):
    def setUp(self):
        super().setUp()
        self.cache.create_cache_cluster(
            CacheClusterId="mc", Engine="memcached", CacheNodeType="cache.t3.micro",
            NumCacheNodes=3, AZMode="cross-az")
        until(self.available, "the cluster is available")

    def available(self):
        return self.cluster("mc")["CacheClusterStatus"] == "available"

    def test_each_node_serves_its_own_data(self):
        endpoints = [node["Endpoint"] for node in self.cluster("mc")["CacheNodes"]]
        self.assertEqual(len({endpoint["Address"] for endpoint in endpoints}), 3)
        for number, endpoint in enumerate(endpoints):
            with connect(endpoint) as link:
                link.set("which", str(number))
        for number, endpoint in enumerate(endpoints):
            with connect(endpoint) as link:
                self.assertEqual(link.get("which"), str(number).encode())

    def test_the_configuration_endpoint_tells_all_nodes(self):
        lines = discover(self.cluster("mc")["ConfigurationEndpoint"])
        self.assertEqual(lines[0], "1")
        expected = ["{0}|{0}|{1}".format(node["Endpoint"]["Address"], node["Endpoint"]["Port"])
                    for node in self.cluster("mc")["CacheNodes"]]
        self.assertEqual(lines[1].split(" "), expected)

    def test_a_killed_node_comes_back(self):
        os.kill(self.pid_of("mc", "0002"), signal.SIGKILL)
        until(lambda: not self.available(), "the loss is seen")
        until(self.available, "the node is back")
        node = self.cluster("mc")["CacheNodes"][1]["Endpoint"]
        with connect(node) as link:
            self.assertTrue(link.set("x", "1"))

    def test_deletion_leaves_nothing(self):
        self.cache.delete_cache_cluster(CacheClusterId="mc")
        until(lambda: not self.cache.describe_cache_clusters()["CacheClusters"], "it is gone")
        with self.assertRaises(self.cache.exceptions.CacheClusterNotFoundFault):
            self.cluster("mc")
        self.assertEqual(os.listdir(os.path.join(self.data_dir, "nodes")), [])


if __name__ == "__main__":
    unittest.main()
