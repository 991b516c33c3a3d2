#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The test runner counts what the tools print, and never takes a crash for success."""
import contextlib
import io
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import run_tests  # noqa: E402
from run_tests import Count, count_ctest, count_script  # noqa: E402


class CountTest(unittest.TestCase):
    def test_ctest(self):
        text = "97% tests passed, 2 tests failed out of 80\n"
        self.assertEqual(count_ctest(8, text), Count(78, 2, 0))
        self.assertEqual(count_ctest(0, "100% tests passed, 0 tests failed out of 1\n"), Count(1, 0))
        skipped = "1/2 Test #1: a ...***Skipped 0 sec\n100% tests passed, 0 tests failed out of 2\n"
        self.assertEqual(count_ctest(0, skipped), Count(1, 0, 1))

    def test_unittest(self):
        self.assertEqual(count_script(0, "Ran 5 tests in 1s\n\nOK\n"), Count(5))
        self.assertEqual(count_script(0, "Ran 5 tests in 1s\n\nOK (skipped=2)\n"), Count(3, 0, 2))
        text = "Ran 5 tests in 1s\n\nFAILED (failures=1, errors=2, skipped=1)\n"
        self.assertEqual(count_script(1, text), Count(1, 3, 1))

    def test_the_last_summary_of_its_own_counts(self):
        self.assertEqual(count_script(0, "3 passed, 0 failed\nx\n12 passed, 1 failed\n"),
                         Count(12, 1))

    def test_an_end_without_a_summary_is_a_failure(self):
        self.assertEqual(count_script(1, "Traceback ..."), Count(0, 1))
        self.assertEqual(count_ctest(-11, ""), Count(0, 1))
        self.assertEqual(count_script(-6, "7 passed, 0 failed\n"), Count(7, 1))
        self.assertEqual(count_script(None, "7 passed, 0 failed\n"), Count(7, 1))


class RunTest(unittest.TestCase):
    def run_quietly(self, *words, seconds_max=20):
        out = io.TextIOWrapper(io.BytesIO())
        with contextlib.redirect_stdout(out):
            return run_tests.run(list(words), seconds_max)

    def test_output_and_code_come_back(self):
        self.assertEqual(self.run_quietly("sh", "-c", "echo a; echo b >&2; exit 3"), (3, "a\nb\n"))

    def test_a_command_that_takes_too_long_is_ended(self):
        begin = time.monotonic()
        code, _ = self.run_quietly("sh", "-c", "sleep 60", seconds_max=0.3)
        self.assertIsNone(code)
        self.assertLess(time.monotonic() - begin, 30)

    def test_a_child_left_behind_does_not_hold_the_runner(self):
        begin = time.monotonic()
        code, output = self.run_quietly("sh", "-c", "sleep 15 & echo done")
        self.assertEqual((code, output), (0, "done\n"))
        self.assertLess(time.monotonic() - begin, 10)


if __name__ == "__main__":
    unittest.main()
