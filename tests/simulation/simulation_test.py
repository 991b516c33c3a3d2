# SPDX-License-Identifier: Apache-2.0
"""Thousands of faulty runs of replication, promotion, fence and log recovery (replication_simulation):
none breaks a rule, and each rule that is left out on purpose is missed.

REPLICATION_SIMULATION names the program; without it, and with no release build, nothing runs.
SIMULATION_SEEDS: how many seeds, 10,000 unless told.
"""
import os
import re
import subprocess
import unittest
from pathlib import Path

PROGRAM = os.environ.get("REPLICATION_SIMULATION") or str(
    Path(__file__).resolve().parents[2] / "build/release/replication_simulation")
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "10000"))
THREADS = os.cpu_count() or 1
# What is left out, and the seeds within which that must show.
MUTANTS = {
    "no-check-before-reply": 200, "no-fence": 200, "reply-before-acks": 200,
    "reads-do-not-wait": 500, "elect-anyone": 1000, "forgets-crash": 2000,
    "elect-during-lease": 200, "continues-anything": 200, "keeps-id": 200,
    "drop-without-store": 5000, "grants-from-receipt": 10000,
}


def simulate(seeds, *options):
    """(exit code, output, the numbers of its last line)"""
    done = subprocess.run([PROGRAM, "--seeds", str(seeds), "--threads", str(THREADS), *options],
                          capture_output=True, text=True, timeout=600, check=False)
    print(done.stdout, end="")
    return done.returncode, done.stdout, [int(word) for word in
                                          re.findall(r"\d+", done.stdout.splitlines()[-1])]


@unittest.skipUnless(os.path.exists(PROGRAM), "replication_simulation is not built")
class SimulationTest(unittest.TestCase):
    def test_no_seed_breaks_a_rule(self):
        code, output, numbers = simulate(SEEDS)
        self.assertEqual(code, 0, output)
        stuck, acknowledged, promotions, full, partial = numbers[-5:]
        # The runs are worth something: there was work, there was trouble.
        self.assertGreater(acknowledged, 200 * SEEDS)
        self.assertGreater(promotions, 2 * SEEDS)
        self.assertGreater(full, SEEDS)
        self.assertGreater(partial, 5 * SEEDS)
        self.assertLess(stuck, SEEDS / 10)

    def test_each_rule_that_is_left_out_is_missed(self):
        for mutant, seeds in MUTANTS.items():
            with self.subTest(mutant):
                code, output, _ = simulate(seeds, "--mutant", mutant, "--stop", "1")
                self.assertEqual(code, 1, output)
                self.assertRegex(output, r"again: replication_simulation --first \d+ --seeds 1")


if __name__ == "__main__":
    unittest.main()
