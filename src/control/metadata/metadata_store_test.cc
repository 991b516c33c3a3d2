// SPDX-License-Identifier: Apache-2.0
// What every MetadataStore does, run against each implementation.
#include "control/metadata/metadata_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "control/metadata/memory_store.h"
#include "control/metadata/sqlite_store.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;

std::string FreshPath() {
  std::string directory = ::testing::TempDir() + "mikura-store-XXXXXX";
  CHECK(mkdtemp(directory.data()) != nullptr);
  return directory + "/metadata.sqlite";
}

class AnyStore : public ::testing::TestWithParam<const char*> {
 protected:
  AnyStore() {
    if (std::string_view(GetParam()) == "memory") {
      store_ = std::make_unique<MemoryStore>();
    } else {
      path_ = FreshPath();
      store_ = SqliteStore::Open(path_).value();
    }
  }
  ~AnyStore() override {
    store_.reset();
    if (!path_.empty()) {
      std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
    }
  }

  Revision Put(std::string key, std::string value) {
    return **store_->Transact({}, {Write::Put(std::move(key), std::move(value))});
  }
  std::vector<std::string> Keys(std::string_view prefix) {
    std::vector<std::string> keys;
    const auto listed = store_->List(prefix);
    for (const KeyValue& kv : *listed) keys.push_back(kv.key);
    return keys;
  }

  std::string path_;
  std::unique_ptr<MetadataStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, AnyStore, ::testing::Values("memory", "sqlite"));

TEST_P(AnyStore, AnAbsentKeyHasNoValue) { EXPECT_FALSE(store_->Get("/a")->has_value()); }

TEST_P(AnyStore, AKeyRemembersWhenItWasCreatedAndLastChanged) {
  const Revision first = Put("/a", "1");
  const Revision second = Put("/a", "2");
  const auto kv = *store_->Get("/a");
  ASSERT_TRUE(kv.has_value());
  EXPECT_EQ(kv->value, "2");
  EXPECT_EQ(kv->create_revision, first);
  EXPECT_EQ(kv->mod_revision, second);
  EXPECT_EQ(second, first + 1);
}

TEST_P(AnyStore, AllWritesOfATransactionCarryItsRevision) {
  const auto revision = *store_->Transact({}, {Write::Put("/a", "1"), Write::Put("/b", "2")});
  EXPECT_EQ((*store_->Get("/a"))->mod_revision, *revision);
  EXPECT_EQ((*store_->Get("/b"))->mod_revision, *revision);
}

TEST_P(AnyStore, ATransactionWithoutWritesLeavesTheRevision) {
  const Revision before = Put("/a", "1");
  EXPECT_EQ(**store_->Transact({Compare::Present("/a")}, {}), before);
  EXPECT_EQ(Put("/a", "2"), before + 1);
}

TEST_P(AnyStore, AFailedCompareWritesNothing) {
  Put("/a", "1");
  const auto result =
      *store_->Transact({Compare::Absent("/b"), Compare::Absent("/a")}, {Write::Put("/b", "2")});
  EXPECT_FALSE(result.has_value());
  EXPECT_FALSE(store_->Get("/b")->has_value());
}

TEST_P(AnyStore, OnlyTheReaderOfTheLatestValueMayReplaceIt) {
  Put("/a", "1");
  const KeyValue seen = **store_->Get("/a");
  EXPECT_TRUE(store_->Transact({Compare::Unchanged(seen)}, {Write::Put("/a", "2")})->has_value());
  EXPECT_FALSE(store_->Transact({Compare::Unchanged(seen)}, {Write::Put("/a", "3")})->has_value());
  EXPECT_EQ((*store_->Get("/a"))->value, "2");
}

TEST_P(AnyStore, AKeyThatWasDeletedAndMadeAnewIsNotUnchanged) {
  Put("/a", "1");
  const KeyValue seen = **store_->Get("/a");
  ASSERT_TRUE(store_->Transact({}, {Write::Delete("/a")}).ok());
  Put("/a", "1");
  EXPECT_FALSE(store_->Transact({Compare::Unchanged(seen)}, {Write::Put("/a", "3")})->has_value());
}

