# SPDX-License-Identifier: Apache-2.0
"""What the workers of rq_queues.py run."""


def add(a, b):
    return a + b


def fail():
    raise ValueError("no")
