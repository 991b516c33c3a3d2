// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/own_deadlines.h"

#include <gtest/gtest.h>

#include <string>

#include "base/check.h"
#include "engine/collections/hash_value.h"
#include "engine/keyspace/collection_access.h"
#include "engine/keyspace/expiry_job.h"
#include "engine/keyspace/keyspace.h"

namespace mikura::engine {
namespace {

constexpr UnixMillis kNow = 1'750'000'000'000;

// A replica that takes writes of clients, on a clock moved by hand.
class OwnDeadlinesTest : public testing::Test {
 protected:
  OwnDeadlinesTest() {
    keyspace_->set_may_expire(false);
    keyspace_->WithGate({}, [this] {
      keyspace_->change_log().SetActive(true);
      keyspace_->change_log().SetFollows(true);
    });
  }

  // Runs `run` with the rights of a client, or of what the primary sends, and commits.
  template <typename Run>
  void With(const std::string& name, const store::Access& access, const Run& run,
            int database = 0) {
    const Key key = keyspace_->hasher()(name);
    Effects effects;
    KeyAccess keys(*keyspace_, effects, database, access);
    keyspace_->RunLocked(key, access.now, effects, [&] {
      run(keys, key);
      effects.Add(database, {"CHANGED", name});
      return true;
    });
  }
  void Set(const std::string& name, UnixMillis deadline, int database = 0) {
    With(
        name, keyspace_->AccessAt(now_),
        [&](KeyAccess& keys, const Key& key) {
          CHECK(keys.SetString(key, "v", {.deadline = deadline}).ok());
        },
        database);
  }
  void SetByPrimary(const std::string& name, UnixMillis deadline) {
    With(name, {0, false}, [&](KeyAccess& keys, const Key& key) {
      CHECK(keys.SetString(key, "v", {.deadline = deadline}).ok());
    });
  }
  void SetDeadline(const std::string& name, UnixMillis deadline) {
    With(name, keyspace_->AccessAt(now_), [&](KeyAccess& keys, const Key& key) {
      store::Found found = keys.Find(key);
      CHECK(found && keys.SetDeadline(found, key, deadline).ok());
    });
  }
  void SetField(const std::string& name, const std::string& field, UnixMillis deadline) {
    With(name, keyspace_->AccessAt(now_), [&](KeyAccess& keys, const Key& key) {
      auto hash = keys.Edit<collections::HashValue>(key);
      CHECK(hash.ok());
      (*hash)->Set(field, "v", deadline);
      CHECK(hash->Commit().ok());
    });
  }
  void RunUntil(UnixMillis end) {
    while (now_ < end) now_ = std::min(end, std::max(job_.Run(now_), now_ + 1));
    job_.Run(now_);
  }
  OwnDeadlines& own() { return keyspace_->own_deadlines(); }

  static std::unique_ptr<Keyspace> MakeKeyspace() {
    auto made = Keyspace::Create({.database_count = 2, .hash_seed = 7});
    CHECK(made.ok());
    return std::move(*made);
  }

