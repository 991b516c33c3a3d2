// SPDX-License-Identifier: Apache-2.0
// BullMQ: queues on lists, sorted sets and streams, each step a Lua script.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { assertBetween, deferred, host, Opened, port, until, within } from './support.mjs';

const connection = { host, port, maxRetriesPerRequest: null };
const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 40000 };

function openQueue(name, options = {}) {
  return opened.add(new Queue(name, { connection, ...options }), (queue) => queue.close());
}

async function openEvents(name) {
  const events = opened.add(new QueueEvents(name, { connection }), (it) => it.close());
  await events.waitUntilReady();
  return events;
}

async function openWorker(name, work, options = {}) {
  const worker = new Worker(name, work, { connection, drainDelay: 1, ...options });
  worker.on('error', () => {});
  opened.add(worker, (it) => it.close(true));
  await worker.waitUntilReady();
  return worker;
}

test('a job runs in a worker, and its result comes back through events', settings, async () => {
  const queue = openQueue('plain');
  const events = await openEvents('plain');
  await openWorker('plain', async (job) => {
    await job.updateProgress(50);
    await job.log('half');
    return job.data.a + job.data.b;
  });
  const progress = deferred();
  events.on('progress', ({ data }) => progress.resolve(data));
  const job = await queue.add('sum', { a: 2, b: 40 });
  assert.equal(await job.waitUntilFinished(events, 15000), 42);
  assert.equal(await within(progress.promise, 'progress'), 50);
  const kept = await queue.getJob(job.id);
  assert.equal(kept.returnvalue, 42);
  assert.equal(await kept.getState(), 'completed');
  assert.deepEqual(await queue.getJobLogs(job.id), { logs: ['half'], count: 1 });
});

test('1,000 jobs in bulk run once each, in four workers', settings, async () => {
  const queue = openQueue('bulk');
  const seen = new Map();
  const finished = deferred();
  let count = 0;
  for (let i = 0; i < 4; ++i) {
    const worker = await openWorker('bulk', async (job) => {
      seen.set(job.id, (seen.get(job.id) ?? 0) + 1);
    }, { concurrency: 20 });
    worker.on('completed', () => { if (++count === 1000) finished.resolve(); });
  }
  await queue.addBulk(Array.from({ length: 1000 }, (_, i) => ({ name: 'one', data: { i } })));
  await within(finished.promise, 'all jobs', 30000);
  assert.equal(seen.size, 1000);
  assert.ok([...seen.values()].every((times) => times === 1));
  const counts = await queue.getJobCounts('completed', 'failed', 'waiting', 'active');
  assert.deepEqual(counts, { completed: 1000, failed: 0, waiting: 0, active: 0 });
});

test('delayed jobs run when due, in the order of their delays', settings, async () => {
  const queue = openQueue('delayed');
  const order = [];
  const times = [];
  const finished = deferred();
  const begin = Date.now();
  await queue.add('later', {}, { delay: 2400 });
  await queue.add('sooner', {}, { delay: 1200 });
  assert.equal(await queue.getDelayedCount(), 2);
  await openWorker('delayed', async (job) => {
    order.push(job.name);
    times.push(Date.now() - begin);
    if (order.length === 2) finished.resolve();
  });
  await within(finished.promise, 'both jobs');
  assert.deepEqual(order, ['sooner', 'later']);
  assertBetween(times[0], 1195, 10000, 'sooner');
  assertBetween(times[1], 2395, 10000, 'later');
  const promoted = await queue.add('promoted', {}, { delay: 3600000 });
  await promoted.promote();
  await until(() => promoted.isCompleted(), 'the promoted job');
});

test('a repeated job comes again and again until its scheduler is removed', settings, async () => {
  const queue = openQueue('repeated');
  const runs = [];
  await openWorker('repeated', async (job) => { runs.push(job.name); });
  await queue.upsertJobScheduler('beat', { every: 100 }, { name: 'tick', data: { x: 1 } });
  await until(() => runs.length >= 3, 'three runs');
  const schedulers = await queue.getJobSchedulers();
  assert.equal(schedulers.length, 1);
  assert.equal(schedulers[0].key, 'beat');
  assert.ok(await queue.removeJobScheduler('beat'));
  assert.equal(await queue.getJobSchedulersCount(), 0);
  await until(async () => (await queue.getDelayedCount()) === 0, 'no run is due any more');
});

