# SPDX-License-Identifier: Apache-2.0
"""Requests for the comparison: a list of odd ones, and a generator of sensible ones."""
import base64

LONG_KEY = b"k" * 251
BIG = b"x" * 2_000_000

# Each is sent on a connection of its own, after `set a 5 0 2` with 10 and `set w 0 0 1` with x.
ODD = [
    b"\r\n", b"\n", b"a\n", b"ab\n", b"  get a\r\n", b"get\r\n", b"get \r\n", b"get a \r\n",
    b"get a\tb\r\n", b"GET a\r\n", b"gets\r\n", b"getx a\r\n", b"gat 10\r\n", b"gat\r\n",
    b"gat x a\r\n", b"gat 1x\r\n", b"bget a\r\n", b"gat 99999999999999 a\r\n",
    b"set a 0 0 1\nx\r\nget a\n", b"set a 0 0 1\r\nx\nget a\r\n",
    b"set a 0 0 3\r\nabcdefg\r\nget a\r\n", b"set a 0 0 3\r\nab\r\nget a\r\nget a\r\n",
    b"get " + b"k" * 250 + b"\r\n", b"get " + LONG_KEY + b"\r\n",
    b"get a " + LONG_KEY + b" a\r\nget a\r\n", b"get " + b"a " * 40 + LONG_KEY + b"\r\n",
    b"set " + LONG_KEY + b" 0 0 1\r\nx\r\n", b"set a\r\n", b"set a 0 0\r\nversionx\r\n",
    b"set a 0 0 1 noreply x\r\nx\r\n", b"set a 0 0 1 xxreply\r\nx\r\nget a\r\n",
    b"set a -1 0 1\r\nx\r\n", b"set a 4294967296 0 1\r\nx\r\nget a\r\n",
    b"set a 18446744073709551615 0 1\r\nx\r\nget a\r\n",
    b"set a 18446744073709551616 0 1\r\nx\r\nget a\r\n", b"set a +5 0 1\r\nx\r\nget a\r\n",
    b"set a 5x 0 1\r\nx\r\nget a\r\n", b"set a \t7 0 1\r\nx\r\nget a\r\n",
    b"set a 7\t8 0 1\r\nx\r\nget a\r\n", b"set a \t 0 1\r\nx\r\nget a\r\n",
    b"set a 0 2147483647 1\r\nx\r\nget a\r\n", b"set a 0 2147483648 1\r\nx\r\nget a\r\n",
    b"set a 0 -2147483649 1\r\nx\r\nget a\r\n", b"set a 0 9223372036854775808 1\r\nx\r\n",
    b"set a 0 4294967300 1\r\nx\r\nget a\r\n", b"set a 0 abc 1\r\nx\r\n",
    b"set a 0 0 abc\r\nx\r\n", b"set a 0 0 -1\r\nx\r\n", b"set a 0 0 2147483646\r\nx\r\n",
    b"set a 0 0 4294967297\r\nx\r\nget a\r\n", b"set a 0 0 0\r\n\r\nget a\r\n",
    b"set a 0 -1 1\r\nx\r\nget a\r\n", b"add a 0 -1 1\r\nx\r\nget a\r\n",
    b"replace a 0 -1 1\r\nx\r\nget a\r\n", b"add new 0 -1 1\r\nx\r\nget new\r\n",
    b"set a 0 0 2000000\r\n" + BIG + b"\r\nget a\r\n",
    b"set a 0 0 2000000 noreply\r\n" + BIG + b"\r\nget a\r\n",
    b"add a 0 0 2000000\r\n" + BIG + b"\r\nget a\r\n",
    b"append a 0 0 2000000\r\n" + BIG + b"\r\nget a\r\n",
    b"set a 0 0 1048516\r\n" + b"x" * 1048516 + b"\r\n",
    b"set a 0 0 1048517\r\n" + b"x" * 1048517 + b"\r\n",
    b"set a 1 0 1048512\r\n" + b"x" * 1048512 + b"\r\n",
    b"set a 1 0 1048513\r\n" + b"x" * 1048513 + b"\r\n",
    b"cas a 0 0 1 0\r\nx\r\n", b"cas none 0 0 1 1\r\nx\r\n", b"cas a 0 0 1 abc\r\nx\r\n",
    b"cas a 0 0 1\r\nx\r\n", b"cas a 0 0 1 0 noreply\r\nx\r\n", b"cas a 0 0 1 0 nope\r\nx\r\n",
    b"cas a 0 0 1 -1\r\nx\r\n", b"cas a 0 0 1 99999999999999999999\r\nx\r\n",
    b"incr a abc\r\nincr a -1\r\nincr a 18446744073709551616\r\nincr a\r\nincr a 1 2 3\r\n",
    b"incr a 1 x\r\nincr none 1\r\nincr none abc\r\nincr " + LONG_KEY + b" 1\r\nincr a +1\r\n",
    b"incr a 1x\r\nincr a 1\t2\r\nincr a 1 noreply\r\nget a\r\nincr a x noreply\r\n",
    b"delete a 0\r\ndelete a 1\r\ndelete a noreply\r\ndelete a x noreply\r\ndelete a 0 0\r\n",
    b"delete a 0 noreply\r\nget a\r\ndelete a x y z\r\ndelete\r\ndelete " + LONG_KEY + b"\r\n",
    b"touch none 0\r\ntouch a\r\ntouch a 1000 2\r\ntouch a 1 2 3\r\ntouch none abc\r\n",
    b"touch a -1\r\nget a\r\n", b"gat -1 a\r\nget a\r\n", b"gat 0 a b a\r\n",
    b"flush_all 0\r\nflush_all noreply\r\nflush_all 0 noreply\r\nflush_all abc\r\nget a\r\n",
    b"flush_all -1\r\nflush_all 1 2 3\r\nflush_all x noreply\r\n",
    b"verbosity\r\nverbosity 1\r\nverbosity abc\r\nverbosity noreply\r\nverbosity 1 2 3\r\n",
    b"versionx\r\nquit x\r\n", b"quit\r\n", b"quitx\r\n",
    b"shutdown\r\nshutdown graceful\r\nshutdown x y\r\n",
    b"cache_memlimit\r\ncache_memlimit abc\r\ncache_memlimit 1\r\ncache_memlimit -1\r\n",
    b"cache_memlimit 64\r\ncache_memlimit 64 noreply\r\ncache_memlimit 7 noreply\r\n",
    b"slabs\r\nlru\r\nlru foo\r\nlru_crawler\r\nconfig get cluster\r\nconfig\r\nextstore\r\n",
    b"get AmazonElastiCache:cluster\r\nstats foo\r\nstats noreply\r\nstatsx\r\nstats reset\r\n",
    b"GET / HTTP/1.1\r\n\r\n", b"foo HTTP/1.0\r\n", b"get / HTTP/1.0\r\n",
    b"\x81\r\n", b"set \x00\x01\xff 0 0 1\r\nx\r\nget \x00\x01\xff\r\n", b"get a\x00b\r\n",
    b"get a\rb\r\n", b"get a\r\r\n", b"se\x00t a\r\n", b"set a\x00b 0 0 1\r\nx\r\nget a\r\n",
    b"set \xff\x01\x7f 0 0 1\r\nx\r\nget \xff\x01\x7f\r\n",
    b"get " + b"a " * 3000 + b"\r\n", b"gets " + b"b " * 9000 + b"\r\n",
    b"mg\r\nmg a\r\nms\r\nms a\r\nmd\r\nma\r\nme\r\nmx\r\nmg " + LONG_KEY + b" v\r\n",
    b"mg a x\r\nmg a v v\r\nmg a S1\r\nmg a \xff\r\nmg a 1\r\nmg a +\r\nmgx a\r\nmg a v\t\r\n",
    b"mg a kfoo v\r\nmg a vfoo\r\n mg  a  v   s\r\nmg a\x00 v\r\nmg a P1 P2\r\nmg a P L Pa\r\n",
    b"mg none v\r\nmg none v q\r\nmg none v Oxyz k\r\nmg none v Oxyz k q\r\n",
    b"mg a O" + b"o" * 31 + b"\r\nmg a O" + b"o" * 32 + b"\r\nmg none O" + b"o" * 32 + b"\r\n",
    b"md none O" + b"o" * 32 + b"\r\nma none O" + b"o" * 32 + b"\r\n",
    b"ms a 1 O" + b"o" * 32 + b"\r\nx\r\nget a\r\n", b"mg a N1000 O" + b"o" * 32 + b"\r\n",
    b"mg a T\r\nmg a Tabc\r\nmg a T1000 t\r\nmg a t T2000\r\nmg a T0 t\r\nmg a T-1 v\r\nmg a\r\n",
    b"mg a s t v f k h q u Oabc T0 N0 R0 P L D1 J1 F1\r\n",
    b"mg a s t v f k h q u Oabc T0 N0 R0 P L D1 J1\r\n",
    b"md a s t v f k h q u Oabc T0 N0 R0 P L D1 J1 F1\r\n",
    b"ms a 1 s t v f k h q u Oabc T0 R0 P L D1 J1 F1\r\nx\r\n",
    b"ms a 1 s t v f k h q u Oabc T0 R0 P L D1 J1\r\nx\r\nget a\r\n",
    b"mg a b v\r\nmg YQ== b v k\r\nmg YQ b v\r\nmg !!! b v\r\nmg YQ=== b v\r\nmg YWI= b k\r\n",
    b"ms YWI= 2 b k\r\nxx\r\nmg YWI= b k v\r\nmg ab k v\r\nget ab\r\nme YWI= b\r\nme ab\r\n",
    b"ms YR== 1 b k\r\nx\r\nmg YQ== b k v\r\nms ==== 1 b\r\nx\r\nms Y=== 1 b\r\nx\r\n",
    b"me a b\r\nme a x\r\nme none\r\nme " + LONG_KEY + b"\r\nme a k Oabc q\r\nme YQ== b\r\n",
    b"ms a abc\r\nxx\r\n", b"ms a -1\r\nxx\r\n", b"ms a S2\r\nxx\r\n", b"ms a +1\r\nx\r\n",
    b"ms a 2147483646\r\nxx\r\n", b"ms " + LONG_KEY + b" 2\r\nxx\r\n",
    b"ms a 2 X\r\nxx\r\n", b"ms a 2 Fabc\r\nxx\r\n", b"ms a 2 Tabc\r\nxx\r\n",
    b"ms a 2 Cabc\r\nxx\r\n", b"ms a 2 T T\r\nxx\r\n", b"ms a 2 MZ\r\nxx\r\n",
    b"ms a 2 M\r\nxx\r\n", b"ms a 2 MSS\r\nxx\r\n", b"ms a 2 Oabc k c\r\nxxyy\r\n",
    b"ms a 1 Fabc Tx\r\nx\r\nms a 1 Tx Fabc\r\nx\r\nms a 1 Tx MZZ\r\nx\r\nms a 1 Tx X\r\nx\r\n",
    b"ms a 1 q\r\nxyz\r\nms a 1 q MZ\r\nx\r\nms a 1 b\r\nx\r\n",
    b"ms a 2000000 Oab k\r\n" + BIG + b"\r\nmg a v\r\n",
    b"ms a 2000000 q MA\r\n" + BIG + b"\r\nmg a v\r\n",
    b"ms a 1 Pfoo Lbar k\r\nx\r\nms a 1 s\r\nx\r\nms a 1 f v t\r\nx\r\n",
    b"mg a Fx v\r\nmg a Cx v\r\nmg a C5 v\r\nmg a MZZ\r\nmg a MZ\r\nmg a Jx\r\nmg a Dx\r\n",
    b"ma a Dx\r\nma a D-1\r\nma a MX v\r\nma a M\r\nma a Mi v\r\nma a Jx N0\r\nma a J5 v\r\n",
    b"ma w\r\nma w v k\r\nma w q\r\nincr w 1\r\nma dw== b v k\r\nma YQ== b v k\r\n",
    b"md a C0 k O1\r\nmd a v\r\nmd a Cx\r\nmd a q\r\nmd a q\r\nmd a k\r\n",
    b"ma n N0 J13 v t k\r\nma n v\r\nma n q v\r\nma n MD D99 v\r\nma m N1000 t\r\nma m T2000 t v\r\n",
    b"mg s N1000 v t\r\nmg s N1000 v t\r\nmg s v t k h\r\nget s\r\nms s 1 T0\r\ny\r\nmg s v\r\n",
    b"mg s N-1 v\r\nmg s v\r\nma n N-1 v\r\nma n v\r\n",
    b"touch a 2000\r\nmg a R3000 v t\r\nmg a R3000 v t\r\nmg a R1000 v\r\n",
    b"md a I T1000 k\r\nmg a v t c\r\nmg a v c\r\ngets a\r\nms a 1\r\ny\r\nmg a v c\r\n",
    b"md a I\r\nincr a 1\r\nmg a v\r\nmg a v\r\nincr a 999\r\nmg a v\r\n",
    b"md a I\r\nappend a 0 0 1\r\n1\r\nmg a v\r\n", b"md w I\r\ntouch w 0\r\nmg w v\r\n",
    b"ms a 1 I\r\nx\r\nmg a v\r\nms a 1 I C0\r\nx\r\nmg a v\r\nms a 1 I C18446744073709551615\r\nx\r\n",
    b"ms a 1 MA C0\r\nx\r\nms a 1 ME C0\r\nx\r\nms a 1 MR C0\r\nx\r\nms z 1 MA C0\r\nx\r\n",
    b"ms z 1 MR C0\r\nx\r\nms z 1 C0\r\nx\r\nms z 1 ME C0 c\r\nx\r\nms z 1 MP C0\r\nx\r\n",
    b"get a\r\nmg a h\r\nset a 0 0 1\r\nx\r\nmg a u h\r\nmg a h\r\nmg a h\r\n",
    b"gat 0 a\r\nmg a h\r\nset a 0 0 1\r\n1\r\ntouch a 0\r\nmg a h\r\n",
]

