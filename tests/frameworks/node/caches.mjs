// SPDX-License-Identifier: Apache-2.0
// Caches: keyv and cache-manager on @keyv/redis; memjs on the memcached port.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import KeyvRedis, { createKeyv } from '@keyv/redis';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import memjs from 'memjs';
import { Opened, memcached, until, url } from './support.mjs';

const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 20000 };

function openKeyv(options) {
  return opened.add(new Keyv(new KeyvRedis(url), options), (it) => it.disconnect());
}

test('keyv: values of all kinds, deadlines, several at once', settings, async () => {
  const keyv = openKeyv({ namespace: 'kinds' });
  await keyv.set('object', { a: [1, 'two', null] });
  assert.deepEqual(await keyv.get('object'), { a: [1, 'two', null] });
  assert.equal(await keyv.get('absent'), undefined);
  await keyv.setMany([{ key: 'x', value: 1 }, { key: 'y', value: 2 }]);
  assert.deepEqual(await keyv.getMany(['x', 'absent', 'y']), [1, undefined, 2]);
  assert.equal(await keyv.delete('x'), true);
  assert.equal(await keyv.has('x'), false);
  await keyv.set('short', 'lived', 50);
  await until(async () => (await keyv.get('short')) === undefined, 'the deadline');
});

test('keyv: namespaces are cleared and walked alone', settings, async () => {
  const [one, two] = [openKeyv({ namespace: 'one' }), openKeyv({ namespace: 'two' })];
  for (let i = 0; i < 300; ++i) await one.set(`k${i}`, i);
  await two.set('kept', 1);
  let walked = 0;
  for await (const [key, value] of one.iterator()) {
    assert.equal(key, `k${value}`);
    ++walked;
  }
  assert.equal(walked, 300);
  await one.clear();
  assert.equal(await one.get('k1'), undefined);
  assert.equal(await two.get('kept'), 1);
});

test('cache-manager: two levels, and one call for many who ask at once', settings, async () => {
  const shared = opened.add(createKeyv(url, { namespace: 'levels' }), (it) => it.disconnect());
  const cache = createCache({ stores: [new Keyv(), shared] });
  let calls = 0;
  const load = async () => { ++calls; return { loaded: calls }; };
  const answers = await Promise.all(Array.from({ length: 20 },
    () => cache.wrap('key', load, 60000)));
  assert.equal(calls, 1);
  assert.ok(answers.every((it) => it.loaded === 1));
  assert.deepEqual(await shared.get('key'), { loaded: 1 });
  await cache.mset([{ key: 'a', value: 1 }, { key: 'b', value: 2, ttl: 60000 }]);
  assert.deepEqual(await cache.mget(['a', 'b', 'c']), [1, 2, undefined]);
  await cache.mdel(['a', 'b']);
  assert.equal(await shared.get('a'), undefined);
  await cache.clear();
  assert.equal(await shared.get('key'), undefined);
});

test('memjs: the binary protocol of memcached', settings, async () => {
  const client = opened.add(memjs.Client.create(memcached, { timeout: 5, retries: 1 }),
    (it) => it.close());
  assert.equal(await client.set('k', 'value', { expires: 600 }), true);
  assert.equal((await client.get('k')).value.toString(), 'value');
  assert.equal((await client.get('absent')).value, null);
  assert.equal(await client.add('k', 'no', {}), false);
  assert.equal(await client.replace('k', '5', {}), true);
  await client.set('n', '10', {});
  assert.equal((await client.increment('n', 5, {})).value, 15);
  assert.equal((await client.decrement('n', 1, {})).value, 14);
  await client.append('k', '6');
  assert.equal((await client.get('k')).value.toString(), '56');
  assert.equal(await client.delete('k'), true);
  assert.equal((await client.get('k')).value, null);
});
