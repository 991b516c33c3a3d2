# SPDX-License-Identifier: Apache-2.0
"""The same commands to our engine and to redis-server; every reply has to be the same.

A generator is a file *_generator.py with

  RESET = [("CONFIG", "SET", "name", "value"), ...]   run before each sequence (may be empty)
  def sequence(random): ...                           one sequence: a list of Steps
  TYPES_WITHOUT_ENCODING = ("string",)                whose OBJECT ENCODING may differ (optional)

It draws everything from `random` and sees no replies, so a sequence can be repeated, and made
shorter when it shows a difference. Keys come from a small set, so that commands meet.
"""
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "protocol"))
from resp_client import Client, Node, encode, quote  # noqa: E402


@dataclass
class Step:
    """One command, and what of its reply has to be the same:

      equal      everything
      unordered  an array or set whose elements may come in any order
      pairs      a map, or an array of pairs (flat in RESP2): pairs in any order
      shape      kinds and counts, not the values: what is chosen at random
      scan       words without the cursor: an iteration until its end sees the same elements
      follow     redis-server is sent what follow(our reply) says instead, and its reply does not
                 matter; for a choice at random that changes data
    """
    words: tuple
    compare: str = "equal"
    follow: object = None

    def __str__(self):
        return " ".join(quote(word_bytes(word)) for word in self.words)


def word_bytes(word):
    return word if isinstance(word, bytes) else str(word).encode()


def shape(node):
    kind = node.text if node.text[0] in "*~%>(_" else node.text[0]
    return (kind, [shape(child) for child in node.children])


def flat(node):
    return (node.text, tuple(flat(child) for child in node.children))


def pairs(node):
    children = [flat(child) for child in node.children]
    if children and all(text == "*2" for text, _ in children):
        return sorted(children)
    return sorted(zip(children[::2], children[1::2]))


def same(compare, ours, theirs):
    if ours.text[0] == "-" or theirs.text[0] == "-" or compare in ("equal", "scan"):
        return flat(ours) == flat(theirs)
    if compare == "shape":
        return shape(ours) == shape(theirs)
    if ours.text != theirs.text:
        return False
    if compare == "pairs":
        return pairs(ours) == pairs(theirs)
    return sorted(map(flat, ours.children)) == sorted(map(flat, theirs.children))


class Difference(Exception):
    def __init__(self, step, ours, theirs):
        super().__init__()
        self.step, self.ours, self.theirs = step, ours, theirs

    def text(self):
        lines = [f"  {self.step}"]
        for name, node in (("mikura", self.ours), ("redis", self.theirs)):
            lines += [f"    {name:6} {line}" for line in list(node.lines())[:40]]
        return "\n".join(lines)


READERS = {  # how the whole value of a type is read
    "+string": (("GET",), (), "equal"),
    "+list": (("LRANGE",), (0, -1), "equal"),
    "+set": (("SMEMBERS",), (), "unordered"),
    "+zset": (("ZRANGE",), (0, -1, "WITHSCORES"), "equal"),
    "+hash": (("HGETALL",), (), "pairs"),
    "+stream": (("XRANGE",), ("-", "+"), "equal"),
}


class Pair:
    """Connections to both servers."""

    def __init__(self, ours, theirs):
        self.ours = Client(ours.host, ours.port)
        self.theirs = Client(theirs.host, theirs.port)
        self.commands = 0
        self.types_without_encoding = ()

    def close(self):
        self.ours.close()
        self.theirs.close()

    def run(self, reset, steps):
        """Raises Difference at the first reply that differs."""
        for words in (("DISCARD",), ("HELLO", 2), ("SELECT", 0), ("FLUSHALL",), *reset):
            self.check(Step(words, "shape"))
        waiting = []
        for step in steps:
            if step.compare in ("follow", "scan"):
                self.check_all(waiting)
                waiting = []
                self.take_alone(step)
            else:
                waiting.append(step)
        self.check_all(waiting)
        self.compare_data()

    def check(self, step):
        return self.check_all([step])[0]

    def check_all(self, steps):
        """Sends the steps in one piece each, and compares the replies."""
        if not steps:
            return []
        self.commands += len(steps)
        data = b"".join(encode([word_bytes(word) for word in step.words]) for step in steps)
        self.ours.send(data)
        self.theirs.send(data)
        replies = [(self.ours.read(), self.theirs.read()) for _ in steps]
        for step, (ours, theirs) in zip(steps, replies):
            if not same(step.compare, ours, theirs):
                raise Difference(step, ours, theirs)
        return [ours for ours, _ in replies]

    def take_alone(self, step):
        self.commands += 1
        if step.compare == "scan":
            ours, theirs = (self.scan(client, step.words) for client in (self.ours, self.theirs))
            if flat(ours) != flat(theirs):
                raise Difference(step, ours, theirs)
            return
        ours = self.ours.call(*step.words)
        words = step.follow(ours)
        if words is None:  # nothing was changed: the command itself has to answer the same
            theirs = self.theirs.call(*step.words)
            if flat(ours) != flat(theirs):
                raise Difference(step, ours, theirs)
        else:
            self.theirs.call(*words)

    @staticmethod
    def scan(client, words):
        """Everything that an iteration returned, as one reply, sorted and without repetitions."""
        name, key, *options = words
        cursor, seen = "0", set()
        step = 2 if name == "HSCAN" and "NOVALUES" not in options or name == "ZSCAN" else 1
        for _ in range(100_000):
            reply = client.call(name, key, cursor, *options)
            if reply.text[0] == "-":
                return reply
            cursor = reply.children[0].text[1:]
            texts = [child.text for child in reply.children[1].children]
            seen |= {tuple(texts[i:i + step]) for i in range(0, len(texts), step)}
            if cursor == "0":
                return Node(f"*{len(seen)}", [Node(" ".join(one)) for one in sorted(seen)])
        return Node("-the iteration does not end")

    def compare_data(self):
        keys = self.check(Step(("KEYS", "*"), "unordered")).children
        for key in sorted(unquote(node.text[1:]) for node in keys):
            kind = self.check(Step(("TYPE", key))).text
            # Of a string ours depends on the bytes, not on how they came to be.
            if kind != "+string" and kind[1:] not in self.types_without_encoding:
                self.check(Step(("OBJECT", "ENCODING", key)))
            before, behind, compare = READERS[kind]
            self.check(Step((*before, key, *behind), compare))


def unquote(text):
    """The opposite of resp_client.quote()."""
    if not text.startswith('"'):
        return text.encode("latin-1")
    return text[1:-1].encode("latin-1").decode("unicode_escape").encode("latin-1")


def shortest(pair, reset, steps):
    """Fewer steps that still show a difference, and that difference."""
    def difference(some):
        try:
            pair.run(reset, some)
        except Difference as found:
            return found
        return None

    found, size = difference(steps), max(1, len(steps) // 2)
    if found is None:
        return steps, None
    while True:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size:]
            smaller = difference(fewer)
            if smaller is not None:
                steps, found = fewer, smaller
            else:
                at += size
        if size == 1:
            return steps, found
        size = max(1, size // 2)
