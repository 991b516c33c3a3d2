// SPDX-License-Identifier: Apache-2.0
// Packed collections that are changed where they lie hold what a model holds; a walk that runs
// meanwhile sees what was there when it began.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/collections/hash_value.h"
#include "engine/collections/list_value.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {
namespace {

using collections::HashValue;
using collections::ListValue;

// Keeps the packed bytes of what a walk shows.
class PackedBytes final : public store::EntryConsumer {
 public:
  void Consume(int, const store::Entry& entry) override {
    bytes[std::string(entry.key())] = entry.value();
  }
  std::map<std::string, std::string> bytes;
};

class PackedSplice : public testing::Test {
 protected:
  PackedSplice()
      : keyspace_(std::move(Keyspace::Create({})).value()),
        key_(keyspace_->hasher()("a key with some bytes")),
        keys_(*keyspace_, effects_, 0, {1, true}) {
    keyspace_->lock(key_.shard()).Lock();
  }
  ~PackedSplice() override {
    shard().CheckInvariants();
    keyspace_->lock(key_.shard()).Unlock();
  }

  store::Shard& shard() { return keyspace_->LockedShard(key_.shard()); }
  std::string Text(size_t length_max) {
    return std::string(random_() % (length_max + 1), static_cast<char>('a' + random_() % 26));
  }
  std::string Bytes() { return std::string(keys_.Peek(key_).entry.value()); }
  std::vector<std::string> ListElements() {
    std::vector<std::string> all;
    const auto list = *keys_.View<ListValue>(key_);
    if (!list) return all;
    for (ListValue::Cursor c(*list); !c.at_end(); c.Next()) all.emplace_back(c.element());
    return all;
  }
  std::map<std::string, std::string> HashFields() {
    std::map<std::string, std::string> all;
    const auto hash = *keys_.View<HashValue>(key_);
    if (!hash) return all;
    for (HashValue::Cursor c(*hash); !c.at_end(); c.Next()) {
      all.emplace(c.field().name, c.field().value);
    }
    return all;
  }

  std::mt19937 random_{5};
  std::unique_ptr<Keyspace> keyspace_;
  Effects effects_;
  const Key key_;
  KeyAccess keys_;
};

TEST_F(PackedSplice, AListHoldsWhatAVectorHolds) {
  std::vector<std::string> model;
  for (int round = 0; round < 1500; ++round) {
    auto list = *keys_.Edit<ListValue>(key_);
    const auto changes = random_() % 8 == 0 ? 2u : 1u;  // the first is made in place, or none
    for (unsigned i = 0; i < changes; ++i) {
      const size_t at = random_() % (model.size() + 1);
      const auto place = model.begin() + static_cast<ptrdiff_t>(at);
      const bool grows = model.size() < 60 && random_() % 16 != 0;
      if (at < model.size() && (!grows || random_() % 3 == 0)) {
        const size_t count = std::min<size_t>(1 + random_() % (grows ? 2 : 40), model.size() - at);
        list->Erase(at, count);
        model.erase(place, place + static_cast<ptrdiff_t>(count));
      } else if (at < model.size() && random_() % 2 == 0) {
        const std::string element = Text(random_() % 10 == 0 ? 200 : 25);
        list->Replace(at, element);
        *place = element;
      } else {
        const std::string element = Text(25);
        list->Insert(at, element);
        model.insert(place, element);
      }
    }
    ASSERT_TRUE(list.Commit().ok());
    ASSERT_EQ(ListElements(), model) << round;
  }
}

TEST_F(PackedSplice, AHashHoldsWhatAMapHoldsAndKeepsItsDeadlines) {
  std::map<std::string, std::string> model;
  for (int round = 0; round < 1500; ++round) {
    auto hash = *keys_.Edit<HashValue>(key_);
    const std::string name = "f" + std::to_string(random_() % 30);
    if (random_() % 3 == 0) {
      hash->Erase(name);
      model.erase(name);
    } else {
      const std::string value = Text(40);
      const bool has_deadline = random_() % 50 == 0;
      hash->Set(name, value, has_deadline ? 5'000 + round : collections::kNoFieldDeadline);
      model[name] = value;
    }
    ASSERT_TRUE(hash.Commit().ok());
    ASSERT_EQ(HashFields(), model) << round;
    if (const auto view = *keys_.View<HashValue>(key_)) view->CheckInvariants();
    if (round % 500 == 0) shard().CheckInvariants();
  }
}

TEST_F(PackedSplice, AChangeOfTheSameSizeMovesNothing) {
  auto hash = *keys_.Edit<HashValue>(key_);
  hash->Set("a", "111");
  hash->Set("b", "222");
  ASSERT_TRUE(hash.Commit().ok());
  const char* const before = keys_.Peek(key_).entry.bytes();
  const std::string bytes = Bytes();
  auto again = *keys_.Edit<HashValue>(key_);
  again->Set("a", "333");
  ASSERT_TRUE(again.Commit().ok());
  EXPECT_EQ(keys_.Peek(key_).entry.bytes(), before);
  EXPECT_EQ(Bytes().size(), bytes.size());
  EXPECT_EQ(HashFields(), (std::map<std::string, std::string>{{"a", "333"}, {"b", "222"}}));
}

TEST_F(PackedSplice, AWalkSeesWhatWasThereWhenItBegan) {
  auto list = *keys_.Edit<ListValue>(key_);
  list->PushBack("first");
  ASSERT_TRUE(list.Commit().ok());
  const std::string before = Bytes();
  PackedBytes seen;
  shard().BeginWalk(0, seen);
  auto again = *keys_.Edit<ListValue>(key_);
  again->PushFront("later");
  ASSERT_TRUE(again.Commit().ok());
  while (!shard().WalkStep(0, 64)) {
  }
  EXPECT_EQ(seen.bytes, (std::map<std::string, std::string>{{std::string(key_.name), before}}));
  EXPECT_EQ(ListElements(), (std::vector<std::string>{"later", "first"}));
}

TEST_F(PackedSplice, ADeadlineOfTheKeyStays) {
  auto list = *keys_.Edit<ListValue>(key_);
  list->PushBack("a");
  ASSERT_TRUE(list.Commit().ok());
  store::Found found = keys_.Find(key_);
  ASSERT_TRUE(keys_.SetDeadline(found, key_, 1000).ok());
  for (int i = 0; i < 40; ++i) {  // over several size classes
    auto again = *keys_.Edit<ListValue>(key_);
    again->PushBack("some more bytes");
    ASSERT_TRUE(again.Commit().ok());
    ASSERT_EQ(keys_.Peek(key_).entry.deadline(), 1000);
  }
  EXPECT_EQ(ListElements().size(), 41u);
}

}  // namespace
}  // namespace mikura::engine
