// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/keyspace/key_access.h"

namespace mikura::engine {
namespace {

// A node with nothing but keys and the log; what is loaded is executed as the log has it.
class LoggedKeys {
 public:
  LoggedKeys(const std::filesystem::path& place, FileCalls* calls = nullptr)
      : log_(
            *keyspace_, slots_, clock_, place / "logs", "a.aof",
            [this](const auto& cut) { return cut(stream_database_); }, calls) {}
  ~LoggedKeys() { Stop(); }

  Status Open() {
    Status status =
        log_.Open({.execute = [this](std::span<const AppendLogParser::Words> commands,
                                     int& database) -> Status {
                     for (const auto& words : commands) {
                       if (words[0] == "SELECT") database = words[1][0] - '0';
                       if (words[0] == "SET") Store(words[1], words[2], database);
                     }
                     return Ok();
                   },
                   .replace_libraries = [](std::span<const std::string>) { return Ok(); }},
                  progress_);
    if (status.ok()) log_.Start();
    return status;
  }
  void Stop() { log_.Stop(); }
  void Set(std::string_view name, std::string_view value, int database = 0) {
    Store(name, value, database);
    keyspace_->change_log().Wake();
  }
  std::string Get(std::string_view name, int database = 0) {
    const Key key = keyspace_->hasher()(name);
    Effects effects;
    KeyAccess keys(*keyspace_, effects, database, {0, false});
    return keyspace_->RunLocked(key, 0, effects, [&]() -> std::string {
      const store::Found found = keys.Find(key);
      return found ? std::string(found.entry.value()) : "(none)";
    });
  }
  uint64_t KeyCount() const { return keyspace_->KeyCount(0); }
  AppendLog& log() { return log_; }
  Keyspace& keyspace() { return *keyspace_; }
  void set_stream_database(int database) { stream_database_ = database; }

  template <typename Condition>
  static void Await(const Condition& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void AwaitRewrite(uint64_t number) {
    Await([&] {
      const AppendLogStatus status = log_.status();
      return status.rewrites >= number && !status.is_rewriting;
    });
  }

 private:
  void Store(std::string_view name, std::string_view value, int database) {
    const Key key = keyspace_->hasher()(name);
    Effects effects;
    KeyAccess keys(*keyspace_, effects, database, {0, false});
    keyspace_->RunLocked(key, 0, effects, [&] {
      EXPECT_TRUE(keys.SetString(key, value, {}).ok());
      effects.Add(database, {"SET", name, value});
      return true;
    });
  }

  SystemClock clock_;
  std::unique_ptr<Keyspace> keyspace_ = Keyspace::Create({}).value();
  SnapshotSlots slots_;
  int stream_database_ = 0;
  LoadProgress progress_;
  AppendLog log_;
};

class FullDisk final : public FileCalls {
 public:
  ssize_t WriteAt(int fd, const iovec* pieces, int count, off_t offset) override {
    if (!is_full) return FileCalls::WriteAt(fd, pieces, count, offset);
    errno = ENOSPC;
    return -1;
  }
  std::atomic<bool> is_full{false};
};

class AppendLogTest : public testing::Test {
 protected:
  AppendLogTest() {
    std::string name = std::filesystem::temp_directory_path() / "mikura-append-log-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    place_ = name;
  }
  ~AppendLogTest() override { std::filesystem::remove_all(place_); }

  std::string Manifest() const {
    std::ostringstream bytes;
    bytes << std::ifstream(place_ / "logs" / "a.aof.manifest").rdbuf();
    return bytes.str();
  }
  size_t FileCount() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(place_ / "logs")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }
  // The folder as a crash at this moment leaves it.
  std::filesystem::path CopyNow(int number) const {
    auto copy = place_ / ("copy" + std::to_string(number));
    std::filesystem::create_directory(copy);
    std::filesystem::copy(place_ / "logs", copy / "logs");
    return copy;
  }