test('a repeated job by cron pattern has its next run planned', settings, async () => {
  const queue = openQueue('cron');
  const job = await queue.upsertJobScheduler('nightly', { pattern: '0 15 3 * * *', tz: 'UTC' });
  assert.equal(await job.getState(), 'delayed');
  const [scheduler] = await queue.getJobSchedulers();
  assert.equal(new Date(scheduler.next).toISOString().slice(11), '03:15:00.000Z');
});

test('priorities decide which waiting job is next', settings, async () => {
  const queue = openQueue('priorities');
  await queue.pause();
  await queue.add('low', {}, { priority: 10 });
  await queue.add('high', {}, { priority: 1 });
  await queue.add('middle', {}, { priority: 5 });
  await queue.add('first', {});
  await queue.add('last in, first out', {}, { lifo: true });
  const order = [];
  const worker = await openWorker('priorities', async (job) => { order.push(job.name); });
  assert.equal(order.length, 0);
  await queue.resume();
  await until(() => order.length === 5, 'five jobs');
  assert.deepEqual(order.slice(2), ['high', 'middle', 'low']);
  assert.deepEqual(order.slice(0, 2).sort(), ['first', 'last in, first out']);
  assert.ok(worker.isRunning());
});

test('a rate limit spreads the jobs over time', settings, async () => {
  const queue = openQueue('limited');
  await queue.addBulk(Array.from({ length: 6 }, () => ({ name: 'one', data: {} })));
  const times = [];
  const begin = Date.now();  // a handler may begin late, so the first one's time tells nothing
  await openWorker('limited', async () => { times.push(Date.now()); },
    { limiter: { max: 2, duration: 300 }, concurrency: 6 });
  await until(() => times.length === 6, 'six jobs');
  assertBetween(times[5] - begin, 595, 10000, 'time until the last');
});

test('a failing job is tried again after growing pauses, then is failed', settings, async () => {
  const queue = openQueue('retries');
  const events = await openEvents('retries');
  const attempts = [];
  await openWorker('retries', async (job) => {
    attempts.push([job.name, job.attemptsMade]);
    if (job.name === 'never') throw new UnrecoverableError('not at all');
    if (job.attemptsMade < 2) throw new Error('not yet');
    return 'at last';
  });
  const options = { attempts: 3, backoff: { type: 'exponential', delay: 50 } };
  const job = await queue.add('thrice', {}, options);
  assert.equal(await job.waitUntilFinished(events, 15000), 'at last');
  assert.deepEqual(attempts, [['thrice', 0], ['thrice', 1], ['thrice', 2]]);
  const never = await queue.add('never', {}, options);
  await assert.rejects(never.waitUntilFinished(events, 15000), /not at all/);
  assert.equal(await queue.getFailedCount(), 1);
  const [failed] = await queue.getFailed();
  assert.equal(failed.failedReason, 'not at all');
  await failed.retry();
  await until(() => attempts.length === 5, 'the job that was retried by hand');
});

test('a flow: the parent waits for its children and reads their values', settings, async () => {
  const flow = opened.add(new FlowProducer({ connection }), (it) => it.close());
  const events = await openEvents('parents');
  await openWorker('children', async (job) => job.data.value * 10);
  await openWorker('parents', async (job) => {
    const values = Object.values(await job.getChildrenValues());
    return values.reduce((sum, value) => sum + value, 0);
  });
  const children = [1, 2, 3].map((value) => (
    { name: 'child', queueName: 'children', data: { value } }));
  const tree = await flow.add({ name: 'parent', queueName: 'parents', children: [
    ...children, { name: 'middle', queueName: 'parents', children: [children[0]] }] });
  assert.equal(await tree.job.waitUntilFinished(events, 15000), 70);
  const counts = await tree.job.getDependenciesCount();
  assert.equal(counts.processed, 4);
  assert.equal(counts.unprocessed, 0);
});

