// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/element_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace mikura::engine::collections {
namespace {

class CountedMemory : public NodeMemory {
 public:
  ~CountedMemory() override { EXPECT_EQ(bytes_, 0); }
  void Add(int64_t bytes) override { bytes_ += bytes; }
  int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_ = 0;
};

uint64_t NoOrder(std::string_view) { return 0; }

// The first eight bytes, so that longer elements share a number now and then.
uint64_t ByPrefix(std::string_view element) {
  uint64_t order = 0;
  for (size_t i = 0; i < 8; ++i) {
    order = order << 8 | (i < element.size() ? static_cast<uint8_t>(element[i]) : 0);
  }
  return order;
}

std::vector<std::string> Elements(const ElementTree& tree) {
  std::vector<std::string> elements;
  for (ElementTree::Cursor c(tree, 0); !c.at_end(); c.Next()) elements.emplace_back(c.element());
  return elements;
}

class Model {
 public:
  explicit Model(NodeMemory& memory) : tree(memory, NoOrder) {}
  void Insert(uint64_t index, const std::string& element) {
    tree.Insert(index, element);
    elements.insert(elements.begin() + static_cast<ptrdiff_t>(index), element);
  }
  void Erase(uint64_t index, uint64_t count) {
    tree.Erase(index, count);
    const auto first = elements.begin() + static_cast<ptrdiff_t>(index);
    elements.erase(first, first + static_cast<ptrdiff_t>(count));
  }
  void Replace(uint64_t index, const std::string& element) {
    tree.Replace(index, element);
    elements[index] = element;
  }

  ElementTree tree;
  std::vector<std::string> elements;
};

// Mostly short, sometimes so long that few or one fill a leaf.
std::string RandomElement(std::mt19937& random) {
  const uint32_t kind = random() % 100;
  const size_t size = kind < 90 ? random() % 40 : kind < 97 ? random() % 3000 : random() % 20000;
  return std::string(size, static_cast<char>('a' + random() % 26));
}

TEST(ElementTree, HoldsWhatAVectorHolds) {
  for (const uint32_t seed : {1u, 2u, 3u, 4u}) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    CountedMemory memory;
    Model model(memory);
    for (int step = 0; step < 6000; ++step) {
      const bool shrinks = (step / 1500) % 2 == 1;  // it grows and shrinks in turns
      const uint64_t size = model.elements.size();
      const uint32_t action = random() % 10;
      if (size == 0 || action < (shrinks ? 3u : 7u)) {
        const uint64_t at = random() % 4 == 0 ? size : random() % (size + 1);
        model.Insert(at, RandomElement(random));
      } else if (action == 7) {
        model.Replace(random() % size, RandomElement(random));
      } else {
        const uint64_t at = random() % size;
        const uint64_t most = random() % 20 == 0 ? 200 : 3;
        model.Erase(at, std::min<uint64_t>(1 + random() % most, size - at));
      }
      if (step % 500 == 0) model.tree.CheckInvariants();
      if (!model.elements.empty()) {
        const uint64_t at = random() % model.elements.size();
        ASSERT_EQ(model.tree.At(at), model.elements[at]);
      }
    }
    model.tree.CheckInvariants();
    EXPECT_EQ(Elements(model.tree), model.elements);
  }
}

TEST(ElementTree, ACopyStaysAsItWas) {
  std::mt19937 random(9);
  CountedMemory memory;
  Model model(memory);
  for (int i = 0; i < 5000; ++i)
    model.Insert(random() % (model.elements.size() + 1), fmt::format("e{}", i));
  const int64_t alone = memory.bytes();
  const ElementTree copy = model.tree;
  const std::vector<std::string> before = model.elements;
  EXPECT_EQ(memory.bytes(), alone);
  model.Insert(2500, "new");
  EXPECT_LT(memory.bytes(), alone + 16 * 1024);  // a path, not the tree
  for (int i = 0; i < 3000; ++i) {
    const uint64_t size = model.elements.size();
    if (i % 3 == 0) model.Insert(random() % (size + 1), "x");
    if (i % 3 == 1) model.Erase(random() % size, 1);
    if (i % 3 == 2) model.Replace(random() % size, "y");
  }
  copy.CheckInvariants();
  model.tree.CheckInvariants();
  EXPECT_EQ(Elements(copy), before);
  EXPECT_EQ(Elements(model.tree), model.elements);
}

