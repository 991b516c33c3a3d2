# SPDX-License-Identifier: Apache-2.0
"""RQ: jobs that depend on others, are retried, scheduled, and run in workers that fork."""
import datetime
import unittest

import redis
import rq
import rq_jobs
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry
from rq.scheduler import RQScheduler
from support import HOST, PORT, until


class Queues(unittest.TestCase):
    def setUp(self):
        self.redis = redis.Redis(host=HOST, port=PORT)
        self.addCleanup(self.redis.close)
        self.redis.flushall()
        self.queue = rq.Queue("work", connection=self.redis)

    def work(self, worker=rq.SimpleWorker, **options):
        """Runs what is in the queue, and comes back when it is empty."""
        worker([self.queue], connection=self.redis).work(burst=True, logging_level="CRITICAL",
                                                         **options)

    def test_results(self):
        jobs = self.queue.enqueue_many([
            rq.Queue.prepare_data(rq_jobs.add, (i, i), job_id=f"job{i}") for i in range(20)])
        self.assertEqual(len(self.queue), 20)
        self.work()
        self.assertEqual([Job.fetch(job.id, self.redis).result for job in jobs],
                         [2 * i for i in range(20)])
        self.assertEqual(FinishedJobRegistry("work", self.redis).count, 20)
        self.assertEqual(len(self.queue), 0)

    def test_a_worker_that_forks(self):
        job = self.queue.enqueue(rq_jobs.add, 1, b=2)
        self.work(rq.Worker)
        self.assertEqual(Job.fetch(job.id, self.redis).result, 3)

    def test_failures_and_retries(self):
        job = self.queue.enqueue(rq_jobs.fail, retry=rq.Retry(max=2))
        self.work()
        job = Job.fetch(job.id, self.redis)
        self.assertEqual((job.get_status(), job.retries_left), (JobStatus.FAILED, 0))
        self.assertIn("ValueError: no", job.exc_info)
        registry = FailedJobRegistry("work", self.redis)
        self.assertIn(job.id, registry)
        registry.requeue(job.id)
        self.assertEqual(self.queue.job_ids, [job.id])

    def test_dependencies(self):
        first = self.queue.enqueue(rq_jobs.add, 1, 1)
        second = self.queue.enqueue(rq_jobs.add, 2, 2, depends_on=first)
        third = self.queue.enqueue(rq_jobs.add, 3, 3, depends_on=[first, second])
        self.assertEqual(third.get_status(), JobStatus.DEFERRED)
        self.assertEqual(self.queue.job_ids, [first.id])
        self.work()
        self.assertEqual(Job.fetch(third.id, self.redis).result, 6)

    def test_scheduled_jobs(self):
        job = self.queue.enqueue_in(datetime.timedelta(seconds=1), rq_jobs.add, 4, 4)
        later = self.queue.enqueue_in(datetime.timedelta(hours=1), rq_jobs.add, 5, 5)
        self.assertEqual(ScheduledJobRegistry("work", self.redis).get_job_ids(), [job.id, later.id])
        scheduler = RQScheduler([self.queue], connection=self.redis)
        self.assertEqual(scheduler.acquire_locks(), {"work"})

        def is_due():
            scheduler.enqueue_scheduled_jobs()
            return len(self.queue) == 1

        until(is_due, "the job is due")
        scheduler.release_locks()
        self.work()
        self.assertEqual(Job.fetch(job.id, self.redis).result, 8)
        self.assertEqual(ScheduledJobRegistry("work", self.redis).count, 1)

    def test_cancelled_and_emptied(self):
        job = self.queue.enqueue(rq_jobs.add, 1, 1)
        job.cancel()
        self.assertEqual(job.get_status(), JobStatus.CANCELED)
        for i in range(50):
            self.queue.enqueue(rq_jobs.add, i, i)
        self.assertEqual(self.queue.empty(), 50)
        self.queue.delete()
        self.assertEqual(rq.Queue.all(connection=self.redis), [])


if __name__ == "__main__":
    unittest.main()
