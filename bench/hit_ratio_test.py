# SPDX-License-Identifier: Apache-2.0
"""The traces have the properties they claim, and the computed LRU is one."""
import collections
import unittest

from hit_ratio import EXACT, Cell, cells_of, comparisons, exact_lru, table
from hit_ratio_traces import all_traces, followed_by, interleave, loop, once, zipf


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


    def test_a_trace_that_follows_another_has_its_own_keys(self):
        trace = followed_by(loop(5, 100), loop(7, 100))
        self.assertEqual(len(set(trace[:50])), 5)
        self.assertEqual(len(set(trace[50:])), 7)
        self.assertFalse(set(trace[:50]) & set(trace[50:]))


class Tables(unittest.TestCase):
    RATIOS = {Cell("loop", 1, 10, EXACT): 0.0, Cell("loop", 1, 10, "mikura-x"): 0.25,
              Cell("zipf", 1, 20, EXACT): 0.5, Cell("zipf", 1, 20, "mikura-x"): 0.45}

    def test_a_size_is_a_share_of_the_distinct_keys(self):
        cells = list(cells_of({"loop": loop(200, 1000)}, [1, 10], ["a"]))
        self.assertEqual([cell.capacity for cell in cells], [2, 20])

    def test_a_table_has_a_row_for_each_cache_and_the_averages(self):
        lines = list(table(self.RATIOS, [EXACT, "mikura-x"]))
        self.assertIn("| loop | 1 %, 10 keys | 0.0 | 25.0 |", lines)
        self.assertEqual(lines[-1], "| **average** | all | **25.0** | **35.0** |")

    def test_a_comparison_names_the_worst_row(self):
        self.assertEqual(list(comparisons(self.RATIOS, [EXACT, "mikura-x"])),
                         ["* mikura-x against LRU exact: +10.0 points on average, worst -5.0 (zipf, 1 %)"])


class ExactLru(unittest.TestCase):
    def test_a_loop_longer_than_the_cache_never_hits(self):
        self.assertEqual(exact_lru(loop(11, 1000), 10), 0)

    def test_a_loop_that_fits_always_hits(self):
        self.assertEqual(exact_lru(loop(10, 1000), 10), 1)

    def test_what_was_used_last_stays(self):
        self.assertEqual(exact_lru([0, 1, 0, 2, 0, 3, 0, 4, 0, 5] * 10, 2), 0.5)


if __name__ == "__main__":
    unittest.main()
