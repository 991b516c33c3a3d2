#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stores through a Memcached cluster with a client that spreads the keys, and reads all back.

  memcached_round_trip.py HOST:PORT...
"""
import sys

from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient

KEYS = 100


def main():
    nodes = [tuple(node.rsplit(":", 1)) for node in sys.argv[1:]]
    nodes = [(host, int(port)) for host, port in nodes]
    cluster = HashClient(nodes, connect_timeout=5, timeout=5)
    values = {f"session:{number}": f"user {number}".encode() for number in range(KEYS)}
    for key, value in values.items():
        cluster.set(key, value, expire=300, noreply=False)
    read = {key: cluster.get(key) for key in values}
    wrong = [key for key in values if read[key] != values[key]]
    shares = [sum(Client(node, timeout=5).get(key) is not None for key in values) for node in nodes]
    print(f"   {KEYS} keys stored, {KEYS - len(wrong)} read back; by node: "
          + ", ".join(f"{host}:{port} holds {share}" for (host, port), share in zip(nodes, shares)))
    return 1 if wrong or sum(shares) != KEYS or min(shares) == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
