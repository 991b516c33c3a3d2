# SPDX-License-Identifier: Apache-2.0
"""Where the servers are, and waiting that ends."""
import os
import time

HOST = "127.0.0.1"
PORT = int(os.environ["REDIS_PORT"])
URL = f"redis://{HOST}:{PORT}"
MEMCACHED = f"{HOST}:{os.environ['MEMCACHED_PORT']}"
PATIENCE_SECONDS = 15


def until(condition, what, seconds=PATIENCE_SECONDS):
    """The first true answer of the condition, which is asked again and again."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.005)
