// SPDX-License-Identifier: Apache-2.0
// node-redis (package "redis"): RESP3 with a cache in the client, pools, scripts, functions, iterators.
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { BasicClientSideCache, BasicPooledClientSideCache, createClient, createClientPool,
  defineScript, WatchError } from 'redis';
import { deferred, Opened, until, url, within } from './support.mjs';

const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 30000 };

async function connect(options = {}) {
  const client = createClient({ url, RESP: 3, ...options });
  client.on('error', () => {});
  opened.add(client, (it) => it.isOpen && it.destroy());
  return client.connect();
}

const redis = await connect();
beforeEach(() => redis.flushAll());

test('RESP3: doubles, maps, sets, nulls and booleans come as such', settings, async () => {
  await redis.hSet('h', { a: '1', b: '2' });
  await redis.zAdd('z', [{ score: 1.5, value: 'x' }, { score: Infinity, value: 'y' }]);
  await redis.sAdd('s', ['p', 'q']);
  assert.deepEqual({ ...await redis.hGetAll('h') }, { a: '1', b: '2' });
  assert.deepEqual(await redis.zRangeWithScores('z', 0, -1),
    [{ value: 'x', score: 1.5 }, { value: 'y', score: Infinity }]);
  assert.equal(await redis.zScore('z', 'x'), 1.5);
  assert.deepEqual((await redis.sMembers('s')).sort(), ['p', 'q']);
  assert.equal(await redis.get('absent'), null);
  assert.equal((await redis.hello(3)).proto, 3);
  const kinds = await redis.eval(
    'redis.setresp(3); return {true, false, {map = {k = "v"}}, {double = 2.5}}');
  assert.equal(kinds[0], true);
  assert.equal(kinds[1], false);
  assert.deepEqual({ ...kinds[2] }, { k: 'v' });
  assert.equal(kinds[3], 2.5);
});

test('the same client with RESP2', settings, async () => {
  const client = await connect({ RESP: 2 });
  await client.zAdd('z', [{ score: 1.5, value: 'x' }]);
  assert.deepEqual(await client.zRangeWithScores('z', 0, -1), [{ value: 'x', score: 1.5 }]);
  await client.hSet('h', 'f', 'v');
  assert.deepEqual({ ...await client.hGetAll('h') }, { f: 'v' });
  const config = await client.configGet('maxmemory-policy');
  assert.deepEqual(Object.keys(config), ['maxmemory-policy']);
});

test('a cache in the client answers alone until a key changes', settings, async () => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 100 });
  const client = await connect({ clientSideCache: cache });
  await redis.set('cached', '1');
  assert.equal(await client.get('cached'), '1');
  assert.equal(await client.get('cached'), '1');
  assert.equal(cache.stats().hitCount, 1);
  const gone = deferred();
  cache.on('invalidate', (key) => { if (key?.toString() === 'cached') gone.resolve(); });
  await redis.set('cached', '2');
  await within(gone.promise, 'the invalidation');
  assert.equal(await client.get('cached'), '2');
  await redis.flushAll();
  await until(async () => (await client.get('cached')) === null, 'FLUSHALL empties the cache');
});

test('a pool with a cache of its own', settings, async () => {
  const cache = new BasicPooledClientSideCache({ ttl: 0, maxEntries: 100 });
  const pool = createClientPool({ url, RESP: 3 }, { minimum: 2, maximum: 5, clientSideCache: cache });
  pool.on('error', () => {});
  opened.add(pool, (it) => it.destroy());
  await pool.connect();
  const sums = await Promise.all(Array.from({ length: 200 }, () => pool.incr('sum')));
  assert.deepEqual(sums.sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i + 1));
  await pool.get('sum');
  await pool.get('sum');
  await redis.set('sum', 'new');
  await until(async () => (await pool.get('sum')) === 'new', 'the pool sees the new value');
});

test('WATCH in a pool: only the client that watches is disturbed', settings, async () => {
  const pool = createClientPool({ url, RESP: 3 }, { minimum: 2, maximum: 4 });
  pool.on('error', () => {});
  opened.add(pool, (it) => it.destroy());
  await pool.connect();
  const transfer = async () => {
    for (;;) {
      try {
        return await pool.execute(async (client) => {
          await client.watch('balance');
          const value = Number(await client.get('balance'));
          return client.multi().set('balance', value + 1).incr('transfers').exec();
        });
      } catch (error) {
        if (!(error instanceof WatchError)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: 40 }, transfer));
  assert.equal(await redis.get('balance'), '40');
  assert.equal(await redis.get('transfers'), '40');
});

test('MULTI: typed replies, and an error in the middle', settings, async () => {
  const replies = await redis.multi().set('k', 'v').hSet('h', 'f', 'v').hGetAll('h').exec();
  assert.equal(replies[0], 'OK');
  assert.deepEqual({ ...replies[2] }, { f: 'v' });
  await assert.rejects(redis.multi().incr('n').lPop('k').incr('n').exec(), (error) => {
    assert.deepEqual(error.errorIndexes, [1]);
    assert.deepEqual([error.replies[0], error.replies[2]], [1, 2]);
    return true;
  });
});

test('scripts and functions', settings, async () => {
  const add = defineScript({
    SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1]) * 2',
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key, by) { parser.pushKey(key); parser.push(String(by)); },
    transformReply: (reply) => reply,
  });
  const client = await connect({ scripts: { add } });
  assert.equal(await client.add('n', 4), 8);
  await client.scriptFlush();
  assert.equal(await client.add('n', 1), 10);
  const code = `#!lua name=mine
redis.register_function('put', function(keys, args)
  return redis.call('SET', keys[1], args[1]) end)
redis.register_function{function_name='look', flags={'no-writes'}, callback=function(keys)
  return redis.call('GET', keys[1]) end}`;
  assert.equal(await redis.functionLoad(code, { REPLACE: true }), 'mine');
  await redis.fCall('put', { keys: ['f'], arguments: ['v'] });
  assert.equal(await redis.fCallRo('look', { keys: ['f'], arguments: [] }), 'v');
  await assert.rejects(redis.fCallRo('put', { keys: ['f'], arguments: ['w'] }), /write flag/);
  const [library] = await redis.functionList();
  assert.equal(library.library_name, 'mine');
  assert.equal(await redis.functionDelete('mine'), 'OK');
});

