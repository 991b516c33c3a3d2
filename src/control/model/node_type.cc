// SPDX-License-Identifier: Apache-2.0
#include "control/model/node_type.h"

#include <fmt/format.h>

namespace mikura::control {
namespace {

constexpr NodeType kNodeTypes[] = {
    {"cache.t2.micro", 581'959'680, 1},          {"cache.t2.small", 1'665'138'688, 1},
    {"cache.t2.medium", 3'461'349'376, 2},       {"cache.t3.micro", 536'870'912, 2},
    {"cache.t3.small", 1'471'026'299, 2},        {"cache.t3.medium", 3'317'862'236, 2},
    {"cache.t4g.micro", 536'870'912, 2},         {"cache.t4g.small", 1'471'026'299, 2},
    {"cache.t4g.medium", 3'317'862'236, 2},      {"cache.m5.large", 6'854'542'746, 2},
    {"cache.m5.xlarge", 13'891'921'715, 4},      {"cache.m5.2xlarge", 27'966'669'210, 8},
    {"cache.m5.4xlarge", 56'116'178'125, 16},    {"cache.m6g.large", 6'854'542'746, 2},
    {"cache.m6g.xlarge", 13'891'921'715, 4},     {"cache.m6g.2xlarge", 27'966'669'210, 8},
    {"cache.m6g.4xlarge", 56'116'178'125, 16},   {"cache.m6g.8xlarge", 111'325'552'312, 32},
    {"cache.m6g.12xlarge", 168'715'971'994, 48}, {"cache.m6g.16xlarge", 225'000'375'228, 64},
    {"cache.m7g.large", 6'854'542'746, 2},       {"cache.m7g.xlarge", 13'891'921'715, 4},
    {"cache.m7g.2xlarge", 27'966'669'210, 8},    {"cache.m7g.4xlarge", 56'116'178'125, 16},
    {"cache.m7g.8xlarge", 111'325'552'312, 32},  {"cache.m7g.12xlarge", 168'715'971'994, 48},
    {"cache.m7g.16xlarge", 225'000'375'228, 64}, {"cache.m8g.large", 7'294'178'820, 2},
    {"cache.r5.large", 14'037'181'030, 2},       {"cache.r5.xlarge", 28'261'849'702, 4},
    {"cache.r5.2xlarge", 56'711'183'565, 8},     {"cache.r5.4xlarge", 113'609'865'216, 16},
    {"cache.r6g.large", 14'037'181'030, 2},      {"cache.r6g.xlarge", 28'261'849'702, 4},
    {"cache.r6g.2xlarge", 56'711'183'565, 8},    {"cache.r6g.4xlarge", 113'609'865'216, 16},
    {"cache.r6g.8xlarge", 225'000'375'228, 32},  {"cache.r6g.12xlarge", 341'206'346'547, 48},
    {"cache.r6g.16xlarge", 450'000'750'456, 64}, {"cache.r7g.large", 14'037'181'030, 2},
    {"cache.r7g.xlarge", 28'261'849'702, 4},     {"cache.r7g.2xlarge", 56'711'183'565, 8},
    {"cache.r7g.4xlarge", 113'609'865'216, 16},  {"cache.r7g.8xlarge", 225'000'375'228, 32},
    {"cache.r7g.12xlarge", 341'206'346'547, 48}, {"cache.r7g.16xlarge", 450'000'750'456, 64},
    {"cache.r8g.large", 15'222'495'510, 2},      {"cache.c7gn.large", 3'317'862'236, 2},
    {"cache.c8gn.large", 3'330'020'474, 2},
};

constexpr int64_t kReservedPercent = 25;

}  // namespace

ApiResult<NodeType> NodeTypeOf(std::string_view name) {
  for (const NodeType& type : kNodeTypes) {
    if (type.name == name) return type;
  }
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("The cache node type {} does not exist.", name)};
}

std::span<const NodeType> AllNodeTypes() { return kNodeTypes; }

int64_t DataMemoryBytes(const NodeType& type) {
  return type.memory_bytes - type.memory_bytes / 100 * kReservedPercent -
         type.memory_bytes % 100 * kReservedPercent / 100;
}

}  // namespace mikura::control
