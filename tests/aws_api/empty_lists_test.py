# SPDX-License-Identifier: Apache-2.0
"""What tools ask for and what does not exist here: empty lists, and AWS's errors, through boto3."""
import unittest

from botocore.exceptions import ClientError

import service


class EmptyLists(service.ServiceTestCase):
    def setUp(self):
        self.cache = self.service.client("elasticache")

    def code(self, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        return caught.exception.response["Error"]["Code"]

    def test_lists_are_empty(self):
        for operation, key in (
                ("describe_reserved_cache_nodes", "ReservedCacheNodes"),
                ("describe_reserved_cache_nodes_offerings", "ReservedCacheNodesOfferings"),
                ("describe_cache_security_groups", "CacheSecurityGroups"),
                ("describe_global_replication_groups", "GlobalReplicationGroups"),
                ("describe_service_updates", "ServiceUpdates"),
                ("describe_update_actions", "UpdateActions")):
            pages = self.cache.get_paginator(operation).paginate()
            self.assertEqual([item for page in pages for item in page.get(key, [])], [], operation)

    def test_what_is_named_is_not_found(self):
        self.assertEqual(self.code(self.cache.describe_service_updates, ServiceUpdateName="x"),
                         "ServiceUpdateNotFoundFault")
        self.assertEqual(self.code(self.cache.batch_apply_update_action, ServiceUpdateName="x"),
                         "ServiceUpdateNotFoundFault")
        self.assertEqual(
            self.code(self.cache.purchase_reserved_cache_nodes_offering,
                      ReservedCacheNodesOfferingId="x"), "ReservedCacheNodesOfferingNotFound")
        self.assertEqual(
            self.code(self.cache.delete_global_replication_group, GlobalReplicationGroupId="x",
                      RetainPrimaryReplicationGroup=True), "GlobalReplicationGroupNotFoundFault")

    def test_security_groups_of_ec2_classic_are_refused(self):
        self.assertEqual(
            self.code(self.cache.create_cache_security_group, CacheSecurityGroupName="x",
                      Description="d"), "InvalidParameterValue")

    def test_regions_are_listed(self):
        regions = self.service.client("ec2").describe_regions()["Regions"]
        self.assertIn(service.REGION, [region["RegionName"] for region in regions])


if __name__ == "__main__":
    unittest.main()
