# SPDX-License-Identifier: Apache-2.0
"""HyperLogLogs, sparse and dense, down to their bytes."""
from differential import Step

# A short value that was changed is "raw" in Redis; ours follows from the bytes alone.
TYPES_WITHOUT_ENCODING = ("string",)
RESET = [("CONFIG", "SET", "hll-sparse-max-bytes", "3000")]

KEYS = ("h", "i", "j", "string")


def element(random):
    return f"e{random.randrange(random.choice((10, 300, 100_000)))}"


def elements(random):
    return [element(random) for _ in range(random.choice((0, 1, 1, 3, 30, 500)))]


def keys(random):
    return [random.choices(KEYS, (5, 3, 2, 0.1))[0] for _ in range(random.choice((0, 1, 2, 3)))]


def step(random):
    key = random.choices(KEYS, (5, 3, 2, 0.1))[0]
    return random.choices((
        lambda: Step(("PFADD", key, *elements(random))),
        lambda: Step(("PFCOUNT", key, *keys(random))),
        lambda: Step(("PFMERGE", key, *keys(random))),
        lambda: Step(("GET", key)),
        lambda: Step(("PFDEBUG", "DECODE", key)),
        lambda: Step(("PFDEBUG", "ENCODING", key)),
        lambda: Step(("PFDEBUG", "GETREG", key)),
        lambda: Step(("PFDEBUG", "TODENSE", key)),
        lambda: Step(("DEL", key)),
        lambda: Step(("SET", "string", "x")),
        lambda: Step(("CONFIG", "SET", "hll-sparse-max-bytes",
                      random.choice((0, 25, 100, 3000, 20_000)))),
    ), (20, 8, 5, 5, 2, 1, 0.2, 0.5, 1.5, 0.2, 1))[0]()


def sequence(random):
    return [step(random) for _ in range(random.choice((10, 50, 200)))] + \
        [Step(("GET", key)) for key in KEYS] + [Step(("DEL", *KEYS))]
