// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/stream_value.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

namespace mikura::engine::collections {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using Model = std::map<StreamId, Fields>;

class CountedMemory final : public NodeMemory {
 public:
  ~CountedMemory() override { EXPECT_EQ(bytes_, 0); }
  void Add(int64_t bytes) override { bytes_ += bytes; }

 private:
  int64_t bytes_ = 0;
};

Fields FieldsOf(const StreamEntry& entry) {
  Fields fields;
  entry.VisitFields(
      [&](std::string_view name, std::string_view value) { fields.emplace_back(name, value); });
  EXPECT_EQ(fields.size(), entry.field_count());
  return fields;
}

void Append(StreamValue& stream, StreamId id, const Fields& fields,
            const StreamNodeLimits& limits = {}) {
  std::vector<std::string_view> words;
  for (const auto& [name, value] : fields) {
    words.push_back(name);
    words.push_back(value);
  }
  stream.Append(id, words, limits);
}

void AppendMany(StreamValue& stream, int count, const StreamNodeLimits& limits = {}) {
  for (int i = 0; i < count; ++i) {
    Append(stream, {stream.last_id().ms + 1, 0}, {{"f", std::to_string(i)}}, limits);
  }
}

std::vector<std::pair<StreamId, Fields>> Range(const StreamValue& stream, uint64_t index,
                                               uint64_t count, bool downwards) {
  std::vector<std::pair<StreamId, Fields>> result;
  stream.VisitRange(index, count, downwards, [&](const StreamEntry& entry) {
    result.emplace_back(entry.id(), FieldsOf(entry));
    return true;
  });
  return result;
}

void ExpectEqual(const StreamValue& stream, const Model& model) {
  stream.CheckInvariants();
  ASSERT_EQ(stream.size(), model.size());
  const std::vector<std::pair<StreamId, Fields>> expected(model.begin(), model.end());
  EXPECT_EQ(Range(stream, 0, stream.size(), false), expected);
  EXPECT_EQ(Range(stream, 0, stream.size(), true), std::vector(expected.rbegin(), expected.rend()));
}

// As it comes back from an entry. `bytes` has to outlive it.
StreamValue Repacked(CountedMemory& memory, const StreamValue& stream, std::string& bytes) {
  bytes.clear();
  stream.AppendPacked(bytes);
  return StreamValue(memory, bytes);
}

TEST(StreamValue, KnowsWhatItHoldsAfterItWasPacked) {
  CountedMemory memory;
  StreamValue stream(memory);
  Append(stream, {5, 1}, {{"name", "a"}, {"age", "3"}});
  Append(stream, {5, 2}, {{"name", "b"}, {"age", "4"}});
  Append(stream, {StreamId::kPartMax, StreamId::kPartMax}, {{"other", ""}});
  EXPECT_TRUE(stream.Erase({5, 1}));
  stream.set_max_deleted_id({5, 1});
  std::string bytes;
  const StreamValue again = Repacked(memory, stream, bytes);
  ExpectEqual(again, {{{5, 2}, {{"name", "b"}, {"age", "4"}}}, {kLastStreamId, {{"other", ""}}}});
  EXPECT_EQ(again.last_id(), kLastStreamId);
  EXPECT_EQ(again.first_id(), (StreamId{5, 2}));
  EXPECT_EQ(again.max_deleted_id(), (StreamId{5, 1}));
  EXPECT_EQ(again.entries_added(), 3u);
}

TEST(StreamValue, StaysWhenItsLastEntryGoes) {
  CountedMemory memory;
  StreamValue stream(memory);
  Append(stream, {1, 0}, {{"f", "v"}});
  EXPECT_TRUE(stream.Erase({1, 0}));
  EXPECT_FALSE(stream.Erase({1, 0}));
  EXPECT_FALSE(stream.empty());
  std::string bytes;
  StreamValue again = Repacked(memory, stream, bytes);
  EXPECT_EQ(again.size(), 0u);
  EXPECT_EQ(again.last_id(), (StreamId{1, 0}));
  Append(again, {1, 1}, {{"g", "w"}});
  ExpectEqual(again, {{{1, 1}, {{"g", "w"}}}});
}

TEST(StreamValue, ANodeBeginsWhenTheLastOneIsFull) {
  CountedMemory memory;
  StreamValue stream(memory);
  AppendMany(stream, 100);
  EXPECT_TRUE(stream.is_packed());
  EXPECT_EQ(stream.node_count(), 1u);
  AppendMany(stream, 1);
  EXPECT_FALSE(stream.is_packed());
  EXPECT_EQ(stream.node_count(), 2u);
  AppendMany(stream, 105, {.bytes = 4096, .entries = 10});
  EXPECT_EQ(stream.node_count(), 12u);  // the second one was filled up
  EXPECT_EQ(stream.NodeAt(1).live, 10u);
  stream.CheckInvariants();
}

TEST(StreamValue, AnApproximateTrimRemovesWholeNodes) {
  CountedMemory memory;
  StreamValue stream(memory);
  AppendMany(stream, 35, {.bytes = 0, .entries = 10});
  using By = StreamTrim::By;
  EXPECT_EQ(stream.CountToTrim({.by = By::kLength, .is_approximate = true, .length_max = 20}), 10u);
  EXPECT_EQ(stream.CountToTrim({.by = By::kLength, .length_max = 20}), 15u);
  EXPECT_EQ(stream.CountToTrim({.by = By::kLength, .is_approximate = true}), 35u);
  EXPECT_EQ(stream.CountToTrim({.by = By::kLength, .is_approximate = true, .limit = 25}), 20u);
  EXPECT_EQ(stream.CountToTrim({.by = By::kLength, .length_max = 50}), 0u);
  EXPECT_EQ(stream.CountToTrim({.by = By::kId, .is_approximate = true, .id_min = {11, 0}}), 10u);
  EXPECT_EQ(stream.CountToTrim({.by = By::kId, .id_min = {12, 0}}), 11u);
  stream.EraseFront(15);
  EXPECT_EQ(stream.node_count(), 3u);
  EXPECT_EQ(stream.first_id(), (StreamId{16, 0}));
  EXPECT_EQ(stream.CountToTrim({.by = By::kLength, .is_approximate = true, .length_max = 15}), 5u);
  stream.CheckInvariants();
  stream.EraseFront(20);
  EXPECT_EQ(stream.node_count(), 0u);
  stream.CheckInvariants();
}

TEST(StreamValue, ItsRadixTreeIsThatOfTheNodes) {
  CountedMemory memory;
  StreamValue stream(memory);
  EXPECT_EQ(stream.RadixTreeNodes(), 1u);
  const StreamNodeLimits one_each{.bytes = 0, .entries = 1};
  Append(stream, {1, 0}, {{"f", "v"}}, one_each);
  EXPECT_EQ(stream.RadixTreeNodes(), 2u);  // all bytes; the end
  Append(stream, {1, 1}, {{"f", "v"}}, one_each);
  EXPECT_EQ(stream.RadixTreeNodes(), 4u);  // bytes in common; the branch; two ends
  Append(stream, {2, 0}, {{"f", "v"}}, one_each);
  // 7 bytes, branch; below 1: 7 bytes, branch, two ends; below 2: 8 bytes, end
  EXPECT_EQ(stream.RadixTreeNodes(), 8u);
}

TEST(StreamValue, GroupsAreOrderedAndCopiedWithIt) {
  CountedMemory memory;
  StreamValue stream(memory);
  Append(stream, {1, 0}, {{"f", "v"}});
  stream.AddGroup("b", {1, 0}, 1);
  stream.AddGroup("a", {}, StreamGroup::kNotKnown);
  EXPECT_FALSE(stream.is_packed());
  EXPECT_EQ(stream.groups()[0].name(), "a");
  const std::unique_ptr<Collection> copy(stream.Copy());
  StreamGroup* const group = stream.FindGroup("a");
  group->SetPending({{1, 0}, group->AddConsumer("c", 1), 1, 1});
  EXPECT_TRUE(stream.RemoveGroup("b"));
  EXPECT_FALSE(stream.RemoveGroup("b"));
  EXPECT_EQ(stream.FindGroup("b"), nullptr);
  stream.CheckInvariants();
  const auto& then = static_cast<const StreamValue&>(*copy);
  then.CheckInvariants();
  EXPECT_EQ(then.FindGroup("b")->entries_read(), 1);
  EXPECT_EQ(then.FindGroup("a")->pending_count(), 0u);
}

class RandomStream : public testing::TestWithParam<uint32_t> {
 protected:
  std::string Text(size_t size_max) {
    return std::string(random_() % (size_max + 1), static_cast<char>('a' + random_() % 26));
  }
  Fields AnyFields() {
    if (random_() % 3 != 0) return {{"name", Text(20)}, {"age", std::to_string(random_() % 300)}};
    Fields fields;
    for (uint32_t i = random_() % 4; i < 4; ++i) fields.emplace_back(Text(5), Text(200));
    return fields;
  }
  StreamId NextId(StreamId last) {
    if (random_() % 2 == 0) return {last.ms, last.seq + 1 + random_() % 3};
    return {last.ms + 1 + random_() % 3, random_() % 3};
  }

