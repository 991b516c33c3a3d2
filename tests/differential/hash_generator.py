# SPDX-License-Identifier: Apache-2.0
"""Commands on hashes: small and large ones, of all encodings."""
from differential import Step

RESET = [("CONFIG", "SET", "hash-max-listpack-entries", "512"),
         ("CONFIG", "SET", "hash-max-listpack-value", "64")]

KEYS = ("h", "i", "j", "string")
NUMBERS = ("0", "1", "-1", "7", "9223372036854775807", "-9223372036854775808", "007", "abc", "",
           "1.5", "-2.25", "1e3", "inf", " 1", "3.0e-5", "123456789012345678901234567890")
COUNTS = ("0", "1", "2", "-1", "-3", "10", "1000", "-9223372036854775808", "9223372036854775807",
          "9223372036854775808", "x")


def field(random):
    return f"f{random.randrange(random.choice((3, 30, 2000)))}"


def value(random):
    kind = random.randrange(8)
    if kind < 4:
        return f"v{random.randrange(1000)}"
    if kind < 7:
        return random.choice(NUMBERS)
    return "x" * random.choice((0, 63, 64, 65, 300, 3000)) + random.choice(("", "\r\n", "\0"))


def pairs(random):
    count = random.choice((1, 1, 2, 5, 40))
    return [word for _ in range(count) for word in (field(random), value(random))]


def fields(random):
    return [field(random) for _ in range(random.choice((1, 1, 2, 5, 40)))]


def random_fields(random, key):
    count = random.choice(COUNTS)
    options = random.choice(((), (), ("WITHVALUES",), ("foo",), ("WITHVALUES", "x")))
    if not count.startswith("-") and count.isdigit() and int(count) >= 1000 and not options:
        return Step(("HRANDFIELD", key, count), "unordered")
    return Step(("HRANDFIELD", key, count, *options), "shape")


def step(random):
    key = random.choices(KEYS, (5, 3, 2, 1))[0]
    writers = (
        lambda: Step(("HSET", key, *pairs(random))),
        lambda: Step(("HSET", key, *pairs(random), *random.choice(((), ("odd",))))),
        lambda: Step(("HMSET", key, *pairs(random))),
        lambda: Step(("HSETNX", key, field(random), value(random))),
        lambda: Step(("HDEL", key, *fields(random))),
        lambda: Step(("HINCRBY", key, field(random), random.choice(NUMBERS))),
        lambda: Step(("HINCRBYFLOAT", key, field(random), random.choice(NUMBERS))),
    )
    readers = (
        lambda: Step(("HGET", key, field(random))),
        lambda: Step(("HMGET", key, *fields(random))),
        lambda: Step(("HGETALL", key), "pairs"),
        lambda: Step(("HKEYS", key), "unordered"),
        lambda: Step(("HVALS", key), "unordered"),
        lambda: Step(("HLEN", key)),
        lambda: Step(("HSTRLEN", key, field(random))),
        lambda: Step(("HEXISTS", key, field(random))),
        lambda: random_fields(random, key),
        lambda: Step(("HRANDFIELD", key), "shape"),
        lambda: Step(("HSCAN", key, *random.choice(((), ("COUNT", random.choice((1, 50))),
                                                    ("MATCH", "f1*"), ("COUNT", 0), ("x",)))),
                     "scan"),
        lambda: Step(("OBJECT", "ENCODING", key)),
    )
    others = (
        lambda: Step(("COPY", key, random.choice(KEYS), "REPLACE")),
        lambda: Step(("RENAME", key, random.choice(KEYS))),
        lambda: Step(("DEL", key)),
        lambda: Step(("TYPE", key)),
        lambda: Step(("SET", "string", value(random))),
        lambda: Step(("HELLO", random.choice((2, 3))), "shape"),
        lambda: Step(("CONFIG", "SET", "hash-max-listpack-entries", random.choice((0, 5, 512)))),
        lambda: Step(("CONFIG", "SET", "hash-max-listpack-value", random.choice((1, 64, 1000)))),
    )
    return random.choice(random.choices((writers, readers, others), (6, 4, 1))[0])()


def sequence(random):
    return [step(random) for _ in range(random.choice((10, 50, 300)))]
