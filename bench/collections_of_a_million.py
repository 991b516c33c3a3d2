# SPDX-License-Identifier: Apache-2.0
"""The collections and commands of longest_wait.py."""
from dataclasses import dataclass, field
from functools import lru_cache, partial

NEIGHBOUR = "{big}neighbour"  # in the shard of all collections
STRANGER = "elsewhere"
WORDS_PER_REQUEST = 1000


def encode(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


SMALL_KEYS = encode("SET", NEIGHBOUR, "x") + encode("SET", STRANGER, "y")


@dataclass
class Case:
    name: str
    request: bytes
    prepare: list = field(default_factory=list)  # functions that make requests
    after_seconds: float = 0.0  # what it starts goes on for so long


def element(i):
    return b"element:%09d" % i


def in_requests(command, key, words, step=WORDS_PER_REQUEST):
    return b"".join(encode(command, key, *words[i:i + step]) for i in range(0, len(words), step))


@lru_cache(maxsize=6)
def fill(kind, key, count):
    """Requests that make a collection of `count` elements under `key`."""
    if kind == "list":
        return in_requests("RPUSH", key, [element(i) for i in range(count)])
    if kind == "long list":
        return in_requests("RPUSH", key, [b"%0100d" % i for i in range(count)])
    if kind == "set":
        return in_requests("SADD", key, [element(i) for i in range(count)])
    if kind == "integers":
        return in_requests("SADD", key, [b"%d" % i for i in range(count)])
    if kind == "hash":
        words = [w for i in range(count) for w in (element(i), b"value:%d" % i)]
        return in_requests("HSET", key, words)
    if kind == "hash with deadlines":
        names = [element(i) for i in range(count)]
        step = WORDS_PER_REQUEST
        return fill("hash", key, count) + b"".join(
            encode("HEXPIRE", key, 3600, "FIELDS", len(names[i:i + step]), *names[i:i + step])
            for i in range(0, count, step))
    if kind == "zset":
        words = [w for i in range(count) for w in (b"%d" % i, element(i))]
        return in_requests("ZADD", key, words)
    if kind == "stream":
        return b"".join(encode("XADD", key, "%d-1" % (i + 1), "field", element(i))
                        for i in range(count))
    if kind == "string":
        return encode("SETRANGE", key, 64 * count - 1, "x")
    raise KeyError(kind)


def reads(n):
    """(kind, command) that change nothing."""
    last, half = n - 1, n // 2
    return [
        ("list", ["LRANGE", "{big}", 0, -1]), ("long list", ["LRANGE", "{big}", 0, -1]),
        ("list", ["LPOS", "{big}", element(last)]),
        ("list", ["LPOS", "{big}", element(last), "COUNT", 0]),
        ("list", ["LINDEX", "{big}", half]),
        ("set", ["SMEMBERS", "{big}"]), ("integers", ["SMEMBERS", "{big}"]),
        ("set", ["SRANDMEMBER", "{big}", n]), ("set", ["SRANDMEMBER", "{big}", half]),
        ("set", ["SRANDMEMBER", "{big}", -n]),
        ("hash", ["HGETALL", "{big}"]), ("hash", ["HKEYS", "{big}"]), ("hash", ["HVALS", "{big}"]),
        ("hash with deadlines", ["HGETALL", "{big}"]),
        ("hash", ["HRANDFIELD", "{big}", -n, "WITHVALUES"]), ("hash", ["HRANDFIELD", "{big}", n]),
        ("zset", ["ZRANGE", "{big}", 0, -1, "WITHSCORES"]),
        ("zset", ["ZREVRANGE", "{big}", 0, -1]),
        ("zset", ["ZRANGEBYSCORE", "{big}", "-inf", "+inf"]),
        ("zset", ["ZRANDMEMBER", "{big}", -n]),
        ("stream", ["XRANGE", "{big}", "-", "+"]), ("stream", ["XREVRANGE", "{big}", "+", "-"]),
        ("stream", ["XREAD", "STREAMS", "{big}", "0"]),
        ("stream", ["XINFO", "STREAM", "{big}", "FULL", "COUNT", 0]),
        ("list", ["SORT", "{big}", "ALPHA"]), ("integers", ["SORT", "{big}"]),
        ("hash", ["HMGET", "{big}", *(element(i) for i in range(100_000))]),
        ("set", ["SMISMEMBER", "{big}", *(element(i) for i in range(100_000))]),
        ("string", ["GET", "{big}"]), ("string", ["BITCOUNT", "{big}"]),
        ("string", ["BITPOS", "{big}", 1]), ("string", ["GETRANGE", "{big}", 1, -1]),
        ("string", ["APPEND", "{big}", "x"]), ("string", ["SETRANGE", "{big}", 5, "x"]),
    ] + [(kind, [*command, "{big}"]) for kind in
         ("list", "set", "hash", "zset", "stream", "string")
         for command in (["DUMP"], ["OBJECT", "ENCODING"], ["MEMORY", "USAGE"],
                         ["DEBUG", "OBJECT"])]


def changes(n):
    half = n // 2
    every_second = [element(i) for i in range(0, 200_000, 2)]
    cases = [
        ("list", ["LREM", "{big}", 0, element(n - 1)]), ("list", ["LREM", "{big}", -1, element(0)]),
        ("list", ["LINSERT", "{big}", "BEFORE", element(n - 1), "x"]),
        ("list", ["LTRIM", "{big}", half, half + 9]), ("list", ["LTRIM", "{big}", 1, -2]),
        ("list", ["LPOP", "{big}", n - 1]), ("list", ["RPOP", "{big}", half]),
        ("list", ["LSET", "{big}", half, "x"]),
        ("list", ["RPUSH", "{big}", *(element(i) for i in range(100_000))]),
        ("set", ["SPOP", "{big}", n - 1]), ("set", ["SPOP", "{big}", half]),
        ("set", ["SADD", "{big}", *(b"new:%d" % i for i in range(100_000))]),
        ("set", ["SREM", "{big}", *every_second]), ("integers", ["SADD", "{big}", "no-integer"]),
        ("hash", ["HSET", "{big}", *(w for i in range(50_000) for w in (b"new:%d" % i, b"v"))]),
        ("hash", ["HDEL", "{big}", *every_second]),
        ("integers", ["SORT", "{big}", "STORE", "{big}2"]),
        ("string", ["BITOP", "NOT", "{big}2", "{big}"]),
        ("zset", ["ZREMRANGEBYRANK", "{big}", 1, -1]), ("zset", ["ZREMRANGEBYRANK", "{big}", 0, half]),
        ("zset", ["ZREMRANGEBYSCORE", "{big}", 10, "+inf"]),
        ("zset", ["ZPOPMIN", "{big}", n - 1]), ("zset", ["ZPOPMAX", "{big}", half]),
        ("zset", ["ZADD", "{big}", *(w for i in range(50_000) for w in (b"1", b"new:%d" % i))]),
        ("stream", ["XTRIM", "{big}", "MAXLEN", 10]), ("stream", ["XTRIM", "{big}", "MAXLEN", "~", 10]),
        ("stream", ["XDEL", "{big}", *("%d-1" % i for i in range(1, 100_000, 2))]),
        ("stream", ["XGROUP", "CREATE", "{big}", "group", "0"]),
    ]
    for kind in ("list", "set", "hash", "hash with deadlines", "zset", "stream", "string"):
        cases += [(kind, ["RENAME", "{big}", "{big}2"]), (kind, ["COPY", "{big}", "{big}2"]),
                  (kind, ["DEL", "{big}"]), (kind, ["UNLINK", "{big}"]),
                  (kind, ["SET", "{big}", "x"])]
    return cases


@lru_cache(maxsize=2)
def fill_two(kind, n):
    """Two collections that have half of their elements in common."""
    second = range(n // 2, n + n // 2)
    if kind == "set":
        return fill(kind, "{big}", n) + in_requests("SADD", "{big}b", [element(i) for i in second])
    return fill(kind, "{big}", n) + in_requests(
        "ZADD", "{big}b", [w for i in second for w in (b"%d" % i, element(i))])


def fill_keys(n):
    return b"".join(encode("MSET", *(w for j in range(i, i + 500) for w in ("key:%d" % j, "v")))
                    for i in range(0, n, 500))


def set_operations(n):
    two_sets = partial(fill_two, "set", n)
    two_zsets = partial(fill_two, "zset", n)
    both = ["{big}", "{big}b"]
    cases = [Case(" ".join([name, "two sets"]), encode(name, *to, *both), [two_sets])
             for name, to in (("SINTER", []), ("SUNION", []), ("SDIFF", []),
                              ("SINTERSTORE", ["{big}c"]), ("SUNIONSTORE", ["{big}c"]),
                              ("SDIFFSTORE", ["{big}c"]))]
    cases.append(Case("SINTERCARD two sets", encode("SINTERCARD", 2, *both), [two_sets]))
    cases += [Case(" ".join([name, "two sorted sets"]), encode(name, *to, 2, *both), [two_zsets])
              for name, to in (("ZINTER", []), ("ZUNION", []), ("ZDIFF", []),
                               ("ZINTERSTORE", ["{big}c"]), ("ZUNIONSTORE", ["{big}c"]),
                               ("ZINTERCARD", []))]
    cases.append(Case("ZRANGESTORE", encode("ZRANGESTORE", "{big}c", "{big}", 0, -1), [two_zsets]))
    return cases


def whole_server(n):
    keys = partial(fill_keys, n)
    kinds = ("list", "set", "hash", "zset", "stream")
    of_all = partial(lambda: b"".join(fill(kind, "{big}" + kind, n) for kind in kinds))
    many = [element(i) for i in range(100_000)]
    expiring = encode("PEXPIRE", "{big}", 100)
    cases = [
        Case("KEYS * of a million", encode("KEYS", "*"), [keys]),
        Case("KEYS nothing", encode("KEYS", "no:*"), [keys]),
        Case("SCAN COUNT a million", encode("SCAN", 0, "COUNT", n), [keys]),
        Case("DBSIZE", encode("DBSIZE"), [keys]),
        Case("RANDOMKEY", encode("RANDOMKEY"), [keys]),
        Case("DEL 100,000 keys", encode("DEL", *("key:%d" % i for i in range(100_000))), [keys]),
        Case("MGET 100,000 keys", encode("MGET", *("key:%d" % i for i in range(100_000))), [keys]),
        Case("MSET 50,000 keys", encode("MSET", *(w for i in range(50_000) for w in
                                                  ("key:%d" % i, "w"))), [keys]),
        Case("FLUSHALL SYNC", encode("FLUSHALL", "SYNC"), [keys, of_all], 2),
        Case("FLUSHALL ASYNC", encode("FLUSHALL", "ASYNC"), [keys, of_all], 2),
        Case("BGSAVE", encode("BGSAVE"), [keys, of_all], 4),
        Case("DEBUG DIGEST", encode("DEBUG", "DIGEST"), [of_all]),
        Case("MULTI, RPUSH of 100,000, EXEC",
             encode("MULTI") + encode("RPUSH", "{big}", *many) + encode("EXEC")),
        Case("MULTI, LRANGE 0 -1, EXEC",
             encode("MULTI") + encode("LRANGE", "{big}", 0, -1) + encode("EXEC"),
             [partial(fill, "list", "{big}", n)]),
    ]
    cases += [Case(f"expiry of a {kind}", expiring, [partial(fill, kind, "{big}", n)], 0.4)
              for kind in ("list", "set", "hash", "zset", "stream")]
    cases.append(Case("expiry of 200,000 keys", b"".join(
        encode("PEXPIRE", "key:%d" % i, 300) for i in range(200_000)), [keys], 1.0))
    cases.append(Case("expiry of 100,000 fields", b"".join(
        encode("HPEXPIRE", "{big}", 200, "FIELDS", 1000, *(element(j) for j in range(i, i + 1000)))
        for i in range(0, 100_000, 1000)), [partial(fill, "hash", "{big}", n)], 1.0))
    cases.append(Case("eviction of a list", encode("CONFIG", "SET", "maxmemory-policy",
                                                   "allkeys-lru") +
                      encode("CONFIG", "SET", "maxmemory", 10_000_000) +
                      encode("SET", "{big}a", "x") * 20 + encode("CONFIG", "SET", "maxmemory", 0),
                      [partial(fill, "list", "{big}", n)]))
    return cases


def cases(n):
    for kind, command in reads(n) + changes(n):
        words = [w if len(str(w)) < 20 else "..." for w in command[:5]]
        text = " ".join(w.decode() if isinstance(w, bytes) else str(w) for w in words)
        more = f" ... {len(command)} words" if len(command) > 6 else ""
        yield Case(f"{text.replace('{big}', kind.replace(' ', '-'))}{more}", encode(*command),
                   [partial(fill, kind, "{big}", n)])
    yield from set_operations(n)
    yield from whole_server(n)