test('iterators over keys, hashes, sets and sorted sets', settings, async () => {
  const names = Array.from({ length: 1500 }, (_, i) => `k${i}`);
  await redis.mSet(names.map((name) => [name, name]));
  await redis.sAdd('set', names);
  await redis.hSet('hash', names.flatMap((name) => [name, 'v']));
  await redis.zAdd('sorted', names.map((value, score) => ({ value, score })));
  const collect = async (iterator) => {
    const all = [];
    for await (const some of iterator) all.push(...some);
    return all;
  };
  const keys = await collect(redis.scanIterator({ MATCH: 'k*', COUNT: 50 }));
  assert.deepEqual([...new Set(keys)].sort(), [...names].sort());
  assert.equal(new Set(await collect(redis.sScanIterator('set'))).size, 1500);
  assert.equal((await collect(redis.hScanIterator('hash'))).length, 1500);
  assert.equal((await collect(redis.zScanIterator('sorted'))).length, 1500);
});

test('pub/sub, sharded and not, while the client goes on asking', settings, async () => {
  const client = await connect();
  const got = [];
  await client.sSubscribe('shard', (message, channel) => got.push([channel, message]));
  await client.subscribe('plain', (message, channel) => got.push([channel, message]));
  await client.pSubscribe('p*', (message, channel) => got.push([`p* ${channel}`, message]));
  assert.equal(await client.get('k'), null);
  assert.equal(await redis.sPublish('shard', 'a'), 1);
  assert.equal(await redis.publish('plain', 'b'), 2);
  await until(() => got.length === 3, 'three messages');
  assert.deepEqual(got, [['shard', 'a'], ['plain', 'b'], ['p* plain', 'b']]);
  assert.deepEqual(await redis.pubSubShardChannels(), ['shard']);
  await client.sUnsubscribe('shard');
  await client.unsubscribe('plain');
  await client.pUnsubscribe('p*');
  assert.deepEqual(await redis.pubSubShardChannels(), []);
});

test('a killed client comes back with its subscriptions and its tracking', settings, async () => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 10 });
  const client = await connect({ clientSideCache: cache,
    socket: { reconnectStrategy: () => 20 } });
  const got = [];
  await client.subscribe('again', (message) => got.push(message));
  await redis.set('tracked', '1');
  const ready = deferred();
  client.once('ready', ready.resolve);
  await redis.clientKill({ filter: 'ID', id: await client.clientId() });
  await within(ready.promise, 'the client is back');
  await until(async () => (await redis.publish('again', 'x')) === 1, 'it subscribed again');
  await until(() => got.length === 1, 'a message');
  assert.equal(await client.get('tracked'), '1');
  await redis.set('tracked', '2');
  await until(async () => (await client.get('tracked')) === '2', 'the cache hears of the change');
});

test('blocking commands in clients of their own', settings, async () => {
  const waiting = await connect();
  const popped = waiting.blPop(['list'], 0);
  const read = (await connect({ unstableResp3: true })).xRead({ key: 'stream', id: '$' }, { BLOCK: 0, COUNT: 1 });
  await until(async () => /blocked_clients:2/.test(await redis.info('clients')), 'two wait');
  await redis.rPush('list', 'x');
  const id = await redis.xAdd('stream', '*', { f: 'v' });
  assert.deepEqual({ ...await within(popped, 'the pop') }, { key: 'list', element: 'x' });
  assert.deepEqual({ ...await within(read, 'the entry') }, { stream: [[id, ['f', 'v']]] });
});

test('typed replies of the newer commands', settings, async () => {
  await redis.geoAdd('geo', [{ longitude: 13.361389, latitude: 38.115556, member: 'Palermo' },
    { longitude: 15.087269, latitude: 37.502669, member: 'Catania' }]);
  assert.equal(await redis.geoDist('geo', 'Palermo', 'Catania', 'km'), 166.2742);
  assert.deepEqual(await redis.geoSearch('geo', { longitude: 15, latitude: 37 },
    { radius: 100, unit: 'km' }), ['Catania']);
  assert.deepEqual(await redis.lmPop(['none', 'none2'], 'LEFT'), null);
  await redis.rPush('l', ['a', 'b', 'c', 'a']);
  assert.deepEqual(await redis.lPosCount('l', 'a', 2), [0, 3]);
  assert.deepEqual(await redis.lmPop(['none', 'l'], 'LEFT', { COUNT: 2 }), ['l', ['a', 'b']]);
  await redis.setBit('bits', 7, 1);
  assert.equal(await redis.bitCount('bits'), 1);
  assert.deepEqual(await redis.bitField('bits', [
    { operation: 'INCRBY', encoding: 'u8', offset: 0, increment: 10 }]), [11]);
  assert.equal(await redis.copy('bits', 'copy'), 1);
  const [entry] = await redis.xInfoGroups('absent').catch((error) => [error.message]);
  assert.equal(entry, 'ERR no such key');
});
