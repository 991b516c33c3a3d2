// SPDX-License-Identifier: Apache-2.0
// ioredis: what its users do beyond single commands, and what it does when a connection breaks.
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { Redis } from 'ioredis';
import { assertBetween, event, host, Opened, port, until, within } from './support.mjs';

const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 30000 };

function connect(options = {}) {
  const client = new Redis({ host, port, ...options });
  return opened.add(client, (it) => it.disconnect());
}

const redis = connect();
beforeEach(() => redis.flushall());

test('a pipeline: replies in order, errors each in its place', settings, async () => {
  const results = await redis.pipeline().set('k', 'v').get('k').lpush('k', 'x').hset('h', 'f', 1)
    .hgetall('h').exec();
  assert.deepEqual(results.map(([error]) => error?.message ?? null), [null, null,
    'WRONGTYPE Operation against a key holding the wrong kind of value', null, null]);
  assert.deepEqual(results.map(([, value]) => value), ['OK', 'v', undefined, 1, { f: '1' }]);
});

test('a pipeline of 20,000 commands', settings, async () => {
  const pipeline = redis.pipeline();
  for (let i = 0; i < 20000; ++i) pipeline.set(`k${i}`, i);
  assert.equal((await pipeline.exec()).length, 20000);
  assert.equal(await redis.dbsize(), 20000);
  const values = await redis.mget(Array.from({ length: 20000 }, (_, i) => `k${i}`));
  assert.equal(values[12345], '12345');
});

test('transactions: replies of EXEC, discard, and errors before and in EXEC', settings, async () => {
  assert.deepEqual(await redis.multi().set('a', 1).incr('a').exec(), [[null, 'OK'], [null, 2]]);
  await redis.multi({ pipeline: false });
  await redis.set('a', 10);
  assert.equal(await redis.discard(), 'OK');
  assert.equal(await redis.get('a'), '2');
  const results = await redis.multi().incr('a').lpop('a').exec();
  assert.equal(results[0][1], 3);
  assert.match(results[1][0].message, /^WRONGTYPE/);
  await assert.rejects(redis.multi().set('a').exec(), /EXECABORT/);
});

test('WATCH: a key that another client changes makes EXEC null', settings, async () => {
  const other = connect();
  await redis.watch('guarded');
  await other.set('guarded', 'changed');
  assert.equal(await redis.multi().set('guarded', 'mine').exec(), null);
  assert.equal(await redis.get('guarded'), 'changed');
});

test('defineCommand: EVALSHA, then EVAL after the scripts are flushed', settings, async () => {
  const client = connect();
  client.defineCommand('addTo', { numberOfKeys: 2, lua: `
    local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
    redis.call('RPUSH', KEYS[2], sum)
    return {KEYS[1], sum, redis.call('LRANGE', KEYS[2], 0, -1)}` });
  assert.deepEqual(await client.addTo('n', 'log', 5), ['n', 5, ['5']]);
  await client.script('FLUSH');
  assert.deepEqual(await client.addTo('n', 'log', 6), ['n', 11, ['5', '11']]);
  const inPipeline = await client.pipeline().addTo('n', 'log', 1).addTo('n', 'log', 1).exec();
  assert.deepEqual(inPipeline.map(([, [, sum]]) => sum), [12, 13]);
  client.defineCommand('fails', { numberOfKeys: 0, lua: 'return redis.error_reply("MINE so")' });
  await assert.rejects(client.fails(), /^ReplyError: MINE so/);
});

test('scan streams see every key and every member', settings, async () => {
  const names = Array.from({ length: 3000 }, (_, i) => `scan:${i}`);
  await redis.mset(Object.fromEntries(names.map((name) => [name, 1])));
  await redis.set('other', 1);
  await redis.sadd('set', names);
  await redis.hset('hash', Object.fromEntries(names.map((name) => [name, 'v'])));
  await redis.zadd('sorted', ...names.flatMap((name, i) => [i, name]));
  const collect = async (stream) => {
    const all = [];
    for await (const some of stream) all.push(...some);
    return all;
  };
  const found = new Set(await collect(redis.scanStream({ match: 'scan:*', count: 100 })));
  assert.deepEqual([...found].sort(), [...names].sort());
  assert.equal(new Set(await collect(redis.sscanStream('set'))).size, 3000);
  assert.equal((await collect(redis.hscanStream('hash'))).length, 6000);
  assert.equal((await collect(redis.zscanStream('sorted', { match: '*9' }))).length, 600);
  assert.deepEqual(await collect(redis.scanStream({ type: 'hash' })), ['hash']);
});

test('pub/sub: channels and patterns, bytes as sent', settings, async () => {
  const subscriber = connect();
  assert.equal(await subscriber.subscribe('news', 'weather'), 2);
  assert.equal(await subscriber.psubscribe('n?ws'), 3);
  const message = event(subscriber, 'messageBuffer');
  const patterned = event(subscriber, 'pmessage');
  const bytes = Buffer.from([0, 13, 10, 255]);
  assert.equal(await redis.publish('news', bytes), 2);
  assert.deepEqual((await message)[1], bytes);
  assert.deepEqual((await patterned).slice(0, 2), ['n?ws', 'news']);
  await assert.rejects(subscriber.get('k'), /subscriber mode/);
  assert.equal(await subscriber.unsubscribe('news', 'weather'), 1);
  assert.equal(await subscriber.punsubscribe('n?ws'), 0);
  assert.equal(await subscriber.get('k'), null);
});

