# SPDX-License-Identifier: Apache-2.0
"""SORT of lists, sets and sorted sets, by elements and by other keys."""
from differential import Step

TYPES_WITHOUT_ENCODING = ("zset",)
RESET = []

KEYS = ("l", "s", "z", "d", "string", "absent")
PATTERNS = ("w*", "w*", "h*->f", "h*->f", "h*->g", "*", "nosort", "absent*", "*->f", "h*->", "w**")


def number(random):
    return str(random.choice((random.randrange(20), random.randrange(-1000, 1000),
                              random.randrange(100) / 8)))


def element(random):
    return random.choice((number, number, number, lambda r: f"e{r.randrange(20)}"))(random)


def elements(random, one):
    return [one(random) for _ in range(random.choice((1, 2, 10, 60)))]


def sort(random):
    words = [random.choice(("SORT", "SORT", "SORT_RO")), random.choice(KEYS)]
    by, unordered = None, False
    if random.random() < 0.5:
        by = random.choice(PATTERNS)
        words += ["BY", by]
    is_alpha = random.random() < 0.5
    limited = False
    for _ in range(random.choice((0, 0, 1, 2))):
        words += ["GET", random.choice(("#", *PATTERNS))]
    if is_alpha:
        words.append(random.choice(("ALPHA", "alpha")))
    if random.random() < 0.5:
        words.append(random.choice(("ASC", "DESC")))
    # Which of several equal weights come first, a limit leaves open; and BY nosort of a set the
    # order of all.
    if random.random() < 0.4 and not (by and "*" in by and is_alpha) and words[1] != "s":
        words += ["LIMIT", random.choice((0, 1, 3, -1, 100)), random.choice((0, 1, 5, -1, 100))]
        limited = True
    if random.random() < 0.3:
        words += ["STORE", "d"]
    if by and words[1] == "s" and (is_alpha or "*" not in by):
        unordered = True
    if by and is_alpha and words[1] == "z":
        unordered = True
    if unordered and (words[-2] == "STORE" or limited or "GET" in words):
        return Step(("EXISTS", "d"))
    return Step(tuple(words), "unordered" if unordered else "equal")


def step(random):
    return random.choices((
        lambda: sort(random),
        lambda: Step(("RPUSH", "l", *elements(random, element))),
        lambda: Step(("RPUSH", "l", *elements(random, number))),
        lambda: Step(("SADD", "s", *elements(random, number))),
        lambda: Step(("SADD", "s", *elements(random, element))),
        lambda: Step(("ZADD", "z", *[word for one in elements(random, number)
                                     for word in (number(random), one)])),
        lambda: Step(("MSET", *[word for _ in range(10) for word in
                                (f"w{element(random)}", number(random))])),
        lambda: Step(("HSET", f"h{element(random)}", random.choice("fg"), number(random))),
        lambda: Step(("SET", random.choice(("string", f"h{element(random)}")), "x")),
        lambda: Step(("DEL", random.choice(KEYS))),
        lambda: Step(("RPUSH", f"w{element(random)}", "x")),
    ), (14, 1, 4, 2, 1, 3, 5, 5, 0.5, 2, 0.3))[0]()


def sequence(random):
    return [step(random) for _ in range(random.choice((20, 60, 200)))]
