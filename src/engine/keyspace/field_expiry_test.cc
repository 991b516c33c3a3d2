// SPDX-License-Identifier: Apache-2.0
// Fields of hashes go at their deadlines, without being touched.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "base/check.h"
#include "engine/collections/hash_value.h"
#include "engine/keyspace/collection_access.h"
#include "engine/keyspace/expiry_job.h"

namespace mikura::engine {
namespace {

using collections::HashValue;
using collections::kNoFieldDeadline;

constexpr UnixMillis kNow = 1'750'000'000'000;
constexpr UnixMillis kLateMost = 32 + ExpiryJob::kPauseMax;

class FieldExpiry : public testing::Test, public KeyEventSink {
 protected:
  FieldExpiry() {
    keyspace_->SetEventSink(this);
    keyspace_->set_event_mask(UINT32_MAX);
  }
  ~FieldExpiry() override {
    for (uint32_t i = 0; i < kShardCount; ++i) {
      ShardGuard guard(keyspace_->lock(i));
      keyspace_->LockedShard(i).CheckInvariants();
    }
  }

  void OnEvent(EventClass, std::string_view event, int, const Key& key) override {
    ++events_[std::string(event) + " " + std::string(key.name)];
  }

  // Runs `change` on a hash and stores it.
  template <typename Change>
  void Edit(std::string_view name, const Change& change) {
    WithKeys(name, [&](KeyAccess& keys, const Key& key) {
      auto hash = keys.Edit<HashValue>(key);
      CHECK(hash.ok());
      change(**hash);
      CHECK(hash->Commit().ok());
    });
  }
  void Set(std::string_view name, const std::string& field, UnixMillis deadline) {
    Edit(name, [&](HashValue& hash) { hash.Set(field, "value", deadline); });
  }

  template <typename Run>
  void WithKeys(std::string_view name, const Run& run) {
    const Key key = keyspace_->hasher()(name);
    ShardGuard guard(keyspace_->lock(key.shard()));
    KeyAccess keys(*keyspace_, effects_, 0, keyspace_->AccessAt(now_));
    run(keys, key);
  }

  // The fields of a hash, due ones included; -1 without key.
  int64_t Size(std::string_view name) {
    int64_t size = -1;
    WithKeys(name, [&](KeyAccess& keys, const Key& key) {
      auto hash = keys.View<HashValue>(key);
      CHECK(hash.ok());
      if (*hash) size = static_cast<int64_t>((*hash)->size());
    });
    return size;
  }

  void RunUntil(UnixMillis end) {
    for (;;) {
      const UnixMillis next = job_.Run(now_);
      if (next > end) break;
      now_ = std::max(next, now_ + 1);
    }
    now_ = end;
  }

  static std::unique_ptr<Keyspace> MakeKeyspace() {
    auto made = Keyspace::Create({.database_count = 2, .hash_seed = 7});
    CHECK(made.ok());
    return std::move(*made);
  }