test('shard channels', settings, async () => {
  const subscriber = connect();
  await subscriber.ssubscribe('shard');
  const message = event(subscriber, 'smessage');
  assert.equal(await redis.spublish('shard', 'hello'), 1);
  assert.deepEqual(await message, ['shard', 'hello']);
});

test('a killed client reconnects, subscribes anew, and its queue is sent', settings, async () => {
  const client = connect({ retryStrategy: () => 20 });
  const subscriber = connect({ retryStrategy: () => 20 });
  await subscriber.subscribe('again');
  await client.select(3);
  await client.set('k', 'in 3');
  for (const it of [client, subscriber]) {
    const ready = event(it, 'ready');
    const [id] = /(?<=^id=)\d+/.exec(await (it === client ? it.client('INFO') : idOf(subscriber)));
    assert.equal(await redis.client('KILL', 'ID', id), 1);
    await ready;
  }
  assert.equal(await client.get('k'), 'in 3');
  const message = event(subscriber, 'message');
  await until(async () => (await redis.publish('again', 'x')) === 1, 'it subscribed again');
  assert.deepEqual(await message, ['again', 'x']);
});

// A subscriber cannot ask for its own id with RESP2.
async function idOf() {
  const list = await redis.client('LIST', 'TYPE', 'pubsub');
  return list.split('\n').find((line) => line.includes('cmd=subscribe') && line.includes(' sub=1 '));
}

test('commands given before the connection is there wait for it', settings, async () => {
  const client = connect({ lazyConnect: true });
  const early = Promise.all([client.set('early', 1), client.incr('early'), client.get('early')]);
  assert.deepEqual(await within(early, 'early commands'), ['OK', 2, '2']);
  const strict = connect({ lazyConnect: true, enableOfflineQueue: false });
  await assert.rejects(strict.get('k'), /enableOfflineQueue options is false/);
});

test('automatic pipelines answer each call with its own value', settings, async () => {
  const client = connect({ enableAutoPipelining: true });
  await client.ping();
  const values = await Promise.all(Array.from({ length: 500 }, async (_, i) => {
    await client.set(`auto:${i}`, i);
    return client.get(`auto:${i}`);
  }));
  assert.deepEqual(values, Array.from({ length: 500 }, (_, i) => String(i)));
});

test('blocking pops: served by a push, ended by their timeout', settings, async () => {
  const waiting = connect();
  const id = await waiting.client('ID');
  const isBlocked = async () => / flags=\S*b/.test(await redis.client('LIST', 'ID', id));
  const popped = waiting.blpop('a', 'b', 0);
  await until(isBlocked, 'the client waits');
  await redis.rpush('b', 'x');
  assert.deepEqual(await within(popped, 'the pop'), ['b', 'x']);
  const begin = Date.now();
  assert.equal(await waiting.brpop('a', 0.2), null);
  assertBetween(Date.now() - begin, 190, 10000, 'the timeout');
  const moved = waiting.blmove('from', 'to', 'LEFT', 'RIGHT', 0);
  await until(isBlocked, 'the client waits');
  await redis.rpush('from', 'y');
  assert.equal(await within(moved, 'the move'), 'y');
  const smallest = waiting.bzpopmin('scores', 0);
  await until(isBlocked, 'the client waits');
  await redis.zadd('scores', 2, 'two', 1, 'one');
  assert.deepEqual(await within(smallest, 'the smallest'), ['scores', 'one', '1']);
});

test('streams: groups, pending entries, claiming, blocking reads', settings, async () => {
  await redis.xgroup('CREATE', 'stream', 'group', '$', 'MKSTREAM');
  const reader = connect();
  const read = reader.xreadgroup('GROUP', 'group', 'one', 'BLOCK', 0, 'STREAMS', 'stream', '>');
  const id = await redis.xadd('stream', '*', 'field', 'value');
  assert.deepEqual(await within(read, 'the entry'), [['stream', [[id, ['field', 'value']]]]]);
  assert.deepEqual((await redis.xpending('stream', 'group')).slice(0, 3), [1, id, id]);
  const claimed = await redis.xautoclaim('stream', 'group', 'two', 0, '0');
  assert.deepEqual(claimed.slice(0, 2), ['0-0', [[id, ['field', 'value']]]]);
  assert.equal(await redis.xack('stream', 'group', id), 1);
  assert.equal((await redis.xinfo('STREAM', 'stream'))[1], 1);
});

test('values of all bytes, and of 5 MB', settings, async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await redis.set(bytes, bytes);
  assert.deepEqual(await redis.getBuffer(bytes), bytes);
  const large = Buffer.alloc(5 << 20, 'x');
  await redis.set('large', large);
  assert.ok(large.equals(await redis.getBuffer('large')));
});

test('MONITOR shows what others ask', settings, async () => {
  const monitor = opened.add(await redis.monitor(), (it) => it.disconnect());
  const seen = event(monitor, 'monitor');
  await redis.set('watched', 'me');
  assert.deepEqual((await seen)[1], ['set', 'watched', 'me']);
});

test('a key prefix goes before the keys of every kind of command', settings, async () => {
  const client = connect({ keyPrefix: 'app:' });
  await client.mset('a', 1, 'b', 2);
  await client.zunionstore('sum', 2, 'x', 'y');
  await client.eval('return redis.call("SET", KEYS[1], 1)', 1, 'c');
  assert.deepEqual((await redis.keys('*')).sort(), ['app:a', 'app:b', 'app:c']);
});
