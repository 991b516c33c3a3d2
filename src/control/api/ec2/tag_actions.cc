// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/tag_actions.h"

#include <fmt/format.h>

#include <set>

#include "control/api/ec2/ec2_common.h"
#include "control/api/network_store.h"

namespace mikura::control {
namespace {

constexpr size_t kResourcesMax = 1000;

// One tag of one resource, as Describe handles them.
struct ResourceTag {
  std::string id;  // of the resource, and the key, in one: sorts the list
  std::string resource_id;
  std::string resource_type;
  std::string key;
  std::string value;
  Tags tags;  // this tag alone
};

constexpr FilterRow<ResourceTag> kFilters[] = {
    {"key", [](const ResourceTag& tag, const ActionContext&) { return std::vector{tag.key}; }},
    {"resource-id",
     [](const ResourceTag& tag, const ActionContext&) { return std::vector{tag.resource_id}; }},
    {"resource-type",
     [](const ResourceTag& tag, const ActionContext&) { return std::vector{tag.resource_type}; }},
    {"value", [](const ResourceTag& tag, const ActionContext&) { return std::vector{tag.value}; }},
};

template <typename Record>
void AppendTags(const std::vector<Stored<Record>>& resources, const std::string& type,
                std::vector<ResourceTag>& out) {
  for (const auto& resource : resources) {
    for (const auto& [key, value] : resource.record.tags) {
      out.push_back({.id = fmt::format("{} {}", resource.record.id, key),
                     .resource_id = resource.record.id,
                     .resource_type = type,
                     .key = key,
                     .value = value,
                     .tags = {{key, value}}});
    }
  }
}

// Adds to `change` what `edit` makes of the resource's tags.
template <typename Record, typename Edit>
ApiResult<> EditTags(std::optional<Stored<Record>> resource, const std::string& id,
                     const IdKind& kind, Edit edit, Change& change) {
  if (!resource) return NotFound({id}, kind);
  RETURN_IF_ERROR(edit(resource->record.tags));
  change.Replace(resource->kv, ToJson(resource->record));
  return Ok();
}

template <typename Edit>
ApiResult<> EditTagsOf(const NetworkStore& network, const std::string& id, Edit edit,
                       Change& change) {
  if (IsResourceId(id, kVpcIds.prefix)) {
    ASSIGN_OR_RETURN(auto vpc, network.FindVpc(id));
    return EditTags(std::move(vpc), id, kVpcIds, edit, change);
  }
  if (IsResourceId(id, kSubnetIds.prefix)) {
    ASSIGN_OR_RETURN(auto subnet, network.FindSubnet(id));
    return EditTags(std::move(subnet), id, kSubnetIds, edit, change);
  }
  if (IsResourceId(id, kGroupIds.prefix)) {
    ASSIGN_OR_RETURN(auto group, network.FindSecurityGroup(id));
    return EditTags(std::move(group), id, kGroupIds, edit, change);
  }
  for (const std::string_view prefix : {"acl-", "rtb-", "sgr-"}) {
    RETURN_IF_ERROR(RefuseUnsupported(IsResourceId(id, prefix),
                                      fmt::format("A tag of a resource '{}...'", prefix)));
  }
  return ApiError{ApiErrorCode::kInvalidID, fmt::format("The ID '{}' is not valid", id)};
}

// Edits the tags of all resources in one transaction.
template <typename Edit>
ApiResult<> EditAll(const ActionContext& context, const std::vector<std::string>& resources,
                    const std::optional<bool>& dry_run, Edit edit) {
  if (resources.size() > kResourcesMax) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("At most {} resources may be given.", kResourcesMax)};
  }
  const std::set<std::string> ids(resources.begin(), resources.end());
  const NetworkStore network(context);
  const auto attempt = [&]() -> ApiResult<std::optional<Unit>> {
    Change change;
    for (const std::string& id : ids) {
      RETURN_IF_ERROR(EditTagsOf(network, id, edit, change));
    }
    RETURN_IF_ERROR(CheckDryRun(dry_run));
    ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
    return applied ? std::optional<Unit>(Unit{}) : std::nullopt;
  };
  ASSIGN_OR_RETURN([[maybe_unused]] const Unit done, UntilApplied(attempt));
  return Ok();
}

}  // namespace

ApiResult<ec2::CreateTagsResult> CreateTags(ActionContext& context,
                                            const ec2::CreateTagsRequest& request) {
  ASSIGN_OR_RETURN(const Tags added, TagsFrom(request.tags));
  RETURN_IF_ERROR(EditAll(context, request.resources, request.dry_run, [&](Tags& tags) {
    return AddTags(tags, added, ApiErrorCode::kTagLimitExceeded);
  }));
  return ec2::CreateTagsResult{};
}

// A key with a value removes the tag only if it has that value; no tags at all removes all.
ApiResult<ec2::DeleteTagsResult> DeleteTags(ActionContext& context,
                                            const ec2::DeleteTagsRequest& request) {
  RETURN_IF_ERROR(
      EditAll(context, request.resources, request.dry_run, [&](Tags& tags) -> ApiResult<> {
        if (request.tags.empty()) tags.clear();
        for (const ec2::Tag& tag : request.tags) {
          const auto found = tags.find(tag.key.value_or(""));
          if (found == tags.end()) continue;
          if (!tag.value || *tag.value == found->second) tags.erase(found);
        }
        return Ok();
      }));
  return ec2::DeleteTagsResult{};
}

ApiResult<ec2::DescribeTagsResult> DescribeTags(ActionContext& context,
                                                const ec2::DescribeTagsRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  const NetworkStore network(context);
  ASSIGN_OR_RETURN(const auto vpcs, network.Vpcs());
  ASSIGN_OR_RETURN(const auto subnets, network.Subnets());
  ASSIGN_OR_RETURN(const auto groups, network.SecurityGroups());
  std::vector<ResourceTag> tags;
  AppendTags(groups, "security-group", tags);
  AppendTags(subnets, "subnet", tags);
  AppendTags(vpcs, "vpc", tags);
  std::sort(tags.begin(), tags.end(),
            [](const ResourceTag& a, const ResourceTag& b) { return a.id < b.id; });
  ASSIGN_OR_RETURN(auto matching,
                   ApplyFilters<ResourceTag>(std::move(tags), request.filters, kFilters, context));
  const std::vector<std::string> no_ids;
  ASSIGN_OR_RETURN(const auto page,
                   PageOf(std::move(matching),
                          {no_ids, request.filters, request.max_results, request.next_token}));
  ec2::DescribeTagsResult result{.next_token = page.next_token};
  for (const ResourceTag& tag : page.items) {
    result.tags.push_back({.key = tag.key,
                           .resource_id = tag.resource_id,
                           .resource_type = tag.resource_type,
                           .value = tag.value});
  }
  return result;
}

}  // namespace mikura::control
