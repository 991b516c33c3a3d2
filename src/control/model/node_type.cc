// SPDX-License-Identifier: Apache-2.0
#include "control/model/node_type.h"

#include <fmt/format.h>

#include <algorithm>

namespace mikura::control {
namespace {

// Those of which new caches can be made; the data tiering ones (r6gd) need what we do not have.
constexpr NodeType kNodeTypes[] = {
    {"cache.t2.micro", 581'959'680, 1},           {"cache.t2.small", 1'665'138'688, 1},
    {"cache.t2.medium", 3'461'349'376, 2},        {"cache.t3.micro", 536'870'912, 2},
    {"cache.t3.small", 1'471'026'299, 2},         {"cache.t3.medium", 3'317'862'236, 2},
    {"cache.t4g.micro", 536'870'912, 2},          {"cache.t4g.small", 1'471'026'299, 2},
    {"cache.t4g.medium", 3'317'862'236, 2},       {"cache.m4.large", 6'892'593'152, 2},
    {"cache.m4.xlarge", 15'328'501'760, 4},       {"cache.m4.2xlarge", 31'889'126'359, 8},
    {"cache.m4.4xlarge", 65'257'290'629, 16},     {"cache.m4.10xlarge", 166'047'614'239, 40},
    {"cache.m5.large", 6'854'542'746, 2},         {"cache.m5.xlarge", 13'891'921'715, 4},
    {"cache.m5.2xlarge", 27'966'669'210, 8},      {"cache.m5.4xlarge", 56'116'178'125, 16},
    {"cache.m5.12xlarge", 168'715'971'994, 48},   {"cache.m5.24xlarge", 337'500'562'842, 96},
    {"cache.m6g.large", 6'854'542'746, 2},        {"cache.m6g.xlarge", 13'891'921'715, 4},
    {"cache.m6g.2xlarge", 27'966'669'210, 8},     {"cache.m6g.4xlarge", 56'116'178'125, 16},
    {"cache.m6g.8xlarge", 111'325'552'312, 32},   {"cache.m6g.12xlarge", 168'715'971'994, 48},
    {"cache.m6g.16xlarge", 225'000'375'228, 64},  {"cache.m7g.large", 6'854'542'746, 2},
    {"cache.m7g.xlarge", 13'891'921'715, 4},      {"cache.m7g.2xlarge", 27'966'669'210, 8},
    {"cache.m7g.4xlarge", 56'116'178'125, 16},    {"cache.m7g.8xlarge", 111'325'552'312, 32},
    {"cache.m7g.12xlarge", 168'715'971'994, 48},  {"cache.m7g.16xlarge", 225'000'375'228, 64},
    {"cache.m8g.large", 7'294'178'820, 2},        {"cache.m8g.xlarge", 15'222'495'510, 4},
    {"cache.m8g.2xlarge", 31'866'224'640, 8},     {"cache.m8g.4xlarge", 65'856'864'256, 16},
    {"cache.m8g.8xlarge", 133'838'143'488, 32},   {"cache.m8g.12xlarge", 201'819'422'720, 48},
    {"cache.m8g.16xlarge", 269'800'701'952, 64},  {"cache.r4.large", 13'201'781'556, 2},
    {"cache.r4.xlarge", 26'898'228'839, 4},       {"cache.r4.2xlarge", 54'197'537'997, 8},
    {"cache.r4.4xlarge", 108'858'546'586, 16},    {"cache.r4.8xlarge", 218'255'432'090, 32},
    {"cache.r4.16xlarge", 437'021'573'120, 64},   {"cache.r5.large", 14'037'181'030, 2},
    {"cache.r5.xlarge", 28'261'849'702, 4},       {"cache.r5.2xlarge", 56'711'183'565, 8},
    {"cache.r5.4xlarge", 113'609'865'216, 16},    {"cache.r5.12xlarge", 341'206'346'547, 48},
    {"cache.r5.24xlarge", 682'485'973'811, 96},   {"cache.r6g.large", 14'037'181'030, 2},
    {"cache.r6g.xlarge", 28'261'849'702, 4},      {"cache.r6g.2xlarge", 56'711'183'565, 8},
    {"cache.r6g.4xlarge", 113'609'865'216, 16},   {"cache.r6g.8xlarge", 225'000'375'228, 32},
    {"cache.r6g.12xlarge", 341'206'346'547, 48},  {"cache.r6g.16xlarge", 450'000'750'456, 64},
    {"cache.r7g.large", 14'037'181'030, 2},       {"cache.r7g.xlarge", 28'261'849'702, 4},
    {"cache.r7g.2xlarge", 56'711'183'565, 8},     {"cache.r7g.4xlarge", 113'609'865'216, 16},
    {"cache.r7g.8xlarge", 225'000'375'228, 32},   {"cache.r7g.12xlarge", 341'206'346'547, 48},
    {"cache.r7g.16xlarge", 450'000'750'456, 64},  {"cache.r8g.large", 15'222'495'510, 2},
    {"cache.r8g.xlarge", 31'866'224'640, 4},      {"cache.r8g.2xlarge", 65'856'864'256, 8},
    {"cache.r8g.4xlarge", 133'838'143'488, 16},   {"cache.r8g.8xlarge", 269'800'701'952, 32},
    {"cache.r8g.12xlarge", 405'763'260'416, 48},  {"cache.r8g.16xlarge", 541'725'818'880, 64},
    {"cache.c7gn.large", 3'317'862'236, 2},       {"cache.c7gn.xlarge", 6'854'542'746, 4},
    {"cache.c7gn.2xlarge", 13'891'921'715, 8},    {"cache.c7gn.4xlarge", 27'966'669'210, 16},
    {"cache.c7gn.8xlarge", 56'116'178'125, 32},   {"cache.c7gn.12xlarge", 84'357'985'997, 48},
    {"cache.c7gn.16xlarge", 113'609'865'216, 64}, {"cache.c8gn.large", 3'330'020'474, 2},
    {"cache.c8gn.xlarge", 7'294'178'820, 4},      {"cache.c8gn.2xlarge", 15'222'495'510, 8},
    {"cache.c8gn.4xlarge", 31'866'224'640, 16},   {"cache.c8gn.8xlarge", 65'856'864'256, 32},
    {"cache.c8gn.12xlarge", 99'847'503'872, 48},  {"cache.c8gn.16xlarge", 133'838'143'488, 64},
};

}  // namespace

ApiResult<NodeType> NodeTypeOf(std::string_view name) {
  for (const NodeType& type : kNodeTypes) {
    if (type.name == name) return type;
  }
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("The cache node type {} does not exist.", name)};
}

std::span<const NodeType> AllNodeTypes() { return kNodeTypes; }

NodeTypeChoices OtherNodeTypes(const NodeType& type) {
  NodeTypeChoices choices;
  for (const NodeType& other : kNodeTypes) {
    if (other.name == type.name) continue;
    (other.memory_bytes >= type.memory_bytes ? choices.up : choices.down).emplace_back(other.name);
  }
  std::sort(choices.up.begin(), choices.up.end());
  std::sort(choices.down.begin(), choices.down.end());
  return choices;
}

}  // namespace mikura::control
