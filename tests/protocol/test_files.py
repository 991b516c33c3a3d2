# SPDX-License-Identifier: Apache-2.0
"""The format of *.test files: what is sent, and what has to come back.

  # a comment
  > SET k "a b\\x00"          a request; words as in redis-cli: "..." with escapes, '...'
  >> "PING\\r\\n"              bytes sent as they are; every following "<" group is one reply
  < +OK                       the reply: one line per value, as on the wire
  < *2                        an array: its elements follow
  < $a                          bulk strings: $text, or $"text" with escapes; (null), (null array)
  < :1
  < *2 unordered              elements in any order; also for ~ (set) and % (map, by pairs)
  < $~[0-9]+                  ~ behind the type: the rest is a regular expression for the whole text
  < (any)                     any one value
  < (close)                   no reply: the server closes the connection
  < (nothing)                 no reply at all

Directives:
  ! only mikura: reason       the next request is for one target only (also: only redis)
  ! all mikura: reason        the same for all requests from here on
  ! eventually                the next request is repeated until the reply fits, for 10 seconds
  ! connection name           goes on on another connection, opened on first use
  ! reconnect                 a new connection under the present name
  ! keys N pattern            stores N keys; %d in the pattern is the number
  ! scan N [options]          a whole SCAN iteration returns N different keys
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

from resp_client import Node

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a"}


@dataclass
class Exchange:
    line: int
    text: str
    data: list = None  # words of a request
    raw: bytes = None
    expected: list = field(default_factory=list)  # Nodes
    only: str = ""
    eventually: bool = False


@dataclass
class Directive:
    line: int
    words: list


def unescape(text):
    def one(match):
        if match.group(1):
            return chr(int(match.group(1), 16))
        return ESCAPES.get(match.group(2), match.group(2))
    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|(.))", one, text, flags=re.DOTALL)


def split_words(text):
    words = []
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'])*)\'|(\S+)', text):
        if match.group(1) is not None:
            word = unescape(match.group(1))
        else:
            word = match.group(2) if match.group(2) is not None else match.group(3)
        words.append(word.encode("latin-1"))
    return words


def child_count(text):
    """How many values follow inside the value that `text` begins."""
    match = re.fullmatch(r"([*~>%])(\d+)( unordered)?", text)
    if not match:
        return 0
    return int(match.group(2)) * (2 if match.group(1) == "%" else 1)


def take_tree(lines, where):
    if not lines:
        raise SyntaxError(f"{where}: the expected reply ends too early")
    text = lines.pop(0)
    return Node(text, [take_tree(lines, where) for _ in range(child_count(text))])


def parse(path):
    """The exchanges and directives of a file, in order."""
    steps, expected, only, only_all, eventually = [], [], "", "", False

    def finish():
        if steps and isinstance(steps[-1], Exchange):
            exchange = steps[-1]
            where = f"{path.name}:{exchange.line}"
            while expected:
                exchange.expected.append(take_tree(expected, where))
            if not exchange.expected:
                raise SyntaxError(f"{where}: nothing is expected")

    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        line = line.lstrip()  # a blank at the end may be part of a reply
        if not line or line.startswith("#"):
            continue
        kind, _, rest = line.partition(" ")
        if kind == "<":
            expected.append(rest)
            continue
        finish()
        if kind == "!":
            words = rest.split()
            if words[0] in ("only", "all"):
                only = words[1].rstrip(":")
                if only not in ("mikura", "redis") or len(words) < 3:
                    raise SyntaxError(f"{path.name}:{number}: {words[0]} mikura|redis: reason")
                if words[0] == "all":
                    only_all = only
            elif words[0] == "eventually":
                eventually = True
            else:
                steps.append(Directive(number, words))
            continue
        exchange = Exchange(number, line, only=only or only_all, eventually=eventually)
        only, eventually = "", False
        if kind == ">":
            exchange.data = split_words(rest)
        elif kind == ">>":
            exchange.raw = b"".join(split_words(rest))
        else:
            raise SyntaxError(f"{path.name}:{number}: unknown line")
        steps.append(exchange)
    finish()
    return steps


def text_fits(expected, actual):
    if expected == actual:
        return True
    if len(expected) > 1 and expected[1] == "~" and expected[0] in "+-$:=,":
        return expected[0] == actual[:1] and re.fullmatch(expected[2:], actual[1:]) is not None
    return False


def fits(expected, actual):
    """Whether the reply `actual` is what the Node `expected` describes."""
    if expected.text == "(any)":
        return True
    unordered = expected.text.endswith(" unordered")
    text = expected.text.removesuffix(" unordered")
    if not text_fits(text, actual.text):
        return False
    if len(expected.children) != len(actual.children):
        return False
    if not unordered:
        return all(map(fits, expected.children, actual.children))
    size = 2 if text[0] == "%" else 1
    groups = [actual.children[i:i + size] for i in range(0, len(actual.children), size)]
    for i in range(0, len(expected.children), size):
        wanted = expected.children[i:i + size]
        for group in groups:
            if all(map(fits, wanted, group)):
                groups.remove(group)
                break
        else:
            return False
    return True
