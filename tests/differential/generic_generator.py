# SPDX-License-Identifier: Apache-2.0
"""Commands on keys of any type: names, copies, deadlines, and what lists them."""
from differential import Step

RESET = []

KEYS = ("a", "b", "c", "d", "{a}x", "absent")
# Long ago, or long after the test.
TIMES = ("0", "-1", "1000000000", "x", "9223372036854775807", "-9223372036854775808",
         "9223372036854775", "1.5")
FAR = "99999999999"  # seconds since the epoch
CONDITIONS = ("NX", "XX", "GT", "LT", "nx", "foo")
PATTERNS = ("*", "a*", "?", "[ab]", "[^a]*", "{a}*", "\\*", "nothing", "")
TYPES = ("string", "list", "hash", "set", "zset", "stream", "nonsense")


def some(random, *options, chance=0.3):
    return [word for option in options if random.random() < chance for word in option]


def key(random):
    return random.choice(KEYS)


def create(random):
    count = random.choice((1, 3, 200))
    numbers = range(count)
    name = random.choice(KEYS[:-1])
    return Step(random.choice((
        ("SET", name, "x" * count), ("SET", name, str(random.randrange(1000))),
        ("RPUSH", name, *[f"e{i}" for i in numbers]), ("SADD", name, *[f"m{i}" for i in numbers]),
        ("SADD", name, *numbers),
        ("HSET", name, *[word for i in numbers for word in (f"f{i}", f"v{i}")]),
        ("ZADD", name, *[word for i in numbers for word in (i / 4, f"m{i}")]),
        ("XADD", name, f"{random.randrange(1000)}-*", "f", "v" * count))))


def expire(random):
    name = random.choice(("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"))
    time = random.choice((*TIMES, FAR, FAR, FAR, FAR))
    # Two deadlines that are counted from now are not the same at both servers.
    conditions = CONDITIONS if name.endswith("AT") else ("NX", "XX", "nx", "foo")
    return Step((name, key(random), time, *some(random, [random.choice(conditions)],
                                                [random.choice(conditions)], chance=0.25)))


def step(random):
    writers = (
        lambda: create(random),
        lambda: create(random),
        lambda: create(random),
        lambda: Step((random.choice(("RENAME", "RENAMENX")), key(random), key(random))),
        lambda: Step(("COPY", key(random), key(random),
                      *some(random, ["REPLACE"], ["DB", random.choice(("0", "1", "x", "99"))]))),
        lambda: Step((random.choice(("DEL", "UNLINK")), key(random), key(random))),
        lambda: Step(("MOVE", key(random), random.choice(("0", "1", "x", "99")))),
        lambda: expire(random),
        lambda: expire(random),
        lambda: Step(("PERSIST", key(random))),
        lambda: Step(("SWAPDB", "0", "1")) if random.random() < 0.1 else Step(("PING",)),
    )
    readers = (
        lambda: Step(("EXISTS", key(random), key(random))),
        lambda: Step(("TYPE", key(random))),
        lambda: Step((random.choice(("TTL", "PTTL")), key(random)), "shape"),
        lambda: Step((random.choice(("EXPIRETIME", "PEXPIRETIME")), key(random)), "shape"),
        lambda: Step(("KEYS", random.choice(PATTERNS)), "unordered"),
        lambda: Step(("DBSIZE",)),
        lambda: Step(("RANDOMKEY",), "shape"),
        lambda: Step(("TOUCH", key(random), key(random))),
        lambda: Step(("OBJECT", "ENCODING", "absent"), "shape"),
        lambda: Step(("SCAN", "0", "COUNT", "1000", *some(random, ["TYPE", random.choice(TYPES)],
                                                          ["MATCH", random.choice(PATTERNS)])),
                     "shape"),
        lambda: Step(("HELLO", random.choice((2, 3))), "shape"),
    )
    return random.choice(random.choices((writers, readers), (6, 4))[0])()


def sequence(random):
    return [step(random) for _ in range(random.choice((10, 50, 300)))]
