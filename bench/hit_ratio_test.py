# SPDX-License-Identifier: Apache-2.0
"""The traces have the properties they claim, and the computed LRU is one."""
import collections
import unittest

from hit_ratio import exact_lru
from hit_ratio_traces import all_traces, interleave, loop, once, zipf


class Traces(unittest.TestCase):
    def test_they_are_the_same_every_time(self):
        self.assertEqual(all_traces(500, 2000), all_traces(500, 2000))

    def test_zipf_follows_its_exponent(self):
        counts = collections.Counter(zipf(1.0, 1000, 200_000, 1))
        self.assertAlmostEqual(counts[0] / counts[1], 2, delta=0.1)
        self.assertAlmostEqual(counts[0] / counts[9], 10, delta=0.7)

    def test_interleaved_traces_share_no_keys(self):
        trace = interleave([loop(10, 1000), once(1000)], [50, 50], 1000, 1)
        self.assertEqual(len({key for key in trace if key % 2 == 0}), 10)
        odd = [key for key in trace if key % 2]
        self.assertEqual(len(set(odd)), len(odd))
        self.assertAlmostEqual(len(odd), 500, delta=80)

    def test_every_trace_has_the_length_asked_for(self):
        for name, trace in all_traces(500, 2000).items():
            self.assertEqual(len(trace), 2000, name)


class ExactLru(unittest.TestCase):
    def test_a_loop_longer_than_the_cache_never_hits(self):
        self.assertEqual(exact_lru(loop(11, 1000), 10), 0)

    def test_a_loop_that_fits_always_hits(self):
        self.assertEqual(exact_lru(loop(10, 1000), 10), 1)

    def test_what_was_used_last_stays(self):
        self.assertEqual(exact_lru([0, 1, 0, 2, 0, 3, 0, 4, 0, 5] * 10, 2), 0.5)


if __name__ == "__main__":
    unittest.main()
