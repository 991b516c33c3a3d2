# SPDX-License-Identifier: Apache-2.0
"""Binary requests for the comparison: odd ones, hostile ones, and a generator of sensible ones."""
import struct

from binary import (ADD, ADDQ, APPEND, APPENDQ, DECREMENT, DECREMENTQ, DELETE, DELETEQ, FLUSH, FLUSHQ,
                    GAT, GATK, GATKQ, GATQ, GET, GETK, GETKQ, GETQ, INCREMENT, INCREMENTQ, NOOP,
                    PREPEND, PREPENDQ, QUIT, QUITQ, REPLACE, REPLACEQ, SASL_AUTH, SASL_LIST,
                    SASL_STEP, SET, SETQ, STAT, TOUCH, VERSION, count, request, store, touch)

NEVER = 0xffffffff
BIG = b"x" * 2_000_000

# Each is sent on a connection of its own, after `a` (flags 5, value 10) and `w` (value x) were set.
ODD = [
    request(NOOP), request(NOOP, opaque=0), request(NOOP, data_type=7), request(VERSION),
    request(GET, b"a") + request(GETK, b"a") + request(GETQ, b"a") + request(GETKQ, b"a"),
    request(GET, b"-") + request(GETK, b"-") + request(GETQ, b"-") + request(GETKQ, b"-"),
    request(GET, b"k" * 250), request(GETK, b"key with blank\r\n\0"),
    store(SET, b"key with blank\r\n\0", b"v") + request(GETK, b"key with blank\r\n\0"),
    store(SET, b"a", b"v", flags=0xffffffff) + request(GET, b"a"),
    store(SET, b"a", b"") + request(GET, b"a") + request(GETK, b"a"),
    store(SET, b"a", b"v", exptime=NEVER) + request(GET, b"a"),
    store(SET, b"a", b"v", exptime=0x80000000) + request(GET, b"a"),
    store(SET, b"a", b"v", exptime=2_600_000) + request(GET, b"a"),
    store(SET, b"a", b"v", cas=1) + store(SET, b"-", b"v", cas=1),
    store(ADD, b"a", b"v", cas=1) + store(ADD, b"-", b"v", cas=1),
    store(REPLACE, b"a", b"v", cas=1) + store(REPLACE, b"-", b"v", cas=1),
    store(SETQ, b"a", b"v", cas=1) + store(SETQ, b"-", b"v", cas=1),
    store(ADD, b"a", b"v") + store(ADDQ, b"a", b"v") + store(ADD, b"-", b"v") + request(GET, b"-"),
    store(REPLACE, b"-", b"v") + store(REPLACEQ, b"-", b"v") + store(REPLACE, b"a", b"v"),
    request(APPEND, b"a", value=b"1") + request(PREPEND, b"a", value=b"2") + request(GET, b"a"),
    request(APPEND, b"-", value=b"1") + request(APPENDQ, b"-", value=b"1"),
    request(PREPEND, b"-", value=b"1") + request(PREPENDQ, b"-", value=b"1"),
    request(APPEND, b"a", value=b"1", cas=1) + request(PREPENDQ, b"a", value=b"1", cas=1),
    request(APPEND, b"-", value=b"1", cas=1), request(APPEND, b"a") + request(GET, b"a"),
    request(DELETE, b"a") + request(DELETE, b"a") + request(DELETEQ, b"a"),
    request(DELETE, b"a", cas=1) + request(DELETEQ, b"a", cas=1) + request(DELETEQ, b"a"),
    count(INCREMENT, b"a", 5) + count(DECREMENT, b"a", 100) + request(GET, b"a"),
    count(INCREMENTQ, b"a", 5) + count(DECREMENTQ, b"a", 1) + request(GET, b"a"),
    count(INCREMENT, b"n", 5, 7) + count(INCREMENT, b"n", 5, 7) + request(GET, b"n"),
    count(DECREMENT, b"n", 5, 7) + count(DECREMENTQ, b"m", 5, 7) + request(GET, b"m"),
    count(INCREMENT, b"n", 5, 7, NEVER) + count(INCREMENTQ, b"n", 5, 7, NEVER),
    count(INCREMENT, b"n", 5, 2**64 - 1) + count(INCREMENT, b"n", 5) + request(GET, b"n"),
    count(INCREMENT, b"w") + count(DECREMENT, b"w") + count(INCREMENTQ, b"w"),
    count(INCREMENT, b"a", cas=1) + count(DECREMENTQ, b"a", cas=1), count(INCREMENT, b"n", cas=1),
    touch(TOUCH, b"a", 100) + touch(GAT, b"a", 100) + touch(GATQ, b"a", 100) +
    touch(GATK, b"a", 100) + touch(GATKQ, b"a", 100),
    touch(TOUCH, b"-", 100) + touch(GAT, b"-", 100) + touch(GATQ, b"-", 100) +
    touch(GATK, b"-", 100) + touch(GATKQ, b"-", 100), touch(TOUCH, b"a", NEVER) + request(GET, b"a"),
    request(FLUSH) + request(GET, b"a"), request(FLUSHQ) + request(GET, b"a"),
    request(FLUSH, extras=struct.pack(">I", 0)) + request(GET, b"a"),
    request(FLUSH, extras=struct.pack(">I", 100)) + request(GET, b"a"),
    request(STAT, b"reset"), request(STAT, b"bogus"), request(STAT, b"conns"),
    request(STAT, b"sizes"), request(STAT, b"cachedump 1 1"),
    request(QUIT), request(QUITQ), request(NOOP) + request(QUIT) + request(NOOP),
    # Unknown ones, without a key (see test_an_unknown_command_with_a_key).
    request(0x1b), request(0x1f), request(0x25), request(0x30), request(0xff),
    request(SASL_LIST), request(SASL_AUTH, b"PLAIN", value=b"\0a\0b"),
    request(SASL_STEP, b"PLAIN", value=b"\0a\0b"), request(SASL_AUTH), request(SASL_LIST, b"k"),
    # Values over the limit.
    store(SET, b"a", BIG) + request(GET, b"a"), store(SETQ, b"a", BIG) + request(GET, b"a"),
    store(ADD, b"n", BIG), store(REPLACE, b"a", BIG) + request(GET, b"a"),
    request(APPEND, b"a", value=BIG) + request(GET, b"a"), request(PREPENDQ, b"-", value=BIG),
    store(SET, b"a", BIG[:600_000]) + request(APPEND, b"a", value=BIG[:600_000]),
    store(SET, b"a", BIG, cas=9) + request(GET, b"a"),
    # Lengths that do not fit the opcode, or each other.
    request(GET), request(GET, b"k" * 251), request(GET, b"a", b"1234"),
    request(GET, b"a", value=b"v"), request(DELETE, b"a", b"1234"), request(DELETE),
    request(SET, b"a", b"1234", b"v"), store(SET, b"", b"v"), request(SET, b"a", value=b"v"),
    store(SET, b"k" * 251, b"v"), request(INCREMENT, b"a"), request(INCREMENT, b"a", b"1" * 19),
    request(INCREMENT, b"", b"1" * 20), request(APPEND, b"", value=b"v"),
    request(APPEND, b"a", b"1234", b"v"), request(NOOP, value=b"v"), request(VERSION, b"k"),
    request(QUIT, b"k"), request(FLUSH, b"k"), request(FLUSH, extras=b"12"),
    request(FLUSH, extras=b"12345678"), request(TOUCH, b"a"), request(TOUCH, b"", b"1234"),
    request(GAT, b"a", b"12345678"), request(STAT, b"items", b"1234"),
    request(NOOP, key_length=1, body_length=0), request(GET, b"x" * 10, key_length=10, body_length=9),
    request(SET, b"x" * 18, key_length=10, extras_length=8, body_length=17),
    request(APPEND, b"x" * 20, key_length=20, body_length=1),
    request(SASL_AUTH, b"x" * 20, key_length=20, body_length=1),
    request(GET, b"x" * 300, extras_length=255, key_length=45, body_length=299),
    request(NOOP, magic=0x81), request(NOOP) + request(NOOP, magic=0), request(NOOP) + b"version\r\n" * 3,
]


