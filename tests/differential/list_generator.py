# SPDX-License-Identifier: Apache-2.0
"""Commands on lists: small and large ones, at both ends and in the middle. Those that block find
something, or are in a transaction, where nothing blocks."""
from differential import Step

RESET = []

KEYS = ("l", "m", "n", "string", "absent")
INDEXES = ("0", "-1", "1", "5", "-5", "100", "-100", "x", "", "1.5", "9223372036854775807",
           "-9223372036854775808", "9223372036854775808")
COUNTS = ("0", "1", "2", "3", "-1", "-2", "100", "x", "9223372036854775807",
          "-9223372036854775808")


def element(random):
    kind = random.randrange(20)
    if kind == 0:
        return "x" * random.choice((0, 100, 5000, 20000)) + random.choice(("", "\r\n", "\0"))
    if kind == 1:
        return random.choice((b"\xff\xfe", "", "-0", "9223372036854775807"))
    return f"e{random.randrange(random.choice((3, 10, 300)))}"


def elements(random):
    return [element(random) for _ in range(random.choice((1, 1, 2, 5, 60)))]


def index(random):
    return random.choice((random.choice(INDEXES), str(random.randrange(-12, 12))))


def side(random):
    return random.choice(("LEFT", "RIGHT", "left", "RIGHT", "LEFT", "LEFT",
                          "UP" if random.random() < 0.1 else "LEFT"))


# RANK -9223372036854775808 is refused, as since Redis 7.2.
def position(random, key):
    parts = [[name, random.choice(values)] for name, values in (
        ("RANK", ("1", "2", "-1", "-2", "0", "x")),
        ("COUNT", ("0", "1", "2", "-1", "x")), ("MAXLEN", ("0", "1", "5", "100", "-1")))
        if random.random() < 0.4]
    random.shuffle(parts)
    return Step(("LPOS", key, element(random), *sum(parts, []),
                 *(["foo"] if random.random() < 0.03 else [])))


def many_pop(random):
    keys = [random.choice(KEYS) for _ in range(random.randrange(1, 4))]
    count = random.choice((*[len(keys)] * 8, "0", "x", 9, "-1"))
    limit = ["COUNT", random.choice(COUNTS)] if random.random() < 0.5 else []
    return Step(("LMPOP", count, *keys, side(random), *limit))


def blocking(random):
    """In a transaction: the same as the command that does not block."""
    words = random.choice((
        ("BLPOP", random.choice(KEYS), random.choice(KEYS), "0"),
        ("BRPOP", random.choice(KEYS), random.choice(("0", "1.5", "-1", "x", "1e300"))),
        ("BRPOPLPUSH", random.choice(KEYS), random.choice(KEYS), "0"),
        ("BLMOVE", random.choice(KEYS), random.choice(KEYS), side(random), side(random), "0"),
        ("BLMPOP", "0", "2", random.choice(KEYS), random.choice(KEYS), side(random))))
    return [Step(("MULTI",)), Step(words), Step(("EXEC",))]


def step(random):
    key = random.choices(KEYS, (6, 4, 2, 1, 1))[0]
    writers = (
        lambda: Step((random.choice(("LPUSH", "RPUSH")), key, *elements(random))),
        lambda: Step((random.choice(("LPUSH", "RPUSH")), key, *elements(random))),
        lambda: Step((random.choice(("LPUSHX", "RPUSHX")), key, *elements(random))),
        lambda: Step((random.choice(("LPOP", "RPOP")), key)),
        lambda: Step((random.choice(("LPOP", "RPOP")), key, random.choice(COUNTS))),
        lambda: Step(("LSET", key, index(random), element(random))),
        lambda: Step(("LINSERT", key, random.choice(("BEFORE", "AFTER", "after", "AT")),
                      element(random), element(random))),
        lambda: Step(("LREM", key, random.choice(COUNTS), element(random))),
        lambda: Step(("LTRIM", key, index(random), random.choice((index(random), "-1", "200")))),
        lambda: Step(("LMOVE", key, random.choice(KEYS), side(random), side(random))),
        lambda: Step(("RPOPLPUSH", key, random.choice(KEYS))),
        lambda: many_pop(random),
    )
    readers = (
        lambda: Step(("LLEN", key)),
        lambda: Step(("LINDEX", key, index(random))),
        lambda: Step(("LRANGE", key, index(random), index(random))),
        lambda: Step(("LRANGE", key, "0", "-1")),
        lambda: position(random, key),
    )
    others = (
        lambda: Step(("COPY", random.choice(("l", "m")), "n", "REPLACE")),
        lambda: Step(("RENAME", "n", "l")),
        lambda: Step(("DEL", key)),
        lambda: Step(("SET", "string", "s")),
        lambda: Step(("HELLO", random.choice((2, 3))), "shape"),
    )
    return random.choice(random.choices((writers, readers, others), (7, 4, 1))[0])()


def sequence(random):
    steps = []
    for _ in range(random.choice((10, 50, 300))):
        steps += blocking(random) if random.random() < 0.04 else [step(random)]
    return steps
