// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/hash_value.h"

#include <gtest/gtest.h>

#include <map>
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

struct Content {
  std::string value;
  UnixMillis deadline = kNoFieldDeadline;

  bool operator==(const Content&) const = default;
};
using Model = std::map<std::string, Content>;

Model ContentOf(const HashValue& hash) {
  Model all;
  for (HashValue::Cursor c(hash); !c.at_end(); c.Next()) {
    const HashValue::Field field = c.field();
    all[std::string(field.name)] = {std::string(field.value), field.deadline};
  }
  return all;
}

std::vector<std::string> Names(const HashValue& hash) {
  std::vector<std::string> names;
  for (HashValue::Cursor c(hash); !c.at_end(); c.Next()) names.emplace_back(c.field().name);
  return names;
}

std::string Packed(const HashValue& hash) {
  std::string packed;
  hash.AppendPacked(packed);
  return packed;
}

UnixMillis FirstDeadline(const Model& model) {
  UnixMillis first = kNoFieldDeadline;
  for (const auto& [name, content] : model) first = std::min(first, content.deadline);
  return first;
}

uint64_t CountDue(const Model& model, UnixMillis now) {
  uint64_t due = 0;
  for (const auto& [name, content] : model) due += content.deadline <= now ? 1 : 0;
  return due;
}

// Random changes of a hash and of what it should hold.
class Pair {
 public:
  Pair(NodeMemory& memory, uint32_t seed, size_t names, size_t value_max)
      : random_(seed), names_(names), value_max_(value_max), hash_(new HashValue(memory)) {}

  void Step() {
    const std::string name = "f" + std::to_string(random_() % names_);
    const bool exists = model_.contains(name);
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        Set(name, kNoFieldDeadline);
        break;
      case 3:
        Set(name, Deadline());
        break;
      case 4:
      case 5:
        ASSERT_EQ(hash_->Erase(name), exists);
        model_.erase(name);
        break;
      case 6:
      case 7: {
        const UnixMillis deadline = random_() % 3 == 0 ? kNoFieldDeadline : Deadline();
        ASSERT_EQ(hash_->SetDeadline(name, deadline), exists);
        if (exists) model_[name].deadline = deadline;
        break;
      }
    }
    ASSERT_EQ(hash_->size(), model_.size());
    ASSERT_EQ(hash_->first_deadline(), FirstDeadline(model_));
  }

  void RemoveFirstToGo() {
    if (hash_->first_deadline() == kNoFieldDeadline) return;
    const std::string name(hash_->FirstToGo());
    ASSERT_EQ(model_[name].deadline, hash_->first_deadline());
    ASSERT_TRUE(hash_->Erase(hash_->FirstToGo()));
    model_.erase(name);
  }

  // What the hash becomes when it is stored in an entry and changed there.
  void Repack(NodeMemory& memory) {
    if (!hash_->is_packed()) return;
    packed_ = Packed(*hash_);
    EXPECT_EQ(HashValue::FirstDeadlineOf(packed_), hash_->first_deadline());
    hash_ = std::make_unique<HashValue>(memory, packed_);
  }

  void Check() const {
    hash_->CheckInvariants();
    ASSERT_EQ(ContentOf(*hash_), model_);
    for (size_t i = 0; i < names_; ++i) {
      const std::string name = "f" + std::to_string(i);
      const auto expected = model_.find(name);
      const auto found = hash_->Find(name);
      ASSERT_EQ(found.has_value(), expected != model_.end());
      if (found) {
        ASSERT_EQ(found->name, name);
        ASSERT_EQ(found->value, expected->second.value);
        ASSERT_EQ(found->deadline, expected->second.deadline);
      }
    }
    for (UnixMillis now = 0; now < 1100; now += 100) {
      ASSERT_EQ(hash_->CountDue(now), CountDue(model_, now));
    }
  }

  const HashValue& hash() const { return *hash_; }
  const Model& model() const { return model_; }

 private:
  UnixMillis Deadline() { return static_cast<UnixMillis>(random_() % 1000); }

  void Set(const std::string& name, UnixMillis deadline) {
    const std::string value(random_() % value_max_, static_cast<char>('a' + random_() % 26));
    ASSERT_EQ(hash_->Set(name, value, deadline), !model_.contains(name));
    model_[name] = {value, deadline};
  }

  std::mt19937 random_;
  const size_t names_;
  const size_t value_max_;
  std::string packed_;
  std::unique_ptr<HashValue> hash_;
  Model model_;
};

TEST(HashValue, PackedHoldsWhatAMapHoldsAfterRandomChanges) {
  CountedMemory memory;
  Pair pair(memory, 1, 20, 30);
  for (int i = 0; i < 3000; ++i) {
    pair.Step();
    if (i % 50 == 0) pair.Check();
    if (i % 7 == 0) pair.Repack(memory);
    if (i % 90 == 0) pair.RemoveFirstToGo();
  }
  EXPECT_TRUE(pair.hash().is_packed());
}

