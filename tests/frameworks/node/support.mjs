// SPDX-License-Identifier: Apache-2.0
// What every program here needs: where the server is, and waiting that ends.
import assert from 'node:assert/strict';

export const host = '127.0.0.1';
export const port = Number(process.env.REDIS_PORT);
export const url = `redis://${host}:${port}`;
export const memcached = `${host}:${process.env.MEMCACHED_PORT}`;

const kPatienceMs = 15000;

// The promise's value, or an error that names what did not come.
export async function within(promise, what, ms = kPatienceMs) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// The first true answer of condition(), which is asked again and again.
export async function until(condition, what, ms = kPatienceMs) {
  const deadline = Date.now() + ms;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// The arguments of the next event of that name.
export function event(emitter, name, ms = kPatienceMs) {
  const happened = new Promise((resolve) => emitter.once(name, (...words) => resolve(words)));
  return within(happened, `event ${name}`, ms);
}

// Ends once, in reverse order, what was opened.
export class Opened {
  #closers = [];

  add(thing, close) {
    this.#closers.push(() => close(thing));
    return thing;
  }

  async close() {
    for (const closer of this.#closers.splice(0).reverse()) {
      await within(Promise.resolve(closer()), 'close');
    }
  }
}

// A promise with its two ends.
export function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

export function assertBetween(value, low, high, what) {
  assert.ok(value >= low && value <= high, `${what}: ${value} is not in ${low}..${high}`);
}
