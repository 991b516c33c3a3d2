# SPDX-License-Identifier: Apache-2.0
"""Commands on strings, as text, as numbers and as bits. What OBJECT ENCODING says of a string
depends on its bytes alone in ours, in redis-server on how they came to be: not compared."""
from differential import Step

RESET = []

KEYS = ("a", "b", "c", "list", "absent")
NUMBERS = ("0", "1", "-1", "7", "10", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "007", "", "abc", "1.5", "-2.25", "1e3", "inf", "nan", " 1", "1 ",
           "3.0e-5", "123456789012345678901234567890", "0x10", "+5")
# The first eleven may be written to without making a string huge.
OFFSETS = ("0", "1", "7", "8", "9", "31", "100", "1000", "-1", "-8", "x", "4294967295",
           "4294967296", "9223372036854775807", "-9223372036854775808", "#0", "#3")
INDEXES = ("0", "1", "-1", "3", "-3", "10", "-100", "100", "x", "9223372036854775807",
           "-9223372036854775808")
TYPES = ("u8", "u1", "u2", "u63", "i64", "i8", "i16", "i5", "u32", "i1", "u64", "i65", "x8", "u0",
         "U8")
FAR = 10**9  # no time of a test ends there


def value(random):
    kind = random.randrange(10)
    if kind < 3:
        return random.choice(NUMBERS)
    if kind < 5:
        return str(random.randrange(-1000, 1000))
    if kind == 5:
        return random.randbytes(random.choice((1, 5, 20, 100)))
    if kind == 6:
        return "x" * random.choice((0, 43, 44, 45, 300, 5000))
    return "".join(random.choice("abcXYZ \r\n") for _ in range(random.randrange(12)))


def set_options(random):
    parts = [[word] for word in ("NX", "XX", "GET", "KEEPTTL") if random.random() < 0.12]
    if random.random() < 0.15:
        parts.append([random.choice(("EX", "PX")), random.choice((FAR, "0", "-1", "x",
                                                                  "9223372036854775807"))])
    if random.random() < 0.05:
        parts.append(["EXAT", random.choice(("1", "99999999999", "-5"))])
    random.shuffle(parts)
    return sum(parts, [])


def bit_operation(random):
    name = random.choice(("AND", "OR", "XOR", "NOT", "and", "NAND"))
    sources = [random.choice(KEYS) for _ in range(1 if name == "NOT" else random.randrange(1, 4))]
    return Step(("BITOP", name, random.choice(("c", "b", "list")), *sources))


def bit_range(random):
    words = []
    if random.random() < 0.7:
        words += [random.choice(INDEXES), random.choice(INDEXES)]
        if random.random() < 0.4:
            words.append(random.choice(("BYTE", "BIT", "bit", "x")))
    elif random.random() < 0.3:
        words.append(random.choice(INDEXES))
    return words


# With OVERFLOW SAT Redis answers the greatest number of a field where the least one is meant, when
# the distance of the two does not fit 64 bits.
SETTABLE = [number for number in NUMBERS[:7] if number != "-9223372036854775808"]


def bit_field(random, key):
    words = []
    for _ in range(random.choice((1, 1, 2, 4))):
        kind, offset = random.choice(TYPES), random.choice(OFFSETS[:10] + OFFSETS[-2:])
        words += random.choice((
            ["GET", kind, offset],
            ["SET", kind, offset, random.choice(SETTABLE)],
            ["INCRBY", kind, offset, random.choice(NUMBERS[:7])],
            ["OVERFLOW", random.choice(("WRAP", "SAT", "FAIL", "fail", "x"))]))
    return Step((random.choice(("BITFIELD", "BITFIELD", "BITFIELD_RO")), key, *words))


def lcs(random):
    parts = [part for part in (["LEN"], ["IDX"], ["MINMATCHLEN", random.choice(("0", "2", "x"))],
                               ["WITHMATCHLEN"]) if random.random() < 0.3]
    return Step(("LCS", random.choice(KEYS), random.choice(KEYS), *sum(parts, [])))


def step(random):
    key = random.choices(KEYS, (5, 4, 3, 1, 1))[0]
    writers = (
        lambda: Step(("SET", key, value(random))),
        lambda: Step(("SET", key, value(random), *set_options(random))),
        lambda: Step(("SETNX", key, value(random))),
        lambda: Step(("GETSET", key, value(random))),
        lambda: Step(("GETDEL", key)),
        lambda: Step(("GETEX", key, *random.choice(((), ("PERSIST",), ("EX", FAR), ("PX", "0"),
                                                    ("EX", FAR, "PERSIST"), ("EXAT", "1"))))),
        lambda: Step(("SETEX", key, random.choice((FAR, "0", "-1", "x")), value(random))),
        lambda: Step(("APPEND", key, value(random))),
        lambda: Step(("SETRANGE", key, random.choice(("0", "1", "5", "50", "-1", "x",
                                                      "536870912")), value(random))),
        lambda: Step((random.choice(("INCR", "DECR")), key)),
        lambda: Step((random.choice(("INCRBY", "DECRBY", "INCRBYFLOAT")), key,
                      random.choice(NUMBERS))),
        lambda: Step((random.choice(("MSET", "MSETNX")), random.choice(KEYS), value(random),
                      random.choice(KEYS), value(random), *random.choice(((), (), ("odd",))))),
        lambda: Step(("SETBIT", key, random.choice(OFFSETS[:11]), random.choice("0011x2"))),
        lambda: bit_operation(random),
        lambda: bit_field(random, key),
    )
    readers = (
        lambda: Step(("GET", key)),
        lambda: Step(("MGET", *[random.choice(KEYS) for _ in range(3)])),
        lambda: Step(("STRLEN", key)),
        lambda: Step((random.choice(("GETRANGE", "SUBSTR")), key, random.choice(INDEXES),
                      random.choice(INDEXES))),
        lambda: Step(("GETBIT", key, random.choice(OFFSETS))),
        lambda: Step(("BITCOUNT", key, *bit_range(random))),
        lambda: Step(("BITPOS", key, random.choice("0011x2"), *bit_range(random))),
        lambda: bit_field(random, key),
        lambda: lcs(random),
    )
    others = (
        lambda: Step(("DEL", key)),
        lambda: Step(("RPUSH", "list", "x")),
        lambda: Step(("TTL", key), "shape"),
        lambda: Step(("COPY", key, "b", "REPLACE")),
        lambda: Step(("HELLO", random.choice((2, 3))), "shape"),
    )
    return random.choice(random.choices((writers, readers, others), (6, 5, 1))[0])()


def sequence(random):
    return [step(random) for _ in range(random.choice((10, 50, 300)))]