class Generator:
    """Sensible requests over a few keys, from a seeded random number generator."""

    KEYS = [b"k%d" % i for i in range(5)]

    def __init__(self, random):
        self.random = random
        self.opaque = 0

    def key(self):
        return self.random.choice(self.KEYS)

    def cas(self):
        return self.random.choice([0, 0, 0, 1])

    def value(self):
        return self.random.choice([b"5", b"10", b"99", b"abc", b"", b"v" * 100, b"w" * 6000,
                                   b"18446744073709551615"])

    def exptime(self):
        return self.random.choice([0, 0, 1000, 2000, NEVER])

    def request(self, counters=True):
        self.opaque += 1
        more = {"opaque": self.opaque, "cas": self.cas()}
        choice = self.random.randrange(10 if counters else 9)
        if choice < 3:
            return request(self.random.choice([GET, GETQ, GETK, GETKQ]), self.key(), **more)
        if choice < 5:
            opcode = self.random.choice([SET, SET, SETQ, ADD, ADDQ, REPLACE, REPLACEQ])
            return store(opcode, self.key(), self.value(), self.random.choice([0, 7, NEVER]),
                         self.exptime(), **more)
        if choice == 5:
            opcode = self.random.choice([APPEND, APPENDQ, PREPEND, PREPENDQ])
            return request(opcode, self.key(), value=self.value(), **more)
        if choice == 6:
            return request(self.random.choice([DELETE, DELETEQ]), self.key(), **more)
        if choice == 7:
            opcode = self.random.choice([TOUCH, GAT, GATQ, GATK, GATKQ])
            return touch(opcode, self.key(), self.random.choice([0, 1000, NEVER]), **more)
        if choice == 8:
            return request(self.random.choice([NOOP, VERSION, 0x1f]), opaque=self.opaque)
        opcode = self.random.choice([INCREMENT, INCREMENTQ, DECREMENT, DECREMENTQ])
        return count(opcode, self.key(), self.random.choice([1, 7, 2**64 - 1]), 13, self.exptime(),
                     **more)
