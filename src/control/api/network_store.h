// SPDX-License-Identifier: Apache-2.0
// VPCs, subnets and security groups of one account and region in the metadata store.
//
// Keys are in docs/formats/metadata-keys.md. How concurrent changes stay consistent:
//   I1. Whatever is added to a VPC (subnet, group, rule that names another group) rewrites the
//   VPC's
//       record in the same transaction, and compares that it was unchanged. So two additions that
//       were checked against the same state cannot both succeed, and a VPC cannot be deleted
//       while something is added.
//   I2. Whoever starts to use a subnet or group (AddUse) rewrites its record in the same way, so it
//       cannot be deleted meanwhile.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/action.h"
#include "control/metadata/metadata_store.h"
#include "control/model/api_error.h"
#include "control/model/security_group.h"
#include "control/model/subnet.h"
#include "control/model/vpc.h"

namespace mikura::control {

template <typename Record>
struct Stored {
  Record record;
  KeyValue kv;
};

// What one transaction needs and does.
struct Change {
  std::vector<Compare> compares;
  std::vector<Write> writes;

  void Create(std::string key, std::string value);
  // The record must be as it was read.
  void Replace(const KeyValue& kv, std::string value);
  void Delete(const KeyValue& kv);
  // Rewrites the record as it is (I1, I2).
  void Touch(const KeyValue& kv) { Replace(kv, kv.value); }
};

class NetworkStore {
 public:
  explicit NetworkStore(const ActionContext& context);

  // Sorted by id. Errors: kServiceUnavailable, kInternalFailure (a damaged record), also below.
  ApiResult<std::vector<Stored<Vpc>>> Vpcs() const;
  ApiResult<std::vector<Stored<Subnet>>> Subnets() const;
  ApiResult<std::vector<Stored<SecurityGroup>>> SecurityGroups() const;
  ApiResult<std::vector<Stored<Subnet>>> SubnetsOf(std::string_view vpc_id) const;
  ApiResult<std::vector<Stored<SecurityGroup>>> SecurityGroupsOf(std::string_view vpc_id) const;

  // nullopt when there is none, or the id is malformed.
  ApiResult<std::optional<Stored<Vpc>>> FindVpc(std::string_view id) const;
  ApiResult<std::optional<Stored<Subnet>>> FindSubnet(std::string_view id) const;
  ApiResult<std::optional<Stored<SecurityGroup>>> FindSecurityGroup(std::string_view id) const;

  std::string KeyOf(const Vpc& vpc) const;
  std::string KeyOf(const Subnet& subnet) const;
  std::string KeyOf(const SecurityGroup& group) const;

  // Records in `change` that `user` ("replicationgroup/demo") uses a subnet or group: it cannot be
  // deleted until RemoveUse(). Idempotent.
  void AddUse(Change& change, const KeyValue& resource, std::string_view user) const;
  void RemoveUse(Change& change, std::string_view resource_id, std::string_view user) const;
  ApiResult<bool> IsUsed(std::string_view resource_id) const;

  // Returns: false when a compare failed and nothing was written.
  ApiResult<bool> Apply(const Change& change) const;

 private:
  template <typename Record>
  ApiResult<std::vector<Stored<Record>>> List(std::string_view folder) const;
  template <typename Record>
  ApiResult<std::optional<Stored<Record>>> Find(std::string_view folder, std::string_view id) const;

  MetadataStore& store_;
  std::string prefix_;  // "/ec/v1/acct/<account>/<region>/ec2/"
};

// "vpc-" and 8 or 17 hexadecimal digits, and so on.
bool IsResourceId(std::string_view id, std::string_view prefix);

// Repeats `attempt`, which reads, checks and applies a change, until nobody else interfered.
// attempt() returns ApiResult<std::optional<T>>: nullopt says that a compare failed.
// Errors: those of attempt; kServiceUnavailable after 50 attempts.
template <typename Attempt>
auto UntilApplied(Attempt attempt) -> ApiResult<typename decltype(attempt())::Value::value_type> {
  for (int i = 0; i < 50; ++i) {
    ASSIGN_OR_RETURN(auto result, attempt());
    if (result) return std::move(*result);
  }
  return ApiError{ApiErrorCode::kServiceUnavailable, {}};
}

}  // namespace mikura::control
