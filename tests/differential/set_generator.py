# SPDX-License-Identifier: Apache-2.0
"""Commands on sets: of numbers and of words, small and large, and what combines several."""
from differential import Step, unquote

RESET = [("CONFIG", "SET", "set-max-intset-entries", "512")]

KEYS = ("s", "t", "u", "string", "absent")
COUNTS = ("0", "1", "2", "-1", "-3", "10", "1000", "x", "9223372036854775807",
          "-9223372036854775808")
NUMBERS = ("0", "-1", "7", "007", "32767", "32768", "-32769", "2147483648", "-2147483649",
           "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1.0", "+1", "-0")


def member(random):
    kind = random.randrange(30)
    if kind == 0:
        return random.choice((b"\0", b"\xff\xfe", "", "x" * 300, "\r\n"))
    if kind < 6:
        return random.choice(NUMBERS)
    number = random.randrange(random.choice((5, 40, 1000)))
    return str(number) if kind < 24 else f"m{number}"


def members(random):
    return [member(random) for _ in range(random.choice((1, 1, 2, 5, 40)))]


def keys(random):
    return [random.choice(KEYS[:-2] if random.random() < 0.9 else KEYS)
            for _ in range(random.randrange(1, 4))]


def pop(random, key):
    """Random members: redis-server removes those that ours has returned."""
    words = ("SPOP", key, *random.choice(((), ("1",), ("3",), ("50",), ("0",), ("-1",), ("x",))))

    def follow(reply):
        nodes = [reply] if reply.text[0] == "$" else reply.children
        if reply.text[0] == "-" or not nodes:
            return None
        return ("SREM", key, *[unquote(node.text[1:]) for node in nodes])
    return Step(words, "follow", follow)


def random_members(random, key):
    count = random.choice(COUNTS)
    if count.isdigit() and int(count) >= 1000:
        return Step(("SRANDMEMBER", key, count), "unordered")
    return Step(("SRANDMEMBER", key, count, *random.choice(((), (), ("x",)))), "shape")


def operation(random):
    name = random.choice(("SUNION", "SINTER", "SDIFF"))
    if random.random() < 0.4:
        return Step((name + "STORE", random.choice(("u", "u", "t", "string")), *keys(random)))
    if random.random() < 0.3:
        some = keys(random)
        count = random.choice((*[len(some)] * 8, "0", "x", 9, "-1"))
        limit = random.choice(((), ("LIMIT", random.choice(COUNTS)), ("LIMIT",), ("foo", "1")))
        return Step(("SINTERCARD", count, *some, *limit))
    return Step((name, *keys(random)), "unordered")


def step(random):
    key = random.choices(KEYS, (6, 4, 3, 1, 1))[0]
    writers = (
        lambda: Step(("SADD", key, *members(random))),
        lambda: Step(("SADD", key, *members(random))),
        lambda: Step(("SADD", key, *[random.randrange(700) for _ in range(60)])),
        lambda: Step(("SREM", key, *members(random))),
        lambda: Step(("SMOVE", key, random.choice(KEYS), member(random))),
        lambda: operation(random),
        lambda: pop(random, key),
    )
    readers = (
        lambda: Step(("SCARD", key)),
        lambda: Step(("SISMEMBER", key, member(random))),
        lambda: Step(("SMISMEMBER", key, *members(random))),
        lambda: Step(("SMEMBERS", key), "unordered"),
        lambda: operation(random),
        lambda: random_members(random, key),
        lambda: Step(("SRANDMEMBER", key), "shape"),
        lambda: Step(("SSCAN", key, *random.choice(((), ("COUNT", random.choice((1, 50))),
                                                    ("MATCH", "1*"), ("COUNT", 0), ("x",)))),
                     "scan"),
        lambda: Step(("OBJECT", "ENCODING", key)),
    )
    others = (
        lambda: Step(("COPY", random.choice(("s", "t")), "u", "REPLACE")),
        lambda: Step(("RENAME", "u", "s")),
        lambda: Step(("DEL", key)),
        lambda: Step(("SET", "string", "s")),
        lambda: Step(("HELLO", random.choice((2, 3))), "shape"),
        lambda: Step(("CONFIG", "SET", "set-max-intset-entries", random.choice((0, 5, 512)))),
    )
    return random.choice(random.choices((writers, readers, others), (6, 5, 1))[0])()


def sequence(random):
    return [step(random) for _ in range(random.choice((10, 50, 300)))]
