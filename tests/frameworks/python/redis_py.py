# SPDX-License-Identifier: Apache-2.0
"""redis-py: locks, pipelines, transactions, pub/sub, scripts, streams with groups, blocking pops."""
import threading
import time
import unittest

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from support import HOST, PORT, until


def connect(**options):
    return redis.Redis(host=HOST, port=PORT, socket_timeout=10, decode_responses=True, **options)


class RedisPy(unittest.TestCase):
    def setUp(self):
        self.redis = connect()
        self.addCleanup(self.redis.close)
        self.redis.flushall()

    def in_thread(self, work):
        """Runs the work beside; returns a function that waits for its value."""
        values, errors = [], []

        def run():
            try:
                values.append(work())
            except Exception as error:  # handed to whoever waits
                errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def result():
            thread.join(15)
            self.assertFalse(thread.is_alive(), "the thread has not ended")
            if errors:
                raise errors[0]
            return values[0]

        return result


class Locks(RedisPy):
    def test_one_holder_at_a_time(self):
        with self.redis.lock("lock", timeout=10) as lock:
            self.assertTrue(lock.locked())
            self.assertTrue(lock.owned())
            other = self.redis.lock("lock", timeout=10)
            self.assertFalse(other.acquire(blocking=False))
            self.assertFalse(other.acquire(blocking_timeout=0.2))
        self.assertFalse(lock.locked())
        self.assertTrue(other.acquire(blocking=False))
        other.release()

    def test_extended_and_reacquired(self):
        lock = self.redis.lock("lock", timeout=5)
        lock.acquire()
        lock.extend(60)
        self.assertGreater(self.redis.pttl("lock"), 60000)
        lock.extend(20, replace_ttl=True)
        self.assertLessEqual(self.redis.pttl("lock"), 20000)
        lock.reacquire()
        self.assertLessEqual(self.redis.pttl("lock"), 5000)
        lock.release()

    def test_a_lock_that_ended_cannot_be_released(self):
        lock = self.redis.lock("lock", timeout=0.1)
        lock.acquire()
        until(lambda: not lock.locked(), "the lock ends")
        with self.assertRaises(redis.exceptions.LockNotOwnedError):
            lock.release()

    def test_a_counter_kept_by_a_lock(self):
        def count():
            client = connect()
            for _ in range(10):
                with client.lock("guard", timeout=20, sleep=0.001):
                    value = int(client.get("counter") or 0)
                    client.set("counter", value + 1)
            client.close()

        for result in [self.in_thread(count) for _ in range(4)]:
            result()
        self.assertEqual(self.redis.get("counter"), "40")


class Pipelines(RedisPy):
    def test_replies_in_order_and_errors_in_place(self):
        replies = self.redis.pipeline(transaction=False).set("k", "v").lpush("k", 1).get(
            "k").execute(raise_on_error=False)
        self.assertEqual((replies[0], replies[2]), (True, "v"))
        self.assertIsInstance(replies[1], redis.ResponseError)
        self.assertTrue(str(replies[1]).startswith("WRONGTYPE"), replies[1])
        with self.assertRaisesRegex(redis.ResponseError, "Command # 2 .*lpush"):
            self.redis.pipeline().set("k", "v").execute_command("lpush", "k", 1).execute()

    def test_a_transaction_that_is_tried_again(self):
        other, tries = connect(), []
        self.addCleanup(other.close)

        def increase(pipe):
            value = int(pipe.get("n") or 0)
            tries.append(value)
            if len(tries) < 3:
                other.incr("n", 10)
            pipe.multi()
            pipe.set("n", value + 1)
            return value + 1

        self.assertEqual(self.redis.transaction(increase, "n", value_from_callable=True), 21)
        self.assertEqual(tries, [0, 10, 20])
        with self.redis.pipeline() as pipe:
            pipe.watch("n")
            other.set("n", "changed")
            pipe.multi()
            pipe.get("n")
            self.assertRaises(redis.WatchError, pipe.execute)

    def test_ten_thousand_commands(self):
        pipe = self.redis.pipeline(transaction=True)
        for i in range(10000):
            pipe.hset("h", i, i)
        self.assertEqual(sum(pipe.execute()), 10000)
        self.assertEqual(len(self.redis.hgetall("h")), 10000)


