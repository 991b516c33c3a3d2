# SPDX-License-Identifier: Apache-2.0
"""Commands on streams and their groups. Ids are given explicitly and no time is compared: idle
times differ between the servers, so claims ask for none, or for one that is never reached."""
from differential import Step

RESET = []

KEYS = ("s", "t", "string", "absent")
GROUPS = ("g", "h", "nogroup")
CONSUMERS = ("alice", "bob", "carol")
BAD_IDS = ("x", "1-x", "-1", "1-2-3", "", "18446744073709551616-1", "0-18446744073709551615")
NEVER = 10**12  # milliseconds
COUNTS = ("0", "1", "2", "10", "-1", "x")


def entry_id(random):
    if random.random() < 0.03:
        return random.choice(BAD_IDS)
    number = random.randrange(random.choice((5, 60)))
    return random.choice((f"{number}", f"{number}-{random.randrange(4)}", f"{number}-0"))


def bound(random):
    return random.choice(("-", "+", entry_id(random), entry_id(random), "(" + entry_id(random)))


def some(random, *options, chance=0.35):
    return [word for option in options if random.random() < chance for word in option]


def trimming(random):
    # "~" keeps whole nodes, whose sizes are ours: tests/protocol/stream_nodes.test
    if random.random() < 0.5:
        return ["MAXLEN", *some(random, ["="]), random.choice(("0", "3", "10", "100", "-1", "x"))]
    return ["MINID", *some(random, ["="]), entry_id(random)]


def add(random, key, clock):
    new = random.choice(("0-1", "7", entry_id(random), *[f"{clock}-*"] * 6, f"{clock}-7"))
    fields = [word for i in range(random.choice((1, 1, 2, 4)))
              for word in (f"f{random.choice((i, i, 9))}", random.choice(("v", "", "x" * 70)))]
    return Step(("XADD", key, *some(random, ["NOMKSTREAM"], chance=0.05),
                 *(trimming(random) if random.random() < 0.08 else []), new, *fields,
                 *some(random, ["odd"], chance=0.02)))


def group_command(random, key):
    group = random.choice(GROUPS[:2])
    start = random.choice(("0", "$", entry_id(random)))
    return random.choice((
        Step(("XGROUP", "CREATE", key, group, start, *some(random, ["MKSTREAM"]))),
        Step(("XGROUP", "CREATE", key, group, start, *some(random, ["ENTRIESREAD", "3"]))),
        Step(("XGROUP", "SETID", key, random.choice(GROUPS), start)),
        Step(("XGROUP", "DESTROY", key, group)),
        Step(("XGROUP", "CREATECONSUMER", key, random.choice(GROUPS), random.choice(CONSUMERS))),
        Step(("XGROUP", "DELCONSUMER", key, random.choice(GROUPS), random.choice(CONSUMERS))),
    ))


def read_group(random, key):
    start = random.choice((">", ">", ">", "0", entry_id(random)))
    return Step(("XREADGROUP", "GROUP", random.choice(GROUPS), random.choice(CONSUMERS),
                 *some(random, ["COUNT", random.choice(COUNTS)]), *some(random, ["NOACK"],
                                                                        chance=0.1),
                 "STREAMS", key, start))


def claim(random, key):
    group, consumer = random.choice(GROUPS), random.choice(CONSUMERS)
    idle = random.choice(("0", "0", "0", NEVER, "-1", "x"))
    if random.random() < 0.4:
        return Step(("XAUTOCLAIM", key, group, consumer, idle, random.choice(("0-0", "-",
                                                                              entry_id(random))),
                     *some(random, ["COUNT", random.choice(COUNTS)], ["JUSTID"])))
    ids = [entry_id(random) for _ in range(random.choice((1, 3)))]
    return Step(("XCLAIM", key, group, consumer, idle, *ids,
                 *some(random, ["FORCE"], ["JUSTID"], ["IDLE", "0"], ["RETRYCOUNT", "5"],
                       ["LASTID", entry_id(random)], chance=0.2)))


def pending(random, key):
    group = random.choice(GROUPS)
    if random.random() < 0.5:
        return Step(("XPENDING", key, group))
    # An extended form shows idle times: kinds and counts are compared.
    return Step(("XPENDING", key, group, *some(random, ["IDLE", "0"], chance=0.2), bound(random),
                 bound(random), random.choice(COUNTS),
                 *some(random, [random.choice(CONSUMERS)])), "shape")


def step(random, clock):
    key = random.choices(KEYS, (8, 4, 1, 1))[0]
    return random.choices((
        lambda: add(random, key, clock),
        lambda: Step((random.choice(("XRANGE", "XREVRANGE")), key, bound(random), bound(random),
                      *some(random, ["COUNT", random.choice(COUNTS)]))),
        lambda: Step(("XLEN", key)),
        lambda: Step(("XDEL", key, *[entry_id(random) for _ in range(random.choice((1, 3)))])),
        lambda: Step(("XTRIM", key, *trimming(random))),
        lambda: Step(("XREAD", *some(random, ["COUNT", random.choice(COUNTS)]), "STREAMS", key,
                      "t", entry_id(random), random.choice(("$", "0", entry_id(random))))),
        lambda: group_command(random, key),
        lambda: read_group(random, key),
        lambda: Step(("XACK", key, random.choice(GROUPS),
                      *[entry_id(random) for _ in range(random.choice((1, 3)))])),
        lambda: claim(random, key),
        lambda: pending(random, key),
        lambda: Step(("XINFO", "STREAM", key), "shape"),
        lambda: Step(("XINFO", "GROUPS", key)),
        lambda: Step(("XINFO", "CONSUMERS", key, random.choice(GROUPS)), "shape"),
        # Forwards only: Redis does not trim behind a deleted entry of a greater id.
        lambda: Step(("XSETID", key, random.choice(("60-5", "75-1", *BAD_IDS)),
                      *some(random, ["ENTRIESADDED", "50"],
                            ["MAXDELETEDID", random.choice(("3-0", "99-0"))], chance=0.2))),
        lambda: random.choice((Step(("DEL", "t")), Step(("SET", "string", "s")),
                               Step(("COPY", "s", "t", "REPLACE")), Step(("RENAME", "t", "s")),
                               Step(("HELLO", random.choice((2, 3))), "shape"))),
    ), (10, 4, 1, 2, 1, 2, 4, 6, 3, 4, 3, 1, 2, 1, 1, 1))[0]()


def sequence(random):
    return [step(random, 1 + i // 5) for i in range(random.choice((20, 80, 300)))]
