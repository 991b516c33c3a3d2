// SPDX-License-Identifier: Apache-2.0
// EC2's actions as a client sees them: signed requests in, XML out.
#include "control/api/ec2/ec2_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "control/api/action.h"
#include "control/api/api_test_client.h"
#include "control/api/network_store.h"

namespace mikura::control {
namespace {

class Ec2Test : public testing::Test {
 protected:
  HttpResponse Call(std::string_view action, std::string_view parameters = {}) {
    return client_.Call(action, parameters);
  }
  // The texts of `element` in a successful answer.
  std::string Ask(std::string_view element, std::string_view action, std::string_view parameters) {
    const HttpResponse response = Call(action, parameters);
    EXPECT_EQ(response.status, 200) << response.body;
    return ApiTestClient::Texts(response, element);
  }
  std::string ErrorOf(std::string_view action, std::string_view parameters) {
    return ApiTestClient::Texts(Call(action, parameters), "Code");
  }
  std::string MessageOf(std::string_view action, std::string_view parameters) {
    return ApiTestClient::Texts(Call(action, parameters), "Message");
  }
  std::string NewVpc(std::string_view cidr = "10.0.0.0/16") {
    return Ask("vpcId", "CreateVpc", fmt::format("CidrBlock={}", cidr));
  }
  std::string NewSubnet(std::string_view vpc, std::string_view cidr) {
    return Ask("subnetId", "CreateSubnet", fmt::format("VpcId={}&CidrBlock={}", vpc, cidr));
  }
  std::string NewGroup(std::string_view vpc, std::string_view name) {
    return Ask("groupId", "CreateSecurityGroup",
               fmt::format("VpcId={}&GroupName={}&GroupDescription=d", vpc, name));
  }
  NetworkStore Network() {
    ActionContext context{.store = client_.store(),
                          .clock = client_.clock(),
                          .account_id = "000000000000",
                          .region = "ap-northeast-1"};
    return NetworkStore(context);
  }

