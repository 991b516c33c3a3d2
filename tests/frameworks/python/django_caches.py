# SPDX-License-Identifier: Apache-2.0
"""Django: caches (django-redis, and pymemcache on the memcached port) and sessions in them."""
import unittest

import django
from django.conf import settings
from support import MEMCACHED, URL, until

settings.configure(
    CACHES={
        "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"{URL}/1",
                    "KEY_PREFIX": "site"},
        "memcached": {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
                      "LOCATION": MEMCACHED},
    },
    SESSION_ENGINE="django.contrib.sessions.backends.cache", SECRET_KEY="secret")
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402
from django.core.cache import caches  # noqa: E402


class AnyCache:
    """What holds for every cache of Django."""

    def setUp(self):
        self.cache = caches[self.name]
        self.cache.clear()

    def test_values_of_all_kinds(self):
        for value in ({"a": [1, None]}, "text", 7, 1.5, b"\0\r\n", "ä" * 1000, True):
            self.cache.set("k", value)
            self.assertEqual(self.cache.get("k"), value)
        self.assertEqual(self.cache.get("absent", "default"), "default")

    def test_add_and_get_or_set(self):
        self.assertTrue(self.cache.add("k", 1))
        self.assertFalse(self.cache.add("k", 2))
        self.assertEqual(self.cache.get_or_set("k", lambda: 3), 1)
        self.assertEqual(self.cache.get_or_set("other", lambda: 3), 3)

    def test_numbers(self):
        self.cache.set("n", 10)
        self.assertEqual(self.cache.incr("n", 5), 15)
        self.assertEqual(self.cache.decr("n"), 14)
        self.assertRaises(ValueError, self.cache.incr, "absent")

    def test_several_at_once(self):
        self.assertFalse(self.cache.set_many({f"k{i}": i for i in range(100)}))
        self.assertEqual(self.cache.get_many(["k1", "k99", "no"]), {"k1": 1, "k99": 99})
        self.cache.delete_many(["k1", "k2"])
        self.assertFalse(self.cache.has_key("k1"))

    def test_deadlines(self):
        self.cache.set("k", 1, timeout=1)
        self.assertTrue(self.cache.touch("k", 600))
        self.cache.set("short", 1, timeout=1)
        until(lambda: self.cache.get("short") is None, "the deadline")
        self.assertEqual(self.cache.get("k"), 1)

    def test_versions(self):
        self.cache.set("k", "one", version=1)
        self.cache.set("k", "two", version=2)
        self.assertEqual(self.cache.get("k", version=2), "two")
        self.assertEqual(self.cache.get("k"), "one")


class RedisCache(AnyCache, unittest.TestCase):
    name = "default"

    def test_patterns_ttl_and_locks(self):
        self.cache.set_many({f"user:{i}": i for i in range(50)}, timeout=600)
        self.cache.set("kept", 1, timeout=None)
        self.assertEqual(len(list(self.cache.iter_keys("user:*"))), 50)
        self.assertIn(self.cache.ttl("user:1"), range(590, 601))
        self.assertIsNone(self.cache.ttl("kept"))
        self.assertEqual(self.cache.delete_pattern("user:*"), 50)
        self.assertEqual(self.cache.get("kept"), 1)
        with self.cache.lock("guard", timeout=10):
            self.assertFalse(self.cache.lock("guard", timeout=10).acquire(blocking=False))

    def test_sessions(self):
        session = SessionStore()
        session["user"] = "ann"
        session.save()
        again = SessionStore(session.session_key)
        self.assertEqual(again["user"], "ann")
        again.cycle_key()
        self.assertFalse(SessionStore().exists(session.session_key))
        again.flush()
        self.assertIsNone(again.session_key)


class MemcachedCache(AnyCache, unittest.TestCase):
    name = "memcached"


if __name__ == "__main__":
    unittest.main()
