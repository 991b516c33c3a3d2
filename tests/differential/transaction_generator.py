# SPDX-License-Identifier: Apache-2.0
"""Transactions and scripts: commands of several types, alone, queued, and called from Lua, whose
replies pass through Lua's types."""
from differential import Step

RESET = []

KEYS = ("s", "n", "l", "h", "z", "absent")
CALL = "return redis.call(unpack(ARGV))"
PCALL = "return redis.pcall(unpack(ARGV))"
TYPED = "local r = redis.pcall(unpack(ARGV)) return {type(r), type(r) == 'table' and #r or -1}"
TWICE = ("local a = redis.pcall(unpack(ARGV)) local b = redis.pcall(unpack(ARGV)) "
         "return {a, b, redis.call('EXISTS', KEYS[1])}")
VALUES = ("return 1", "return 3.99", "return -0.5", "return true", "return false", "return nil",
          "return {1, 2, nil, 4}", "return {}", "return 'text'", "return {ok = 'fine'}",
          "return {err = 'My Error'}", "return {1, {2, {'x', false}}, true}", "return KEYS",
          "return ARGV", "return redis.status_reply('OK')", "return redis.error_reply('ERR no')",
          "return #ARGV .. (KEYS[1] or '-')", "return redis.sha1hex(ARGV[1] or '')",
          "error('raised')", "return unknown", "syntax error", "return {double = 1.5}",
          "return cjson.encode({1, 'x', {a = true}})", "return cjson.decode('[1, 2.5, \"x\"]')",
          "return cmsgpack.unpack(cmsgpack.pack({1, 'x'}))", "return bit.band(255, 15)",
          "return string.format('%5.2f|%d|%s', 1.005, 42, 'x')", "return {tonumber('0x10'), 1e15}",
          "local s = 0 for i, v in ipairs(ARGV) do s = s + #v end return s",
          "redis.setresp(3) return {redis.call('HGET', 'h', 'x'), redis.call('ZSCORE', 'z', 'm')}")


def some_key(random):
    return random.choice(KEYS)


def command(random):
    number = random.choice(("1", "-5", "x", "9223372036854775807"))
    value = random.choice(("v", "17", "", "x" * 100))
    name = some_key(random)
    return random.choice((
        ("SET", name, value), ("GET", name), ("INCRBY", name, number), ("APPEND", name, value),
        ("DEL", name), ("EXISTS", name), ("TYPE", name), ("RPUSH", "l", value, value),
        ("LPOP", name), ("LRANGE", name, "0", "-1"), ("LINDEX", name, "0"),
        ("HSET", "h", value, number), ("HGET", name, "v"), ("HINCRBYFLOAT", name, "v", "1.5"),
        ("ZADD", "z", "1.25", value, "2", "m"), ("ZSCORE", name, "m"), ("ZRANGE", name, "0", "-1"),
        ("ZINCRBY", name, number, "m"), ("MSET", "s", value, "n", "3"), ("MGET", "s", "n", "l"),
        ("RENAME", name, some_key(random)), ("EXPIREAT", name, "99999999999"), ("PERSIST", name),
        ("SETNX", name, value), ("GETSET", name, value), ("STRLEN", name), ("ECHO", value),
        ("nonsense", value), ("GET",), ("SET", name), ("SELECT", "0"), ("PING",)))


def script(random):
    name = random.choice(("EVAL", "EVAL", "EVAL", "EVAL_RO"))
    if random.random() < 0.4:
        words = random.choice((("0",), ("1", "s"), ("2", "s", "l", "a", "b"), ("1", "s", "17")))
        return Step((name, random.choice(VALUES), *words), "equal")
    source = random.choice((CALL, CALL, PCALL, TYPED, TWICE))
    return Step((name, source, "1", some_key(random), *command(random)))


def transaction(random):
    steps = [Step(("MULTI",))]
    if random.random() < 0.3:
        steps = [Step(("WATCH", some_key(random), some_key(random))), Step(command(random)), *steps]
    for _ in range(random.randrange(6)):
        steps.append(script(random) if random.random() < 0.2 else Step(command(random)))
    steps += [Step(words) for words in ((("MULTI",), ("WATCH", "s")) if random.random() < 0.05
                                        else ())]
    return [*steps, Step(random.choices((("EXEC",), ("DISCARD",)), (9, 1))[0])]


def sequence(random):
    steps = [Step(("HELLO", random.choice((2, 2, 3))), "shape")]
    for _ in range(random.choice((10, 40, 150))):
        kind = random.randrange(10)
        if kind < 3:
            steps += transaction(random)
        elif kind < 6:
            steps.append(script(random))
        else:
            steps.append(Step(command(random)))
    return steps
