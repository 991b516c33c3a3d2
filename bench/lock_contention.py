#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the locks of the shards cost with more cores than the machine has: a simulation of events.

Each thread runs requests back to back: some time outside of any lock, then a key by Zipf's law, its
shard's lock, some time inside. The lock behaves as src/engine/keyspace/shard_lock.cc: a thread
spins, then sleeps; an unlock wakes one sleeper, whom running threads may overtake until it has
waited for a millisecond; then the lock is handed over. A lock that another core held last comes
with its cache lines, one after the other, and is not free meanwhile.

The times inside are what shared_lines --time measured; what this machine cannot show (the transfer
of a line between cores, the wake-up of a thread on many cores) is an assumption and an option.

  lock_contention.py                all combinations; about a minute
  lock_contention.py --outside 300  requests that cost less outside of the lock
"""
import argparse
import bisect
import collections
import heapq
import itertools
import random

SHARDS = 1024
KEYS = 1_000_000
# Nanoseconds by share of the requests, between which is interpolated.
HOLD_GET = ((0, 20), (0.5, 40), (0.9, 130), (0.99, 420), (0.999, 700), (1, 2000))
HOT_KEY = "one key"
SHARES = (0.8, 0.99, 1.2, HOT_KEY)
THREADS = (8, 16, 32, 64)
SPIN_NANOS = 1_000
PATIENCE_NANOS = 1_000_000
WARM_UP = 0.2  # of the requests, not counted


def draw_hold(source):
    share = source.random()
    index = bisect.bisect_left([point[0] for point in HOLD_GET], share)
    (left, low), (right, high) = HOLD_GET[max(0, index - 1)], HOLD_GET[max(1, index)]
    return low + (high - low) * (share - left) / (right - left)


def shard_weights(exponent, source):
    """How often each shard is asked for, summed up over the shards before it."""
    if exponent == HOT_KEY:
        return [1.0]
    weights = [0.0] * SHARDS
    for rank in range(1, KEYS + 1):
        weights[source.randrange(SHARDS)] += rank ** -exponent
    return list(itertools.accumulate(weights))


class Lock:
    def __init__(self):
        self.is_held = False
        self.is_handed = False  # to those who sleep; nobody else may take it
        self.is_starving = False
        self.last = None  # the thread that held it
        self.spinning = {}  # threads, and since when they wait
        self.sleeping = collections.deque()


class Simulation:
    def __init__(self, threads, cumulative, options, source):
        self.options, self.source, self.cumulative = options, source, cumulative
        self.locks = collections.defaultdict(Lock)
        self.wanted = [0] * threads  # the lock, of each thread
        self.since = [0.0] * threads
        self.events, self.order = [], itertools.count()
        self.now = 0.0
        self.waits, self.done, self.counted_from, self.sleeps = [], 0, 0.0, 0
        for thread in range(threads):
            self.post(self.outside(), self.arrive, thread)

    def post(self, delay, action, *arguments):
        heapq.heappush(self.events, (self.now + delay, next(self.order), action, arguments))

    def outside(self):
        return self.source.expovariate(1 / self.options.outside)

    def run(self):
        first = int(self.options.requests * WARM_UP)
        while self.done < self.options.requests:
            self.now, _, action, arguments = heapq.heappop(self.events)
            action(*arguments)
            if self.done == first and self.counted_from == 0:
                self.counted_from = self.now
                self.waits.clear()
                self.sleeps = 0
        return (self.options.requests - first) / (self.now - self.counted_from)

    def arrive(self, thread):
        share = self.source.random() * self.cumulative[-1]
        self.wanted[thread] = bisect.bisect_left(self.cumulative, share)
        self.since[thread] = self.now
        lock = self.locks[self.wanted[thread]]
        if lock.is_held or lock.is_handed or lock.is_starving:
            lock.spinning[thread] = self.now
            self.post(SPIN_NANOS, self.stop_spinning, thread, self.now)
        else:
            self.take(lock, thread)

    def take(self, lock, thread):
        lock.is_held, lock.is_handed = True, False
        self.waits.append(self.now - self.since[thread])
        transfer = 0 if lock.last in (thread, None) else self.options.lines * self.options.transfer
        lock.last = thread
        self.post(transfer + draw_hold(self.source), self.release, lock, thread)

    def stop_spinning(self, thread, since):
        lock = self.locks[self.wanted[thread]]
        if lock.spinning.get(thread) != since:
            return
        del lock.spinning[thread]
        self.try_as_sleeper(lock, thread)

    def try_as_sleeper(self, lock, thread):
        if not lock.is_held:
            if lock.is_handed:
                lock.is_starving = False
            self.take(lock, thread)
            return
        if self.now - self.since[thread] > PATIENCE_NANOS:
            lock.is_starving = True
        self.sleeps += 1
        lock.sleeping.append(thread)

    def release(self, lock, thread):
        self.done += 1
        lock.is_held = False
        cost = 0
        if lock.sleeping:
            lock.is_handed = lock.is_starving
            self.post(self.options.wake, self.try_as_sleeper, lock, lock.sleeping.popleft())
            cost = self.options.wake_call
        if lock.spinning and not lock.is_handed and not lock.is_starving:
            winner = self.source.choice(list(lock.spinning))
            del lock.spinning[winner]
            self.take(lock, winner)
        self.post(cost + self.outside(), self.arrive, thread)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outside", type=float, default=1000, help="ns of a request without lock")
    parser.add_argument("--transfer", type=float, default=80, help="ns for a line of another core")
    parser.add_argument("--lines", type=int, default=2, help="that come with the lock")
    parser.add_argument("--wake", type=float, default=5000, help="ns until a woken thread runs")
    parser.add_argument("--wake-call", type=float, default=1000, help="ns of the call that wakes")
    parser.add_argument("--requests", type=int, default=60_000, help="simulated for each line")
    parser.add_argument("--threads", type=int, nargs="*", default=THREADS)
    options = parser.parse_args()
    print("| keys | threads | million requests/s | of ideal | wait p50 | p99 | p99.9 (us) | slept |")
    print("|---|---|---|---|---|---|---|---|")
    sampler = random.Random(2)
    hold = sum(draw_hold(sampler) for _ in range(100_000)) / 100_000
    for exponent in SHARES:
        cumulative = shard_weights(exponent, random.Random(3))
        for threads in options.threads:
            simulation = Simulation(threads, cumulative, options, random.Random(4))
            rate = simulation.run()
            ideal = threads / (options.outside + hold)
            waits = [quantile(simulation.waits, share) / 1000 for share in (0.5, 0.99, 0.999)]
            name = exponent if exponent == HOT_KEY else f"zipf {exponent}"
            print(f"| {name} | {threads} | {rate * 1000:.1f} | {rate / ideal:.2f} | {waits[0]:.2f} | "
                  f"{waits[1]:.2f} | {waits[2]:.1f} | {simulation.sleeps / len(simulation.waits):.4f} |",
                  flush=True)


if __name__ == "__main__":
    main()