  void ChangeAnything(StreamValue& stream, Model& model) {
    const uint32_t dice = random_() % 100;
    if (dice < 80) {
      const StreamId id = NextId(stream.last_id());
      const Fields fields = AnyFields();
      Append(stream, id, fields,
             {.bytes = node_bytes_max_, .entries = node_entries_min_ + random_() % 30});
      model[id] = fields;
    } else if (dice < 99) {
      if (model.empty()) return;
      const StreamId id = std::next(model.begin(), random_() % model.size())->first;
      EXPECT_TRUE(stream.Erase(id));
      EXPECT_FALSE(stream.Contains(id));
      model.erase(id);
    } else {
      const uint64_t count = random_() % (model.size() + 1) / (1 + random_() % 4);
      stream.EraseFront(count);
      model.erase(model.begin(), std::next(model.begin(), static_cast<ptrdiff_t>(count)));
    }
  }

  void ExpectSomeRange(const StreamValue& stream, const Model& model) {
    const StreamId from{random_() % (stream.last_id().ms + 2), random_() % 4};
    const uint64_t index = stream.CountBefore(from);
    const auto place = model.lower_bound(from);
    ASSERT_EQ(index, static_cast<uint64_t>(std::distance(model.begin(), place)));
    EXPECT_EQ(stream.Contains(from), model.contains(from));
    const uint64_t count = random_() % (stream.size() - index + 1);
    const std::vector<std::pair<StreamId, Fields>> expected(
        place, std::next(place, static_cast<ptrdiff_t>(count)));
    EXPECT_EQ(Range(stream, index, count, false), expected);
    EXPECT_EQ(Range(stream, index, count, true), std::vector(expected.rbegin(), expected.rend()));
    if (index < stream.size()) EXPECT_EQ(FieldsOf(stream.At(index)), place->second);
  }