# Without blanks alone: memcached 1.6.18 reads on behind the end of those.
NUMBER_LIKE = [b"", b"0", b"7", b"10", b"-1", b"-0", b"+5", b"  5", b"5  ", b"12 abc",
               b"12abc", b"1\t-", b"1\x002", b" x", b"99", b"00099", b"18446744073709551615",
               b"18446744073709551616", b"-18446744073709551615", b"000000000000000000000000007"]


class Generator:
    """Sensible requests over a few keys, from a seeded random number generator."""

    KEYS = [b"k%d" % i for i in range(5)]

    def __init__(self, random, big=b"w" * 6000):
        self.random = random
        self.big = big

    def key(self):
        return self.random.choice(self.KEYS)

    def value(self):
        return self.random.choice([b"5", b"10", b"99", b"abc", b"", b"v" * 100, self.big,
                                   b"18446744073709551615", b"line\r\nline"])

    def ttl(self):
        return self.random.choice([b"0", b"0", b"1000", b"2000", b"-1"])

    def noreply(self):
        return b" noreply" if self.random.random() < 0.15 else b""

    def flags(self, letters, tokens):
        chosen = [f for f in letters if self.random.random() < 0.35]
        chosen += [t() for t in tokens if self.random.random() < 0.25]
        self.random.shuffle(chosen)
        return b"".join(b" " + flag for flag in chosen)

    def meta_key(self):
        if self.random.random() < 0.15:
            return base64.b64encode(self.key()), b" b"
        return self.key(), b""

    def retrieval(self):
        count = self.random.choice([1, 1, 1, 3])
        keys = b" ".join(self.key() for _ in range(count))
        verb = self.random.choice([b"get", b"gets", b"gat " + self.ttl(), b"gats " + self.ttl()])
        return verb + b" " + keys + b"\r\n"

    def storage(self):
        verb = self.random.choice([b"set", b"set", b"add", b"replace", b"append", b"prepend",
                                   b"cas"])
        value = self.value()
        flags = self.random.choice([b"0", b"7", b"4294967295"])
        line = b"%s %s %s %s %d" % (verb, self.key(), flags, self.ttl(), len(value))
        if verb == b"cas":
            line += b" " + self.random.choice([b"0", b"18446744073709551615"])
        return line + self.noreply() + b"\r\n" + value + b"\r\n"

    def small(self):
        return self.random.choice([
            b"delete " + self.key(), b"touch " + self.key() + b" " + self.ttl(),
            b"incr " + self.key() + b" 7", b"decr " + self.key() + b" 8",
            b"incr " + self.key() + b" 18446744073709551615", b"delete " + self.key(),
        ]) + self.noreply() + b"\r\n"

    def meta_get(self):
        key, binary = self.meta_key()
        tokens = [lambda: b"Oop", lambda: b"T" + self.random.choice([b"0", b"1000"]),
                  lambda: b"N1000", lambda: b"R1500"]
        return b"mg " + key + binary + self.flags([b"s", b"v", b"f", b"t", b"k", b"q", b"u", b"h",
                                                   b"c"], tokens) + b"\r\n"

    def meta_set(self):
        key, binary = self.meta_key()
        value = self.value()
        tokens = [lambda: b"Oop", lambda: b"T" + self.ttl(), lambda: b"F9",
                  lambda: b"M" + self.random.choice([b"S", b"E", b"A", b"P", b"R"]),
                  lambda: b"C" + self.random.choice([b"0", b"18446744073709551615"])]
        flags = self.flags([b"k", b"q", b"c", b"I"], tokens)
        return b"ms %s %d%s%s\r\n%s\r\n" % (key, len(value), binary, flags, value)

    def meta_rest(self):
        key, binary = self.meta_key()
        if self.random.random() < 0.4:
            tokens = [lambda: b"Oop", lambda: b"T1000", lambda: b"C0"]
            return b"md " + key + binary + self.flags([b"k", b"q", b"I", b"I"][:3], tokens) + b"\r\n"
        # Without T: memcached loses it when the number grows longer.
        tokens = [lambda: b"Oop", lambda: b"N1000", lambda: b"J13",
                  lambda: b"D7", lambda: b"M" + self.random.choice([b"I", b"D", b"+", b"-"])]
        return b"ma " + key + binary + self.flags([b"k", b"q", b"t", b"c", b"v"], tokens) + b"\r\n"

    def request(self, arithmetic=True):
        # memcached does not change a number in place while a reply still refers to it: whether
        # blanks follow a shorter one then depends on how requests were gathered.
        while True:
            request = self.any_request()
            if arithmetic or not request.startswith((b"incr", b"decr", b"ma ")):
                return request

    def any_request(self):
        return self.random.choice([self.retrieval, self.retrieval, self.storage, self.storage,
                                   self.small, self.meta_get, self.meta_get, self.meta_set,
                                   self.meta_rest])()
