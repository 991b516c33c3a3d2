// SPDX-License-Identifier: Apache-2.0
#include "control/model/subnet.h"

#include <fmt/format.h>

#include "control/model/record_json.h"

namespace mikura::control {

template <typename Visitor>
void VisitFields(Visitor& visit, Subnet& subnet) {
  visit("id", subnet.id);
  visit("vpc_id", subnet.vpc_id);
  visit("cidr", subnet.cidr);
  visit("zone", subnet.zone);
  visit("map_public_ip_on_launch", subnet.map_public_ip_on_launch);
  visit("acl_association_id", subnet.acl_association_id);
  visit("tags", subnet.tags);
}

namespace {

constexpr int32_t kReservedAddresses = 5;

}  // namespace

ApiResult<Cidr> ValidateSubnetCidr(std::string_view text, const Vpc& vpc,
                                   const std::vector<Subnet>& others) {
  const auto cidr = ParseCidr(text);
  if (!cidr) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a "
                                "valid CIDR block.",
                                text)};
  }
  const auto network = ParseCidr(vpc.cidr);
  if (cidr->length < 16 || cidr->length > 28 || !network || !network->Contains(*cidr)) {
    return ApiError{ApiErrorCode::kInvalidSubnetRange,
                    fmt::format("The CIDR '{}' is invalid.", text)};
  }
  for (const Subnet& other : others) {
    const auto taken = ParseCidr(other.cidr);
    if (taken && taken->Overlaps(*cidr)) {
      return ApiError{ApiErrorCode::kInvalidSubnetConflict,
                      fmt::format("The CIDR '{}' conflicts with another subnet", text)};
    }
  }
  return *cidr;
}

int32_t UsableAddressCount(const Subnet& subnet) {
  const auto cidr = ParseCidr(subnet.cidr);
  return cidr ? static_cast<int32_t>(cidr->AddressCount()) - kReservedAddresses : 0;
}

std::string ToJson(const Subnet& subnet) { return RecordToJson(subnet); }

Result<Subnet> SubnetFromJson(std::string_view text) {
  return RecordFromJson<Subnet>("subnet", text);
}

}  // namespace mikura::control
