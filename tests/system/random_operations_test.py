#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random operations with random parameters: no internal failure, no hang, nothing that does not settle.

MIKURA_RANDOM_SEED repeats a run's choices, MIKURA_RANDOM_COUNT (operations) and MIKURA_RANDOM_SECONDS bound it.
MIKURA_RANDOM_TRACE names a file that every request and answer is written to.
"""

import collections
import os
import random
import threading
import time
import unittest

import boto3

import leftovers
from random_requests import Requests
from service import REGION, Service, until
from signed_requests import Sender, load_model

SEED = int(os.environ.get("MIKURA_RANDOM_SEED", random.SystemRandom().randrange(1 << 32)))
COUNT = int(os.environ.get("MIKURA_RANDOM_COUNT", "6000"))
SECONDS = float(os.environ.get("MIKURA_RANDOM_SECONDS", "45"))
TRACE = os.environ.get("MIKURA_RANDOM_TRACE")
WORKERS = 2
ANSWER_SECONDS_MAX = 20  # far beyond what a busy machine needs; a lock that is never let go takes longer
SETTLE_SECONDS_MAX = 180
COMMON = {"IncompleteSignature", "InvalidAction", "InvalidParameterCombination",
          "InvalidParameterValue", "InvalidQueryParameter", "MalformedQueryString", "MissingAction",
          "MissingParameter", "RequestEntityTooLarge", "UnsupportedOperation"}


def codes_of(model):
    """The codes on the wire that the service may answer with."""
    codes = set(COMMON)
    for name in model.operation_names:
        for shape in model.operation_model(name).error_shapes:
            codes.add(shape.metadata.get("error", {}).get("code", shape.name))
    return codes


class RandomOperations(Service):
    def setUp(self):
        print(f"  MIKURA_RANDOM_SEED={SEED}", flush=True)
        super().setUp()
        self.model = load_model()
        self.codes = codes_of(self.model)
        self.findings = []
        self.outcomes = collections.Counter()
        self.sent = collections.Counter()
        self.trace = open(TRACE, "w", encoding="utf-8") if TRACE else None
        if self.trace:
            self.addCleanup(self.trace.close)

    def options(self):
        buckets = os.path.join(self.data_dir, "buckets")
        os.makedirs(os.path.join(buckets, "bucket"), exist_ok=True)
        return ("--memory-scale", "0.1", "--bucket-dir", buckets)

    def network(self):
        """Subnets and security groups that requests can name."""
        ec2 = boto3.client("ec2", endpoint_url=f"http://127.0.0.1:{self.port}", region_name=REGION,
                           aws_access_key_id="test", aws_secret_access_key="test")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24",
                                     AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
                   for i, zone in enumerate("ac")]
        group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
        ec2.close()
        return {"SubnetIds": subnets, "SecurityGroupIds": [group]}

    def check(self, operation, body, answer):
        self.sent[operation] += 1
        self.outcomes[answer.code or "done"] += 1
        if self.trace:
            self.trace.write(f"{time.monotonic():.3f} {answer.seconds:.3f} {answer.status} {answer.code} "
                             f"{answer.message[:300]!r} {body[:3000]!r}\n")
        flaw = answer.flaw
        if answer.status >= 500:
            flaw = "an internal failure"
        elif answer.status != 200 and answer.code not in self.codes:
            flaw = "an unknown code"
        elif answer.seconds > ANSWER_SECONDS_MAX:
            flaw = f"answered after {answer.seconds:.1f} s"
        if flaw:
            self.findings.append(f"{flaw}: {answer.status} {answer.code} {answer.message[:200]} "
                                 f"to {body[:2000]!r}")

    def work(self, number, values, deadline):
        choices = random.Random(f"{SEED}/{number}")
        requests = Requests(choices, self.model, values)
        sender = Sender(self.port, REGION, self.model, ANSWER_SECONDS_MAX * 2)
        for _ in range(COUNT // WORKERS):
            if time.monotonic() > deadline or len(self.findings) > 20:
                break
            operation, body = requests.next()
            time.sleep(choices.choice((0, 0, 0.01, 0.1)))  # so that some find what was asked done
            try:
                answer = sender.send(operation, body)
            except Exception as error:  # whatever it is: no answer is a finding
                self.findings.append(f"no answer: {error!r} to {body[:2000]!r}")
                continue
            self.check(operation, body, answer)
        sender.close()

    def test_every_answer_is_right_in_form_and_everything_settles(self):
        values = self.network()
        deadline = time.monotonic() + SECONDS
        threads = [threading.Thread(target=self.work, args=(i, values, deadline))
                   for i in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"  {sum(self.sent.values())} requests: {dict(self.outcomes.most_common())}")
        self.assertTrue(self.answers())
        self.assertEqual(self.findings, [])
        self.assertGreater(self.outcomes["done"], 0.12 * sum(self.sent.values()))
        self.settles()
        took = until(self.nothing_is_left, "everything is deleted", SETTLE_SECONDS_MAX)
        print(f"  all deleted after {took:.1f} s")
        self.leaves_nothing()

    def settles(self):
        try:
            took = until(lambda: not leftovers.unsettled(self.cache), "all settles",
                         SETTLE_SECONDS_MAX)
        except AssertionError as late:
            raise AssertionError(f"unsettled: {leftovers.unsettled(self.cache)}") from late
        print(f"  all settled after {took:.1f} s: "
              f"{collections.Counter(f'{kind} {status}' for kind, _, status in leftovers.resources(self.cache))}")

    def nothing_is_left(self):
        self.left = leftovers.delete_everything(self.cache)
        return not self.left

    def leaves_nothing(self):
        until(lambda: not leftovers.engines(self.data_dir), "no engine is left")
        self.assertEqual(leftovers.listening(self.process.pid), [("127.0.0.1", self.port)])
        until(lambda: not leftovers.files(self.data_dir), "no file of a cache is left")
        self.assertEqual(leftovers.records(self.data_dir), [])


if __name__ == "__main__":
    unittest.main()
