#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random commands of every *_generator.py to our engine and to redis-server (differential.py).

  differential_test.py                           all generators, two minutes, another seed each
  differential_test.py --only hash --seconds 5   one of them
  differential_test.py --only hash --seed 12 --sequence 34   the sequence that differed
"""
import argparse
import importlib
import random
import sys
import time
from pathlib import Path

from differential import Difference, Pair, shortest
from resp_client import Closed
from servers import Server

HERE = Path(__file__).resolve().parent
SECONDS = 120


def generators(only):
    names = sorted(path.stem for path in HERE.glob("*_generator.py"))
    if only:
        names = [name for name in names if name == f"{only}_generator"]
    return {name.removesuffix("_generator"): importlib.import_module(name) for name in names}


def run_sequence(pair, name, generator, seed, number):
    """True when all replies were the same."""
    steps = generator.sequence(random.Random(f"{seed} {name} {number}"))
    try:
        pair.run(generator.RESET, steps)
        return True
    except Difference as difference:
        fewer, found = shortest(pair, generator.RESET, steps)
        print(f"{name}: --seed {seed} --sequence {number}, after {len(fewer)} of {len(steps)} steps:")
        for step in fewer[-60:]:
            print(f"  > {step}")
        print((found or difference).text(), flush=True)
        return False


def run_generator(servers, name, generator, options, seconds):
    deadline = time.monotonic() + seconds
    pair = Pair(*servers)
    pair.types_without_encoding = getattr(generator, "TYPES_WITHOUT_ENCODING", ())
    passed = failed = 0
    numbers = [options.sequence] if options.sequence is not None else range(1_000_000)
    for number in numbers:
        try:
            fine = run_sequence(pair, name, generator, options.seed, number)
        except (Closed, OSError) as error:
            print(f"{name}: --seed {options.seed} --sequence {number}: {type(error).__name__} "
                  f"{error}\n{servers[0].log()}", flush=True)
            return passed, failed + 1
        passed, failed = passed + fine, failed + (not fine)
        if failed == 3 or time.monotonic() > deadline:
            break
    print(f"{name}: {passed + failed} sequences, {pair.commands} commands, {failed} differ",
          flush=True)
    pair.close()
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--sequence", type=int)
    parser.add_argument("--seconds", type=float, help="for each generator")
    options = parser.parse_args()
    chosen = generators(options.only)
    seconds = options.seconds or SECONDS / max(1, len(chosen))
    print(f"seed {options.seed}", flush=True)
    total = [0, 0]
    with Server("mikura") as ours, Server("redis") as theirs:
        for name, generator in chosen.items():
            for i, count in enumerate(run_generator((ours, theirs), name, generator, options,
                                                    seconds)):
                total[i] += count
    if not chosen:
        total[1] += 1
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