TEST_P(AnyStore, ComparesSeePresence) {
  EXPECT_FALSE(store_->Transact({Compare::Present("/a")}, {Write::Put("/b", "")})->has_value());
  Put("/a", "");
  EXPECT_TRUE(store_->Transact({Compare::Present("/a")}, {Write::Put("/b", "")})->has_value());
}

TEST_P(AnyStore, ListsAPrefixInByteOrderAndNothingElse) {
  for (const char* key : {"/x/b", "/x/a/2", "/x", "/x0", "/w", "/x/a-1", "/y"}) Put(key, "");
  EXPECT_THAT(Keys("/x/"), ElementsAre("/x/a-1", "/x/a/2", "/x/b"));
  EXPECT_THAT(Keys(""), ElementsAre("/w", "/x", "/x/a-1", "/x/a/2", "/x/b", "/x0", "/y"));
  EXPECT_THAT(Keys("/z"), ElementsAre());
}

TEST_P(AnyStore, DeletesAPrefix) {
  for (const char* key : {"/x/a", "/x/b", "/x", "/x0"}) Put(key, "");
  ASSERT_TRUE(store_->Transact({}, {Write::DeletePrefix("/x/")}).ok());
  EXPECT_THAT(Keys(""), ElementsAre("/x", "/x0"));
}

TEST_P(AnyStore, TheLastOfSeveralWritesToAKeyHolds) {
  ASSERT_TRUE(
      store_->Transact({}, {Write::Put("/a", "1"), Write::Delete("/a"), Write::Put("/a", "2")})
          .ok());
  EXPECT_EQ((*store_->Get("/a"))->value, "2");
}

TEST_P(AnyStore, KeepsBytesAsTheyAre) {
  const std::string value =
      "{\"quote\":\"it's\\u00e9\",\"long\":\"" + std::string(70000, 'x') + "\"}";
  Put("/a", value);
  EXPECT_EQ((*store_->Get("/a"))->value, value);
}

TEST_P(AnyStore, TellsAWatcherOfItsPrefixOnceForEachTransaction) {
  int calls = 0;
  const auto handle = store_->Watch("/x/", [&] { ++calls; });
  Put("/y", "");
  EXPECT_EQ(calls, 0);
  ASSERT_TRUE(store_->Transact({}, {Write::Put("/x/a", ""), Write::Put("/x/b", "")}).ok());
  EXPECT_EQ(calls, 1);
  ASSERT_TRUE(store_->Transact({}, {Write::DeletePrefix("/")}).ok());
  EXPECT_EQ(calls, 2);
  ASSERT_FALSE(store_->Transact({Compare::Present("/no")}, {Write::Put("/x/a", "")})->has_value());
  EXPECT_EQ(calls, 2);
}

TEST_P(AnyStore, AWatcherMayReadTheStoreAndSeesTheChange) {
  std::string seen;
  const auto handle = store_->Watch("/x", [&] { seen = (*store_->Get("/x"))->value; });
  Put("/x", "new");
  EXPECT_EQ(seen, "new");
}

TEST_P(AnyStore, AnEndedWatchIsNotCalled) {
  int calls = 0;
  auto handle = store_->Watch("/", [&] { ++calls; });
  handle.reset();
  Put("/x", "");
  EXPECT_EQ(calls, 0);
}

TEST_P(AnyStore, OfManyThreadsThatCompareAndSetEachIncrementCountsOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  Put("/n", "0");
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int done = 0; done < kEach;) {
        const KeyValue seen = **store_->Get("/n");
        const std::string next = std::to_string(std::stoi(seen.value) + 1);
        if (store_->Transact({Compare::Unchanged(seen)}, {Write::Put("/n", next)})->has_value()) {
          ++done;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ((*store_->Get("/n"))->value, std::to_string(kThreads * kEach));
}

}  // namespace
}  // namespace mikura::control
