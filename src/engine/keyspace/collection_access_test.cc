// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/collection_access.h"

#include <gtest/gtest.h>

#include "engine/collections/sequence.h"

namespace mikura::engine {
namespace {

using collections::Collection;
using collections::CollectionType;
using collections::NodeMemory;
using collections::Sequence;

uint64_t NoOrder(std::string_view) { return 0; }

// A list as the types are made: the number of elements, then the packed elements.
class TestList final : public Collection {
 public:
  static constexpr CollectionType kType = CollectionType::kList;
  explicit TestList(NodeMemory& memory) : elements(memory, NoOrder) {}
  TestList(NodeMemory& memory, std::string_view packed)
      : elements(memory, NoOrder, packed.substr(1), static_cast<uint8_t>(packed[0])) {}

  bool is_packed() const { return elements.is_packed(); }
  bool empty() const { return elements.empty(); }
  void AppendPacked(std::string& out) const {
    out.push_back(static_cast<char>(elements.size()));
    out.append(elements.packed());
  }
  CollectionType type() const override { return kType; }
  Collection* Copy() const override { return new TestList(*this); }
  size_t memory_bytes() const override { return sizeof *this + elements.memory_bytes(); }

  Sequence elements;
};

class TouchCounter final : public KeyObserver {
 public:
  void OnTouched(int, const Key&) override { ++touched; }
  int touched = 0;
};

class CollectionAccess : public testing::Test {
 protected:
  CollectionAccess()
      : keyspace_(std::move(Keyspace::Create({})).value()),
        key_(keyspace_->hasher()("l")),
        keys_(*keyspace_, effects_, 0, {1, true}) {
    keyspace_->SetKeyObserver(KeyObserverKind::kWatch, &touches_);
    keyspace_->SetObserved(key_.shard(), KeyObserverKind::kWatch, true);
    keyspace_->lock(key_.shard()).Lock();
  }
  ~CollectionAccess() override {
    keyspace_->LockedShard(key_.shard()).CheckInvariants();
    keyspace_->lock(key_.shard()).Unlock();
  }

  CollectionEdit<TestList> Edit() { return *keys_.Edit<TestList>(key_); }
  uint64_t Size() { return (*keys_.View<TestList>(key_))->elements.size(); }

  std::unique_ptr<Keyspace> keyspace_;
  Effects effects_;
  TouchCounter touches_;
  const Key key_;
  KeyAccess keys_;
};

TEST_F(CollectionAccess, AnAbsentKeyComesIntoBeingWithTheCommit) {
  EXPECT_FALSE(*keys_.View<TestList>(key_));
  auto list = Edit();
  EXPECT_FALSE(list.existed());
  list->elements.Append("a");
  EXPECT_FALSE(keys_.Find(key_));
  EXPECT_FALSE(*list.Commit());
  EXPECT_EQ(Size(), 1u);
  EXPECT_EQ(touches_.touched, 1);
}

TEST_F(CollectionAccess, AnEmptyCollectionTakesItsKeyWithIt) {
  auto list = Edit();
  list->elements.Append("a");
  EXPECT_FALSE(*list.Commit());
  auto again = Edit();
  again->elements.Erase(0);
  EXPECT_TRUE(*again.Commit());
  EXPECT_FALSE(keys_.Find(key_));
  EXPECT_FALSE(*Edit().Commit());
}

TEST_F(CollectionAccess, ADeadlineSurvivesAndAReplacementDropsIt) {
  auto list = Edit();
  list->elements.Append("a");
  EXPECT_FALSE(*list.Commit());
  store::Found found = keys_.Find(key_);
  ASSERT_TRUE(keys_.SetDeadline(found, key_, 1000).ok());
  auto again = Edit();
  again->elements.Append("b");
  EXPECT_FALSE(*again.Commit());
  EXPECT_EQ(keys_.Find(key_).entry.deadline(), 1000);
  TestList other(keys_.node_memory());
  other.elements.Append("c");
  EXPECT_FALSE(*keys_.StoreCollection(key_, std::move(other)));
  EXPECT_EQ(keys_.Find(key_).entry.deadline(), store::kNoDeadline);
}

TEST_F(CollectionAccess, ALargeOneIsAnObjectAndChangesInPlace) {
  auto list = Edit();
  for (int i = 0; i < 1000; ++i) list->elements.Append("element");
  ASSERT_TRUE(list->elements.is_overfull());
  list->elements.Unpack();
  EXPECT_FALSE(*list.Commit());
  const Collection* const object = keys_.Find(key_).entry.collection();
  ASSERT_NE(object, nullptr);
  auto again = Edit();
  again->elements.Erase(0, 500);
  EXPECT_FALSE(*again.Commit());
  EXPECT_EQ(keys_.Find(key_).entry.collection(), object);
  EXPECT_EQ(Size(), 500u);
  auto last = Edit();
  last->elements.Clear();
  EXPECT_TRUE(*last.Commit());
}

TEST_F(CollectionAccess, AnotherTypeIsRefused) {
  ASSERT_TRUE(keys_.SetString(key_, "string", {}).ok());
  EXPECT_EQ(keys_.View<TestList>(key_).error(), Fault::kWrongType);
  EXPECT_EQ(keys_.Edit<TestList>(key_).error(), Fault::kWrongType);
}

}  // namespace
}  // namespace mikura::engine
