#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the cache lines that requests of two threads share, from a trace of every memory access.

shared_lines runs under valgrind's lackey: one thread runs its requests, then the other one its own,
whose keys lie in other shards. A line that one of them writes and the other touches would travel
between cores with each request; there should be none. Where both use the same keys, the lines left
are those of the shard, and their number is what one request costs another core.

  shared_lines.py             about two minutes; ends with 1 when the threads share a written line
"""
import argparse
import collections
import subprocess
import sys
import threading

import servers

LINE = 64
ACCESS = {" L": (True, False), " S": (False, True), " M": (True, True)}
MARKER_BYTES = 64
THREADS = 2
INDEPENDENT = "of the same keys"  # steps with this in their name are meant to share


class Layout:
    """What the program says of itself on its error output."""

    def __init__(self):
        self.objects, self.steps = [], []
        self.stride = self.keys = 0
        self.markers = None
        self.is_known = threading.Event()

    def read(self, stream):
        for raw in stream:
            words = raw.split()
            if not words:
                continue
            if words[0] == "object":
                self.objects.append((words[1], int(words[2], 16), int(words[3])))
            elif words[0] == "stride":
                self.stride = int(words[1])
            elif words[0] == "keys":
                self.keys = int(words[1])
            elif words[0] == "step":
                self.steps.append(raw[5:].strip())
            elif words[0] == "markers":
                self.markers = int(words[1], 16)
            elif words[0] == "ready":
                self.is_known.set()

    def place(self, line):
        address = line * LINE
        for name, begin, size in self.objects:
            if begin - LINE < address < begin + size:
                if name == "shards":
                    offset = (address - begin) % self.stride
                    return "lock" if offset < LINE else f"shard +{offset}"
                return name
        return "other"


class Phase:
    def __init__(self):
        self.written, self.touched = collections.Counter(), set()
        self.writers = {}  # a line, and the address of an instruction that wrote it

    def note(self, kind, address, size, instruction):
        reads_writes = ACCESS[kind]
        for line in range(address // LINE, (address + size - 1) // LINE + 1):
            self.touched.add(line)
            if reads_writes[1]:
                self.written[line] += 1
                self.writers[line] = instruction


def read_trace(stream, layout):
    """The phases by (step, thread); everything outside the markers is passed over."""
    phases, current, key, instruction = {}, None, None, 0
    for raw in stream:
        kind = raw[:2]
        if kind == "I ":
            if current is not None:
                instruction = int(raw[3:raw.index(",")], 16)
            continue
        if kind not in ACCESS:
            continue
        if current is None and (kind != " S" or layout.markers is None):
            continue
        comma = raw.index(",")
        address, size = int(raw[3:comma], 16), int(raw[comma + 1:])
        number, rest = divmod(address - (layout.markers or 0), MARKER_BYTES)
        if kind == " S" and rest == 0 and 0 <= number < len(layout.steps) * THREADS * 2:
            key = (number // 2 // THREADS, number // 2 % THREADS)
            current = Phase() if number % 2 == 0 else None
            if current is not None:
                phases[key] = current
        elif current is not None:
            current.note(kind, address, size, instruction)
    return phases


def shared_lines(first, second):
    """Lines that one of the threads writes and the other touches."""
    return (set(first.written) & second.touched) | (set(second.written) & first.touched)


def report(layout, phases):
    unwanted = 0
    for number, step in enumerate(layout.steps):
        pair = [phases[number, thread] for thread in range(THREADS)]
        shared = shared_lines(*pair)
        places = collections.Counter(layout.place(line) for line in shared)
        own = collections.Counter(
            layout.place(line) for line in pair[0].written
            if not layout.place(line).startswith("stack"))
        print(f"{step}: {layout.keys} requests of each thread, {len(shared)} shared written lines "
              f"{dict(places) if places else ''}")
        print("    distinct lines written by one thread: "
              + ", ".join(f"{count} {place}" for place, count in sorted(own.items())))
        if INDEPENDENT in step:
            continue
        unwanted += len(shared)
        for line in sorted(shared):
            writer = pair[0].writers.get(line) or pair[1].writers.get(line)
            print(f"    {line * LINE:#x} {layout.place(line)}: written at {writer:#x}, "
                  f"{pair[0].written[line]} and {pair[1].written[line]} times")
    return unwanted


def release_probe(probe, layout):
    """Lets the probe go on when all that it said of itself has been read."""
    while probe.poll() is None and not layout.is_known.wait(0.1):
        pass
    probe.stdin.write("\n")
    probe.stdin.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probe", default=servers.ROOT / "build/release/shared_lines")
    options = parser.parse_args()
    # Descriptor 1 carries the trace and nothing else; what the probe says comes on its error output.
    probe = subprocess.Popen(
        ["valgrind", "--tool=lackey", "--trace-mem=yes", "--basic-counts=no", "--log-fd=1", "-q",
         str(options.probe)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    layout = Layout()
    words = threading.Thread(target=layout.read, args=(probe.stderr,))
    words.start()
    release = threading.Thread(target=release_probe, args=(probe, layout))
    release.start()
    phases = read_trace(probe.stdout, layout)
    words.join()
    release.join()
    if probe.wait() != 0 or len(phases) != len(layout.steps) * THREADS:
        raise servers.BenchError(f"the probe ended with {probe.returncode}, {len(phases)} phases")
    sys.exit(1 if report(layout, phases) else 0)


if __name__ == "__main__":
    main()