  std::filesystem::path place_;
};

TEST_F(AppendLogTest, AnEmptyFolderBeginsWithABaseAndAnIncrement) {
  LoggedKeys keys(place_);
  ASSERT_TRUE(keys.Open().ok());
  EXPECT_EQ(Manifest(), "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n");
  EXPECT_TRUE(keys.log().is_established());
}

TEST_F(AppendLogTest, WhatWasSetIsThereAgain) {
  {
    LoggedKeys keys(place_);
    ASSERT_TRUE(keys.Open().ok());
    keys.Set("a", "1");
    keys.Set("b", "2", 3);
  }
  LoggedKeys keys(place_);
  ASSERT_TRUE(keys.Open().ok());
  EXPECT_EQ(keys.Get("a"), "1");
  EXPECT_EQ(keys.Get("b", 3), "2");
}

TEST_F(AppendLogTest, ARewriteLeavesOneBaseAndOneIncrement) {
  {
    LoggedKeys keys(place_);
    ASSERT_TRUE(keys.Open().ok());
    keys.Set("a", "1");
    ASSERT_TRUE(keys.log().BeginRewrite());
    keys.AwaitRewrite(1);
    keys.Set("b", "2");
    EXPECT_TRUE(keys.log().status().last_rewrite_ok);
    EXPECT_EQ(Manifest(),
              "file a.aof.2.base.rdb seq 2 type b\nfile a.aof.2.incr.aof seq 2 type i\n");
    EXPECT_EQ(FileCount(), 3u);
  }
  LoggedKeys keys(place_);
  ASSERT_TRUE(keys.Open().ok());
  EXPECT_EQ(keys.log().loaded().keys, 1u);
  EXPECT_EQ(keys.Get("a"), "1");
  EXPECT_EQ(keys.Get("b"), "2");
}

TEST_F(AppendLogTest, ABaseIsWrittenAsCommandsWhenItShall) {
  {
    LoggedKeys keys(place_);
    keys.log().Configure({.base_is_rdb = false});
    ASSERT_TRUE(keys.Open().ok());
    EXPECT_EQ(Manifest(),
              "file a.aof.1.base.aof seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n");
    keys.Set("a", "1");
    keys.Set("b", std::string(100'000, 'x'), 3);
    keys.log().Configure({.notes_time = true, .base_is_rdb = false});
    ASSERT_TRUE(keys.log().BeginRewrite());
    keys.AwaitRewrite(1);
    EXPECT_EQ(Manifest(),
              "file a.aof.2.base.aof seq 2 type b\nfile a.aof.2.incr.aof seq 2 type i\n");
    std::string begin(4, '\0');
    std::ifstream(place_ / "logs" / "a.aof.2.base.aof").read(begin.data(), 4);
    EXPECT_EQ(begin, "#TS:");
  }
  LoggedKeys keys(place_);
  ASSERT_TRUE(keys.Open().ok());
  EXPECT_EQ(keys.Get("a"), "1");
  EXPECT_EQ(keys.Get("b", 3), std::string(100'000, 'x'));
}

TEST_F(AppendLogTest, ARewriteGivesWayWhileTheDiskIsFull) {
  FullDisk disk;
  LoggedKeys keys(place_, &disk);
  ASSERT_TRUE(keys.Open().ok());
  keys.Set("a", "1");
  keys.Await([&] { return keys.log().written_lsn() == keys.keyspace().change_log().head(); });
  disk.is_full = true;
  keys.Set("b", "2");
  keys.Await([&] { return keys.log().error() == ENOSPC; });
  ASSERT_TRUE(keys.log().BeginRewrite());
  keys.AwaitRewrite(1);
  EXPECT_FALSE(keys.log().status().last_rewrite_ok);
  EXPECT_EQ(FileCount(), 3u);  // no base that takes room
  disk.is_full = false;
  keys.Await([&] { return keys.log().error() == 0; });
  ASSERT_TRUE(keys.log().BeginRewrite());
  keys.AwaitRewrite(2);
  EXPECT_TRUE(keys.log().status().last_rewrite_ok);
  keys.Stop();
  LoggedKeys loaded(place_);
  ASSERT_TRUE(loaded.Open().ok());
  EXPECT_EQ(loaded.Get("a"), "1");
  EXPECT_EQ(loaded.Get("b"), "2");
}

TEST_F(AppendLogTest, ASwitchOnWritesABaseOfWhatIsThere) {
  {
    LoggedKeys keys(place_);
    keys.log().Start();
    keys.Set("before", "1");
    EXPECT_TRUE(keys.log().Enable(true).ok());
    keys.AwaitRewrite(1);
    EXPECT_TRUE(keys.log().is_established());
    keys.Set("behind", "2");
    EXPECT_TRUE(keys.log().Enable(false).ok());
    keys.Await([&] { return !keys.keyspace().change_log().active(); });
    keys.Set("not logged", "3");
  }
  LoggedKeys keys(place_);
  ASSERT_TRUE(keys.Open().ok());
  EXPECT_EQ(keys.Get("before"), "1");
  EXPECT_EQ(keys.Get("behind"), "2");
  EXPECT_EQ(keys.Get("not logged"), "(none)");
}

TEST_F(AppendLogTest, WhileItIsOffARewriteWritesABaseAlone) {
  LoggedKeys keys(place_);
  keys.log().Start();
  keys.Set("a", "1");
  ASSERT_TRUE(keys.log().BeginRewrite());
  keys.AwaitRewrite(1);
  EXPECT_EQ(Manifest(), "file a.aof.1.base.rdb seq 1 type b\n");
  LoggedKeys loaded(place_);
  ASSERT_TRUE(loaded.Open().ok());
  EXPECT_EQ(loaded.Get("a"), "1");
}

TEST_F(AppendLogTest, WhileAPrimarysDataAreCopiedTheFilesStay) {
  LoggedKeys keys(place_);
  ASSERT_TRUE(keys.Open().ok());
  keys.Set("a", "1");
  keys.log().Suspend();
  EXPECT_FALSE(keys.keyspace().change_log().active());
  keys.Set("a", "2");
  keys.keyspace().change_log().SetHead(1'000'000);
  {
    LoggedKeys crashed(CopyNow(0));
    ASSERT_TRUE(crashed.Open().ok());
    EXPECT_EQ(crashed.Get("a"), "1");
  }
  keys.set_stream_database(2);
  keys.log().Resume();
  keys.AwaitRewrite(1);
  // As what a primary sends: in the database that its stream has selected.
  keys.keyspace().change_log().Append("*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n");
  keys.keyspace().change_log().Wake();
  keys.Stop();
  LoggedKeys loaded(place_);
  ASSERT_TRUE(loaded.Open().ok());
  EXPECT_EQ(loaded.Get("a"), "2");
  EXPECT_EQ(loaded.Get("b", 2), "1");
}

TEST_F(AppendLogTest, AGrownLogIsRewrittenByItself) {
  LoggedKeys keys(place_);
  keys.log().Configure({.rewrite_percentage = 100, .rewrite_bytes_min = 1000});
  ASSERT_TRUE(keys.Open().ok());
  for (int i = 0; i < 100; ++i) keys.Set("a", std::to_string(i));
  keys.AwaitRewrite(1);
  EXPECT_LT(keys.log().status().current_bytes, 1000u);
}

}  // namespace
}  // namespace mikura::engine
