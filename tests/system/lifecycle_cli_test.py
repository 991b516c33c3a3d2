# SPDX-License-Identifier: Apache-2.0
"""The whole life of caches, by Debian's AWS CLI, its options and its waiters."""

import json
import os
import re
import subprocess
import unittest

import botocore
from botocore import xform_name

from lifecycle_story import SECONDS, Refused, Story
from service import REGION

AWS = "/usr/bin/aws"
WAITERS = "elasticache/2015-02-02/waiters-2.json"


def option(name, value):
    """How the CLI spells a member of a request."""
    flag = "--" + xform_name(name, "-")
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [flag, *value]
    return [flag, value if isinstance(value, str) else json.dumps(value)]


class LifecycleByCli(Story):
    def setUp(self):
        super().setUp()
        self.models = os.path.join(self.data_dir, "models")
        self.write_waiters()

    def write_waiters(self):
        """The CLI's own waiters, that ask every second and not every 15."""
        source = os.path.join(os.path.dirname(botocore.__file__), "data", WAITERS)
        with open(source, encoding="utf-8") as file:
            waiters = json.load(file)
        for waiter in waiters["waiters"].values():
            waiter.update(delay=1, maxAttempts=int(SECONDS))
        target = os.path.join(self.models, WAITERS)
        os.makedirs(os.path.dirname(target))
        with open(target, "w", encoding="utf-8") as file:
            json.dump(waiters, file)

    def run_aws(self, service, *words):
        environment = dict(
            os.environ, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_PAGER="",
            AWS_DEFAULT_REGION=REGION, AWS_EC2_METADATA_DISABLED="true",
            AWS_DATA_PATH=self.models, AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull)
        return subprocess.run(
            [AWS, "--endpoint-url", f"http://127.0.0.1:{self.port}", "--output", "json", service,
             *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=2 * SECONDS, check=False)

    def call(self, operation, service="elasticache", **members):
        options = [word for member in members.items() for word in option(*member)]
        done = self.run_aws(service, xform_name(operation, "-"), *options)
        if done.returncode == 0:
            return json.loads(done.stdout or "{}")
        refused = re.search(r"An error occurred \((\S+)\)", done.stderr)
        self.assertTrue(refused, f"{operation} {options}: {done.returncode} {done.stderr}")
        raise Refused(refused.group(1))

    def wait(self, waiter, **members):
        options = [word for member in members.items() for word in option(*member)]
        done = self.run_aws("elasticache", "wait", waiter.replace("_", "-"), *options)
        self.assertEqual(done.returncode, 0, f"{waiter} {members}: {done.stderr}")

    def test_the_whole_life_of_caches(self):
        self.tell_everything()


if __name__ == "__main__":
    unittest.main()
