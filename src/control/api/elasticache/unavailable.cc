// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/unavailable.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

#include "base/numbers.h"

namespace mikura::control {
namespace {

struct Asked {
  std::string_view what;
  bool asked = false;
};

ApiResult<> RefuseFirst(std::span<const Asked> features) {
  for (const Asked& feature : features) {
    if (!feature.asked) continue;
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("{} is not available yet.", feature.what)};
  }
  return Ok();
}

bool Other(const std::optional<std::string>& value, std::string_view usual) {
  return value && !EqualsIgnoreCase(*value, usual);
}

}  // namespace

ApiResult<> RefuseUnavailable(const elasticache::CreateReplicationGroupRequest& request) {
  const Asked features[] = {
      {"CacheSecurityGroupNames", !request.cache_security_group_names.empty()},
      {"ClusterMode other than disabled", Other(request.cluster_mode, "disabled")},
      {"DataTieringEnabled", request.data_tiering_enabled.value_or(false)},
      {"Durability other than disabled",
       Other(request.durability, "disabled") && Other(request.durability, "default")},
      {"GlobalReplicationGroupId", request.global_replication_group_id.has_value()},
      {"IpDiscovery other than ipv4", Other(request.ip_discovery, "ipv4")},
      {"KmsKeyId", request.kms_key_id.has_value()},
      {"NetworkType other than ipv4", Other(request.network_type, "ipv4")},
      {"NodeGroupConfiguration", !request.node_group_configuration.empty()},
      {"PrimaryClusterId", request.primary_cluster_id.has_value()},
      {"ServerlessCacheSnapshotName", request.serverless_cache_snapshot_name.has_value()},
  };
  return RefuseFirst(features);
}

ApiResult<> RefuseUnavailable(const elasticache::ModifyReplicationGroupRequest& request) {
  const Asked features[] = {
      {"CacheSecurityGroupNames", !request.cache_security_group_names.empty()},
      {"ClusterMode other than disabled", Other(request.cluster_mode, "disabled")},
      {"Durability other than disabled",
       Other(request.durability, "disabled") && Other(request.durability, "default")},
      {"IpDiscovery other than ipv4", Other(request.ip_discovery, "ipv4")},
  };
  return RefuseFirst(features);
}

ApiResult<> RefuseUnavailable(const elasticache::CreateCacheClusterRequest& request) {
  const Asked features[] = {
      {"AuthToken", request.auth_token.has_value()},
      {"CacheSecurityGroupNames", !request.cache_security_group_names.empty()},
      {"IpDiscovery other than ipv4", Other(request.ip_discovery, "ipv4")},
      {"NetworkType other than ipv4", Other(request.network_type, "ipv4")},
      {"OutpostMode", request.outpost_mode.has_value()},
      {"PreferredOutpostArn", request.preferred_outpost_arn.has_value()},
      {"PreferredOutpostArns", !request.preferred_outpost_arns.empty()},
  };
  return RefuseFirst(features);
}

ApiResult<> RefuseUnavailable(const elasticache::ModifyCacheClusterRequest& request) {
  const Asked features[] = {
      {"AuthToken", request.auth_token.has_value()},
      {"AuthTokenUpdateStrategy", request.auth_token_update_strategy.has_value()},
      {"CacheSecurityGroupNames", !request.cache_security_group_names.empty()},
      {"IpDiscovery other than ipv4", Other(request.ip_discovery, "ipv4")},
  };
  return RefuseFirst(features);
}

}  // namespace mikura::control
