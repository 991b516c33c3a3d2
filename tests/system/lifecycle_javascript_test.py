# SPDX-License-Identifier: Apache-2.0
"""The whole life of caches, by the AWS SDK for JavaScript: javascript/lifecycle.mjs.

Its packages come from npm. Where there is no registry this fails, and says so.
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import service

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "frameworks"))
import node_packages  # noqa: E402

FOLDER = Path(service.ROOT) / "build" / "system" / "javascript"
SECONDS_MAX = 240


class LifecycleByJavaScript(service.Service):
    @classmethod
    def setUpClass(cls):
        node_packages.install(HERE / "javascript", FOLDER)

    def test_the_whole_life_of_caches(self):
        environment = dict(os.environ, MIKURA_ENDPOINT=f"http://127.0.0.1:{self.port}",
                           MIKURA_REGION=service.REGION, MIKURA_CACHE_PORT=str(service.CACHE_PORT),
                           MIKURA_AUTHORITY=f"{self.data_dir}/tls/ca.crt")
        done = subprocess.run(
            ["node", "--test-reporter=tap", str(FOLDER / "lifecycle.mjs")], env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=SECONDS_MAX, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("\nok 1 ", done.stdout)
        print(*(f"  {step}" for step in re.findall(r"^# (\w+: [\d.]+ s)$", done.stdout, re.MULTILINE)), sep="\n")
        self.assertEqual(os.listdir(os.path.join(self.data_dir, "nodes")), [])


if __name__ == "__main__":
    unittest.main()