TEST(HashValue, ATreeHoldsWhatAMapHoldsAfterRandomChanges) {
  CountedMemory memory;
  Pair pair(memory, 2, 3000, 60);
  for (int i = 0; i < 20'000; ++i) {
    pair.Step();
    if (i % 2000 == 0) pair.Check();
    if (i % 100 == 0) pair.RemoveFirstToGo();
  }
  pair.Check();
  EXPECT_FALSE(pair.hash().is_packed());
}

TEST(HashValue, ACopyKeepsWhatTheHashHeld) {
  CountedMemory memory;
  Pair pair(memory, 3, 500, 100);
  for (int i = 0; i < 3000; ++i) pair.Step();
  const Model before = pair.model();
  const std::unique_ptr<HashValue> copy(static_cast<HashValue*>(pair.hash().Copy()));
  for (int i = 0; i < 3000; ++i) pair.Step();
  pair.Check();
  EXPECT_EQ(ContentOf(*copy), before);
  copy->CheckInvariants();
  EXPECT_TRUE(copy->is_exclusive());
}

TEST(HashValue, SmallOnesKeepTheOrderInWhichFieldsCame) {
  CountedMemory memory;
  HashValue hash(memory);
  for (const char* name : {"z", "a", "m", "b"}) hash.Set(name, "1");
  hash.Set("a", "longer than before");
  EXPECT_EQ(Names(hash), (std::vector<std::string>{"z", "a", "m", "b"}));
  hash.Erase("a");
  hash.Set("a", "2", 5);
  EXPECT_EQ(Names(hash), (std::vector<std::string>{"z", "m", "b", "a"}));
}

TEST(HashValue, AFieldWithoutDeadlinePaysNothingForThoseOfOthers) {
  CountedMemory memory;
  HashValue hash(memory);
  hash.Set("field", "value");
  // The count, the element's length, the field's length.
  EXPECT_EQ(Packed(hash).size(), 3 + strlen("field") + strlen("value"));
  hash.Set("other", "value", 7);
  hash.SetDeadline("other", kNoFieldDeadline);
  hash.Erase("other");
  EXPECT_EQ(Packed(hash).size(), 3 + strlen("field") + strlen("value"));
}

TEST(HashValue, BytesOfAnyKindAndLengthAreFieldsAndValues) {
  CountedMemory memory;
  HashValue hash(memory);
  const std::string mark("\x80\x00", 2);
  const std::string large(100'000, 'x');
  Model model;
  for (const std::string& name : {std::string(), mark, mark + mark, large, std::string(1, '\0')}) {
    for (const UnixMillis deadline : {kNoFieldDeadline, UnixMillis{1}, UnixMillis{1} << 46}) {
      hash.Set(name + std::to_string(deadline), name, deadline);
      model[name + std::to_string(deadline)] = {name, deadline};
      hash.CheckInvariants();
    }
  }
  EXPECT_EQ(ContentOf(hash), model);
}

TEST(HashValue, TheFlagOfAHashtableOutlivesPacking) {
  CountedMemory memory;
  HashValue hash(memory);
  hash.Set("f", "v");
  EXPECT_FALSE(HashValue(memory, Packed(hash)).is_hashtable());
  hash.set_is_hashtable();
  EXPECT_TRUE(HashValue(memory, Packed(hash)).is_hashtable());
}

// A scan that is interrupted by changes sees what was there all the time.
TEST(HashValue, AScanSeesEveryFieldThatStays) {
  CountedMemory memory;
  std::mt19937 random(4);
  for (const size_t stay : {5u, 300u, 2000u}) {
    HashValue hash(memory);
    for (size_t i = 0; i < stay; ++i) hash.Set("stay" + std::to_string(i), "v");
    std::set<std::string> seen;
    uint64_t cursor = 0;
    int rounds = 0;
    do {
      cursor =
          hash.Scan(cursor, 10, [&](const HashValue::Field& field) { seen.emplace(field.name); });
      for (int i = 0; i < 20; ++i) hash.Set("new" + std::to_string(random() % 5000), "w");
      for (int i = 0; i < 20; ++i) hash.Erase("new" + std::to_string(random() % 5000));
      ++rounds;
    } while (cursor != 0);
    for (size_t i = 0; i < stay; ++i) EXPECT_TRUE(seen.contains("stay" + std::to_string(i)));
    if (stay == 2000) EXPECT_GT(rounds, 150);
  }
}

TEST(HashValue, ACursorFromAnywhereEnds) {
  CountedMemory memory;
  HashValue hash(memory);
  for (int i = 0; i < 3000; ++i) hash.Set(std::to_string(i), "v");
  for (const uint64_t cursor : {UINT64_MAX, uint64_t{1} << 53, uint64_t{12345}}) {
    uint64_t next = cursor;
    int rounds = 0;
    do {
      next = hash.Scan(next, 100, [](const HashValue::Field&) {});
    } while (next != 0 && ++rounds < 100);
    EXPECT_EQ(next, 0u);
  }
}

}  // namespace
}  // namespace mikura::engine::collections
