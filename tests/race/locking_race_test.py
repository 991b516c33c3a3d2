#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The tests of the shards' locks and of the script token, in the thread sanitizer."""
import os
import subprocess
import unittest
from pathlib import Path

SECONDS_MAX = 300


class LockingUnderSanitizer(unittest.TestCase):
    def test_everybody_who_locks_shards(self):
        build = Path(os.environ["MIKURA_BIN"]).resolve().parent
        program, = build.rglob("mikura_keyspace_test")
        done = subprocess.run([program, "--gtest_filter=Locking.*:ShardLock.*"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS_MAX, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("[  PASSED  ]", done.stdout)
        self.assertNotIn("ThreadSanitizer", done.stdout)


if __name__ == "__main__":
    unittest.main()
