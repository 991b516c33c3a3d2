# SPDX-License-Identifier: Apache-2.0
"""The scripts that verify expiry and scaling measure what they say."""
import argparse
import io
import random
import unittest

import expiry
import lock_contention
import shared_lines

COSTS = argparse.Namespace(outside=1000, transfer=0, lines=1, wake=5000, wake_call=1000,
                           requests=20_000)


class LockContention(unittest.TestCase):
    def rate(self, threads, cumulative, **changes):
        options = argparse.Namespace(**{**vars(COSTS), **changes})
        simulation = lock_contention.Simulation(threads, cumulative, options, random.Random(1))
        return simulation.run(), simulation

    def test_one_thread_never_waits(self):
        rate, simulation = self.rate(1, [1.0])
        self.assertEqual(max(simulation.waits), 0)
        self.assertAlmostEqual(rate, 1 / 1075, delta=0.0001)

    def test_two_threads_on_a_thousand_locks_are_twice_as_fast_as_one(self):
        shards = list(range(1, 1025))
        self.assertAlmostEqual(self.rate(2, shards)[0] / self.rate(1, shards)[0], 2, delta=0.05)

    def test_one_lock_is_never_faster_than_it_can_change_hands(self):
        rate, simulation = self.rate(32, [1.0], transfer=500)
        self.assertLess(rate, 1 / 500)
        self.assertGreater(simulation.sleeps, 0)

    def test_nobody_waits_much_longer_than_the_patience_of_the_lock(self):
        _, simulation = self.rate(64, [1.0], transfer=80, requests=60_000)
        self.assertLess(max(simulation.waits), 3 * lock_contention.PATIENCE_NANOS)

    def test_zipf_gives_the_first_key_its_share(self):
        class InOrder:
            def __init__(self):
                self.next = -1

            def randrange(self, _):
                self.next += 1
                return min(self.next, lock_contention.SHARDS - 1)

        cumulative = lock_contention.shard_weights(1.2, InOrder())
        self.assertAlmostEqual(cumulative[0] / (cumulative[1] - cumulative[0]), 2 ** 1.2)


class SharedLines(unittest.TestCase):
    def test_a_line_is_shared_when_one_writes_and_the_other_touches_it(self):
        layout = shared_lines.Layout()
        layout.read(io.StringIO("keys 1\nmarkers 0x1000\nstep GET\nready\n"))
        trace = [" S 1000,8", " S 2000,8", " L 3000,8", " M 4038,16", " S 1040,8",
                 " S 5000,8",  # outside of the markers
                 " S 1080,8", " L 2010,4", " L 3000,8", " L 4040,8", " L 5000,8", " S 10c0,8"]
        phases = shared_lines.read_trace([f"{line}\n" for line in trace], layout)
        shared = shared_lines.shared_lines(phases[0, 0], phases[0, 1])
        self.assertEqual(shared, {0x2000 // 64, 0x4040 // 64})


class Expiry(unittest.TestCase):
    def test_the_deadlines_tell_how_many_keys_are_alive(self):
        deadlines = expiry.Deadlines(1000, 500.0, 10)
        self.assertEqual(deadlines.alive(499.9), 1000)
        self.assertEqual(deadlines.alive(505.0), 499)
        self.assertEqual(deadlines.alive(511.0), 0)
        for index in (0, 1, 500, 999):
            self.assertEqual(deadlines.alive(deadlines.at(index) + 0.0001), 999 - index)

    def test_removals_are_found_in_pieces_of_any_size(self):
        deadlines = expiry.Deadlines(1000, 500.0, 10)
        stream = b"".join(expiry.command("DEL", b"exp:%07d" % i) for i in range(100))
        for size in (1, 7, 10_000):
            pieces = [(510.0, stream[i:i + size]) for i in range(0, len(stream), size)]
            late = list(expiry.lateness_of(pieces, deadlines))
            self.assertEqual(len(late), 100)
            self.assertAlmostEqual(late[50], 9.5)


if __name__ == "__main__":
    unittest.main()
