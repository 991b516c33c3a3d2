# SPDX-License-Identifier: Apache-2.0
"""The whole life of caches, by boto3 and its waiters."""

import unittest

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

from lifecycle_story import SECONDS, Refused, Story
from service import REGION


class LifecycleByBoto3(Story):
    def setUp(self):
        super().setUp()
        self.ec2 = boto3.client("ec2", endpoint_url=f"http://127.0.0.1:{self.port}",
                                region_name=REGION, aws_access_key_id="test",
                                aws_secret_access_key="test")
        self.addCleanup(self.ec2.close)

    def call(self, operation, service="elasticache", **members):
        tool = self.cache if service == "elasticache" else self.ec2
        try:
            return getattr(tool, xform_name(operation))(**members)
        except ClientError as error:
            raise Refused(error.response["Error"]["Code"]) from error

    def wait(self, waiter, **members):
        # As often as boto3 asks, but not with 15 s in between.
        self.cache.get_waiter(waiter).wait(
            **members, WaiterConfig={"Delay": 0.2, "MaxAttempts": int(SECONDS / 0.2)})

    def test_the_whole_life_of_caches(self):
        self.tell_everything()


if __name__ == "__main__":
    unittest.main()
