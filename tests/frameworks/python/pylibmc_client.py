# SPDX-License-Identifier: Apache-2.0
"""pylibmc (libmemcached): both protocols of memcached."""
import unittest

import pylibmc
from support import MEMCACHED


class AnyProtocol:
    def setUp(self):
        self.client = pylibmc.Client([MEMCACHED], binary=self.binary, behaviors=self.behaviors)
        self.addCleanup(self.client.disconnect_all)
        self.client.flush_all()

    def test_values(self):
        self.assertTrue(self.client.set("k", {"a": [1, 2]}, time=600))
        self.assertEqual(self.client.get("k"), {"a": [1, 2]})
        self.assertIsNone(self.client.get("absent"))
        self.assertFalse(self.client.add("k", 1))
        self.assertTrue(self.client.replace("k", b"bytes"))
        self.assertTrue(self.client.append("k", b"!"))
        self.assertTrue(self.client.prepend("k", b">"))
        self.assertEqual(self.client.get("k"), b">bytes!")
        self.assertTrue(self.client.delete("k"))
        self.assertFalse(self.client.delete("k"))

    def test_numbers(self):
        self.client.set("n", 10)
        self.assertEqual(self.client.incr("n", 5), 15)
        self.assertEqual(self.client.decr("n", 20), 0)

    def test_several_at_once(self):
        self.assertEqual(self.client.set_multi({f"k{i}": "x" * i for i in range(300)}), [])
        got = self.client.get_multi([f"k{i}" for i in range(300)] + ["no"])
        self.assertEqual(got, {f"k{i}": "x" * i for i in range(300)})
        self.assertTrue(self.client.delete_multi(["k1", "k2"]))

    def test_compressed_and_large(self):
        value = "abc" * 300000
        self.assertTrue(self.client.set("large", value, min_compress_len=1000))
        self.assertEqual(self.client.get("large"), value)


class Text(AnyProtocol, unittest.TestCase):
    binary = False
    behaviors = {"tcp_nodelay": True, "cas": True}

    def test_compare_and_swap(self):
        self.client.set("k", 1)
        value, cas = self.client.gets("k")
        self.assertEqual(value, 1)
        self.assertTrue(self.client.cas("k", 2, cas))
        self.assertFalse(self.client.cas("k", 3, cas))


class Binary(AnyProtocol, unittest.TestCase):
    binary = True
    behaviors = {"tcp_nodelay": True}


if __name__ == "__main__":
    unittest.main()
