// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/list_value.h"

namespace mikura::engine::collections {
namespace {

constexpr size_t kHeaderBytesMax = 10;

uint64_t NoOrder(std::string_view /*element*/) { return 0; }

}  // namespace

ListValue::ListValue(NodeMemory& memory) : elements_(memory, NoOrder) {}

ListValue::ListValue(NodeMemory& memory, std::string_view packed) : ListValue(memory) {
  const uint64_t count = TakeVarint(packed).value_or(0);
  elements_ = Sequence(memory, NoOrder, packed, count);
}

void ListValue::AppendPacked(std::string& out) const {
  out.reserve(out.size() + kHeaderBytesMax + elements_.packed().size());
  AppendVarint(out, size());
  out.append(elements_.packed());
}

std::optional<PackedSplice> ListValue::Splice(std::string& header) const {
  AppendVarint(header, size());
  return elements_.splice();
}

void ListValue::Insert(uint64_t index, std::string_view element) {
  elements_.Insert(index, element);
  if (elements_.is_overfull()) elements_.Unpack();
}

void ListValue::Replace(uint64_t index, std::string_view element) {
  elements_.Replace(index, element);
  if (elements_.is_overfull()) elements_.Unpack();
}

}  // namespace mikura::engine::collections
