// SPDX-License-Identifier: Apache-2.0
#include "control/model/host_capacity.h"

#include "control/model/record_json.h"

namespace mikura::control {

template <typename Visitor>
void VisitFields(Visitor& visit, HostCapacity& capacity) {
  visit("memory_bytes", capacity.memory_bytes);
  visit("scale_millionths", capacity.scale_millionths);
}

int64_t HostCapacity::BytesOfNode(int64_t type_bytes) const {
  // In this order it stays within 64 bits: types have less than 2^40 bytes.
  return type_bytes / 1'000'000 * scale_millionths;
}

std::string ToJson(const HostCapacity& capacity) { return RecordToJson(capacity); }

Result<HostCapacity> HostCapacityFromJson(std::string_view text) {
  return RecordFromJson<HostCapacity>("host capacity", text);
}

}  // namespace mikura::control
