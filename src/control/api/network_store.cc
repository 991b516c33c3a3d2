// SPDX-License-Identifier: Apache-2.0
#include "control/api/network_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/logging.h"
#include "control/api/store_failure.h"

namespace mikura::control {
namespace {

constexpr std::string_view kVpcFolder = "vpc/";
constexpr std::string_view kSubnetFolder = "subnet/";
constexpr std::string_view kGroupFolder = "sg/";
constexpr std::string_view kUseFolder = "use/";

Result<Vpc> Parse(const KeyValue& kv, Vpc*) { return VpcFromJson(kv.value); }
Result<Subnet> Parse(const KeyValue& kv, Subnet*) { return SubnetFromJson(kv.value); }
Result<SecurityGroup> Parse(const KeyValue& kv, SecurityGroup*) {
  return SecurityGroupFromJson(kv.value);
}

template <typename Record>
ApiResult<Stored<Record>> Decode(KeyValue kv) {
  auto record = Parse(kv, static_cast<Record*>(nullptr));
  if (!record.ok()) {
    Log(LogLevel::kError, "api", "{}: {}", kv.key, record.error().message);
    return ApiError{ApiErrorCode::kInternalFailure, {}};
  }
  return Stored<Record>{std::move(*record), std::move(kv)};
}

}  // namespace

void Change::Create(std::string key, std::string value) {
  compares.push_back(Compare::Absent(key));
  writes.push_back(Write::Put(std::move(key), std::move(value)));
}

void Change::Replace(const KeyValue& kv, std::string value) {
  compares.push_back(Compare::Unchanged(kv));
  writes.push_back(Write::Put(kv.key, std::move(value)));
}

void Change::Delete(const KeyValue& kv) {
  compares.push_back(Compare::Unchanged(kv));
  writes.push_back(Write::Delete(kv.key));
}

NetworkStore::NetworkStore(const ActionContext& context)
    : store_(context.store),
      prefix_(fmt::format("/ec/v1/acct/{}/{}/ec2/", context.account_id, context.region)) {}

template <typename Record>
ApiResult<std::vector<Stored<Record>>> NetworkStore::List(std::string_view folder) const {
  const auto records = store_.List(fmt::format("{}{}", prefix_, folder));
  if (!records.ok()) return StoreFailure(records.error());
  std::vector<Stored<Record>> all;
  for (const KeyValue& kv : *records) {
    ASSIGN_OR_RETURN(Stored<Record> stored, Decode<Record>(kv));
    all.push_back(std::move(stored));
  }
  return all;
}

template <typename Record>
ApiResult<std::optional<Stored<Record>>> NetworkStore::Find(std::string_view folder,
                                                            std::string_view id) const {
  const std::string prefix = fmt::format("{}-", folder.substr(0, folder.size() - 1));
  if (!IsResourceId(id, prefix)) return std::optional<Stored<Record>>();
  auto kv = store_.Get(fmt::format("{}{}{}", prefix_, folder, id));
  if (!kv.ok()) return StoreFailure(kv.error());
  if (!*kv) return std::optional<Stored<Record>>();
  ASSIGN_OR_RETURN(Stored<Record> stored, Decode<Record>(std::move(**kv)));
  return std::optional<Stored<Record>>(std::move(stored));
}

ApiResult<std::vector<Stored<Vpc>>> NetworkStore::Vpcs() const { return List<Vpc>(kVpcFolder); }

ApiResult<std::vector<Stored<Subnet>>> NetworkStore::Subnets() const {
  return List<Subnet>(kSubnetFolder);
}

ApiResult<std::vector<Stored<SecurityGroup>>> NetworkStore::SecurityGroups() const {
  return List<SecurityGroup>(kGroupFolder);
}

ApiResult<std::vector<Stored<Subnet>>> NetworkStore::SubnetsOf(std::string_view vpc_id) const {
  ASSIGN_OR_RETURN(auto all, Subnets());
  std::erase_if(all, [vpc_id](const auto& each) { return each.record.vpc_id != vpc_id; });
  return all;
}

ApiResult<std::vector<Stored<SecurityGroup>>> NetworkStore::SecurityGroupsOf(
    std::string_view vpc_id) const {
  ASSIGN_OR_RETURN(auto all, SecurityGroups());
  std::erase_if(all, [vpc_id](const auto& each) { return each.record.vpc_id != vpc_id; });
  return all;
}

ApiResult<std::optional<Stored<Vpc>>> NetworkStore::FindVpc(std::string_view id) const {
  return Find<Vpc>(kVpcFolder, id);
}

ApiResult<std::optional<Stored<Subnet>>> NetworkStore::FindSubnet(std::string_view id) const {
  return Find<Subnet>(kSubnetFolder, id);
}

ApiResult<std::optional<Stored<SecurityGroup>>> NetworkStore::FindSecurityGroup(
    std::string_view id) const {
  return Find<SecurityGroup>(kGroupFolder, id);
}

std::string NetworkStore::KeyOf(const Vpc& vpc) const { return prefix_ + "vpc/" + vpc.id; }

std::string NetworkStore::KeyOf(const Subnet& subnet) const {
  return prefix_ + "subnet/" + subnet.id;
}

std::string NetworkStore::KeyOf(const SecurityGroup& group) const {
  return prefix_ + "sg/" + group.id;
}

void NetworkStore::AddUse(Change& change, const KeyValue& resource, std::string_view user) const {
  const std::string id = resource.key.substr(resource.key.rfind('/') + 1);
  change.Touch(resource);
  change.writes.push_back(
      Write::Put(fmt::format("{}{}{}/{}", prefix_, kUseFolder, id, user), "{}"));
}

void NetworkStore::RemoveUse(Change& change, std::string_view resource_id,
                             std::string_view user) const {
  change.writes.push_back(
      Write::Delete(fmt::format("{}{}{}/{}", prefix_, kUseFolder, resource_id, user)));
}

ApiResult<bool> NetworkStore::IsUsed(std::string_view resource_id) const {
  const auto uses = store_.List(fmt::format("{}{}{}/", prefix_, kUseFolder, resource_id));
  if (!uses.ok()) return StoreFailure(uses.error());
  return !uses->empty();
}

ApiResult<bool> NetworkStore::Apply(const Change& change) const {
  const auto revision = store_.Transact(change.compares, change.writes);
  if (!revision.ok()) return StoreFailure(revision.error());
  return revision->has_value();
}

bool IsResourceId(std::string_view id, std::string_view prefix) {
  if (id.substr(0, prefix.size()) != prefix) return false;
  const std::string_view digits = id.substr(prefix.size());
  return (digits.size() == 8 || digits.size() == 17) &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace mikura::control
