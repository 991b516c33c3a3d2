// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/set_value.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <set>
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

std::vector<std::string> Elements(const SetValue& set) {
  std::vector<std::string> elements;
  for (SetValue::Cursor c(set); !c.at_end(); c.Next()) elements.emplace_back(c.element());
  return elements;
}

std::set<std::string> Content(const SetValue& set) {
  const std::vector<std::string> elements = Elements(set);
  return {elements.begin(), elements.end()};
}

std::string Packed(const SetValue& set) {
  std::string packed;
  set.AppendPacked(packed);
  return packed;
}

using Names = std::function<std::string(uint32_t)>;

std::string Number(uint32_t i) { return std::to_string(static_cast<int32_t>(i) - 300); }
std::string Word(uint32_t i) { return "element-" + std::to_string(i); }

// Random changes to a set, a model, and the set as it is when it was stored in between.
void ChangeAtRandom(CountedMemory& memory, uint32_t seed, uint32_t names, const Names& name_of) {
  std::mt19937 random(seed);
  auto set = std::make_unique<SetValue>(memory);
  std::set<std::string> model;
  std::string packed;
  for (int i = 0; i < 5000; ++i) {
    const std::string name = name_of(random() % names);
    if (random() % 2 == 0) {
      ASSERT_EQ(set->Add(name), model.insert(name).second);
    } else if (random() % 5 != 0 || model.empty()) {
      ASSERT_EQ(set->Erase(name), model.erase(name) == 1);
    } else {
      const uint64_t index = random() % set->size();
      model.erase(std::string(set->At(index)));
      set->EraseAt(index);
    }
    ASSERT_EQ(set->size(), model.size());
    ASSERT_EQ(set->Contains(name), model.contains(name));
    if (set->is_packed() && i % 7 == 0) {
      packed = Packed(*set);
      set = std::make_unique<SetValue>(memory, packed);
    }
    if (i % 100 == 0) {
      set->CheckInvariants();
      ASSERT_EQ(Content(*set), model);
    }
  }
  const std::unique_ptr<SetValue> copy(static_cast<SetValue*>(set->Copy()));
  for (uint32_t i = 0; i < names; ++i) set->Erase(name_of(i));
  EXPECT_TRUE(set->empty());
  EXPECT_EQ(Content(*copy), model);
}

TEST(SetValue, HoldsWhatASetHoldsAfterRandomChanges) {
  CountedMemory memory;
  ChangeAtRandom(memory, 1, 30, Number);
  ChangeAtRandom(memory, 2, 1500, Number);
  ChangeAtRandom(memory, 3, 30, Word);
  ChangeAtRandom(memory, 4, 1500, Word);
  ChangeAtRandom(memory, 5, 1500, [](uint32_t i) { return i % 100 == 0 ? Word(i) : Number(i); });
}

TEST(SetValue, IntegersAreInNumericOrderUntilAWordComes) {
  CountedMemory memory;
  SetValue set(memory);
  for (const char* number : {"10", "9", "-5", "9223372036854775807", "-9223372036854775808", "0"}) {
    EXPECT_TRUE(set.Add(number));
  }
  EXPECT_EQ(Elements(set), (std::vector<std::string>{"-9223372036854775808", "-5", "0", "9", "10",
                                                     "9223372036854775807"}));
  EXPECT_TRUE(set.is_intset());
  EXPECT_FALSE(set.Contains("x"));
  EXPECT_FALSE(set.Erase("007"));
  EXPECT_TRUE(set.is_intset());
  set.Add("07");
  EXPECT_FALSE(set.is_intset());
  EXPECT_TRUE(set.Erase("07"));
  EXPECT_FALSE(set.is_intset());
  EXPECT_TRUE(set.Add("1"));
  EXPECT_EQ(Elements(set).back(), "1");
  EXPECT_FALSE(SetValue(memory, Packed(set)).is_intset());
}

TEST(SetValue, ALargeIntsetBecomesAHashtableWithoutLoss) {
  CountedMemory memory;
  SetValue set(memory);
  std::set<std::string> model;
  for (uint32_t i = 0; i < 4000; ++i) {
    set.Add(Number(i * 7));
    model.insert(Number(i * 7));
  }
  EXPECT_FALSE(set.is_packed());
  EXPECT_TRUE(set.is_intset());
  const SetValue copy(set);
  set.BecomeHashtable();
  set.CheckInvariants();
  EXPECT_EQ(Content(set), model);
  for (const std::string& element : model) EXPECT_TRUE(set.Contains(element));
  EXPECT_TRUE(set.Add("word"));
  EXPECT_TRUE(copy.is_intset());
  copy.CheckInvariants();
}

TEST(SetValue, SmallOnesKeepTheOrderInWhichElementsCame) {
  CountedMemory memory;
  SetValue set(memory);
  for (const char* word : {"z", "a", "m"}) set.Add(word);
  EXPECT_EQ(Elements(set), (std::vector<std::string>{"z", "a", "m"}));
}

TEST(SetValue, BytesOfAnyKindAndLengthAreElements) {
  CountedMemory memory;
  SetValue set(memory);
  std::set<std::string> model;
  for (const std::string& element : {std::string(), std::string(1, '\0'), std::string(100'000, 'x'),
                                     std::string("\x80\x00", 2)}) {
    EXPECT_TRUE(set.Add(element));
    EXPECT_FALSE(set.Add(element));
    model.insert(element);
  }
  EXPECT_EQ(Content(set), model);
}

TEST(SetValue, AScanSeesEveryElementThatStays) {
  CountedMemory memory;
  std::mt19937 random(6);
  for (const uint32_t stay : {5u, 300u, 2000u}) {
    SetValue set(memory);
    for (uint32_t i = 0; i < stay; ++i) set.Add(Word(i));
    std::set<std::string> seen;
    uint64_t cursor = 0;
    do {
      cursor = set.Scan(cursor, 10, [&](std::string_view element) { seen.emplace(element); });
      for (int i = 0; i < 20; ++i) set.Add(Number(random() % 5000));
      for (int i = 0; i < 20; ++i) set.Erase(Number(random() % 5000));
    } while (cursor != 0);
    for (uint32_t i = 0; i < stay; ++i) EXPECT_TRUE(seen.contains(Word(i)));
  }
}

}  // namespace
}  // namespace mikura::engine::collections
