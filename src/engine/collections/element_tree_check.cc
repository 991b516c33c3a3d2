// SPDX-License-Identifier: Apache-2.0
// The part of ElementTree that tests ask whether all rules hold.
#include "base/check.h"
#include "engine/collections/element_tree.h"

namespace mikura::engine::collections {

void ElementTree::CheckInvariants() const {
  CHECK((root_ == nullptr) == (size_ == 0));
  if (root_ == nullptr) return;
  CHECK(CountOf(root_) == size_);
  CHECK(BytesBelow(root_) == bytes_);
  CheckNode(root_, true);
  uint64_t seen = 0;
  uint64_t order = 0;
  for (Cursor cursor(*this, 0); !cursor.at_end(); cursor.Next(), ++seen) {
    CHECK(order_of_(cursor.element()) >= order);
    order = order_of_(cursor.element());
  }
  CHECK(seen == size_);
}

void ElementTree::CheckNode(const Node* node, bool is_root) const {
  CHECK(node->owners.load(std::memory_order_relaxed) >= 1);
  CHECK(node->count > (is_root && !node->is_leaf() ? 1 : 0));  // N2
  if (node->is_leaf()) {
    const Leaf* const leaf = AsLeaf(node);
    CHECK(leaf->count == 1 || leaf->live_bytes() <= Leaf::kBytesMax);
    CHECK(leaf->used + leaf->count * sizeof(uint16_t) <= leaf->capacity &&
          leaf->dead <= leaf->used);
    size_t live = 0;
    for (size_t i = 0; i < leaf->count; ++i) live += Leaf::Footprint(leaf->At(i).size());
    CHECK(live == leaf->live_bytes());
    return;
  }
  const Inner* const inner = AsInner(node);
  for (size_t i = 0; i < inner->count; ++i) {
    CHECK(inner->children[i]->height + 1 == inner->height);
    CHECK(inner->counts[i] == CountOf(inner->children[i]));
    CHECK(inner->orders[i] == FirstOrder(inner->children[i]));
    CheckNode(inner->children[i], false);
  }
}

}  // namespace mikura::engine::collections
