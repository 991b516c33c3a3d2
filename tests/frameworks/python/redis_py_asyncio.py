# SPDX-License-Identifier: Apache-2.0
"""redis-py's asyncio client: one pool for many tasks."""
import asyncio
import unittest

import redis.asyncio as redis
from support import URL


class Asyncio(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.redis = redis.from_url(URL, decode_responses=True, max_connections=50)
        await self.redis.flushall()

    async def asyncTearDown(self):
        await self.redis.close()
        await self.redis.connection_pool.disconnect()

    async def within(self, coroutine):
        return await asyncio.wait_for(coroutine, 15)

    async def test_a_hundred_tasks_share_a_pool(self):
        limit = asyncio.Semaphore(40)

        async def one(i):
            async with limit:
                await self.redis.set(f"k{i}", i)
                return int(await self.redis.get(f"k{i}"))

        values = await self.within(asyncio.gather(*(one(i) for i in range(100))))
        self.assertEqual(values, list(range(100)))

    async def test_transactions_that_collide_are_tried_again(self):
        async def add():
            while True:
                async with self.redis.pipeline() as pipe:
                    try:
                        await pipe.watch("n")
                        value = int(await pipe.get("n") or 0)
                        pipe.multi()
                        pipe.set("n", value + 1)
                        await pipe.execute()
                        return
                    except redis.WatchError:
                        pass

        await self.within(asyncio.gather(*(add() for _ in range(20))))
        self.assertEqual(await self.redis.get("n"), "20")

    async def test_locks(self):
        inside, most = 0, 0

        async def work():
            nonlocal inside, most
            async with self.redis.lock("lock", timeout=20, sleep=0.002):
                inside += 1
                most = max(most, inside)
                await self.redis.ping()
                inside -= 1

        await self.within(asyncio.gather(*(work() for _ in range(20))))
        self.assertEqual(most, 1)

    async def test_messages(self):
        async with self.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe("c")
            await pubsub.psubscribe("c*")

            async def read():
                got = []
                async for message in pubsub.listen():
                    got.append((message["type"], message["data"]))
                    if len(got) == 20:
                        return got

            reader = asyncio.create_task(read())
            while sum(n for _, n in await self.redis.pubsub_numsub("c")) < 1 \
                    or await self.redis.pubsub_numpat() < 1:
                await asyncio.sleep(0.005)
            for i in range(10):
                await self.redis.publish("c", i)
            got = await self.within(reader)
            self.assertEqual(got, [(kind, str(i)) for i in range(10)
                                   for kind in ("message", "pmessage")])

    async def test_a_blocking_pop_that_is_given_up(self):
        pop = asyncio.create_task(self.redis.blpop("list", 0))
        while (await self.redis.info("clients"))["blocked_clients"] < 1:
            await asyncio.sleep(0.005)
        pop.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await pop
        while (await self.redis.info("clients"))["blocked_clients"] > 0:
            await asyncio.sleep(0.005)
        await self.redis.rpush("list", "kept")
        self.assertEqual(await self.redis.lrange("list", 0, -1), ["kept"])


if __name__ == "__main__":
    unittest.main()
