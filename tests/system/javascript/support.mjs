// SPDX-License-Identifier: Apache-2.0
// The service, the caches it gives out, and waiting that ends.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as openSocket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import * as sdk from '@aws-sdk/client-elasticache';
import { Redis } from 'ioredis';

const kPatienceSeconds = 60;
export const port = Number(process.env.MIKURA_CACHE_PORT);
export const nodeType = 'cache.t3.micro';

export const client = new sdk.ElastiCacheClient({
  endpoint: process.env.MIKURA_ENDPOINT,
  region: process.env.MIKURA_REGION,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
});

// call('CreateUser', {...}): the operation of that name.
export function call(operation, input = {}) {
  return client.send(new sdk[`${operation}Command`](input));
}

// The error that the operation must be answered with. `name`: of the SDK's exception.
export function refuses(name, operation, input) {
  return assert.rejects(call(operation, input), { name });
}

// wait('ReplicationGroupAvailable', {...}): the SDK's own waiter, that asks more often than every 15 s.
export async function wait(name, input) {
  const limits = { client, maxWaitTime: kPatienceSeconds, minDelay: 0.2, maxDelay: 1 };
  const { state } = await sdk[`waitUntil${name}`](limits, input);
  assert.equal(state, 'SUCCESS');
}

// The first true answer of condition(), which is asked again and again.
export async function until(condition, what) {
  const deadline = Date.now() + kPatienceSeconds * 1000;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${kPatienceSeconds} s: ${what}`);
    await pause(20);
  }
}

// Calls use() with a client of the endpoint. tls: whether it speaks TLS and believes the service's authority.
export async function withCache(endpoint, use, { tls = false, ...options } = {}) {
  const settings = { host: endpoint.Address, port: endpoint.Port, lazyConnect: true,
    connectTimeout: 10000, commandTimeout: 10000, maxRetriesPerRequest: 0,
    retryStrategy: () => null, ...options };
  // Read at each use: the service makes it with the first group that needs it.
  if (tls) settings.tls = { ca: readFileSync(process.env.MIKURA_AUTHORITY) };
  const cache = new Redis(settings);
  cache.on('error', () => {});  // the commands tell
  try {
    await cache.connect();
    return await use(cache);
  } finally {
    cache.disconnect();
  }
}

export const read = (endpoint, key, options) => withCache(endpoint, (it) => it.get(key), options);
export const write = (endpoint, key, value, options) =>
  withCache(endpoint, (it) => it.set(key, value), options);

// What a memcached node answers to the text, up to the line that ends it.
export function askMemcached(endpoint, text, end) {
  return new Promise((resolve, reject) => {
    const socket = openSocket(endpoint.Port, endpoint.Address);
    let answer = '';
    socket.setTimeout(10000, () => socket.destroy(new Error(`no answer to ${text}`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed')));
    socket.on('data', (bytes) => {
      answer += bytes;
      if (!answer.endsWith(`${end}\r\n`)) return;
      resolve(answer);
      socket.destroy();
    });
    socket.on('connect', () => socket.write(text));
  });
}