  std::map<std::string, int> events_;
  std::unique_ptr<Keyspace> keyspace_ = MakeKeyspace();
  Effects effects_;
  UnixMillis now_ = kNow;
  ExpiryJob job_{*keyspace_, 0, kShardCount};
};

TEST_F(FieldExpiry, AFieldGoesAtItsDeadlineAndTheKeyWithTheLastOne) {
  Set("h", "stays", now_ + 1000);
  Set("h", "goes", now_ + 300);
  RunUntil(kNow + 299);
  EXPECT_EQ(Size("h"), 2);
  RunUntil(kNow + 300 + kLateMost);
  EXPECT_EQ(Size("h"), 1);
  EXPECT_EQ(events_["hexpired h"], 1);
  EXPECT_EQ(events_["del h"], 0);
  RunUntil(kNow + 1000 + kLateMost);
  EXPECT_EQ(Size("h"), -1);
  EXPECT_EQ(events_["hexpired h"], 2);
  EXPECT_EQ(events_["del h"], 1);
}

TEST_F(FieldExpiry, AnEarlierDeadlineInALargeHashIsNoticed) {
  for (int i = 0; i < 2000; ++i) Set("h", std::to_string(i), kNoFieldDeadline);
  Set("h", "7", now_ + 100'000);
  Set("h", "8", now_ + 200);
  RunUntil(kNow + 200 + kLateMost);
  EXPECT_EQ(Size("h"), 1999);
  Edit("h", [&](HashValue& hash) { hash.SetDeadline("7", kNow + 1000); });
  RunUntil(kNow + 1000 + kLateMost);
  EXPECT_EQ(Size("h"), 1998);
}

TEST_F(FieldExpiry, ADeadlineThatWasTakenAwayOrMovedRemovesNothing) {
  Set("h", "persists", now_ + 100);
  Set("h", "later", now_ + 100);
  Edit("h", [](HashValue& hash) { hash.SetDeadline("persists", kNoFieldDeadline); });
  Edit("h", [](HashValue& hash) { hash.SetDeadline("later", kNow + 5000); });
  RunUntil(kNow + 4000);
  EXPECT_EQ(Size("h"), 2);
  RunUntil(kNow + 5000 + kLateMost);
  EXPECT_EQ(Size("h"), 1);
}

TEST_F(FieldExpiry, TheKeysOwnDeadlineMayComeBeforeOrAfter) {
  for (const char* name : {"first", "last"}) Set(name, "f", now_ + 1000);
  Set("last", "other", kNoFieldDeadline);
  const auto expire = [&](const char* name, UnixMillis deadline) {
    WithKeys(name, [&](KeyAccess& keys, const Key& key) {
      store::Found found = keys.Find(key);
      CHECK(keys.SetDeadline(found, key, deadline).ok());
    });
  };
  expire("first", now_ + 500);
  expire("last", now_ + 2000);
  RunUntil(kNow + 500 + kLateMost);
  EXPECT_EQ(Size("first"), -1);
  EXPECT_EQ(events_["hexpired first"], 0);
  RunUntil(kNow + 1000 + kLateMost);
  EXPECT_EQ(Size("last"), 1);
  RunUntil(kNow + 2000 + kLateMost);
  EXPECT_EQ(Size("last"), -1);
}

TEST_F(FieldExpiry, ACopyLosesItsFieldsToo) {
  for (const int fields : {1, 2000}) {
    const std::string name = "h" + std::to_string(fields);
    for (int i = 0; i < fields; ++i) Set(name, std::to_string(i), now_ + 500);
    WithKeys(name, [&](KeyAccess& keys, const Key& key) {
      KeyAccess other = keys.InDatabase(1);
      CHECK(other.CopyFrom(keys.Find(key).entry, key, store::kNoDeadline).ok());
    });
  }
  EXPECT_EQ(keyspace_->KeyCount(1), 2u);
  RunUntil(kNow + 700);
  EXPECT_EQ(keyspace_->KeyCount(0), 0u);
  EXPECT_EQ(keyspace_->KeyCount(1), 0u);
}

TEST_F(FieldExpiry, VeryManyAtOnceGoInTurnsThatAreBounded) {
  constexpr int kFields = 20'000;
  Edit("h", [&](HashValue& hash) {
    for (int i = 0; i < kFields; ++i) hash.Set(std::to_string(i), "v", kNow + 100);
  });
  now_ = kNow + 100 + kLateMost;
  int turns = 0;
  int64_t before = kFields;
  while (job_.Run(now_) == now_) {
    ++turns;
    const int64_t left = std::max<int64_t>(Size("h"), 0);
    EXPECT_LE(before - left, static_cast<int64_t>(ExpiryJob::kTurnEntries));
    before = left;
  }
  EXPECT_EQ(Size("h"), -1);
  EXPECT_GE(turns, 9);
}

TEST_F(FieldExpiry, OnAReplicaNothingGoesUntilThePrimarySaysSo) {
  keyspace_->set_may_expire(false);
  Set("h", "f", now_ + 100);
  RunUntil(kNow + 1000);
  EXPECT_EQ(Size("h"), 1);
  keyspace_->set_may_expire(true);
  RunUntil(kNow + 1000 + kLateMost);
  EXPECT_EQ(Size("h"), -1);
}

class TextReader final : public LogReader {
 public:
  void OnBytes(std::span<const LogSlice> slices) override {
    for (const LogSlice& slice : slices) text.append(slice.bytes());
  }
  std::string text;
};

TEST_F(FieldExpiry, TheChangeLogSaysWhichFieldsWent) {
  TextReader reader;
  Set("h", "a", now_ + 100);
  Set("h", "b", now_ + 101);
  Set("h", "c", kNoFieldDeadline);
  keyspace_->change_log().AddReader(reader);
  keyspace_->change_log().SetActive(true);
  now_ = kNow + 101 + kLateMost;
  while (job_.Run(now_) == now_) {
  }
  keyspace_->change_log().Drain();
  keyspace_->change_log().RemoveReader(reader);
  EXPECT_EQ(reader.text,
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
            "*4\r\n$4\r\nHDEL\r\n$1\r\nh\r\n$1\r\na\r\n$1\r\nb\r\n");
}

TEST_F(FieldExpiry, RandomHashesKeepWhatIsNotDue) {
  std::mt19937 random(5);
  std::map<std::string, std::map<std::string, UnixMillis>> model;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 40; ++i) {
      const std::string name = "h" + std::to_string(random() % 30);
      const std::string field = std::to_string(random() % (random() % 2 == 0 ? 5 : 1000));
      const UnixMillis deadline = random() % 3 == 0
                                      ? kNoFieldDeadline
                                      : now_ + 1 + static_cast<UnixMillis>(random() % 3000);
      if (random() % 50 == 0) {
        WithKeys(name, [](KeyAccess& keys, const Key& key) { keys.Erase(key); });
        model.erase(name);
      } else if (random() % 4 == 0) {
        Edit(name, [&](HashValue& hash) { hash.Erase(field); });
        model[name].erase(field);
      } else {
        Set(name, field, deadline);
        model[name][field] = deadline;
      }
    }
    RunUntil(now_ + 1 + static_cast<UnixMillis>(random() % 200));
    RunUntil(now_ + kLateMost);
    for (auto& [name, fields] : model) {
      std::erase_if(fields, [&](const auto& one) { return one.second <= now_ - kLateMost; });
      int64_t certain = static_cast<int64_t>(fields.size());
      std::erase_if(fields, [&](const auto& one) { return one.second <= now_; });
      const int64_t live = static_cast<int64_t>(fields.size());
      // What became due just now may have gone or not.
      EXPECT_LE(std::max<int64_t>(Size(name), 0), certain);
      EXPECT_GE(std::max<int64_t>(Size(name), 0), live);
    }
  }
}

}  // namespace
}  // namespace mikura::engine
