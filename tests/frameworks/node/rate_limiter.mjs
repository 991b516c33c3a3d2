// SPDX-License-Identifier: Apache-2.0
// rate-limiter-flexible: counters with deadlines, through ioredis and node-redis.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import limiters from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { assertBetween, host, Opened, port, until, url } from './support.mjs';

const { BurstyRateLimiter, RateLimiterQueue, RateLimiterRedis, RateLimiterUnion } = limiters;
const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 20000 };

const ioredis = opened.add(new Redis({ host, port, enableOfflineQueue: false }),
  (it) => it.disconnect());
await new Promise((resolve) => { ioredis.once('ready', resolve); });
const nodeRedis = createClient({ url });
opened.add(nodeRedis, (it) => it.destroy());
await nodeRedis.connect();

for (const [name, storeClient] of [['ioredis', ioredis], ['node-redis', nodeRedis]]) {
  const make = (options) => new RateLimiterRedis(
    { storeClient, useRedisPackage: name === 'node-redis', keyPrefix: `${name}`, ...options });

  test(`${name}: so many points, then refusals until the time is over`, settings, async () => {
    const limiter = make({ points: 3, duration: 3 });
    for (const left of [2, 1, 0]) {
      assert.equal((await limiter.consume('ann')).remainingPoints, left);
    }
    const refusal = await limiter.consume('ann').then(() => null, (it) => it);
    assert.equal(refusal.consumedPoints, 4);
    assertBetween(refusal.msBeforeNext, 1, 3000, 'msBeforeNext');
    assert.equal((await limiter.consume('bob')).remainingPoints, 2);
    await until(() => limiter.consume('ann').then(() => true, () => false), 'points come back');
  });

  test(`${name}: of 200 requests at once exactly 50 pass`, settings, async () => {
    const limiter = make({ points: 50, duration: 60, keyPrefix: `${name}-burst` });
    const verdicts = await Promise.allSettled(
      Array.from({ length: 200 }, () => limiter.consume('all')));
    assert.equal(verdicts.filter((it) => it.status === 'fulfilled').length, 50);
    assert.equal((await limiter.get('all')).consumedPoints, 200);
  });

  test(`${name}: block, penalty, reward, delete`, settings, async () => {
    const limiter = make({ points: 5, duration: 60, keyPrefix: `${name}-block`, blockDuration: 30 });
    assert.equal((await limiter.penalty('k', 2)).consumedPoints, 2);
    assert.equal((await limiter.reward('k', 1)).consumedPoints, 1);
    await limiter.block('k', 20);
    const refusal = await limiter.consume('k').then(() => null, (it) => it);
    assertBetween(refusal.msBeforeNext, 1000, 30000, 'msBeforeNext');
    assert.equal(await limiter.delete('k'), true);
    assert.equal(await limiter.get('k'), null);
  });
}

test('limits joined: the tighter one refuses', settings, async () => {
  const second = new RateLimiterRedis({ storeClient: ioredis, keyPrefix: 'tight', points: 1, duration: 60 });
  const minute = new RateLimiterRedis({ storeClient: ioredis, keyPrefix: 'wide', points: 9, duration: 60 });
  const both = new RateLimiterUnion(second, minute);
  await both.consume('k');
  const refusal = await both.consume('k').then(() => null, (it) => it);
  assert.deepEqual(Object.keys(refusal), ['tight']);
});

test('a burst on top of a limit, and a queue of waiters', settings, async () => {
  const base = new RateLimiterRedis({ storeClient: ioredis, keyPrefix: 'base', points: 1, duration: 60 });
  const extra = new RateLimiterRedis({ storeClient: ioredis, keyPrefix: 'extra', points: 2, duration: 60 });
  const bursty = new BurstyRateLimiter(base, extra);
  for (let i = 0; i < 3; ++i) await bursty.consume('k');
  await assert.rejects(bursty.consume('k').catch(() => { throw new Error('refused'); }), /refused/);
  const queue = new RateLimiterQueue(new RateLimiterRedis(
    { storeClient: ioredis, keyPrefix: 'queue', points: 2, duration: 1 }));
  const begin = Date.now();
  await Promise.all(Array.from({ length: 4 }, () => queue.removeTokens(1, 'k')));
  assertBetween(Date.now() - begin, 500, 10000, 'four tokens at two a second');
});
