# SPDX-License-Identifier: Apache-2.0
"""Commands on sorted sets: small and large ones, of both encodings, and what combines several."""
from differential import Step

RESET = [("CONFIG", "SET", "zset-max-listpack-entries", "128"),
         ("CONFIG", "SET", "zset-max-listpack-value", "64")]

# "lex" holds equal scores only: ranges by member have no meaning elsewhere.
KEYS = ("z", "y", "x", "lex", "string", "absent")
SCORES = ("0", "-0", "1", "2", "3", "1.5", "0.1", "-3", "inf", "-inf", "+inf", "1e17", "1e-5", "5",
          "5", "3.0", "0x10", "123456789012", "-1e300", "1e308", "4611686018427387905")
BAD_SCORES = ("nan", "x", "", " 1", "1e400")
LEX = ("-", "+", "[", "(", "x", "", "[m1", "(m1", "[m2", "[m3", "(m9", "[z", "++")
NUMBERS = ("0", "-1", "1", "5", "-5", "100", "-100", "x", "9223372036854775807",
           "-9223372036854775808", "9223372036854775808")
COUNTS = ("0", "1", "2", "5", "-1", "-3", "1000", "x", "9223372036854775807",
          "-9223372036854775808")


def member(random):
    kind = random.randrange(40)
    if kind == 0:
        return "x" * random.choice((0, 63, 64, 65, 300))
    if kind == 1:
        return random.choice((b"\0", b"\xff\xfe", "\r\n"))
    return f"m{random.randrange(random.choice((5, 30, 500)))}"


def score(random):
    kind = random.randrange(30)
    if kind == 0:
        return random.choice(BAD_SCORES)
    if kind < 15:
        return random.choice(SCORES)
    return str(random.choice((random.randrange(-50, 50), random.uniform(-100, 100))))


def bound(random):
    return random.choice(("", "", "(")) + random.choice((score(random), "-inf", "inf"))


def number(random):
    return random.choice((random.choice(NUMBERS), str(random.randrange(-40, 40))))


def some(random, *options, chance=0.3):
    words = []
    for option in options:
        if random.random() < chance:
            words += option if isinstance(option, (list, tuple)) else [option]
    return words


def limit(random):
    return ["LIMIT", random.choice(NUMBERS), random.choice(NUMBERS)]


def add(random, key):
    if key == "lex":
        words = [word for _ in range(random.choice((1, 5, 40))) for word in ("7", member(random))]
        return Step(("ZADD", "lex", *words))
    options = some(random, "NX", "XX", "GT", "LT", "CH", "INCR", chance=0.1)
    count = random.choice((1, 1, 1, 2, 5, 40))
    words = [word for _ in range(count) for word in (score(random), member(random))]
    return Step(("ZADD", key, *options, *words, *some(random, "odd", chance=0.02)))


def in_range(random, key, name, behind=()):
    """A range of one key: (name, before the key, ...)."""
    if key == "lex" and random.random() < 0.8:
        words = [random.choice(LEX), random.choice(LEX), *some(random, "BYLEX", chance=0.95)]
    elif random.random() < 0.5:
        words = [bound(random), bound(random), *some(random, "BYSCORE", chance=0.95)]
    else:
        words = [number(random), number(random)]
    options = some(random, "REV", "WITHSCORES", limit(random)) + some(random, "foo", chance=0.02)
    return Step((*name, key, *words, *options, *behind))


def older_range(random, key):
    kind = random.randrange(3)
    if kind == 0:
        return Step(("ZREVRANGE", key, number(random), number(random),
                     *some(random, "WITHSCORES", "REV", limit(random))))
    if kind == 1:
        return Step((random.choice(("ZRANGEBYSCORE", "ZREVRANGEBYSCORE")), key, bound(random),
                     bound(random), *some(random, "WITHSCORES", limit(random))))
    return Step((random.choice(("ZRANGEBYLEX", "ZREVRANGEBYLEX")), "lex", random.choice(LEX),
                 random.choice(LEX), *some(random, limit(random))))


def remove_range(random, key):
    kind = random.randrange(3)
    if kind == 0:
        rank = random.randrange(-10, 10)
        return Step(("ZREMRANGEBYRANK", key, rank, random.choice((rank, rank + 2, "x", "0"))))
    if kind == 1:
        low = random.randrange(-50, 50)
        return Step(("ZREMRANGEBYSCORE", key, low, random.choice((low, f"({low + 3}", "x"))))
    return Step(("ZREMRANGEBYLEX", "lex", random.choice(LEX), random.choice(("[m2", "(m2", "-"))))


