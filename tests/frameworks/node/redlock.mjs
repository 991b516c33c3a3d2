// SPDX-License-Identifier: Apache-2.0
// redlock: locks that end by themselves, on one server and on three databases of it.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import redlock from 'redlock';
import { assertBetween, host, Opened, port } from './support.mjs';

const Redlock = redlock.default ?? redlock;
const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 20000 };
const clients = [0, 1, 2].map((db) => (
  opened.add(new Redis({ host, port, db }), (it) => it.disconnect())));

for (const [name, members] of [['one', clients.slice(0, 1)], ['three', clients]]) {
  const make = (options) => new Redlock(members, { retryCount: 0, ...options })
    .on('error', () => {});

  test(`${name}: a lock is had once, extended and released`, settings, async () => {
    const locks = make();
    const lock = await locks.acquire([`${name}:a`, `${name}:b`], 5000);
    await assert.rejects(locks.acquire([`${name}:b`], 5000), /unable to achieve a quorum/);
    const longer = await lock.extend(60000);
    for (const client of members) assertBetween(await client.pttl(`${name}:a`), 55000, 60000, 'ttl');
    await longer.release();
    for (const client of members) assert.equal(await client.exists(`${name}:a`, `${name}:b`), 0);
    await assert.rejects(longer.release(), /unable to achieve a quorum/);
  });

  test(`${name}: a lock that is not released ends`, settings, async () => {
    await make().acquire([`${name}:short`], 200);
    const waiting = make({ retryCount: 100, retryDelay: 20, retryJitter: 0 });
    const lock = await waiting.acquire([`${name}:short`], 5000);
    await lock.release();
  });

  test(`${name}: work that takes longer than its lock keeps it`, settings, async () => {
    const locks = make({ automaticExtensionThreshold: 100 });
    const result = await locks.using([`${name}:work`], 300, async (signal) => {
      const end = Date.now() + 900;
      while (Date.now() < end) {
        await assert.rejects(locks.acquire([`${name}:work`], 300), /unable to achieve a quorum/);
        await new Promise((resolve) => { setTimeout(resolve, 20); });
      }
      assert.equal(signal.aborted, false);
      return 'done';
    });
    assert.equal(result, 'done');
    await (await locks.acquire([`${name}:work`], 300)).release();
  });
}
