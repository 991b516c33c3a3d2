// SPDX-License-Identifier: Apache-2.0
// bee-queue: short jobs, on node-redis 3.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import BeeQueue from 'bee-queue';
import { assertBetween, deferred, event, host, Opened, port, until, within } from './support.mjs';

const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 30000 };

async function openQueue(name, options = {}) {
  const queue = new BeeQueue(name, { redis: { host, port }, ...options });
  opened.add(queue, (it) => it.close(1000));
  queue.on('error', () => {});
  return queue.ready();
}

test('a job runs elsewhere and answers its maker', settings, async () => {
  const [maker, worker] = [await openQueue('sums', { isWorker: false }), await openQueue('sums')];
  worker.process(async (job) => {
    job.reportProgress({ half: true });
    return job.data.x + job.data.y;
  });
  const job = maker.createJob({ x: 2, y: 3 });
  const [progress, success] = [event(job, 'progress'), event(job, 'succeeded')];
  await job.save();
  assert.deepEqual(await progress, [{ half: true }]);
  assert.deepEqual(await success, [5]);
  assert.equal((await maker.checkHealth()).succeeded, 1);
});

test('500 jobs saved at once run once each', settings, async () => {
  const queue = await openQueue('many', { removeOnSuccess: true });
  const seen = [];
  queue.process(20, async (job) => { seen.push(job.data.i); });
  const failures = await queue.saveAll(
    Array.from({ length: 500 }, (_, i) => queue.createJob({ i })));
  assert.equal(failures.size, 0);
  await until(() => seen.length === 500, 'all jobs');
  assert.equal(new Set(seen).size, 500);
  await until(async () => (await queue.checkHealth()).active === 0, 'nothing is left');
});

test('retries with a pause, and failure in the end', settings, async () => {
  const queue = await openQueue('retried', { activateDelayedJobs: true });
  const times = [];
  queue.process(async () => { times.push(Date.now()); throw new Error('again'); });
  const failed = deferred();
  queue.on('failed:fatal', (job, error) => failed.resolve([job.id, error.message]));
  const job = await queue.createJob({}).retries(2).backoff('fixed', 100).save();
  assert.deepEqual(await within(failed.promise, 'failure'), [job.id, 'again']);
  assert.equal(times.length, 3);
  assertBetween(times[2] - times[0], 195, 10000, 'two pauses');
});

test('a delayed job', settings, async () => {
  const queue = await openQueue('delayed', { activateDelayedJobs: true });
  const ran = deferred();
  queue.process(async () => ran.resolve(Date.now()));
  const begin = Date.now();
  await queue.createJob({}).delayUntil(begin + 300).save();
  assertBetween(await within(ran.promise, 'the job') - begin, 295, 10000, 'delay');
});

test('a stalled job is found', settings, async () => {
  const lost = await new BeeQueue('stalled', { redis: { host, port }, stallInterval: 300 }).ready();
  const taken = deferred();
  lost.process(() => { taken.resolve(); return new Promise(() => {}); });
  const job = await lost.createJob({}).save();
  await within(taken.promise, 'the job is taken');
  await assert.rejects(lost.close(1), /timed out/);
  const queue = await openQueue('stalled', { stallInterval: 300 });
  const done = event(queue, 'succeeded');
  queue.process(async () => 'saved');
  const [again, result] = await withChecks(queue, done);
  assert.equal(again.id, job.id);
  assert.equal(result, 'saved');
});

// Looks for stalled jobs until the promise is fulfilled: two looks apart are needed.
async function withChecks(queue, promise) {
  let value;
  promise.then((it) => { value = it; });
  await until(async () => { await queue.checkStalledJobs(); return value; }, 'the stalled job');
  return value;
}

test('destroy leaves nothing', settings, async () => {
  const queue = await openQueue('gone');
  await queue.saveAll(Array.from({ length: 20 }, () => queue.createJob({})));
  await queue.destroy();
  assert.deepEqual(await queue.checkHealth(),
    { waiting: 0, active: 0, succeeded: 0, failed: 0, delayed: 0, newestJob: 0 });
});