  std::unique_ptr<Keyspace> keyspace_ = MakeKeyspace();
  UnixMillis now_ = kNow;
  ExpiryJob job_{*keyspace_, 0, kShardCount};
};

TEST_F(OwnDeadlinesTest, WhatAClientOfTheReplicaSetGoesAtItsDeadlineAndNothingElse) {
  Set("own", kNow + 100);
  Set("own in another database", kNow + 100, 1);
  Set("stays", store::kNoDeadline);
  SetByPrimary("the primary's", kNow + 100);
  EXPECT_EQ(own().count(), 2u);
  RunUntil(kNow + 99);
  EXPECT_EQ(keyspace_->KeyCount(0), 3u);
  RunUntil(kNow + 100 + ExpiryJob::kPauseMax);
  EXPECT_EQ(keyspace_->KeyCount(0), 2u);
  EXPECT_EQ(keyspace_->KeyCount(1), 0u);
  EXPECT_EQ(own().count(), 0u);
  EXPECT_EQ(keyspace_->ExpiredTotal(), 2u);
}

TEST_F(OwnDeadlinesTest, NothingOfThatIsLogged) {
  const Lsn before = keyspace_->change_log().head();
  Set("own", kNow + 100);
  EXPECT_TRUE(keyspace_->change_log().has_own_changes());
  RunUntil(kNow + 200);
  Effects effects;
  keyspace_->FlushAll(effects);
  EXPECT_EQ(keyspace_->change_log().head(), before);
}

TEST_F(OwnDeadlinesTest, ALaterDeadlineIsHeededAndAnEarlierOne) {
  Set("later", kNow + 100);
  SetDeadline("later", kNow + 300);
  Set("earlier", kNow + 900);
  SetDeadline("earlier", kNow + 100);
  Set("none", kNow + 100);
  SetDeadline("none", store::kNoDeadline);
  EXPECT_EQ(own().count(), 3u);
  RunUntil(kNow + 200);
  EXPECT_EQ(keyspace_->KeyCount(0), 2u);
  EXPECT_EQ(own().count(), 1u);
  RunUntil(kNow + 400);
  EXPECT_EQ(keyspace_->KeyCount(0), 1u);
  EXPECT_EQ(own().count(), 0u);
}

// The primary set it anew meanwhile: whatever its deadline, it is looked at by that.
TEST_F(OwnDeadlinesTest, AKeyThatThePrimaryReplacedStaysAsItSays) {
  Set("k", kNow + 100);
  SetByPrimary("k", store::kNoDeadline);
  RunUntil(kNow + 500);
  EXPECT_EQ(keyspace_->KeyCount(0), 1u);
  EXPECT_EQ(own().count(), 0u);
}

TEST_F(OwnDeadlinesTest, FieldsGoToo) {
  SetField("h", "a", kNow + 100);
  SetField("h", "b", kNow + 300);
  RunUntil(kNow + 200);
  const Key key = keyspace_->hasher()("h");
  {
    Effects effects;
    KeyAccess keys(*keyspace_, effects, 0, keyspace_->AccessAt(now_));
    ShardGuard guard(keyspace_->lock(key.shard()));
    const auto hash = keys.View<collections::HashValue>(key);
    ASSERT_TRUE(hash.ok() && *hash);
    EXPECT_EQ((*hash)->size(), 1u);
  }
  RunUntil(kNow + 400);
  EXPECT_EQ(keyspace_->KeyCount(0), 0u);
}

TEST_F(OwnDeadlinesTest, ManyGoInTurnsThatAreBounded) {
  constexpr size_t kKeys = 10'000;
  for (size_t i = 0; i < kKeys; ++i) Set("k" + std::to_string(i), kNow + 10);
  now_ = kNow + 10;
  size_t turns = 0;
  for (uint64_t left = kKeys; left > 0; ++turns) {
    job_.Run(now_);
    const uint64_t after = keyspace_->KeyCount(0);
    ASSERT_LT(after, left);
    ASSERT_LE(left - after, ExpiryJob::kTurnEntries);
    left = after;
  }
  EXPECT_EQ(turns, kKeys / ExpiryJob::kTurnEntries + 1);
}

TEST_F(OwnDeadlinesTest, NothingGoesWhileAnythingElseForbidsIt) {
  Set("k", kNow + 10);
  keyspace_->set_held_up(true);
  RunUntil(kNow + 200);
  EXPECT_EQ(keyspace_->KeyCount(0), 1u);
  keyspace_->set_held_up(false);
  RunUntil(kNow + 300);
  EXPECT_EQ(keyspace_->KeyCount(0), 0u);
}

TEST_F(OwnDeadlinesTest, AFlushForgetsThem) {
  Set("k", kNow + 10);
  Effects effects;
  keyspace_->FlushAll(effects);
  EXPECT_EQ(own().count(), 0u);
  SetByPrimary("k", kNow + 10);
  RunUntil(kNow + 200);
  EXPECT_EQ(keyspace_->KeyCount(0), 1u);
}

TEST_F(OwnDeadlinesTest, APrimaryNotesNothing) {
  keyspace_->WithGate({}, [this] { keyspace_->change_log().SetFollows(false); });
  Set("k", kNow + 100);  // it may be paused
  keyspace_->set_may_expire(true);
  Set("l", kNow + 100);
  EXPECT_EQ(own().count(), 0u);
  EXPECT_FALSE(keyspace_->change_log().has_own_changes());
  EXPECT_GT(keyspace_->change_log().head(), 0);
}

}  // namespace
}  // namespace mikura::engine
