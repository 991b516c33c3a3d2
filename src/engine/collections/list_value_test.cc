// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/list_value.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace mikura::engine::collections {
namespace {

class CountedMemory final : public NodeMemory {
 public:
  ~CountedMemory() override { EXPECT_EQ(bytes_, 0); }
  void Add(int64_t bytes) override { bytes_ += bytes; }

 private:
  int64_t bytes_ = 0;
};

std::deque<std::string> Contents(const ListValue& list) {
  std::deque<std::string> all;
  for (ListValue::Cursor c(list); !c.at_end(); c.Next()) all.emplace_back(c.element());
  return all;
}

TEST(ListValue, HoldsWhatADequeHoldsAfterRandomChanges) {
  CountedMemory memory;
  std::mt19937 random(11);
  ListValue list(memory);
  std::deque<std::string> model;
  for (int i = 0; i < 4000; ++i) {
    const std::string element(random() % 60, static_cast<char>('a' + random() % 26));
    const size_t at = random() % (model.size() + 1);
    switch (random() % 5) {
      case 0:
        list.PushFront(element);
        model.push_front(element);
        break;
      case 1:
        list.PushBack(element);
        model.push_back(element);
        break;
      case 2:
        list.Insert(at, element);
        model.insert(model.begin() + static_cast<ptrdiff_t>(at), element);
        break;
      case 3:
        if (at == model.size()) break;
        list.Replace(at, element);
        model[at] = element;
        break;
      default: {
        const size_t count = std::min<size_t>(random() % 4, model.size() - at);
        list.Erase(at, count);
        const auto first = model.begin() + static_cast<ptrdiff_t>(at);
        model.erase(first, first + static_cast<ptrdiff_t>(count));
      }
    }
    ASSERT_EQ(list.size(), model.size());
    if (i % 50 == 0) ASSERT_EQ(Contents(list), model);
  }
  EXPECT_FALSE(list.is_packed());
  EXPECT_EQ(Contents(list), model);
}

TEST(ListValue, ThePackedFormIsReadBackAndCopiedAtItsFirstChange) {
  CountedMemory memory;
  ListValue list(memory);
  for (const char* element : {"b", "", "c"}) list.PushBack(element);
  std::string packed;
  list.AppendPacked(packed);

  const std::string before = packed;
  ListValue view(memory, packed);
  view.PushFront("a");
  EXPECT_EQ(Contents(view), (std::deque<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(packed, before);
  EXPECT_EQ(Contents(ListValue(memory, packed)), (std::deque<std::string>{"b", "", "c"}));
}

TEST(ListValue, BecomesATreeWhenItIsLargeOrLong) {
  CountedMemory memory;
  ListValue large(memory);
  large.PushBack("small");
  EXPECT_TRUE(large.is_packed());
  large.Replace(0, std::string(kPackedBytesMax + 1, 'x'));
  EXPECT_FALSE(large.is_packed());
  EXPECT_EQ(large.At(0).size(), kPackedBytesMax + 1);

  ListValue many(memory);
  for (size_t i = 0; i < kPackedElementsMax; ++i) many.PushFront("");
  EXPECT_TRUE(many.is_packed());
  many.PushFront("");
  EXPECT_FALSE(many.is_packed());
  EXPECT_EQ(many.size(), kPackedElementsMax + 1);
}

TEST(ListValue, IsVisitedBackwardsFromAPositionUntilTheVisitorHasEnough) {
  CountedMemory memory;
  for (const size_t size : {4u, 2000u}) {
    ListValue list(memory);
    for (size_t i = 0; i < size; ++i) list.PushBack(std::to_string(i));
    std::vector<std::string> seen;
    list.VisitBackwards(2, [&](std::string_view element) {
      seen.emplace_back(element);
      return true;
    });
    EXPECT_EQ(seen, (std::vector<std::string>{"2", "1", "0"}));
    size_t visits = 0;
    list.VisitBackwards(size - 1, [&](std::string_view element) {
      EXPECT_EQ(element, std::to_string(size - ++visits));
      return visits < 3;
    });
    EXPECT_EQ(visits, 3u);
    list.VisitBackwards(size, [&](std::string_view) { return ++visits, true; });
    EXPECT_EQ(visits, 3u);
  }
}

TEST(ListValue, ACopyStaysAsItWas) {
  CountedMemory memory;
  ListValue list(memory);
  for (int i = 0; i < 1000; ++i) list.PushBack(std::to_string(i));
  const std::unique_ptr<Collection> copy(list.Copy());
  list.Erase(0, 999);
  list.Replace(0, "changed");
  const auto& other = static_cast<const ListValue&>(*copy);
  EXPECT_EQ(other.type(), CollectionType::kList);
  EXPECT_EQ(other.size(), 1000u);
  EXPECT_EQ(other.At(999), "999");
  EXPECT_GT(other.memory_bytes(), sizeof(ListValue));
}

}  // namespace
}  // namespace mikura::engine::collections
