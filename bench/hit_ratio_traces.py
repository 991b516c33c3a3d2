# SPDX-License-Identifier: Apache-2.0
"""Request sequences with known properties, the same for every run: lists of key numbers."""
import itertools
import random


def zipf(exponent, keys, requests, seed):
    """Key i is asked for with a probability in proportion to 1 / (i + 1) ** exponent."""
    weights = list(itertools.accumulate((i + 1) ** -exponent for i in range(keys)))
    return random.Random(seed).choices(range(keys), cum_weights=weights, k=requests)


def interleave(traces, shares, requests, seed):
    """Takes the next request of one trace or another, by their shares, each with its own keys."""
    source = random.Random(seed)
    turns = source.choices(range(len(traces)), weights=shares, k=requests)
    iterators = [iter(trace) for trace in traces]
    return [next(iterators[turn]) * len(traces) + turn for turn in turns]


def loop(keys, requests):
    """All keys in order, again and again."""
    return [i % keys for i in range(requests)]


def once(requests):
    """Every key one time."""
    return list(range(requests))


def shifting(keys, requests, phases, seed):
    """Zipf 0.99 whose popular keys are others in each phase; half of them stay."""
    trace = zipf(0.99, keys, requests, seed)
    length = requests // phases + 1
    return [(key + (i // length) * keys // 7) % keys if key % 2 else key
            for i, key in enumerate(trace)]


def recent(keys, requests, seed):
    """Six in ten requests repeat one of the last 2,000 (the nearer, the likelier): made for LRU."""
    source = random.Random(seed)
    fresh = iter(zipf(0.8, keys, requests, seed + 1))
    trace = []
    for _ in range(requests):
        back = int(source.expovariate(1 / 500)) + 1
        if source.random() < 0.6 and back <= len(trace):
            trace.append(trace[-back])
        else:
            trace.append(next(fresh))
    return trace


def drifting(keys, requests, seed):
    """A working set that moves on and never comes back: made for LRU."""
    source = random.Random(seed)
    return [i * keys // requests + int(source.expovariate(50 / keys)) for i in range(requests)]


def followed_by(first, second):
    """The first half of one trace and then that of another, each with its own keys."""
    half = len(first) // 2
    return [key * 2 for key in first[:half]] + [key * 2 + 1 for key in second[:len(first) - half]]


def all_traces(keys, requests):
    """Name -> trace. keys: of the popular part; a trace may have more in all."""
    popular = zipf(0.99, keys, requests, 11)
    return {
        "zipf 0.8": zipf(0.8, keys, requests, 1),
        "zipf 0.99": zipf(0.99, keys, requests, 2),
        "zipf 1.1": zipf(1.1, keys, requests, 3),
        "zipf 0.99, one-hit keys 40 %": interleave([popular, once(requests)], [60, 40], requests, 4),
        "zipf 0.99, scans 30 %": interleave([popular, loop(keys // 2, requests)], [70, 30],
                                            requests, 5),
        "loop": loop(keys // 2, requests),
        "zipf 1.1, loop 50 %": interleave([zipf(1.1, keys, requests, 6), loop(keys // 8, requests)],
                                          [50, 50], requests, 7),
        "shifting popularity": shifting(keys, requests, 6, 8),
        "recently used again": recent(keys, requests, 9),
        "drifting working set": drifting(keys, requests, 10),
        "zipf 0.99, then a loop": followed_by(popular, loop(keys // 8, requests)),
    }
