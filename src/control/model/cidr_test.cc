// SPDX-License-Identifier: Apache-2.0
#include "control/model/cidr.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(Cidr, IsReadAndWritten) {
  EXPECT_EQ(ParseCidr("10.0.1.0/24")->Text(), "10.0.1.0/24");
  EXPECT_EQ(ParseCidr("255.255.255.255/32")->Text(), "255.255.255.255/32");
  EXPECT_EQ(ParseCidr("0.0.0.0/0")->Text(), "0.0.0.0/0");
}

TEST(Cidr, BitsOfTheHostAreCleared) {
  EXPECT_EQ(ParseCidr("100.68.0.18/18")->Text(), "100.68.0.0/18");
  EXPECT_EQ(ParseCidr("10.255.255.255/0")->Text(), "0.0.0.0/0");
}

TEST(Cidr, AnythingElseIsRefused) {
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/16", "10.0.0.0.0/16",
                           "10.0.0.256/16", "10.0.0.01/16", " 10.0.0.0/16", "10.0.0.0/16 ",
                           "10.0.0.0/-1", "a.b.c.d/16", "10..0.0/16", "10.0.0.0/016", "::/0"}) {
    EXPECT_EQ(ParseCidr(text), std::nullopt) << text;
  }
}

TEST(Cidr, ContainsSmallerNetworksAndItself) {
  const Cidr vpc = *ParseCidr("10.0.0.0/16");
  EXPECT_TRUE(vpc.Contains(*ParseCidr("10.0.255.0/24")));
  EXPECT_TRUE(vpc.Contains(vpc));
  EXPECT_FALSE(vpc.Contains(*ParseCidr("10.1.0.0/24")));
  EXPECT_FALSE(vpc.Contains(*ParseCidr("10.0.0.0/15")));
}

TEST(Cidr, OverlapsInBothDirectionsAndNotItsNeighbour) {
  const Cidr a = *ParseCidr("10.0.1.0/24");
  const Cidr half = *ParseCidr("10.0.1.128/25");
  EXPECT_TRUE(a.Overlaps(half));
  EXPECT_TRUE(half.Overlaps(a));
  EXPECT_FALSE(a.Overlaps(*ParseCidr("10.0.2.0/24")));
}

TEST(Cidr, CountsItsAddresses) {
  EXPECT_EQ(ParseCidr("10.0.1.0/24")->AddressCount(), 256u);
  EXPECT_EQ(ParseCidr("0.0.0.0/0")->AddressCount(), 1ull << 32);
}

TEST(Cidr, Ipv6IsWrittenInCanonicalForm) {
  EXPECT_EQ(CanonicalIpv6Cidr("2001:DB8:0::1/32"), "2001:db8::/32");
  EXPECT_EQ(CanonicalIpv6Cidr("::/0"), "::/0");
  EXPECT_EQ(CanonicalIpv6Cidr("10.0.0.0/8"), std::nullopt);
  EXPECT_EQ(CanonicalIpv6Cidr("::/129"), std::nullopt);
}

}  // namespace
}  // namespace mikura::control