  std::mt19937 random_{GetParam()};
  uint64_t node_bytes_max_ = 1500;
  uint64_t node_entries_min_ = 1;
};

TEST_P(RandomStream, BehavesAsAMapAndCopiesStayAsTheyWere) {
  CountedMemory memory;
  StreamValue stream(memory);
  Model model;
  std::vector<std::pair<std::unique_ptr<Collection>, Model>> copies;
  for (int step = 0; step < 1500; ++step) {
    ChangeAnything(stream, model);
    ExpectSomeRange(stream, model);
    if (step % 300 == 0) copies.emplace_back(stream.Copy(), model);
    if (step % 50 == 0) ExpectEqual(stream, model);
  }
  ExpectEqual(stream, model);
  for (const auto& [copy, then] : copies) {
    ExpectEqual(static_cast<const StreamValue&>(*copy), then);
  }
}

TEST_P(RandomStream, ThePackedFormHoldsTheSame) {
  node_bytes_max_ = 4096;
  node_entries_min_ = 80;
  CountedMemory memory;
  for (int round = 0; round < 20; ++round) {
    Model model;
    std::string bytes;
    StreamValue(memory).AppendPacked(bytes);
    for (bool is_packed = true; is_packed;) {
      StreamValue stream(memory, bytes);
      ChangeAnything(stream, model);
      ExpectEqual(stream, model);
      is_packed = stream.is_packed();
      if (!is_packed) break;
      std::string changed;
      stream.AppendPacked(changed);
      bytes = changed;  // what the stream may be a view on
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomStream, testing::Range(1u, 7u));

}  // namespace
}  // namespace mikura::engine::collections
