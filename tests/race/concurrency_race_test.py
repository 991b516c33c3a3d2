#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The scenarios of tests/concurrency/concurrency_test.py with nodes, and a load, under the thread
sanitizer: every report of it is a failure too."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "concurrency"))
import concurrency_test  # noqa: E402


class ConcurrencyUnderSanitizer(concurrency_test.Concurrency):
    SLOWNESS = 50.0

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers.values():
            server.process.terminate()
            server.process.wait(60)
            assert "ThreadSanitizer" not in server.log(), server.log()
            assert server.process.returncode == 0, server.log()


if __name__ == "__main__":
    unittest.main()
