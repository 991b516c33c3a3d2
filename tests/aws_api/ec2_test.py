#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""EC2 and STS through boto3: the walk of a newcomer, filters, errors, signatures.

Each test works in a region of its own, so that it starts with nothing.
"""
import datetime
import itertools
import secrets
import unittest
import urllib.error
import urllib.request
from unittest import mock

import botocore.auth

from service import ServiceTestCase

RUN = secrets.token_hex(4)  # parts the runs against one service
REGIONS = (f"test-{RUN}-{number}" for number in itertools.count(1))


class Ec2Test(ServiceTestCase):
    def setUp(self):
        self.region = next(REGIONS)
        self.ec2 = self.service.client("ec2", region=self.region)

    def new_vpc(self, cidr="10.0.0.0/16", **parameters):
        return self.ec2.create_vpc(CidrBlock=cidr, **parameters)["Vpc"]["VpcId"]

    def new_subnet(self, vpc, cidr="10.0.1.0/24", **parameters):
        return self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **parameters)["Subnet"]["SubnetId"]

    def test_the_walk_of_a_newcomer(self):
        ec2 = self.service.client("ec2")  # in Tokyo, which has the zones a, c and d
        created = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]
        found = ec2.describe_vpcs(Filters=[{"Name": "cidr-block", "Values": ["10.77.0.0/16"]}])["Vpcs"]
        vpc = created["VpcId"]
        self.assertIn(vpc, [each["VpcId"] for each in found])
        self.assertRegex(vpc, r"^vpc-[0-9a-f]{17}$")
        self.assertEqual("available", found[0]["State"])
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "cache-vpc"}])
        for letter, number in (("a", 1), ("c", 2)):
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{number}.0/24",
                                       AvailabilityZone=f"ap-northeast-1{letter}")["Subnet"]
            self.assertEqual(251, subnet["AvailableIpAddressCount"])
        subnets = ec2.describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.77.1.0/24"]},
                                                {"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        self.assertEqual(["ap-northeast-1a"], [subnet["AvailabilityZone"] for subnet in subnets])
        ec2.create_tags(Resources=[subnets[0]["SubnetId"]], Tags=[{"Key": "Name", "Value": "cache-subnet-a"}])
        named = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["cache-subnet-*"]},
                                              {"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        self.assertEqual([{"Key": "Name", "Value": "cache-subnet-a"}], named[0]["Tags"])
        zones = ec2.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual(["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"],
                         [zone["ZoneName"] for zone in zones])

    def test_empty_lists_are_lists(self):
        self.assertEqual([], self.ec2.describe_vpcs()["Vpcs"])
        self.assertEqual([], self.ec2.describe_subnets()["Subnets"])
        self.assertEqual([], self.ec2.describe_security_groups()["SecurityGroups"])
        self.assertEqual([], self.ec2.describe_network_interfaces()["NetworkInterfaces"])

    def test_networks_are_made_canonical_and_bounded(self):
        self.assertEqual("10.0.0.0/16", self.ec2.create_vpc(CidrBlock="10.0.3.9/16")["Vpc"]["CidrBlock"])
        self.assert_error("InvalidVpc.Range", 400, self.ec2.create_vpc, CidrBlock="10.0.0.0/8")
        self.assert_error("InvalidVpc.Range", 400, self.ec2.create_vpc, CidrBlock="10.0.0.0/29")
        self.assert_error("InvalidParameterValue", 400, self.ec2.create_vpc, CidrBlock="10.0.0/16")

    def test_subnets_stay_inside_their_vpc_and_apart(self):
        vpc = self.new_vpc()
        self.new_subnet(vpc)
        create = self.ec2.create_subnet
        words = self.assert_error("InvalidSubnet.Conflict", 400, create, VpcId=vpc, CidrBlock="10.0.1.128/25")
        self.assertEqual("The CIDR '10.0.1.128/25' conflicts with another subnet", words)
        self.assert_error("InvalidSubnet.Range", 400, create, VpcId=vpc, CidrBlock="10.9.0.0/24")
        self.assert_error("InvalidVpcID.NotFound", 400, create, VpcId="vpc-0123456789abcdef0", CidrBlock="10.0.1.0/24")
        self.assert_error("InvalidParameterValue", 400, create, VpcId=vpc, CidrBlock="10.0.2.0/24",
                          AvailabilityZone="us-east-1a")

    def test_unknown_ids_and_filters_are_errors(self):
        missing = "0123456789abcdef0"
        describe = self.ec2.describe_vpcs
        words = self.assert_error("InvalidVpcID.NotFound", 400, describe, VpcIds=["vpc-" + missing])
        self.assertEqual(f"The vpc ID 'vpc-{missing}' does not exist", words)
        self.assert_error("InvalidVpcID.Malformed", 400, describe, VpcIds=["x"])
        self.assert_error("InvalidSubnetID.NotFound", 400, self.ec2.describe_subnets, SubnetIds=["subnet-" + missing])
        self.assert_error("InvalidGroup.NotFound", 400, self.ec2.describe_security_groups, GroupIds=["sg-" + missing])
        words = self.assert_error("InvalidParameterValue", 400, describe, Filters=[{"Name": "nope", "Values": ["x"]}])
        self.assertEqual("The filter 'nope' is invalid", words)

    def test_a_vpc_with_subnets_stays(self):
        vpc = self.new_vpc()
        subnet = self.new_subnet(vpc)
        self.assert_error("DependencyViolation", 400, self.ec2.delete_vpc, VpcId=vpc)
        self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=vpc)
        self.assert_error("InvalidVpcID.NotFound", 400, self.ec2.delete_vpc, VpcId=vpc)

    def test_security_groups_and_their_rules(self):
        vpc = self.new_vpc()
        group = self.ec2.create_security_group(GroupName="cache-sg", Description="cache", VpcId=vpc)["GroupId"]
        permission = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
        allowed = self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        self.assertTrue(allowed["Return"])
        self.assertRegex(allowed["SecurityGroupRules"][0]["SecurityGroupRuleId"], r"^sgr-[0-9a-f]{17}$")
        shown = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        self.assertEqual("10.0.0.0/16", shown["IpPermissions"][0]["IpRanges"][0]["CidrIp"])
        self.assertEqual("-1", shown["IpPermissionsEgress"][0]["IpProtocol"])
        self.assert_error("InvalidPermission.Duplicate", 400, self.ec2.authorize_security_group_ingress,
                          GroupId=group, IpPermissions=[permission])
        rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        self.assertEqual(2, len(rules["SecurityGroupRules"]))
        self.ec2.revoke_security_group_ingress(
            GroupId=group, SecurityGroupRuleIds=[allowed["SecurityGroupRules"][0]["SecurityGroupRuleId"]])
        self.assert_error("InvalidPermission.NotFound", 400, self.ec2.revoke_security_group_ingress,
                          GroupId=group, IpPermissions=[permission])
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
        self.ec2.delete_security_group(GroupId=group)
        default = self.ec2.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}])
        self.assert_error("CannotDelete", 400, self.ec2.delete_security_group,
                          GroupId=default["SecurityGroups"][0]["GroupId"])

    def test_tags(self):
        vpc = self.new_vpc(TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "1"}]}])
        subnet = self.new_subnet(vpc)
        self.ec2.create_tags(Resources=[vpc, subnet], Tags=[{"Key": "b", "Value": "<&>\u3042"}])
        tags = self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}])["Tags"]
        self.assertEqual({("a", "1"), ("b", "<&>\u3042")}, {(tag["Key"], tag["Value"]) for tag in tags})
        self.ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a"}])
        self.assertEqual([{"Key": "b", "Value": "<&>\u3042"}], self.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"])
        self.assert_error("InvalidID", 400, self.ec2.create_tags, Resources=["i-12345678"], Tags=[{"Key": "a"}])
        self.assert_error("InvalidParameterValue", 400, self.ec2.create_tags, Resources=[vpc],
                          Tags=[{"Key": "aws:x", "Value": ""}])

    def test_pages(self):
        vpcs = {self.new_vpc(f"10.{number}.0.0/16") for number in range(7)}
        pages = list(self.ec2.get_paginator("describe_vpcs").paginate(PaginationConfig={"PageSize": 5}))
        self.assertEqual([5, 2], [len(page["Vpcs"]) for page in pages])
        self.assertEqual(vpcs, {vpc["VpcId"] for page in pages for vpc in page["Vpcs"]})

    def test_what_terraform_reads_of_a_vpc(self):
        vpc = self.new_vpc()
        for attribute, name, value in (("enableDnsHostnames", "EnableDnsHostnames", False),
                                       ("enableDnsSupport", "EnableDnsSupport", True)):
            answer = self.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
            self.assertEqual({"Value": value}, answer[name])
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        answer = self.ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
        self.assertEqual({"Value": True}, answer["EnableDnsHostnames"])
        of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
        self.assertTrue(self.ec2.describe_network_acls(Filters=of_vpc)["NetworkAcls"][0]["IsDefault"])
        self.assertTrue(self.ec2.describe_route_tables(Filters=of_vpc)["RouteTables"][0]["Associations"][0]["Main"])

    def test_a_dry_run_changes_nothing(self):
        self.assert_error("DryRunOperation", 412, self.ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
        self.assertEqual([], self.ec2.describe_vpcs()["Vpcs"])

    def test_the_waiter_for_a_vpc(self):
        self.ec2.get_waiter("vpc_available").wait(VpcIds=[self.new_vpc()],
                                                  WaiterConfig={"Delay": 1, "MaxAttempts": 2})


class SignatureTest(ServiceTestCase):
    def test_the_caller(self):
        caller = self.service.client("sts").get_caller_identity()
        self.assertEqual("000000000000", caller["Account"])
        self.assertTrue(caller["Arn"].startswith("arn:aws:iam::000000000000:"))

    def test_an_unknown_key(self):
        sts, ec2 = (self.service.client(name, key="AKIAUNKNOWN") for name in ("sts", "ec2"))
        self.assert_error("InvalidClientTokenId", 403, sts.get_caller_identity)
        self.assert_error("AuthFailure", 401, ec2.describe_vpcs)

    def test_a_wrong_secret(self):
        sts, ec2, cache = (self.service.client(name, secret="wrong") for name in ("sts", "ec2", "elasticache"))
        self.assert_error("SignatureDoesNotMatch", 403, sts.get_caller_identity)
        self.assert_error("SignatureDoesNotMatch", 403, cache.describe_cache_clusters)
        self.assert_error("AuthFailure", 401, ec2.describe_vpcs)

    def test_a_clock_that_is_wrong(self):
        for minutes in (-20, 20):
            real = datetime.datetime
            shift = datetime.timedelta(minutes=minutes)

            class Shifted(real):
                @classmethod
                def utcnow(cls):
                    return real.utcnow() + shift

            with mock.patch.object(botocore.auth.datetime, "datetime", Shifted):
                self.assert_error("SignatureDoesNotMatch", 403, self.service.client("sts").get_caller_identity)
                self.assert_error("RequestExpired", 400, self.service.client("ec2").describe_vpcs)

    def test_a_presigned_url(self):
        url = self.service.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
        with urllib.request.urlopen(url, timeout=10) as answer:
            self.assertIn(b"<Account>000000000000</Account>", answer.read())

    def test_no_signature(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(self.service.endpoint, data=b"Action=DescribeVpcs&Version=2016-11-15", timeout=10)
        self.addCleanup(caught.exception.close)
        self.assertEqual(403, caught.exception.code)
        self.assertIn(b"<Code>MissingAuthenticationToken</Code>", caught.exception.read())

    def test_an_operation_that_is_not_built(self):
        cache = self.service.client("elasticache")
        words = self.assert_error(
            "UnsupportedOperation", 400, cache.modify_replication_group_shard_configuration,
            ReplicationGroupId="a", NodeGroupCount=2, ApplyImmediately=True)
        self.assertEqual("The operation ModifyReplicationGroupShardConfiguration is not available yet.", words)


if __name__ == "__main__":
    unittest.main()
