// SPDX-License-Identifier: Apache-2.0
#include "control/model/vpc.h"

#include <fmt/format.h>

#include "control/model/record_json.h"

namespace mikura::control {

template <typename Visitor>
void VisitFields(Visitor& visit, Vpc& vpc) {
  visit("id", vpc.id);
  visit("cidr", vpc.cidr);
  visit("tenancy", vpc.tenancy);
  visit("dns_support", vpc.dns_support);
  visit("dns_hostnames", vpc.dns_hostnames);
  visit("address_usage_metrics", vpc.address_usage_metrics);
  visit("association_id", vpc.association_id);
  visit("dhcp_options_id", vpc.dhcp_options_id);
  visit("network_acl_id", vpc.network_acl_id);
  visit("route_table_id", vpc.route_table_id);
  visit("default_group_id", vpc.default_group_id);
  visit("tags", vpc.tags);
}

ApiResult<Cidr> ValidateVpcCidr(std::string_view text) {
  const auto cidr = ParseCidr(text);
  if (!cidr) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a "
                                "valid CIDR block.",
                                text)};
  }
  if (cidr->length < 16 || cidr->length > 28) {
    return ApiError{ApiErrorCode::kInvalidVpcRange, fmt::format("The CIDR '{}' is invalid.", text)};
  }
  return *cidr;
}

std::string ToJson(const Vpc& vpc) { return RecordToJson(vpc); }

Result<Vpc> VpcFromJson(std::string_view text) { return RecordFromJson<Vpc>("VPC", text); }

}  // namespace mikura::control