class Messages(RedisPy):
    def test_channels_patterns_and_handlers(self):
        pubsub, handled = self.redis.pubsub(), []
        pubsub.subscribe("plain", **{"handled": handled.append})
        pubsub.psubscribe("p*")
        for _ in range(3):
            self.assertIn(pubsub.get_message(timeout=10)["type"], ("subscribe", "psubscribe"))
        self.assertEqual(self.redis.publish("plain", "hello"), 2)
        self.assertEqual(self.redis.publish("handled", "there"), 1)
        got = [pubsub.get_message(timeout=10) for _ in range(3)]
        self.assertEqual([(m["type"], m["data"]) for m in got[:2]],
                         [("message", "hello"), ("pmessage", "hello")])
        self.assertEqual([m["data"] for m in handled], ["there"])
        self.assertEqual(self.redis.pubsub_numsub("plain", "none"), [("plain", 1), ("none", 0)])
        self.assertEqual(self.redis.pubsub_numpat(), 1)
        pubsub.ping()
        self.assertEqual(pubsub.get_message(timeout=10)["type"], "pong")
        pubsub.close()
        until(lambda: not self.redis.pubsub_channels(), "no channel is left")

    def test_a_thread_that_listens(self):
        pubsub, got = self.redis.pubsub(ignore_subscribe_messages=True), []
        pubsub.subscribe(work=got.append)
        thread = pubsub.run_in_thread(sleep_time=0.01)
        for i in range(100):
            self.redis.publish("work", i)
        until(lambda: len(got) == 100, "100 messages")
        thread.stop()
        thread.join(10)
        self.assertEqual([m["data"] for m in got], [str(i) for i in range(100)])

    def test_key_events(self):
        self.redis.config_set("notify-keyspace-events", "KEA")
        pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
        pubsub.psubscribe("__key*__:*")
        until(lambda: self.redis.pubsub_numpat() == 1, "subscribed")
        self.redis.set("k", "v", px=20)
        events = []

        def expired():
            message = pubsub.get_message(timeout=1)
            events.extend([message["channel"]] if message else [])
            return "__keyevent@0__:expired" in events

        until(expired, "the key expires")
        for name in ("__keyevent@0__:set", "__keyspace@0__:k", "__keyevent@0__:expire"):
            self.assertIn(name, events)
        pubsub.close()


class Scripts(RedisPy):
    def test_registered_scripts_survive_a_flush(self):
        multiply = self.redis.register_script(
            "local v = redis.call('GET', KEYS[1]) return v * ARGV[1]")
        self.redis.set("n", 3)
        self.assertEqual(multiply(keys=["n"], args=[4]), 12)
        self.redis.script_flush()
        self.assertEqual(multiply(keys=["n"], args=[5]), 15)
        self.redis.script_flush()
        pipe = self.redis.pipeline()
        multiply(keys=["n"], args=[2], client=pipe)
        multiply(keys=["n"], args=[3], client=pipe)
        self.assertEqual(pipe.execute(), [6, 9])
        self.assertEqual(self.redis.script_exists(multiply.sha), [True])

    def test_functions(self):
        self.redis.function_load("#!lua name=lib\nredis.register_function('f', function(keys, args) "
                                 "return redis.call('INCRBY', keys[1], args[1]) end)")
        self.assertEqual(self.redis.fcall("f", 1, "n", 7), 7)
        self.assertEqual(self.redis.function_list(library="lib")[0][1], "lib")
        self.redis.function_delete("lib")
        self.assertRaises(redis.ResponseError, self.redis.fcall, "f", 1, "n", 7)