TEST(ElementTree, FindsElementsByTheirOrder) {
  std::mt19937 random(5);
  CountedMemory memory;
  ElementTree tree(memory, ByPrefix);
  std::vector<std::string> sorted;
  for (int i = 0; i < 8000; ++i) {
    // Few different prefixes: many elements have the same number.
    const std::string element = fmt::format("prefix-{:02}-{}", random() % 30, random() % 100000);
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), element);
    const uint64_t expected = static_cast<uint64_t>(at - sorted.begin());
    const ElementTree::Spot spot =
        tree.Seek(ByPrefix(element), [&](std::string_view e) { return e < element; });
    const uint64_t found = spot.index;
    ASSERT_EQ(found, expected);
    ASSERT_EQ(spot.at_end, at == sorted.end());
    if (!spot.at_end) ASSERT_EQ(spot.element, *at);
    if (at != sorted.end() && *at == element) continue;
    sorted.insert(at, element);
    tree.Insert(found, element);
  }
  tree.CheckInvariants();
  EXPECT_EQ(Elements(tree), sorted);
  EXPECT_EQ(tree.LowerBound(UINT64_MAX, [](std::string_view) { return true; }), sorted.size());
  EXPECT_EQ(tree.LowerBound(0, [](std::string_view) { return false; }), 0u);
}

TEST(ElementTree, WalksBothWaysFromAnywhere) {
  CountedMemory memory;
  ElementTree tree(memory, NoOrder);
  for (int i = 0; i < 3000; ++i) tree.Append(std::to_string(i));
  for (const uint64_t start : {0ull, 1ull, 999ull, 2999ull}) {
    ElementTree::Cursor forward(tree, start);
    for (uint64_t i = start; i < 3000; ++i, forward.Next()) {
      ASSERT_EQ(forward.element(), std::to_string(i));
    }
    EXPECT_TRUE(forward.at_end());
    ElementTree::Cursor backward(tree, start);
    for (uint64_t i = start + 1; i-- > 0; backward.Previous()) {
      ASSERT_EQ(backward.element(), std::to_string(i));
    }
    EXPECT_TRUE(backward.at_end());
  }
  EXPECT_TRUE(ElementTree::Cursor(tree, 3000).at_end());
}

TEST(ElementTree, GrowthAtAnEndFillsItsLeaves) {
  CountedMemory memory;
  ElementTree back(memory, NoOrder);
  const std::string element(20, 'e');
  for (int i = 0; i < 100'000; ++i) back.Append(element);
  EXPECT_LT(memory.bytes(), 100'000 * 26);  // 23 bytes each with length and offset
  const int64_t first = memory.bytes();
  ElementTree front(memory, NoOrder);
  for (int i = 0; i < 100'000; ++i) front.Insert(0, element);
  EXPECT_LT(memory.bytes() - first, 100'000 * 26);
}

TEST(ElementTree, ErasingMostOfItGivesItsMemoryBack) {
  std::mt19937 random(3);
  CountedMemory memory;
  ElementTree tree(memory, NoOrder);
  const std::string element(20, 'e');
  for (int i = 0; i < 100'000; ++i) tree.Append(element);
  while (tree.size() > 10'000) tree.Erase(random() % tree.size());
  tree.CheckInvariants();
  EXPECT_LT(memory.bytes(), 10'000 * 23 * 4);
  tree.Erase(0, tree.size());
  EXPECT_EQ(memory.bytes(), 0);
}

}  // namespace
}  // namespace mikura::engine::collections
