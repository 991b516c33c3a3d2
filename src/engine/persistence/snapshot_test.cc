// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/snapshot.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/persistence/persistence_test_support.h"
#include "engine/persistence/rdb_file.h"
#include "engine/persistence/rdb_reader.h"

namespace mikura::engine {
namespace {

using testing::HasSubstr;

// database/key -> value
using Contents = std::map<std::string, std::string>;

class StringSink final : public SnapshotSink {
 public:
  explicit StringSink(size_t bytes_max = SIZE_MAX) : bytes_max_(bytes_max) {}
  Status Write(std::string_view bytes) override {
    if (text.size() + bytes.size() > bytes_max_) return Error{"the sink is full"};
    text.append(bytes);
    return Ok();
  }
  std::string text;

 private:
  const size_t bytes_max_;
};

// Fails when a key comes twice: loaders take that for corruption.
class MapHandler final : public RdbHandler {
 public:
  Status OnEntry(const RdbEntry& entry) override {
    const std::string name = fmt::format("{}/{}", entry.database, entry.key);
    if (!contents.emplace(name, entry.value).second) return Error{name + " came twice"};
    return Ok();
  }
  void OnAux(std::string_view, std::string_view) override {}
  Contents contents;
};

class LogCollector final : public LogReader {
 public:
  void OnBytes(std::span<const LogSlice> slices) override {
    for (const LogSlice& slice : slices) text.append(slice.bytes());
  }
  std::string text;
};

std::unique_ptr<Keyspace> MakeKeyspace() {
  auto keyspace = Keyspace::Create({.database_count = 4, .hash_seed = 1});
  CHECK(keyspace.ok());
  return std::move(keyspace).value();
}

constexpr store::Access kAccess{1000, true};

void Set(Keyspace& keyspace, int database, std::string_view name, std::string_view value,
         const store::Attributes& attributes = {}) {
  const Key key = keyspace.hasher()(name);
  ShardGuard guard(keyspace.lock(key.shard()));
  CHECK(
      keyspace.LockedShard(key.shard()).SetString(database, key, value, attributes, kAccess).ok());
}

Contents Parse(std::string_view rdb) {
  TextSource source(rdb);
  MapHandler handler;
  UncountedMemory memory;
  RdbReader reader(source, handler, memory);
  const Status status = reader.Read();
  EXPECT_TRUE(status.ok()) << status.error().message;
  return handler.contents;
}

Contents ContentsOf(Keyspace& keyspace, SnapshotSlots& slots) {
  auto snapshot = Snapshot::Begin(keyspace, slots);
  CHECK(snapshot.ok());
  StringSink sink;
  CHECK(snapshot.value()->WriteRdb(sink, {}).ok());
  return Parse(sink.text);
}

TEST(Snapshot, HoldsEveryKeyOfEveryDatabaseOnce) {
  auto keyspace = MakeKeyspace();
  SnapshotSlots slots;
  Contents expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string key = fmt::format("key{}", i);
    const std::string value(static_cast<size_t>(i % 7 == 0 ? 5000 : i % 50), 'v');
    Set(*keyspace, i % 4, key, value);
    expected[fmt::format("{}/{}", i % 4, key)] = value;
  }
  EXPECT_EQ(ContentsOf(*keyspace, slots), expected);
}

TEST(Snapshot, ShowsTheMomentItBeganWhateverHappensLater) {
  auto keyspace = MakeKeyspace();
  SnapshotSlots slots;
  for (int i = 0; i < 100; ++i) Set(*keyspace, 0, fmt::format("k{}", i), "old");
  auto snapshot = Snapshot::Begin(*keyspace, slots);
  ASSERT_TRUE(snapshot.ok());
  for (int i = 0; i < 200; ++i) Set(*keyspace, 0, fmt::format("k{}", i), "new");
  Effects effects;
  keyspace->FlushAll(effects);
  StringSink sink;
  ASSERT_TRUE(snapshot.value()->WriteRdb(sink, {}).ok());
  const Contents contents = Parse(sink.text);
  EXPECT_EQ(contents.size(), 100u);
  for (const auto& [key, value] : contents) EXPECT_EQ(value, "old") << key;
}

TEST(Snapshot, AbandonedOnesFreeTheirSlotAndSpoilNoneAfterThem) {
  auto keyspace = MakeKeyspace();
  SnapshotSlots slots;
  slots.compresses = false;
  for (int i = 0; i < 500; ++i) Set(*keyspace, 0, fmt::format("k{}", i), std::string(500, 'x'));
  for (int round = 0; round < 3; ++round) {
    auto snapshot = Snapshot::Begin(*keyspace, slots);
    ASSERT_TRUE(snapshot.ok());
    StringSink full(20'000);
    EXPECT_FALSE(snapshot.value()->WriteRdb(full, {}).ok());
  }
  EXPECT_EQ(ContentsOf(*keyspace, slots).size(), 500u);
}

TEST(Snapshot, NoMoreAtOnceThanThereAreSlots) {
  auto keyspace = MakeKeyspace();
  SnapshotSlots slots;
  std::vector<std::unique_ptr<Snapshot>> running;
  for (int i = 0; i < store::kWalksMax; ++i) {
    auto snapshot = Snapshot::Begin(*keyspace, slots);
    ASSERT_TRUE(snapshot.ok());
    running.push_back(std::move(snapshot).value());
  }
  EXPECT_FALSE(Snapshot::Begin(*keyspace, slots).ok());
  running.pop_back();
  EXPECT_TRUE(Snapshot::Begin(*keyspace, slots).ok());
}

// A workload whose log is not idempotent: "+k" adds one to a counter, "-k" deletes it, and "2a b"
// does the former to two keys as one. Phantoms, losses and halves all change the sum.
class Workload {
 public:
  explicit Workload(Keyspace& keyspace) : keyspace_(keyspace) {}

  void Run(uint32_t seed) {
    uint32_t random = seed;
    const auto pick = [&random](uint32_t below) {
      random = random * 1664525 + 1013904223;
      return (random >> 10) % below;
    };
    while (!stop.load(std::memory_order_relaxed)) {
      const Key a = KeyOf(pick(kKeys));
      const Key b = KeyOf(pick(kKeys));
      ShardSet shards;
      shards.set(a.shard());
      shards.set(b.shard());
      const uint32_t action = pick(10);
      const std::string names[] = {std::string(a.name), std::string(b.name)};
      keyspace_.LockShards(shards);
      if (action == 0) {
        keyspace_.LockedShard(a.shard()).Erase(0, a, kAccess);
        Log(fmt::format("-{}\n", names[0]));
      } else if (action < 4) {
        Increment(keyspace_, a);
        Increment(keyspace_, b);
        Log(fmt::format("2{} {}\n", names[0], names[1]));
      } else {
        Increment(keyspace_, a);
        Log(fmt::format("+{}\n", names[0]));
      }
      keyspace_.UnlockShards(shards);
    }
  }

  static void Increment(Keyspace& keyspace, const Key& key) {
    store::Shard& shard = keyspace.LockedShard(key.shard());
    const store::Found found = shard.Peek(0, key, kAccess);
    const long count = found ? std::stol(std::string(found.entry.value())) : 0;
    // Some values are long enough to lie outside their entry.
    const size_t width = key.hash % 5 == 0 ? 5000 : 1;
    CHECK(shard.SetString(0, key, fmt::format("{:0{}}", count + 1, width), {}, kAccess).ok());
  }

  // Applies the log to another keyspace.
  static void Replay(Keyspace& keyspace, std::string_view log) {
    const auto increment = [&keyspace](std::string_view name) {
      const Key key = keyspace.hasher()(name);
      ShardGuard guard(keyspace.lock(key.shard()));
      Increment(keyspace, key);
    };
    while (!log.empty()) {
      const size_t end = log.find('\n');
      ASSERT_NE(end, std::string_view::npos);
      const std::string_view words = log.substr(1, end - 1);
      if (log[0] == '-') {
        const Key key = keyspace.hasher()(words);
        ShardGuard guard(keyspace.lock(key.shard()));
        keyspace.LockedShard(key.shard()).Erase(0, key, kAccess);
      } else if (log[0] == '+') {
        increment(words);
      } else {
        increment(words.substr(0, words.find(' ')));
        increment(words.substr(words.find(' ') + 1));
      }
      log.remove_prefix(end + 1);
    }
  }

  std::atomic<bool> stop{false};  // tells the writers to end; nothing else hangs on it

 private:
  static constexpr uint32_t kKeys = 4000;

  Key KeyOf(uint32_t number) const {
    static const std::vector<std::string> names = [] {
      std::vector<std::string> all;
      for (uint32_t i = 0; i < kKeys; ++i) all.push_back(fmt::format("counter{}", i));
      return all;
    }();
    return keyspace_.hasher()(names[number]);
  }
  void Log(const std::string& record) {
    if (keyspace_.change_log().active()) keyspace_.change_log().Append(record);
  }

  Keyspace& keyspace_;
};

TEST(Snapshot, WithTheLogFromItsPositionItIsTheLaterState) {
  for (int round = 0; round < 3; ++round) {
    auto keyspace = MakeKeyspace();
    SnapshotSlots slots;
    LogCollector log;
    keyspace->change_log().AddReader(log);
    Workload workload(*keyspace);
    std::vector<std::thread> writers;
    for (uint32_t i = 0; i < 3; ++i) {
      writers.emplace_back([&workload, i] { workload.Run(i * 7919 + 17); });
    }
    // Not before the writers have filled some tables.
    while (keyspace->KeyCount(0) < 2000) std::this_thread::yield();
    auto snapshot =
        Snapshot::Begin(*keyspace, slots, [&] { keyspace->change_log().SetActive(true); });
    ASSERT_TRUE(snapshot.ok());
    StringSink sink;
    ASSERT_TRUE(snapshot.value()->WriteRdb(sink, {}).ok());
    workload.stop = true;
    for (std::thread& writer : writers) writer.join();
    keyspace->change_log().Drain();
    keyspace->change_log().Stop();
    EXPECT_EQ(snapshot.value()->lsn(), 0);

    auto copy = MakeKeyspace();
    TextSource source(sink.text);
    KeyspaceLoader loader(*copy, 0);
    UncountedMemory memory;
    RdbReader reader(source, loader, memory);
    const Status loaded = reader.Read();
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    Workload::Replay(*copy, log.text);
    EXPECT_GT(log.text.size(), 0u);
    EXPECT_TRUE(ContentsOf(*copy, slots) == ContentsOf(*keyspace, slots));
  }
}

class RdbFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + fmt::format("mikura-rdb-{}", getpid());
    std::filesystem::create_directory(folder_);
    path_ = folder_ + "/dump.rdb";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  size_t FileCount() const {
    const auto files = std::filesystem::directory_iterator(folder_);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  std::string folder_;
  std::string path_;
  SnapshotSlots slots_;
};

TEST_F(RdbFile, WhatWasSavedIsLoaded) {
  auto saved = MakeKeyspace();
  Set(*saved, 0, "plain", "1");
  Set(*saved, 2, "large", std::string(100'000, 'x'));
  Set(*saved, 3, "timed", "2", {.deadline = 5000});
  ASSERT_TRUE(SaveRdb(*saved, slots_, path_).ok());
  EXPECT_EQ(FileCount(), 1u);
  auto loaded = MakeKeyspace();
  const auto count = LoadRdb(*loaded, path_, 4999);
  ASSERT_TRUE(count.ok()) << count.error().message;
  EXPECT_EQ(count.value().keys, 3u);
  EXPECT_EQ(ContentsOf(*loaded, slots_), ContentsOf(*saved, slots_));
}

TEST_F(RdbFile, KeysWhoseDeadlineHasPassedAreNotLoaded) {
  auto saved = MakeKeyspace();
  Set(*saved, 0, "timed", "2", {.deadline = 5000});
  ASSERT_TRUE(SaveRdb(*saved, slots_, path_).ok());
  auto loaded = MakeKeyspace();
  const auto count = LoadRdb(*loaded, path_, 5000);
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(count.value().keys, 0u);
  EXPECT_EQ(count.value().expired, 1u);
}

TEST_F(RdbFile, AKeyThatIsThereAlreadyIsAnError) {
  auto keyspace = MakeKeyspace();
  Set(*keyspace, 0, "k", "1");
  ASSERT_TRUE(SaveRdb(*keyspace, slots_, path_).ok());
  const auto count = LoadRdb(*keyspace, path_, 0);
  ASSERT_FALSE(count.ok());
  EXPECT_THAT(count.error().message, HasSubstr("twice"));
}

TEST_F(RdbFile, AFailedSaveLeavesTheOldFile) {
  auto keyspace = MakeKeyspace();
  const Status status = SaveRdb(*keyspace, slots_, folder_ + "/absent/dump.rdb");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("cannot create"));
  EXPECT_EQ(FileCount(), 0u);
  EXPECT_FALSE(LoadRdb(*keyspace, path_, 0).ok());
}

// Lets writers go on in the middle of a write, as a slow disk does.
class SlowSink final : public SnapshotSink {
 public:
  explicit SlowSink(std::function<void()> meanwhile) : meanwhile_(std::move(meanwhile)) {}
  Status Write(std::string_view) override {
    if (auto first = std::exchange(meanwhile_, nullptr)) first();
    return Ok();
  }

 private:
  std::function<void()> meanwhile_;
};

class SnapshotBacklogTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kLimit = 100'000;
  static constexpr int kKeys = 2000;

  SnapshotBacklogTest() {
    slots_.backlog().set_limit(kLimit);
    slots_.backlog().SetListener([this](bool is_full) { told_.push_back(is_full); });
    for (int i = 0; i < kKeys; ++i) Set(i, "before");
  }
  void Set(int i, std::string_view value) {
    const std::string name = fmt::format("k{}", i);
    const Key key = keyspace_->hasher()(name);
    const std::string text = fmt::format("{}{}", value, std::string(200, 'v'));
    ShardGuard guard(keyspace_->lock(key.shard()));
    CHECK(keyspace_->LockedShard(key.shard()).SetString(0, key, text, {}, kAccess).ok());
  }
  void Overwrite() {
    std::thread([this] {
      for (int i = 0; i < kKeys; ++i) Set(i, "after");
    }).join();
  }

  std::unique_ptr<Keyspace> keyspace_ = MakeKeyspace();
  SnapshotSlots slots_;
  std::vector<bool> told_;
};

TEST_F(SnapshotBacklogTest, IsFullWhileWritersHandOverMoreThanIsWritten) {
  auto snapshot = Snapshot::Begin(*keyspace_, slots_);
  ASSERT_TRUE(snapshot.ok());
  uint64_t most = 0;
  SlowSink sink([&] {
    Overwrite();
    most = slots_.backlog().bytes();
    EXPECT_EQ(told_, std::vector<bool>{true});
  });
  ASSERT_TRUE((*snapshot)->WriteRdb(sink, {}).ok());
  EXPECT_GT(most, kLimit);
  EXPECT_EQ(told_, (std::vector<bool>{true, false}));
  EXPECT_EQ(slots_.backlog().bytes(), 0u);
}

TEST_F(SnapshotBacklogTest, WhatTheWalkerTakesItselfDoesNotCount) {
  auto snapshot = Snapshot::Begin(*keyspace_, slots_);
  ASSERT_TRUE(snapshot.ok());
  SlowSink sink([] {});
  ASSERT_TRUE((*snapshot)->WriteRdb(sink, {}).ok());
  EXPECT_TRUE(told_.empty());
}

TEST_F(SnapshotBacklogTest, EndsWithASnapshotThatIsGivenUp) {
  auto snapshot = Snapshot::Begin(*keyspace_, slots_);
  ASSERT_TRUE(snapshot.ok());
  Overwrite();
  EXPECT_EQ(told_, std::vector<bool>{true});
  snapshot->reset();
  EXPECT_EQ(told_, (std::vector<bool>{true, false}));
  EXPECT_EQ(slots_.backlog().bytes(), 0u);
}

TEST_F(SnapshotBacklogTest, IsNotThatOfASnapshotForAReplica) {
  auto snapshot = Snapshot::Begin(*keyspace_, slots_, {}, Snapshot::Waiter::kNobody);
  ASSERT_TRUE(snapshot.ok());
  Overwrite();
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(slots_.backlog().bytes(), 0u);
  EXPECT_GT((*snapshot)->gathered_bytes(), kLimit);
}

}  // namespace
}  // namespace mikura::engine
