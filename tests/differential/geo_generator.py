# SPDX-License-Identifier: Apache-2.0
"""Positions and searches on earth. No two members are equally far from anywhere, but by chance:
which of those COUNT takes is not defined."""
from differential import Step

RESET = []

KEYS = ("g", "h", "absent", "string")
CENTERS = ((0, 0), (13.36, 38.11), (-122.4, 37.7), (179.99, 10), (-179.99, -10), (20, 84.9),
           (-60, -84), (100, 66.5), (0, 80.2), (180, 85.05112878), (-180, -85.05112878))
BAD_POSITIONS = (("181", "0"), ("x", "1"), ("1", "86"), ("nan", "1"), ("-180.0001", "5"),
                 ("1e300", "1"))
LENGTHS = ("0", "1", "100", "1000", "5000", "20000", "1e7", "-1", "x", "inf", "1e-3", "0.5")
LATITUDE_MAX = 85.05112878


def position(random):
    if random.random() < 0.02:
        return random.choice(BAD_POSITIONS)
    longitude, latitude = random.choice(CENTERS)
    size = random.choice((0.5, 5, 60))
    longitude += random.uniform(-size, size)
    latitude += random.uniform(-size, size)
    if abs(longitude) > 180:
        longitude = (360 if longitude > 0 else -360) - longitude
    if abs(latitude) > LATITUDE_MAX:
        latitude = (2 if latitude > 0 else -2) * LATITUDE_MAX - latitude
    return repr(longitude), repr(latitude)


def member(random):
    return f"m{random.randrange(random.choice((5, 100)))}"


def length(random):
    return random.choice((random.choice(LENGTHS), repr(random.uniform(0, 1000)),
                          repr(random.uniform(0, 6000))))


def unit(random):
    return random.choice(("m", "km", "km", "km", "ft", "mi", "KM", "x" if random.random() < 0.2
                          else "km"))


def options(random, stores=False):
    parts = [[word] for word in ("WITHDIST", "WITHCOORD", "WITHHASH")
             if random.random() < (0.03 if stores else 0.35)]
    if random.random() < 0.5:
        parts.append([random.choice(("ASC", "DESC", "asc"))])
    if random.random() < 0.4:
        parts.append(["COUNT", random.choice(("1", "2", "5", "50", "0", "-1", "x",
                                              "9223372036854775807"))])
    if random.random() < 0.2:
        parts.append(["ANY"])
    if random.random() < 0.02:
        parts.append(["foo"])
    random.shuffle(parts)
    return sum(parts, [])


def add(random):
    flags = [word for word in ("NX", "XX", "CH") if random.random() < 0.08]
    words = [word for _ in range(random.choice((1, 3, 8)))
             for word in (*position(random), member(random))]
    return Step(("GEOADD", random.choice(("g", "g", "h")), *flags, *words,
                 *(["odd"] if random.random() < 0.02 else [])))


def radius(random, key):
    by_member = random.random() < 0.5
    name = "GEORADIUSBYMEMBER" if by_member else "GEORADIUS"
    center = (member(random),) if by_member else position(random)
    stores = random.random() < 0.3
    name += "" if stores or random.random() < 0.5 else "_RO"
    target = random.choice((["STORE", "d"], ["STOREDIST", "distances"], ["store", "absent"],
                            ["STORE", "d", "STOREDIST", "distances"]))
    return Step((name, key, *center, length(random), unit(random), *options(random, stores),
                 *(target if stores else [])))


def search(random, key):
    stores_distance = random.random() < 0.1
    stores = stores_distance or random.random() < 0.2
    parts = []
    if random.random() < 0.97:
        parts.append(["FROMMEMBER", member(random)] if random.random() < 0.4
                     else ["FROMLONLAT", *position(random)])
    if random.random() < 0.97:
        parts.append(["BYRADIUS", length(random), unit(random)] if random.random() < 0.5
                     else ["BYBOX", length(random), length(random), unit(random)])
    if random.random() < 0.04:
        parts.append(random.choice((["FROMMEMBER", "m1"], ["BYBOX", "1", "1", "m"],
                                    ["FROMLONLAT", "1", "1"], ["BYRADIUS", "1", "m"])))
    if stores_distance:
        parts.append(["STOREDIST"])
    random.shuffle(parts)
    name = ("GEOSEARCH",)
    if stores:
        name = ("GEOSEARCHSTORE", "distances" if stores_distance else "d")
    return Step((*name, key, *sum(parts, []), *options(random, stores)))


def step(random):
    key = random.choices(KEYS, (12, 5, 1, 1))[0]
    return random.choices((
        lambda: add(random),
        lambda: Step(("GEODIST", key, member(random), member(random),
                      *random.choice(((), (unit(random),), (unit(random), "x"))))),
        lambda: Step(("GEOPOS", key, member(random), member(random))),
        lambda: Step(("GEOHASH", key, member(random), member(random))),
        lambda: radius(random, key),
        lambda: search(random, key),
        lambda: random.choice((Step(("ZREM", key, member(random))), Step(("DEL", "h")),
                               Step(("SET", "string", "s")), Step(("RENAME", "d", "h")),
                               Step(("HELLO", random.choice((2, 3))), "shape"))),
    ), (6, 1, 1, 1, 5, 8, 2))[0]()


def sequence(random):
    return [step(random) for _ in range(random.choice((20, 100, 300)))]