def random_members(random, key):
    options = random.choice(((), (), ("WITHSCORES",), ("foo",), ("WITHSCORES", "x")))
    return Step(("ZRANDMEMBER", key, random.choice(COUNTS), *options), "shape")


def many_pop(random):
    keys = [random.choice(KEYS) for _ in range(random.randrange(1, 4))]
    count = random.choice((*[len(keys)] * 8, "0", "x", 9, "9223372036854775807"))
    return Step(("ZMPOP", count, *keys, random.choice(("MIN", "MAX", "max", "foo")),
                 *some(random, ["COUNT", random.choice(COUNTS)])))


def operation(random):
    keys = [random.choice(KEYS) for _ in range(random.randrange(1, 4))]
    name = random.choice(("ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE",
                          "ZINTERCARD"))
    stores = name.endswith("STORE")
    count = random.choice((*[len(keys)] * 12, "0", "x", 9, "-1"))
    words = [name, *([random.choice(("x", "y", "absent"))] if stores else []), count, *keys]
    if name == "ZINTERCARD":
        return Step((*words, *some(random, ["LIMIT", random.choice(COUNTS)])))
    weights = ["WEIGHTS", *(random.choice(("1", "2", "0", "-1", "inf", "0.1", "x")) for _ in keys)]
    aggregate = ["AGGREGATE", random.choice(("SUM", "MIN", "MAX", "sum", "foo"))]
    chance = 0.05 if "DIFF" in name else 0.35
    return Step((*words, *some(random, weights, aggregate, chance=chance),
                 *some(random, "WITHSCORES", chance=0.02 if stores else 0.6)))


def step(random):
    key = random.choices(KEYS, (6, 4, 3, 3, 1, 1))[0]
    writers = (
        lambda: add(random, key),
        lambda: add(random, key),
        lambda: add(random, key),
        lambda: Step(("ZINCRBY", "z", score(random), member(random))),
        lambda: Step(("ZREM", key, *[member(random) for _ in range(random.choice((1, 2, 10)))])),
        lambda: Step((random.choice(("ZPOPMIN", "ZPOPMAX")), key,
                      *some(random, random.choice(("0", "1", "2", "x", "-1"))))),
        lambda: many_pop(random),
        lambda: remove_range(random, key),
        lambda: in_range(random, key, ("ZRANGESTORE", random.choice(("x", "absent")))),
        lambda: operation(random),
    )
    readers = (
        lambda: Step(("ZCARD", key)),
        lambda: Step(("ZSCORE", key, member(random))),
        lambda: Step(("ZMSCORE", key, member(random), member(random), member(random))),
        lambda: Step((random.choice(("ZRANK", "ZREVRANK")), key, member(random))),
        lambda: Step(("ZCOUNT", key, bound(random), bound(random))),
        lambda: Step(("ZLEXCOUNT", "lex", random.choice(LEX), random.choice(LEX))),
        lambda: in_range(random, key, ("ZRANGE",)),
        lambda: in_range(random, key, ("ZRANGE",)),
        lambda: older_range(random, key),
        lambda: operation(random),
        lambda: random_members(random, key),
        lambda: Step(("ZRANDMEMBER", key), "shape"),
        lambda: Step(("ZSCAN", key, *random.choice(((), ("COUNT", random.choice((1, 50))),
                                                    ("MATCH", "m1*"), ("COUNT", 0), ("x",)))),
                     "scan"),
        lambda: Step(("OBJECT", "ENCODING", key)),
    )
    others = (
        lambda: Step(("COPY", random.choice(("z", "y")), "x", "REPLACE")),
        lambda: Step(("RENAME", "x", "z")),
        lambda: Step(("DEL", key)),
        lambda: Step(("TYPE", key)),
        lambda: Step(("SET", "string", "s")),
        lambda: Step(("HELLO", random.choice((2, 3))), "shape"),
        lambda: Step(("CONFIG", "SET", "zset-max-listpack-entries", random.choice((0, 5, 128)))),
        lambda: Step(("CONFIG", "SET", "zset-max-listpack-value", random.choice((1, 64, 1000)))),
    )
    return random.choice(random.choices((writers, readers, others), (6, 5, 1))[0])()


def sequence(random):
    return [step(random) for _ in range(random.choice((10, 50, 300)))]
