// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/sequence.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mikura::engine::collections {
namespace {

class CountedMemory final : public NodeMemory {
 public:
  void Add(int64_t bytes) override { bytes_ += bytes; }
  int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_ = 0;
};

uint64_t NoOrder(std::string_view) { return 0; }

std::vector<std::string> Forwards(const Sequence& sequence, uint64_t from) {
  std::vector<std::string> all;
  for (Sequence::Cursor cursor(sequence, from); !cursor.at_end(); cursor.Next()) {
    all.emplace_back(cursor.element());
  }
  return all;
}

std::vector<std::string> Backwards(const Sequence& sequence) {
  std::vector<std::string> all;
  if (sequence.empty()) return all;
  for (Sequence::Cursor cursor(sequence, sequence.size() - 1); !cursor.at_end();
       cursor.Previous()) {
    all.insert(all.begin(), std::string(cursor.element()));
  }
  return all;
}

TEST(Sequence, ChangesAtASpotAreThoseAtItsIndex) {
  CountedMemory memory;
  std::mt19937 random(11);
  Sequence sequence(memory, NoOrder);
  std::vector<std::string> model;
  for (int i = 0; i < 3000; ++i) {
    const std::string element(random() % 200, static_cast<char>('a' + random() % 26));
    const size_t at = random() % (model.size() + 1);
    PackedWalk walk(sequence.packed());
    while (walk.spot().index < at) walk.Next();
    ASSERT_EQ(walk.at_end(), at == model.size());
    const auto place = model.begin() + static_cast<ptrdiff_t>(at);
    const auto action = random() % 3;
    if (walk.at_end() || (action == 0 && model.size() < 40)) {
      sequence.InsertAt(walk.spot(), element);
      model.insert(place, element);
    } else if (action == 1) {
      sequence.ReplaceAt(walk.spot(), element);
      *place = element;
    } else {
      sequence.EraseAt(walk.spot());
      model.erase(place);
    }
    ASSERT_EQ(Forwards(sequence, 0), model);
    ASSERT_EQ(sequence.size(), model.size());
  }
}

// The spot of the element at `index`, or the end.
PackedSpot SpotOf(const Sequence& sequence, size_t index) {
  PackedWalk walk(sequence.packed());
  while (walk.spot().index < index) walk.Next();
  return walk.spot();
}

TEST(Sequence, AnElementMovesToAnyPlace) {
  CountedMemory memory;
  Sequence source(memory, NoOrder);
  std::vector<std::string> texts;
  for (size_t i = 0; i < 6; ++i) {
    texts.push_back(std::string(i * 40, static_cast<char>('a' + i)));
    source.Append(texts.back());
  }
  for (size_t from = 0; from < texts.size(); ++from) {
    for (size_t to = 0; to <= texts.size(); ++to) {
      for (const size_t size : {size_t{1}, size_t{200}}) {
        const std::string element(size, 'x');
        std::vector<std::string> expected = texts;
        expected.erase(expected.begin() + static_cast<ptrdiff_t>(from));
        expected.insert(expected.begin() + static_cast<ptrdiff_t>(to > from ? to - 1 : to),
                        element);
        Sequence view(memory, NoOrder, source.packed(), source.size());
        view.MoveAt(SpotOf(view, from), SpotOf(view, to), element);
        const std::optional<PackedSplice> splice = view.splice();
        ASSERT_TRUE(splice);  // one change of the view
        EXPECT_EQ(splice->size(), view.packed_bytes());
        EXPECT_EQ(Forwards(view, 0), expected) << from << " to " << to;
        EXPECT_EQ(view.size(), texts.size());
        Sequence owned = source;
        owned.MoveAt(SpotOf(owned, from), SpotOf(owned, to), element);
        EXPECT_EQ(Forwards(owned, 0), expected) << from << " to " << to;
      }
    }
  }
}

TEST(PackedElements, NamesThatDifferInOneByteAreNotTheSame) {
  const std::string name = "element:00000001";
  for (size_t size = 0; size <= name.size(); ++size) {
    const std::string whole = name.substr(0, size);
    EXPECT_TRUE(SameBytes(whole, std::string(whole)));
    EXPECT_FALSE(SameBytes(whole, whole + "x"));
    for (size_t i = 0; i < size; ++i) {
      std::string other = whole;
      other[i] = static_cast<char>(other[i] ^ 1);
      EXPECT_FALSE(SameBytes(whole, other)) << size << " " << i;
    }
  }
}

TEST(Sequence, BothFormsHoldWhatAVectorHoldsAfterRandomChanges) {
  CountedMemory memory;
  std::mt19937 random(7);
  for (const bool packed : {true, false}) {
    Sequence sequence(memory, NoOrder);
    std::vector<std::string> model;
    if (!packed) sequence.Unpack();
    for (int i = 0; i < 2000; ++i) {
      const std::string element(random() % 200, static_cast<char>('a' + random() % 26));
      const size_t at = random() % (model.size() + 1);
      if (model.size() < 40 || random() % 2 == 0) {
        sequence.Insert(at, element);
        model.insert(model.begin() + static_cast<ptrdiff_t>(at), element);
      } else if (at < model.size() && random() % 2 == 0) {
        sequence.Replace(at, element);
        model[at] = element;
      } else {
        const size_t count = std::min<size_t>(random() % 4, model.size() - at);
        sequence.Erase(at, count);
        model.erase(model.begin() + static_cast<ptrdiff_t>(at),
                    model.begin() + static_cast<ptrdiff_t>(at + count));
      }
      ASSERT_EQ(sequence.size(), model.size());
    }
    EXPECT_EQ(sequence.is_packed(), packed);
    EXPECT_EQ(Forwards(sequence, 0), model);
    EXPECT_EQ(Backwards(sequence), model);
    for (size_t i = 0; i < model.size(); ++i) EXPECT_EQ(sequence.At(i), model[i]);
    sequence.Unpack();
    EXPECT_EQ(Forwards(sequence, 0), model);
    sequence.tree().CheckInvariants();
  }
  EXPECT_EQ(memory.bytes(), 0);
}

TEST(Sequence, AViewIsCopiedAtTheFirstChange) {
  CountedMemory memory;
  const std::string bytes("\1a\2bc", 5);
  Sequence sequence(memory, NoOrder, bytes, 2);
  EXPECT_EQ(sequence.packed().data(), bytes.data());
  EXPECT_EQ(Forwards(sequence, 0), (std::vector<std::string>{"a", "bc"}));
  sequence.Append("d");
  EXPECT_EQ(Forwards(sequence, 1), (std::vector<std::string>{"bc", "d"}));
  EXPECT_EQ(bytes, std::string("\1a\2bc", 5));
}

TEST(Sequence, ACopyOfATreeKeepsWhatItHad) {
  CountedMemory memory;
  Sequence sequence(memory, NoOrder);
  sequence.Unpack();
  for (int i = 0; i < 1000; ++i) sequence.Append(std::to_string(i));
  const Sequence copy = sequence;
  sequence.Erase(0, 999);
  EXPECT_EQ(copy.size(), 1000u);
  EXPECT_EQ(copy.At(500), "500");
  EXPECT_EQ(sequence.At(0), "999");
  EXPECT_LT(sequence.memory_bytes(), copy.memory_bytes());
}

TEST(Varint, ANumberWithoutAnEndIsNone) {
  std::string bytes;
  AppendVarint(bytes, UINT64_MAX);
  std::string_view rest = bytes;
  EXPECT_EQ(TakeVarint(rest), UINT64_MAX);
  EXPECT_TRUE(rest.empty());
  rest = std::string_view(bytes).substr(0, 5);
  EXPECT_EQ(TakeVarint(rest), std::nullopt);
}

}  // namespace
}  // namespace mikura::engine::collections
