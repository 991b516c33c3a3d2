# SPDX-License-Identifier: Apache-2.0
"""Celery: tasks through our lists, results through our keys and channels."""
import unittest

import celery
import redis
from celery.contrib.testing.worker import start_worker
from support import HOST, PORT, URL, until

SECONDS = 20

app = celery.Celery("tests", broker=f"{URL}/1", backend=f"{URL}/2")
app.conf.update(task_default_queue="work", result_expires=600, worker_hijack_root_logger=False,
                broker_transport_options={"priority_steps": list(range(10)),
                                          "queue_order_strategy": "priority"})
ORDER = []


@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def note(name):
    ORDER.append(name)


@app.task(bind=True, max_retries=2)
def third_time(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0.05)
    return self.request.retries


@app.task
def fail():
    raise KeyError("gone")


class Tasks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.redis = redis.Redis(host=HOST, port=PORT, decode_responses=True)
        cls.addClassCleanup(cls.redis.close)
        cls.redis.flushall()
        # Sent before there is a worker, so that the order is that of their priorities.
        for name, priority in (("last", 9), ("middle", 5), ("first", 0)):
            note.apply_async((name,), priority=priority)
        worker = start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=SECONDS,
                              loglevel="CRITICAL")
        worker.__enter__()
        cls.addClassCleanup(worker.__exit__, None, None, None)

    def test_a_result(self):
        self.assertEqual(add.delay(2, 3).get(timeout=SECONDS), 5)

    def test_a_hundred_tasks(self):
        results = celery.group(add.s(i, i) for i in range(100)).apply_async()
        self.assertEqual(results.get(timeout=SECONDS), [2 * i for i in range(100)])

    def test_a_chain_and_a_chord(self):
        self.assertEqual(celery.chain(add.s(1, 2), add.s(10)).delay().get(timeout=SECONDS), 13)
        chord = celery.chord((add.s(i, 1) for i in range(10)), total.s())
        self.assertEqual(chord.delay().get(timeout=SECONDS), 55)

    def test_retries_and_failures(self):
        self.assertEqual(third_time.delay().get(timeout=SECONDS), 2)
        with self.assertRaises(KeyError):
            fail.delay().get(timeout=SECONDS)

    def test_a_countdown(self):
        self.assertEqual(add.apply_async((4, 4), countdown=0.3).get(timeout=SECONDS), 8)

    def test_priorities(self):
        until(lambda: len(ORDER) == 3, "the three notes")
        self.assertEqual(ORDER, ["first", "middle", "last"])

    def test_results_are_kept_for_their_time_and_forgotten(self):
        result = add.delay(1, 1)
        result.get(timeout=SECONDS)
        backend = redis.Redis(host=HOST, port=PORT, db=2)
        self.addCleanup(backend.close)
        key = f"celery-task-meta-{result.id}"
        self.assertIn(backend.ttl(key), range(580, 601))
        result.forget()
        self.assertEqual(backend.exists(key), 0)

    def test_messages_that_were_taken_are_acknowledged(self):
        add.delay(1, 1).get(timeout=SECONDS)
        broker = redis.Redis(host=HOST, port=PORT, db=1)
        self.addCleanup(broker.close)
        until(lambda: broker.zcard("unacked_index") == 0 and broker.hlen("unacked") == 0,
              "nothing is unacknowledged")

    def test_the_worker_answers_remote_control(self):
        answers = app.control.ping(timeout=SECONDS, limit=1)
        self.assertEqual([list(answer.values()) for answer in answers], [[{"ok": "pong"}]])


if __name__ == "__main__":
    unittest.main()
