// SPDX-License-Identifier: Apache-2.0
// express-session with connect-redis: requests over HTTP, with cookies.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { Opened, until, url } from './support.mjs';

const opened = new Opened();
after(() => opened.close());
const settings = { timeout: 20000 };

const client = createClient({ url });
opened.add(client, (it) => it.destroy());
await client.connect();

async function openSite(options = {}) {
  const site = express();
  const store = new RedisStore({ client, prefix: 'sess:', ttl: 600, ...options });
  site.use(session({ store, secret: 'a secret', resave: false, saveUninitialized: false }));
  site.get('/count', (request, response) => {
    request.session.count = (request.session.count ?? 0) + 1;
    response.json({ count: request.session.count, id: request.sessionID });
  });
  site.get('/login', (request, response) => {
    request.session.regenerate(() => {
      request.session.user = 'ann';
      response.json({ id: request.sessionID });
    });
  });
  site.get('/whoami', (request, response) => response.json({ user: request.session.user ?? null }));
  site.get('/logout', (request, response) => request.session.destroy(() => response.json({})));
  const server = createServer(site).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.add(server, (it) => { it.close(); it.closeAllConnections?.(); });
  return { store, address: `http://127.0.0.1:${server.address().port}` };
}

// A browser as far as cookies go.
class Visitor {
  constructor(address) { this.address = address; }

  async get(path) {
    const response = await fetch(this.address + path,
      { headers: this.cookie ? { cookie: this.cookie } : {} });
    const cookie = response.headers.get('set-cookie');
    if (cookie) this.cookie = cookie.split(';')[0];
    assert.equal(response.status, 200);
    return response.json();
  }
}

let site;
before(async () => { site = await openSite(); });

test('a visitor keeps the session; another has another one', settings, async () => {
  const [one, two] = [new Visitor(site.address), new Visitor(site.address)];
  assert.equal((await one.get('/count')).count, 1);
  assert.equal((await one.get('/count')).count, 2);
  assert.equal((await two.get('/count')).count, 1);
  const { id } = await one.get('/count');
  assert.equal(JSON.parse(await client.get(`sess:${id}`)).count, 3);
  const ttl = await client.ttl(`sess:${id}`);
  assert.ok(ttl > 590 && ttl <= 600, String(ttl));
});

test('sessions are shared by all processes of a site', settings, async () => {
  const second = await openSite();
  const visitor = new Visitor(site.address);
  await visitor.get('/login');
  visitor.address = second.address;
  assert.deepEqual(await visitor.get('/whoami'), { user: 'ann' });
});

test('login makes a new session, logout ends it', settings, async () => {
  const visitor = new Visitor(site.address);
  const before = await visitor.get('/count');
  const { id } = await visitor.get('/login');
  assert.notEqual(id, before.id);
  assert.equal(await client.exists(`sess:${before.id}`), 0);
  assert.deepEqual(await visitor.get('/whoami'), { user: 'ann' });
  await visitor.get('/logout');
  assert.equal(await client.exists(`sess:${id}`), 0);
  assert.deepEqual(await visitor.get('/whoami'), { user: null });
});

test('a session that is not used ends by itself', settings, async () => {
  const { address } = await openSite({ prefix: 'short:', ttl: 1, disableTouch: true });
  const visitor = new Visitor(address);
  const { id } = await visitor.get('/count');
  await until(async () => (await client.exists(`short:${id}`)) === 0, 'the session ends');
  assert.equal((await visitor.get('/count')).count, 1);
});

test('the store lists, counts and clears its sessions', settings, async () => {
  const { store, address } = await openSite({ prefix: 'listed:' });
  const ids = [];
  for (let i = 0; i < 5; ++i) ids.push((await new Visitor(address).get('/count')).id);
  const ask = (method) => new Promise((resolve, reject) => {
    store[method]((error, value) => (error ? reject(error) : resolve(value)));
  });
  assert.deepEqual((await ask('ids')).sort(), ids.sort());
  assert.equal(await ask('length'), 5);
  assert.deepEqual((await ask('all')).map((it) => it.id).sort(), ids);
  await ask('clear');
  assert.equal(await ask('length'), 0);
});
