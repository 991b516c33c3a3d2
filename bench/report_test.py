#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import memory_churn  # noqa: E402
import report  # noqa: E402


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        before = report.FOLDER, report.DOCUMENT
        report.FOLDER, report.DOCUMENT = Path(folder.name) / "parts", Path(folder.name) / "all.md"

        def restore():
            report.FOLDER, report.DOCUMENT = before
        self.addCleanup(restore)

    def write(self, name, title):
        report.write_section(name, title, "Words.", "./dev x", None, [], [f"| {name} |"])

    def test_holds_each_section_once_in_the_fixed_order_and_unknown_ones_last(self):
        for name in ("zebra", "speed", "memory-churn", "memory-per-key"):
            self.write(name, f"Title of {name}")
        titles = [line for line in report.document().splitlines() if line.startswith("## ")]
        self.assertEqual(titles, ["## Title of speed", "## Title of memory-per-key",
                                  "## Title of memory-churn", "## Title of zebra"])

    def test_a_section_tells_command_date_and_machine(self):
        self.write("speed", "Speed")
        self.assertRegex(report.document(), r"`\./dev x`, \d{4}-\d\d-\d\d, commit \w+; .*cores")

    def test_says_when_the_document_is_not_current(self):
        self.write("speed", "Speed")
        self.assertEqual(report.main(["--check"]), 1)
        self.assertEqual(report.main([]), 0)
        self.assertEqual(report.main(["--check"]), 0)
        self.write("speed", "Other words")
        self.assertEqual(report.main(["--check"]), 1)


class RememberingPipe:
    """Holds what a server would hold."""

    def __init__(self):
        self.values = {}

    def set(self, key, value):
        self.values[key] = len(value)

    def delete(self, key):
        del self.values[key]  # fails for a key that is not there


class Churn(unittest.TestCase):
    def test_knows_what_the_server_holds_and_keeps_to_the_amount(self):
        pipe = RememberingPipe()
        data = memory_churn.Data(pipe, 2_000_000, 7)
        for _, action, smallest, largest in memory_churn.STEPS:
            getattr(data, action)(smallest, largest)
            self.assertEqual(sum(pipe.values.values()), data.bytes)
            self.assertEqual(len(pipe.values), len(data.keys))
            if action != "delete":
                self.assertGreaterEqual(data.bytes, 2_000_000)
                self.assertLess(data.bytes, 2_000_000 + largest)


if __name__ == "__main__":
    unittest.main()
