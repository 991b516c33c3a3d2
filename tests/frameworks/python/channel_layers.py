# SPDX-License-Identifier: Apache-2.0
"""channels-redis: the layers through which Django's websockets talk to each other."""
import asyncio
import unittest

from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from support import URL


class AnyLayer:
    async def asyncSetUp(self):
        self.layers = [self.kind(hosts=[URL]) for _ in range(2)]

    async def asyncTearDown(self):
        for layer in self.layers:
            await (layer.close_pools() if hasattr(layer, "close_pools") else layer.flush())

    async def receive(self, layer, channel):
        return await asyncio.wait_for(layer.receive(channel), 15)

    async def test_to_one_channel(self):
        one, two = self.layers
        channel = await one.new_channel()
        read = asyncio.create_task(self.receive(one, channel))
        await asyncio.sleep(0)
        await two.send(channel, {"type": "hello", "bytes": b"\0\1"})
        self.assertEqual(await read, {"type": "hello", "bytes": b"\0\1"})

    async def test_to_a_group(self):
        one, two = self.layers
        channels = [(layer, await layer.new_channel()) for layer in (one, one, two)]
        for layer, channel in channels:
            await layer.group_add("room", channel)
        await one.group_send("room", {"type": "first"})
        for layer, channel in channels:
            self.assertEqual((await self.receive(layer, channel))["type"], "first")
        await two.group_discard("room", channels[2][1])
        await two.group_send("room", {"type": "second"})
        for layer, channel in channels[:2]:
            self.assertEqual((await self.receive(layer, channel))["type"], "second")
        await one.send(channels[2][1], {"type": "third"})
        self.assertEqual((await self.receive(two, channels[2][1]))["type"], "third")

    async def test_many_messages_in_order(self):
        one, two = self.layers
        channel = await one.new_channel()
        for i in range(50):
            await two.send(channel, {"type": "n", "i": i})
        self.assertEqual([(await self.receive(one, channel))["i"] for _ in range(50)],
                         list(range(50)))


class Lists(AnyLayer, unittest.IsolatedAsyncioTestCase):
    kind = RedisChannelLayer


class PubSub(AnyLayer, unittest.IsolatedAsyncioTestCase):
    kind = RedisPubSubChannelLayer


if __name__ == "__main__":
    unittest.main()