class Streams(RedisPy):
    def test_a_group_of_two(self):
        self.redis.xgroup_create("s", "g", id="0", mkstream=True)
        ids = [self.redis.xadd("s", {"n": i}) for i in range(10)]
        first = self.redis.xreadgroup("g", "one", {"s": ">"}, count=6)[0][1]
        second = self.redis.xreadgroup("g", "two", {"s": ">"}, count=6)[0][1]
        self.assertEqual([i for i, _ in first + second], ids)
        self.assertEqual(self.redis.xack("s", "g", *ids[:5]), 5)
        summary = self.redis.xpending("s", "g")
        self.assertEqual((summary["pending"], summary["min"], summary["max"]), (5, ids[5], ids[9]))
        pending = self.redis.xpending_range("s", "g", "-", "+", 10, consumername="one")
        self.assertEqual([p["message_id"] for p in pending], [ids[5]])
        claimed = self.redis.xautoclaim("s", "g", "two", min_idle_time=0, start_id="0-0")
        self.assertIn(ids[5], str(claimed))
        consumers = {c["name"]: c["pending"] for c in self.redis.xinfo_consumers("s", "g")}
        self.assertEqual(consumers, {"one": 0, "two": 5})
        self.assertEqual(self.redis.xinfo_stream("s")["length"], 10)

    def test_a_reader_that_waits(self):
        self.redis.xgroup_create("s", "g", mkstream=True)
        client = connect()
        self.addCleanup(client.close)
        read = self.in_thread(lambda: client.xreadgroup("g", "c", {"s": ">"}, block=10000))
        until(lambda: self.redis.info("clients")["blocked_clients"] == 1, "the reader waits")
        added = self.redis.xadd("s", {"a": "b"}, maxlen=100, approximate=True)
        self.assertEqual(read(), [["s", [(added, {"a": "b"})]]])


class Others(RedisPy):
    def test_blocking_pops(self):
        client = connect()
        self.addCleanup(client.close)
        popped = self.in_thread(lambda: client.blpop(["a", "b"], timeout=10))
        until(lambda: self.redis.info("clients")["blocked_clients"] == 1, "the client waits")
        self.redis.rpush("b", "x")
        self.assertEqual(popped(), ("b", "x"))
        begin = time.monotonic()
        self.assertIsNone(client.brpop("a", timeout=0.2))
        self.assertGreater(time.monotonic() - begin, 0.19)

    def test_scans(self):
        self.redis.mset({f"k{i}": i for i in range(2000)})
        self.redis.zadd("z", {f"m{i}": i for i in range(1000)})
        self.assertEqual(len(set(self.redis.scan_iter("k*", count=100))), 2000)
        self.assertEqual(dict(self.redis.zscan_iter("z"))["m7"], 7.0)

    def test_parsed_replies(self):
        self.redis.geoadd("g", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"))
        self.assertAlmostEqual(self.redis.geodist("g", "Palermo", "Catania"), 166274.1516, 3)
        self.redis.zadd("z", {"a": 1.5, "b": float("inf")})
        self.assertEqual(self.redis.zrange("z", 0, -1, withscores=True),
                         [("a", 1.5), ("b", float("inf"))])
        self.assertEqual(self.redis.config_get("maxmemory")["maxmemory"], "0")
        self.assertEqual(self.redis.client_list()[0]["addr"].split(":")[0], HOST)
        self.assertEqual(self.redis.command()["get"]["arity"], 2)
        self.assertIn("redis_version", self.redis.info("server"))
        self.assertEqual(self.redis.object("encoding", "z"), "listpack")
        self.assertGreater(self.redis.memory_usage("z"), 0)
        self.assertEqual(self.redis.acl_whoami(), "default")
        self.assertIsInstance(self.redis.slowlog_get(), list)

    def test_users_and_their_limits(self):
        self.redis.acl_setuser("limited", enabled=True, passwords=["+secret"], keys=["own:*"],
                               commands=["+get", "+set"])
        client = connect(username="limited", password="secret")
        self.addCleanup(client.close)
        client.set("own:k", "v")
        self.assertRaises(redis.exceptions.NoPermissionError, client.get, "other")
        self.assertRaises(redis.exceptions.NoPermissionError, client.delete, "own:k")
        wrong = connect(username="limited", password="wrong")
        self.addCleanup(wrong.close)
        self.assertRaisesRegex(redis.ResponseError, "^WRONGPASS", wrong.get, "own:k")
        self.redis.acl_deluser("limited")

    def test_a_client_that_is_killed_connects_again(self):
        client = connect(retry=Retry(ConstantBackoff(0.01), 5),
                         retry_on_error=[redis.ConnectionError], client_name="mortal", db=2)
        self.addCleanup(client.close)
        client.set("k", "v")
        for _ in range(3):
            self.assertEqual(self.redis.client_kill_filter(_id=client.client_id()), 1)
            self.assertEqual(client.get("k"), "v")
            self.assertEqual(client.client_getname(), "mortal")


if __name__ == "__main__":
    unittest.main()
