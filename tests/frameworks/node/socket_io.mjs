// SPDX-License-Identifier: Apache-2.0
// socket.io: two servers that know of each other's clients through our channels, or through a stream.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { event, host, Opened, port, until, url, within } from './support.mjs';

const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 30000 };

const ioredisClient = () => opened.add(new Redis({ host, port }), (it) => it.quit());
const observer = ioredisClient();
async function nodeRedisClient() {
  const client = createClient({ url });
  client.on('error', () => {});
  opened.add(client, (it) => it.close());
  return client.connect();
}

const kAdapters = {
  'pub/sub, ioredis': async () => createAdapter(ioredisClient(), ioredisClient(), { key: 'a' }),
  'pub/sub, node-redis': async () => createAdapter(
    await nodeRedisClient(), await nodeRedisClient(), { key: 'b' }),
  'shard channels': async () => createShardedAdapter(
    await nodeRedisClient(), await nodeRedisClient(), { channelPrefix: 'c' }),
  streams: async () => createStreamsAdapter(await nodeRedisClient(), { streamName: 'd', blockTimeInMs: 200 }),
};

async function openServer(adapter) {
  const http = createServer();
  const server = new Server(http, { adapter });
  opened.add(server, (it) => new Promise((resolve) => { it.close(resolve); }));
  server.on('connection', (socket) => {
    socket.on('join', (room, done) => { Promise.resolve(socket.join(room)).then(() => done()); });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return { server, address: `http://127.0.0.1:${http.address().port}` };
}

async function openClient(address) {
  const client = io(address, { transports: ['websocket'], forceNew: true });
  opened.add(client, (it) => it.close());
  await event(client, 'connect');
  return client;
}

for (const [name, makeAdapter] of Object.entries(kAdapters)) {
  test(`${name}: two servers are one`, settings, async () => {
    const one = await openServer(await makeAdapter());
    const two = await openServer(await makeAdapter());
    await until(async () => (await one.server.of('/').adapter.serverCount()) === 2
      && (await two.server.of('/').adapter.serverCount()) === 2, 'the servers know each other');
    const [left, right] = [await openClient(one.address), await openClient(two.address)];

    // To everyone, from the other server.
    const heard = Promise.all([event(left, 'news'), event(right, 'news')]);
    one.server.emit('news', { n: 1 }, Buffer.from([1, 2, 3]));
    for (const [data, bytes] of await heard) {
      assert.deepEqual(data, { n: 1 });
      assert.deepEqual([...Buffer.from(bytes)], [1, 2, 3]);
    }

    // To a room only.
    await within(right.emitWithAck('join', 'room'), 'join');
    if (name === 'shard channels') { // the adapter does not wait for the subscription to the room
      await until(async () => (await observer.pubsub('SHARDCHANNELS', 'c*room*')).length === 1,
        'the channel of the room');
    }
    const other = [];
    left.onAny((word) => other.push(word));
    const inRoom = event(right, 'whisper');
    one.server.to('room').emit('whisper', 'psst');
    assert.deepEqual(await inRoom, ['psst']);

    // Questions that every server answers.
    const ids = (await one.server.fetchSockets()).map((socket) => socket.id).sort();
    assert.deepEqual(ids, [left.id, right.id].sort());
    right.on('ask', (word, answer) => answer(`${word}!`));
    left.on('ask', (word, answer) => answer(`${word}?`));
    const answers = await one.server.timeout(10000).emitWithAck('ask', 'well');
    assert.deepEqual(answers.sort(), ['well!', 'well?']);
    const pinged = new Promise((resolve) => {
      two.server.on('hello', (word, answer) => { answer('I am two'); resolve(word); });
    });
    const replies = await within(one.server.serverSideEmitWithAck('hello', 'from one'), 'replies');
    assert.deepEqual(replies, ['I am two']);
    assert.equal(await pinged, 'from one');

    // Sockets of another server are moved and disconnected.
    one.server.in('room').socketsJoin('second');
    await until(async () => (await one.server.in('second').fetchSockets()).length === 1, 'it joined');
    const gone = event(right, 'disconnect');
    one.server.in('second').disconnectSockets(true);
    await gone;
    assert.ok(!other.includes('whisper'));
  });
}

test('an emitter that is no server reaches the clients of all', settings, async () => {
  const make = async () => createAdapter(ioredisClient(), ioredisClient(), { key: 'e' });
  const [one, two] = [await openServer(await make()), await openServer(await make())];
  await until(async () => (await one.server.of('/').adapter.serverCount()) === 2, 'two servers');
  const clients = [await openClient(one.address), await openClient(two.address)];
  const heard = Promise.all(clients.map((client) => event(client, 'outside')));
  new Emitter(ioredisClient(), { key: 'e' }).emit('outside', 7);
  assert.deepEqual(await heard, [[7], [7]]);
});