test('a flow: a child that fails fails its parent', settings, async () => {
  const flow = opened.add(new FlowProducer({ connection }), (it) => it.close());
  const events = await openEvents('sorry-parents');
  await openWorker('sorry-children', async () => { throw new Error('no'); });
  await openWorker('sorry-parents', async () => 'never');
  const tree = await flow.add({ name: 'parent', queueName: 'sorry-parents', children: [
    { name: 'child', queueName: 'sorry-children', opts: { failParentOnFailure: true } }] });
  await assert.rejects(tree.job.waitUntilFinished(events, 15000), /child .* failed/);
});

test('a job whose worker vanished is found stalled and runs elsewhere', settings, async () => {
  const queue = openQueue('stalled');
  const taken = deferred();
  const lost = new Worker('stalled', () => { taken.resolve(); return new Promise(() => {}); },
    { connection, lockDuration: 400, skipLockRenewal: true, skipStalledCheck: true });
  lost.on('error', () => {});
  const job = await queue.add('orphan', {});
  await within(taken.promise, 'the first worker takes the job');
  await lost.close(true);
  const stalled = deferred();
  const worker = await openWorker('stalled', async () => 'saved',
    { lockDuration: 400, stalledInterval: 300, autorun: false });
  worker.on('stalled', (id) => stalled.resolve(id));
  worker.run().catch(stalled.reject);
  assert.equal(await within(stalled.promise, 'the stalled job'), job.id);
  await until(() => job.isCompleted(), 'the job completes');
  assert.equal((await queue.getJob(job.id)).returnvalue, 'saved');
});

test('one job of a kind: ids and deduplication', settings, async () => {
  const queue = openQueue('unique');
  await queue.add('one', { n: 1 }, { jobId: 'same' });
  await queue.add('one', { n: 2 }, { jobId: 'same' });
  const first = await queue.add('two', {}, { deduplication: { id: 'd', ttl: 60000 } });
  const second = await queue.add('two', {}, { deduplication: { id: 'd', ttl: 60000 } });
  assert.equal(second.id, first.id);
  assert.equal(await queue.getWaitingCount(), 2);
  assert.deepEqual((await queue.getJob('same')).data, { n: 1 });
});

test('finished jobs are kept by number, and cleaned by age', settings, async () => {
  const queue = openQueue('kept', { defaultJobOptions: { removeOnComplete: 3 } });
  let done = 0;
  const worker = await openWorker('kept', async () => {});
  worker.on('completed', () => { ++done; });
  await queue.addBulk(Array.from({ length: 10 }, () => ({ name: 'x', data: {} })));
  await until(() => done === 10, 'ten jobs');
  assert.equal(await queue.getCompletedCount(), 3);
  assert.equal((await queue.clean(0, 100, 'completed')).length, 3);
  assert.equal(await queue.getCompletedCount(), 0);
});

test('events of a queue, read from the beginning of its stream', settings, async () => {
  const queue = openQueue('history');
  await openWorker('history', async () => 'r');
  const job = await queue.add('x', {});
  await until(() => job.isCompleted(), 'the job');
  const seen = [];
  const events = opened.add(new QueueEvents('history', { connection, lastEventId: '0-0' }),
    (it) => it.close());
  for (const name of ['added', 'waiting', 'active', 'completed']) {
    events.on(name, ({ jobId }) => { if (jobId === job.id) seen.push(name); });
  }
  await until(() => seen.includes('completed'), 'completed');
  assert.deepEqual(seen, ['added', 'waiting', 'active', 'completed']);
  await queue.trimEvents(0);
  const client = opened.add(new Redis({ host, port }), (it) => it.quit());
  assert.equal(await client.xlen(queue.toKey('events')), 0);
});

test('drain and obliterate leave nothing of a queue', settings, async () => {
  const queue = openQueue('gone');
  await queue.addBulk(Array.from({ length: 500 }, (_, i) => (
    { name: 'x', data: {}, opts: { delay: i % 2 ? 100000 : 0, priority: i % 3 } })));
  await queue.drain(true);
  assert.equal(await queue.count(), 0);
  await queue.addBulk(Array.from({ length: 500 }, () => ({ name: 'x', data: {} })));
  await queue.obliterate({ force: true });
  const client = opened.add(new Redis({ host, port }), (it) => it.quit());
  assert.deepEqual(await client.keys('bull:gone:*'), []);
});
