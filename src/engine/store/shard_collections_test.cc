// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/collections/sequence.h"
#include "engine/store/store_test_helpers.h"

namespace mikura::engine::store {
namespace {

using collections::Collection;
using collections::CollectionType;

uint64_t NoOrder(std::string_view) { return 0; }

// A list that is nothing but its tree.
class TestList final : public Collection {
 public:
  explicit TestList(collections::NodeMemory& memory) : tree(memory, NoOrder) {}
  CollectionType type() const override { return CollectionType::kList; }
  Collection* Copy() const override { return new TestList(*this); }
  size_t memory_bytes() const override { return sizeof *this + tree.memory_bytes(); }

  collections::ElementTree tree;
};

class CollectionsOfAShard : public testing::Test {
 protected:
  ~CollectionsOfAShard() override { shard().CheckInvariants(); }

  Shard& shard() { return keys_.shard(); }
  TestList& MakeList(std::string_view name, int elements) {
    auto* const list = new TestList(shard().node_memory());
    for (int i = 0; i < elements; ++i) list->tree.Append("element " + std::to_string(i));
    CHECK(shard().SetCollection(0, keys_.key(name), list, kNoDeadline, keys_.access()).ok());
    keys_.allocator().collections().Release(list);
    return *list;
  }
  TestList& Change(std::string_view name) {
    Found found = keys_.Find(name);
    auto collection = shard().ExclusiveCollection(found, keys_.key(name));
    CHECK(collection.ok());
    return static_cast<TestList&>(**collection);
  }
  void Append(std::string_view name, std::string_view element) {
    TestList& list = Change(name);
    const size_t before = list.memory_bytes();
    list.tree.Append(element);
    shard().NoteCollectionBytes(
        0, static_cast<int64_t>(list.memory_bytes()) - static_cast<int64_t>(before));
  }

  TestShard keys_;
};

TEST_F(CollectionsOfAShard, PackedBytesKeepTheirTypeAndAreReplacedByAString) {
  ASSERT_TRUE(
      shard()
          .SetPacked(0, keys_.key("h"), ValueType::kHash, "packed", kNoDeadline, keys_.access())
          .ok());
  EXPECT_EQ(keys_.Find("h").entry.type(), ValueType::kHash);
  EXPECT_EQ(keys_.Find("h").entry.value(), "packed");
  EXPECT_EQ(keys_.Find("h").entry.collection(), nullptr);
  keys_.Set("h", "string");
  EXPECT_EQ(keys_.Find("h").entry.type(), ValueType::kString);
}

TEST_F(CollectionsOfAShard, MemoryOfAnObjectIsCountedAndGivenBack) {
  const int64_t before = keys_.allocator().gauge().ExactBytes();
  MakeList("l", 1000);
  Append("l", std::string(3000, 'x'));
  shard().CheckInvariants();
  EXPECT_GT(keys_.allocator().gauge().ExactBytes(), before + 15000);
  keys_.Set("l", "short");
  EXPECT_LT(keys_.allocator().gauge().ExactBytes(), before + 5000);
  EXPECT_FALSE(keys_.allocator().collections().has_queued());
}

TEST_F(CollectionsOfAShard, ALargeObjectIsLeftToWhoeverDeletesTheQueue) {
  MakeList("l", 10000);
  const int64_t before = keys_.allocator().gauge().ExactBytes();
  EXPECT_TRUE(keys_.Erase("l"));
  EXPECT_TRUE(keys_.allocator().collections().has_queued());
  keys_.allocator().collections().DeleteQueued();
  EXPECT_FALSE(keys_.allocator().collections().has_queued());
  EXPECT_LT(keys_.allocator().gauge().ExactBytes(), before - 100000);
}

TEST_F(CollectionsOfAShard, ACopiedKeyChangesByItself) {
  MakeList("a", 100);
  ASSERT_TRUE(
      shard().CopyFrom(keys_.Find("a").entry, 0, keys_.key("b"), kNoDeadline, keys_.access()).ok());
  EXPECT_EQ(keys_.Find("a").entry.collection(), keys_.Find("b").entry.collection());
  Append("a", "more");
  EXPECT_EQ(static_cast<TestList*>(keys_.Find("a").entry.collection())->tree.size(), 101u);
  EXPECT_EQ(static_cast<TestList*>(keys_.Find("b").entry.collection())->tree.size(), 100u);
}

// Takes a share of each object, as a snapshot does.
class SharingConsumer final : public EntryConsumer {
 public:
  void Consume(int, const Entry& entry) override {
    taken = static_cast<TestList*>(entry.collection());
    if (taken != nullptr) taken->Acquire();
  }
  TestList* taken = nullptr;
};

TEST_F(CollectionsOfAShard, AWalkKeepsTheObjectAsItWasWhenItBegan) {
  MakeList("l", 100);
  SharingConsumer consumer;
  shard().BeginWalk(0, consumer);
  Append("l", "later");
  ASSERT_NE(consumer.taken, nullptr);
  EXPECT_EQ(consumer.taken->tree.size(), 100u);
  EXPECT_EQ(static_cast<TestList*>(keys_.Find("l").entry.collection())->tree.size(), 101u);
  while (!shard().WalkStep(0, 10)) {
  }
  keys_.allocator().collections().Release(consumer.taken);
}

TEST_F(CollectionsOfAShard, ADeadlineIsKeptOrDroppedAsTheCallerSays) {
  MakeList("l", 10);
  Found found = keys_.Find("l");
  const UnixMillis deadline = keys_.clock().NowMillis() + 50;
  ASSERT_TRUE(shard().SetDeadline(found, keys_.key("l"), deadline).ok());
  EXPECT_EQ(keys_.Find("l").entry.deadline(), deadline);
  Append("l", "x");
  EXPECT_EQ(keys_.Find("l").entry.deadline(), deadline);
  keys_.clock().Advance(std::chrono::milliseconds(50));
  EXPECT_FALSE(keys_.Find("l"));
  EXPECT_EQ(keys_.expired().size(), 1u);
}

}  // namespace
}  // namespace mikura::engine::store
