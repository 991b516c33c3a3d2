# SPDX-License-Identifier: Apache-2.0
"""A client that writes through an endpoint while something happens to the nodes behind it.

It retries what its connection did not answer, as applications do; any answer that is an error is a
failure. What was acknowledged must be there afterwards.
"""

import threading
import time

import redis

from service import client


class Writer:
    """Writes one key after the other until it is stopped: `with Writer(endpoint) as writer: ...`"""

    def __init__(self, endpoint, pause=0.0, name="w"):
        self.endpoint = endpoint
        self.name = name
        self.pause = pause
        self.acknowledged = 0
        self.retries = 0
        self.errors = []
        self.longest_gap = 0.0
        self.stopping = False
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(30)

    def run(self):
        connection = client(self.endpoint)
        last = time.monotonic()
        while not self.stopping:
            try:
                connection.set(f"{self.name}{self.acknowledged}", self.acknowledged)
            except (redis.ConnectionError, redis.TimeoutError):
                self.retries += 1
                connection.close()
                continue
            except redis.RedisError as error:
                self.errors.append(str(error))
                connection.close()
                continue
            self.acknowledged += 1
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - last)
            last = now
            if self.pause:
                time.sleep(self.pause)

    def lost(self, endpoint=None, first=0, end=None):
        """How many acknowledged writes, of those numbers, the endpoint does not have."""
        connection = client(endpoint or self.endpoint)
        end = self.acknowledged if end is None else end
        lost = 0
        for begin in range(first, end, 1000):
            numbers = range(begin, min(begin + 1000, end))
            values = connection.mget([f"{self.name}{i}" for i in numbers])
            lost += sum(value != str(i).encode() for i, value in zip(numbers, values))
        return lost

    def describe(self, what):
        print(f"  {what}: {self.acknowledged} writes, {self.retries} retries, "
              f"{len(self.errors)} errors, longest gap {self.longest_gap * 1000:.0f} ms")