  ApiTestClient client_{"ec2", "2016-11-15", {Ec2Service()}};
};

TEST_F(Ec2Test, EveryDescribedOperationHasAnAction) {
  const ApiService service = Ec2Service();
  for (const OperationDescription& operation : service.description->operations) {
    const auto has_name = [&](const ActionRow& row) { return row.name == operation.name; };
    EXPECT_EQ(std::any_of(service.actions.begin(), service.actions.end(), has_name),
              operation.implemented)
        << operation.name;
  }
}

TEST_F(Ec2Test, AVpcIsFoundByItsNetworkAndItsTags) {
  const std::string vpc = NewVpc();
  NewVpc("10.1.0.0/16");
  EXPECT_EQ(Call("CreateTags", "ResourceId.1=" + vpc + "&Tag.1.Key=Name&Tag.1.Value=cache-vpc")
                    .body.find("<return>true</return>") != std::string::npos,
            true);
  for (const char* filter : {"Filter.1.Name=cidr-block&Filter.1.Value.1=10.0.0.0/16",
                             "Filter.1.Name=cidr&Filter.1.Value.1=x&Filter.1.Value.2=10.0.*",
                             "Filter.1.Name=tag:Name&Filter.1.Value.1=cache-???",
                             "Filter.1.Name=tag-key&Filter.1.Value.1=Name&Filter.2.Name=state&"
                             "Filter.2.Value.1=avail*"}) {
    EXPECT_EQ(Ask("vpcId", "DescribeVpcs", filter), vpc) << filter;
  }
  EXPECT_EQ(Ask("vpcId", "DescribeVpcs", "Filter.1.Name=is-default&Filter.1.Value.1=true"), "");
}

TEST_F(Ec2Test, AnUnknownFilterIsAnError) {
  EXPECT_EQ(MessageOf("DescribeVpcs", "Filter.1.Name=cidr-blok&Filter.1.Value.1=x"),
            "The filter 'cidr-blok' is invalid");
}

TEST_F(Ec2Test, UnknownAndMalformedIdsAreErrors) {
  EXPECT_EQ(ErrorOf("DescribeVpcs", "VpcId.1=vpc-00000000"), "InvalidVpcID.NotFound");
  EXPECT_EQ(MessageOf("DescribeVpcs", "VpcId.1=vpc-00000000"),
            "The vpc ID 'vpc-00000000' does not exist");
  EXPECT_EQ(ErrorOf("DescribeVpcs", "VpcId.1=vpc-../../x"), "InvalidVpcID.Malformed");
  EXPECT_EQ(ErrorOf("DeleteSubnet", "SubnetId=subnet-00000000"), "InvalidSubnetID.NotFound");
  EXPECT_EQ(ErrorOf("CreateTags", "ResourceId.1=i-00000000&Tag.1.Key=a"), "InvalidID");
  EXPECT_EQ(ErrorOf("CreateTags", "ResourceId.1=vpc-00000000&Tag.1.Key=a"),
            "InvalidVpcID.NotFound");
}

TEST_F(Ec2Test, SubnetsLieInTheirVpcAndDoNotOverlap) {
  const std::string vpc = NewVpc();
  NewSubnet(vpc, "10.0.1.0/24");
  EXPECT_EQ(ErrorOf("CreateSubnet", "VpcId=" + vpc + "&CidrBlock=10.0.1.0/25"),
            "InvalidSubnet.Conflict");
  EXPECT_EQ(ErrorOf("CreateSubnet", "VpcId=" + vpc + "&CidrBlock=10.1.0.0/24"),
            "InvalidSubnet.Range");
  EXPECT_EQ(ErrorOf("CreateSubnet", "VpcId=" + vpc), "MissingParameter");
}

TEST_F(Ec2Test, OfSubnetsCreatedAtOnceOnlyOneGetsTheAddresses) {
  const std::string vpc = NewVpc();
  std::vector<HttpRequest> requests(
      4, client_.Sign("CreateSubnet", "VpcId=" + vpc + "&CidrBlock=10.0.1.0/24"));
  std::vector<int> statuses(requests.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < requests.size(); ++i) {
    threads.emplace_back([&, i] { statuses[i] = client_.server().Handle(requests[i]).status; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 200), 1);
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 400), 3);
}

TEST_F(Ec2Test, ASubnetGetsAZoneOfTheRegion) {
  const std::string vpc = NewVpc();
  const std::string base = "VpcId=" + vpc + "&CidrBlock=10.0.1.0/24&AvailabilityZone=";
  EXPECT_EQ(MessageOf("CreateSubnet", base + "ap-northeast-1b"),
            "Value (ap-northeast-1b) for parameter availabilityZone is invalid. Subnets can "
            "currently only be created in the following availability zones: ap-northeast-1a, "
            "ap-northeast-1c, ap-northeast-1d.");
  EXPECT_EQ(Ask("availabilityZone", "CreateSubnet", base + "ap-northeast-1c"), "ap-northeast-1c");
  EXPECT_EQ(Ask("zoneName", "DescribeAvailabilityZones", ""),
            "ap-northeast-1a ap-northeast-1c ap-northeast-1d");
}

TEST_F(Ec2Test, TagsComeWithTheResource) {
  const std::string parameters =
      "CidrBlock=10.0.0.0/16&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=a"
      "&TagSpecification.1.Tag.1.Value=b";
  EXPECT_EQ(Ask("tagSet", "CreateVpc", parameters), "<item><key>a</key><value>b</value></item>");
  EXPECT_EQ(ErrorOf("CreateVpc",
                    "CidrBlock=10.0.0.0/16&TagSpecification.1.ResourceType=subnet"
                    "&TagSpecification.1.Tag.1.Key=a"),
            "InvalidParameterValue");
}

TEST_F(Ec2Test, DeletingATagWithAValueNeedsThatValue) {
  const std::string vpc = NewVpc();
  const std::string resource = "ResourceId.1=" + vpc;
  Call("CreateTags", resource + "&Tag.1.Key=a&Tag.1.Value=1&Tag.2.Key=b&Tag.2.Value=2");
  Call("DeleteTags", resource + "&Tag.1.Key=a&Tag.1.Value=other&Tag.2.Key=b");
  EXPECT_EQ(Ask("key", "DescribeTags", "Filter.1.Name=resource-id&Filter.1.Value.1=" + vpc), "a");
}

TEST_F(Ec2Test, AVpcIsDeletedOnlyWhenItIsEmpty) {
  const std::string vpc = NewVpc();
  const std::string subnet = NewSubnet(vpc, "10.0.1.0/24");
  const std::string group = NewGroup(vpc, "g");
  EXPECT_EQ(ErrorOf("DeleteVpc", "VpcId=" + vpc), "DependencyViolation");
  Ask("return", "DeleteSubnet", "SubnetId=" + subnet);
  EXPECT_EQ(ErrorOf("DeleteVpc", "VpcId=" + vpc), "DependencyViolation");
  Ask("return", "DeleteSecurityGroup", "GroupId=" + group);
  EXPECT_EQ(Ask("return", "DeleteVpc", "VpcId=" + vpc), "true");
  EXPECT_EQ(Ask("groupId", "DescribeSecurityGroups", ""), "");
}

TEST_F(Ec2Test, ASubnetInUseCannotBeDeleted) {
  const std::string subnet = NewSubnet(NewVpc(), "10.0.1.0/24");
  const NetworkStore network = Network();
  Change use;
  network.AddUse(use, (*network.FindSubnet(subnet))->kv, "cluster/demo-001");
  ASSERT_TRUE(*network.Apply(use));
  EXPECT_EQ(ErrorOf("DeleteSubnet", "SubnetId=" + subnet), "DependencyViolation");
  Change end;
  network.RemoveUse(end, subnet, "cluster/demo-001");
  ASSERT_TRUE(*network.Apply(end));
  EXPECT_EQ(Ask("return", "DeleteSubnet", "SubnetId=" + subnet), "true");
}

TEST_F(Ec2Test, AVpcHasADefaultGroupThatNobodyDeletes) {
  const std::string vpc = NewVpc();
  const std::string group =
      Ask("groupId", "DescribeSecurityGroups", "Filter.1.Name=group-name&Filter.1.Value.1=default");
  EXPECT_EQ(group.substr(0, 3), "sg-");
  EXPECT_EQ(ErrorOf("DeleteSecurityGroup", "GroupId=" + group.substr(0, 20)), "CannotDelete");
}

TEST_F(Ec2Test, ARuleIsAddedOnceShownAndRevoked) {
  const std::string group = NewGroup(NewVpc(), "cache-sg");
  const std::string rule = "GroupId=" + group +
                           "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=6379"
                           "&IpPermissions.1.ToPort=6379"
                           "&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/16";
  EXPECT_EQ(Ask("cidrIpv4", "AuthorizeSecurityGroupIngress", rule), "10.0.0.0/16");
  EXPECT_EQ(ErrorOf("AuthorizeSecurityGroupIngress", rule), "InvalidPermission.Duplicate");
  EXPECT_EQ(Ask("ipPermissions", "DescribeSecurityGroups", "GroupId.1=" + group),
            "<item><fromPort>6379</fromPort><ipProtocol>tcp</ipProtocol><ipRanges><item>"
            "<cidrIp>10.0.0.0/16</cidrIp></item></ipRanges><ipv6Ranges></ipv6Ranges>"
            "<prefixListIds></prefixListIds><toPort>6379</toPort><groups></groups></item>");
  EXPECT_EQ(Ask("return", "RevokeSecurityGroupIngress", rule), "true");
  EXPECT_EQ(ErrorOf("RevokeSecurityGroupIngress", rule), "InvalidPermission.NotFound");
}

TEST_F(Ec2Test, ThePlainSpellingOfARuleWorksToo) {
  const std::string group = NewGroup(NewVpc(), "cache-sg");
  EXPECT_EQ(Ask("cidrIpv4", "AuthorizeSecurityGroupIngress",
                "GroupId=" + group + "&IpProtocol=tcp&FromPort=1&ToPort=2&CidrIp=10.0.0.7/8"),
            "10.0.0.0/8");
}

TEST_F(Ec2Test, AGroupThatARuleNamesCannotBeDeleted) {
  const std::string vpc = NewVpc();
  const std::string named = NewGroup(vpc, "named");
  const std::string rule = "GroupId=" + NewGroup(vpc, "naming") +
                           "&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId=";
  Ask("return", "AuthorizeSecurityGroupIngress", rule + named);
  EXPECT_EQ(ErrorOf("DeleteSecurityGroup", "GroupId=" + named), "DependencyViolation");
  EXPECT_EQ(ErrorOf("AuthorizeSecurityGroupIngress", rule + "sg-00000000"),
            "InvalidGroup.NotFound");
}

TEST_F(Ec2Test, GroupNamesAreUniqueInAVpc) {
  const std::string vpc = NewVpc();
  NewGroup(vpc, "a");
  EXPECT_EQ(ErrorOf("CreateSecurityGroup", "VpcId=" + vpc + "&GroupName=a&GroupDescription=d"),
            "InvalidGroup.Duplicate");
  NewGroup(NewVpc("10.1.0.0/16"), "a");
}

TEST_F(Ec2Test, ADryRunChangesNothing) {
  const HttpResponse response = Call("CreateVpc", "CidrBlock=10.0.0.0/16&DryRun=true");
  EXPECT_EQ(response.status, 412);
  EXPECT_EQ(ApiTestClient::Texts(response, "Code"), "DryRunOperation");
  EXPECT_EQ(Ask("vpcId", "DescribeVpcs", ""), "");
}

TEST_F(Ec2Test, PagesFollowEachOther) {
  for (int i = 0; i < 7; ++i) NewVpc(fmt::format("10.{}.0.0/16", i));
  const HttpResponse first = Call("DescribeVpcs", "MaxResults=5");
  const std::string token = ApiTestClient::Texts(first, "nextToken");
  const HttpResponse last = Call("DescribeVpcs", "MaxResults=5&NextToken=" + token);
  const std::string all =
      ApiTestClient::Texts(first, "vpcId") + " " + ApiTestClient::Texts(last, "vpcId");
  EXPECT_EQ(all, Ask("vpcId", "DescribeVpcs", ""));
  EXPECT_EQ(ApiTestClient::Texts(last, "nextToken"), "");
  EXPECT_EQ(ErrorOf("DescribeVpcs", "MaxResults=4"), "InvalidParameterValue");
  EXPECT_EQ(ErrorOf("DescribeVpcs", "NextToken=x"), "InvalidPaginationToken");
}

TEST_F(Ec2Test, AttributesOfAVpcAreKept) {
  const std::string vpc = NewVpc();
  Ask("return", "ModifyVpcAttribute", "VpcId=" + vpc + "&EnableDnsHostnames.Value=true");
  EXPECT_EQ(Ask("enableDnsHostnames", "DescribeVpcAttribute",
                "VpcId=" + vpc + "&Attribute=enableDnsHostnames"),
            "<value>true</value>");
  EXPECT_EQ(ErrorOf("DescribeVpcAttribute", "VpcId=" + vpc + "&Attribute=x"),
            "InvalidParameterValue");
}

TEST_F(Ec2Test, AVpcBringsAnAclAndARouteTable) {
  const std::string vpc = NewVpc();
  const std::string subnet = NewSubnet(vpc, "10.0.1.0/24");
  EXPECT_EQ(Ask("subnetId", "DescribeNetworkAcls", "Filter.1.Name=vpc-id&Filter.1.Value.1=" + vpc),
            subnet);
  EXPECT_EQ(Ask("destinationCidrBlock", "DescribeRouteTables",
                "Filter.1.Name=association.main&Filter.1.Value.1=true"),
            "10.0.0.0/16");
}

TEST_F(Ec2Test, RegionsAndAccountsDoNotSeeEachOther) {
  NewVpc();
  client_.claim().region = "us-east-1";
  EXPECT_EQ(Ask("vpcId", "DescribeVpcs", ""), "");
}

TEST_F(Ec2Test, WhatCannotBeDoneYetIsRefused) {
  EXPECT_EQ(ErrorOf("CreateVpc", "CidrBlock=10.0.0.0/16&AmazonProvidedIpv6CidrBlock=true"),
            "UnsupportedOperation");
}

TEST_F(Ec2Test, RegionsAreThoseOfAwsAndTheCallersOwn) {
  EXPECT_THAT(Ask("regionName", "DescribeRegions", ""), ::testing::HasSubstr("eu-west-1"));
  EXPECT_EQ(Ask("regionName", "DescribeRegions", "RegionName.1=us-east-1"), "us-east-1");
  EXPECT_EQ(ErrorOf("DescribeRegions", "RegionName.1=mars-1"), "InvalidParameterValue");
  EXPECT_EQ(
      Ask("regionName", "DescribeRegions", "Filter.1.Name=region-name&Filter.1.Value.1=eu-west-1"),
      "eu-west-1");
  client_.claim().region = "lab-1";
  EXPECT_THAT(Ask("regionName", "DescribeRegions", ""), ::testing::HasSubstr("lab-1"));
}

TEST_F(Ec2Test, ParametersThatEc2DoesNotKnowAreErrors) {
  EXPECT_EQ(ErrorOf("DescribeVpcs", "VpcIdd.1=vpc-1"), "UnknownParameter");
  EXPECT_EQ(MessageOf("DeleteVpc", ""), "The request must contain the parameter vpcId");
}

}  // namespace
}  // namespace mikura::control
