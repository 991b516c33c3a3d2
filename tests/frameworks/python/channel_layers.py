# SPDX-License-Identifier: Apache-2.0
"""channels-redis: the layers through which Django's websockets talk to each other."""
import asyncio
import time
import unittest

import redis.asyncio as redis
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from support import PATIENCE_SECONDS, URL


class AnyLayer:
    async def asyncSetUp(self):
        self.layers = [self.kind(hosts=[URL]) for _ in range(2)]

    async def asyncTearDown(self):
        for layer in self.layers:
            await (layer.close_pools() if hasattr(layer, "close_pools") else layer.flush())

    async def settle(self, subscriptions):
        """A layer goes on before its subscriptions are there: waits until there are so many."""

    async def receive(self, layer, channel):
        return await asyncio.wait_for(layer.receive(channel), 15)

    async def test_to_one_channel(self):
        one, two = self.layers
        channel = await one.new_channel()
        await self.settle(1)
        read = asyncio.create_task(self.receive(one, channel))
        await asyncio.sleep(0)
        await two.send(channel, {"type": "hello", "bytes": b"\0\1"})
        self.assertEqual(await read, {"type": "hello", "bytes": b"\0\1"})

    async def test_to_a_group(self):
        one, two = self.layers
        channels = [(layer, await layer.new_channel()) for layer in (one, one, two)]
        for layer, channel in channels:
            await layer.group_add("room", channel)
        await self.settle(5)  # three channels, and two layers in the room
        await one.group_send("room", {"type": "first"})
        for layer, channel in channels:
            self.assertEqual((await self.receive(layer, channel))["type"], "first")
        await two.group_discard("room", channels[2][1])
        await self.settle(4)
        await two.group_send("room", {"type": "second"})
        for layer, channel in channels[:2]:
            self.assertEqual((await self.receive(layer, channel))["type"], "second")
        await one.send(channels[2][1], {"type": "third"})
        self.assertEqual((await self.receive(two, channels[2][1]))["type"], "third")

    async def test_many_messages_in_order(self):
        one, two = self.layers
        channel = await one.new_channel()
        await self.settle(1)
        for i in range(50):
            await two.send(channel, {"type": "n", "i": i})
        self.assertEqual([(await self.receive(one, channel))["i"] for _ in range(50)],
                         list(range(50)))


class Lists(AnyLayer, unittest.IsolatedAsyncioTestCase):
    kind = RedisChannelLayer


class PubSub(AnyLayer, unittest.IsolatedAsyncioTestCase):
    kind = RedisPubSubChannelLayer

    async def asyncSetUp(self):
        await self.settle(0)
        await super().asyncSetUp()

    async def settle(self, subscriptions):
        client = redis.from_url(URL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            names = await client.pubsub_channels()
            counts = await client.pubsub_numsub(*names)
            if sum(count for _, count in counts) == subscriptions:
                break
            self.assertLess(time.monotonic(), deadline, counts)
            await asyncio.sleep(0.005)
        await client.close()


if __name__ == "__main__":
    unittest.main()
