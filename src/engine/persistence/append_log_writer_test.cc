// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

namespace mikura::engine {
namespace {

// A disk that fails when told.
class FailingDisk final : public FileCalls {
 public:
  ssize_t WriteAt(int fd, const iovec* pieces, int count, off_t offset) override {
    if (write_error == 0) return FileCalls::WriteAt(fd, pieces, count, offset);
    // A part of it still fits.
    iovec first = pieces[0];
    first.iov_len = first.iov_len / 2;
    if (offset == cut_at || first.iov_len == 0) {
      errno = write_error;
      return -1;
    }
    cut_at = offset + static_cast<off_t>(first.iov_len);
    return FileCalls::WriteAt(fd, &first, 1, offset);
  }
  int Sync(int fd) override {
    ++syncs;
    if (std::this_thread::get_id() == tester) ++own_syncs;
    std::this_thread::sleep_for(std::chrono::milliseconds(sync_millis));
    if (sync_error == 0) return FileCalls::Sync(fd);
    errno = sync_error;
    return -1;
  }
  int Truncate(int fd, off_t size) override {
    if (truncate_error == 0) return FileCalls::Truncate(fd, size);
    errno = truncate_error;
    return -1;
  }

  std::atomic<int> write_error{0};
  std::atomic<int> sync_error{0};
  std::atomic<int> truncate_error{0};
  std::atomic<int> syncs{0};
  std::atomic<int> sync_millis{0};
  int own_syncs = 0;  // by the thread of the test
  const std::thread::id tester = std::this_thread::get_id();
  off_t cut_at = -1;
};

class AppendLogWriterTest : public testing::Test {
 protected:
  AppendLogWriterTest() {
    std::string name = std::filesystem::temp_directory_path() / "mikura-writer-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    place_ = name;
    log_.AddReader(writer_);
    writer_.SetDurableListener([this] { ++durable_calls_; });
  }
  ~AppendLogWriterTest() override {
    writer_.Stop();
    log_.Stop();
    std::filesystem::remove_all(place_);
  }

  std::string PathOf(const std::string& file) const { return place_ / file; }
  std::string Bytes(const std::string& file) const {
    std::ostringstream bytes;
    bytes << std::ifstream(PathOf(file), std::ios::binary).rdbuf();
    return bytes.str();
  }
  std::unique_ptr<AppendLogFile> Create(const std::string& file) {
    return AppendLogFile::Create(PathOf(file), disk_).value();
  }
  void Begin(LogSync sync, std::string prefix = "") {
    writer_.set_sync(sync);
    writer_.Start();
    log_.SetActive(true, LogUse::kAppendLog);
    writer_.Attach(Create("one"), log_.head(), std::move(prefix));
  }
  Lsn Append(std::string_view record) {
    const Lsn end = log_.Append(record);
    log_.Wake();
    return end;
  }
  // What the writer does comes true at some time; the test fails when it takes too long.
  template <typename Condition>
  void Await(const Condition& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void AwaitDurable(Lsn lsn) {
    Await([&] { return writer_.durable_lsn() >= lsn; });
  }
  void AwaitWritten(Lsn lsn) {
    Await([&] { return writer_.written_lsn() >= lsn; });
  }

  std::filesystem::path place_;
  FailingDisk disk_;
  SystemClock clock_;
  std::atomic<int> durable_calls_{0};
  AppendLogWriter writer_{clock_};
  ChangeLog log_;
};

TEST_F(AppendLogWriterTest, NothingIsPendingWhileItIsOff) {
  EXPECT_EQ(writer_.durable_lsn(), AppendLogWriter::kNothingPending);
}

TEST_F(AppendLogWriterTest, AlwaysSyncsWhatItWritesAndSaysSo) {
  Begin(LogSync::kAlways);
  AwaitDurable(Append("one;"));
  EXPECT_EQ(Bytes("one"), "one;");
  EXPECT_GE(durable_calls_, 1);
  EXPECT_EQ(writer_.durable_lsn(), 4);
}

TEST_F(AppendLogWriterTest, OneSyncCoversWhatWasWrittenMeanwhile) {
  Begin(LogSync::kAlways);
  constexpr int kRecords = 20'000;
  Lsn end = 0;
  for (int i = 0; i < kRecords; ++i) end = log_.Append("0123456789");
  log_.Wake();
  AwaitDurable(end);
  EXPECT_EQ(Bytes("one").size(), static_cast<size_t>(end));
  EXPECT_LT(disk_.syncs, kRecords / 10);
}

TEST_F(AppendLogWriterTest, NeverIsNeverDurable) {
  Begin(LogSync::kNo);
  AwaitWritten(Append("one;"));
  EXPECT_EQ(disk_.syncs, 0);
  EXPECT_EQ(writer_.durable_lsn(), 0);
  writer_.set_sync(LogSync::kAlways);  // and then it is
  AwaitDurable(4);
}

TEST_F(AppendLogWriterTest, EverySecondSyncsByItself) {
  Begin(LogSync::kEverySecond);
  AwaitDurable(Append("one;"));
  EXPECT_EQ(Bytes("one"), "one;");
}

TEST_F(AppendLogWriterTest, BeginsBehindWhatWasLoggedBefore) {
  log_.SetActive(true);
  Append("before;");
  Begin(LogSync::kAlways, "prefix;");
  AwaitDurable(Append("after;"));
  EXPECT_EQ(Bytes("one"), "prefix;after;");
}

TEST_F(AppendLogWriterTest, SwitchesExactlyAtThePosition) {
  Begin(LogSync::kAlways);
  // Neighbours in one chunk: they may come as one slice.
  const Lsn cut = log_.Append("before;");
  std::promise<Status> done;
  writer_.SwitchAt({.at = cut,
                    .prefix = "prefix;",
                    .open = [&]() -> Result<std::unique_ptr<AppendLogFile>> {
                      EXPECT_EQ(writer_.durable_lsn(), cut);
                      return Create("two");
                    },
                    .done = [&](const Status& status) { done.set_value(status); }});
  AwaitDurable(Append("after;"));
  EXPECT_TRUE(done.get_future().get().ok());
  EXPECT_EQ(Bytes("one"), "before;");
  EXPECT_EQ(Bytes("two"), "prefix;after;");
}

TEST_F(AppendLogWriterTest, ASwitchNeedsNoFurtherRecord) {
  Begin(LogSync::kNo);
  std::promise<Status> done;
  writer_.SwitchAt(
      {.at = 0,
       .prefix = "",
       .open = [&]() -> Result<std::unique_ptr<AppendLogFile>> { return Create("two"); },
       .done = [&](const Status& status) { done.set_value(status); }});
  EXPECT_TRUE(done.get_future().get().ok());
}

TEST_F(AppendLogWriterTest, ASwitchThatFailsLeavesTheFileOfBefore) {
  Begin(LogSync::kAlways);
  std::promise<Status> done;
  const Lsn cut = Append("a;");
  writer_.SwitchAt({.at = cut,
                    .prefix = "prefix;",
                    .open = []() -> Result<std::unique_ptr<AppendLogFile>> { return Error{"no"}; },
                    .done = [&](const Status& status) { done.set_value(status); }});
  AwaitDurable(Append("b;"));
  EXPECT_EQ(done.get_future().get().error().message, "no");
  EXPECT_EQ(Bytes("one"), "a;b;");
}

TEST_F(AppendLogWriterTest, AFullDiskLeavesWholeRecordsAndHeals) {
  Begin(LogSync::kAlways);
  AwaitDurable(Append("whole;"));
  disk_.write_error = ENOSPC;
  const Lsn end = Append("does not fit;");
  Await([&] { return writer_.error() == ENOSPC; });
  EXPECT_EQ(Bytes("one"), "whole;");
  EXPECT_EQ(writer_.durable_lsn(), 6);
  EXPECT_GT(writer_.queued_bytes(), 0u);
  disk_.write_error = 0;
  AwaitDurable(end);
  EXPECT_EQ(Bytes("one"), "whole;does not fit;");
  Await([&] { return writer_.error() == 0; });
  EXPECT_EQ(writer_.queued_bytes(), 0u);
}

TEST_F(AppendLogWriterTest, WhatCouldNotBeCutIsCutBeforeTheNextWrite) {
  Begin(LogSync::kAlways);
  AwaitDurable(Append("whole;"));
  disk_.truncate_error = EIO;
  disk_.write_error = ENOSPC;
  const Lsn end = Append("0123456789;");
  Await([&] { return writer_.error() != 0; });
  disk_.write_error = 0;
  std::this_thread::sleep_for(2 * AppendLogWriter::kRetryPause);
  EXPECT_EQ(writer_.durable_lsn(), 6);
  disk_.truncate_error = 0;
  AwaitDurable(end);
  EXPECT_EQ(Bytes("one"), "whole;0123456789;");
}

TEST_F(AppendLogWriterTest, AFailedSyncAdvancesNothingAndIsWrittenAgain) {
  Begin(LogSync::kAlways);
  AwaitDurable(Append("synced;"));
  disk_.sync_error = EIO;
  const Lsn end = Append("lost?;");
  Await([&] { return writer_.error() == EIO; });
  EXPECT_EQ(writer_.durable_lsn(), 7);
  Await([&] { return Bytes("one") == "synced;"; });
  disk_.sync_error = 0;
  AwaitDurable(end);
  EXPECT_EQ(Bytes("one"), "synced;lost?;");
  EXPECT_FALSE(writer_.is_in_doubt());
}

TEST_F(AppendLogWriterTest, AFailedSyncOfWhatWasNotKeptIsInDoubtUntilTheDataAreWrittenAnew) {
  Begin(LogSync::kNo);
  AwaitWritten(Append("not kept;"));
  disk_.sync_error = EIO;
  writer_.set_sync(LogSync::kAlways);
  Await([&] { return writer_.is_in_doubt(); });
  disk_.sync_error = 0;
  Await([&] { return writer_.error() == 0; });
  EXPECT_EQ(writer_.durable_lsn(), 0);
  writer_.ClearDoubt();
  AwaitDurable(9);
}

TEST_F(AppendLogWriterTest, DetachSyncsAndFrees) {
  Begin(LogSync::kNo);
  Append("one;");
  log_.SetActive(false, LogUse::kAppendLog);
  log_.Drain();
  writer_.Detach();
  EXPECT_EQ(Bytes("one"), "one;");
  EXPECT_EQ(disk_.syncs, 1);
  EXPECT_EQ(writer_.durable_lsn(), AppendLogWriter::kNothingPending);
}

TEST_F(AppendLogWriterTest, WhoWaitsCommitsByItself) {
  Begin(LogSync::kAlways);
  AwaitDurable(Append("first;"));
  // The log's own threads may come first, not always.
  Await([&] {
    const Lsn end = log_.Append("next;");
    if (writer_.CommitHere(log_)) {
      EXPECT_GE(writer_.durable_lsn(), end);
    } else {
      log_.Wake();
    }
    AwaitDurable(end);
    return disk_.own_syncs > 0;
  });
  writer_.Stop();
  EXPECT_EQ(Bytes("one").size(), static_cast<size_t>(log_.head()));
}

TEST_F(AppendLogWriterTest, OthersCommitNothingWhereNothingIsPromised) {
  Begin(LogSync::kEverySecond);
  log_.Append("one;");
  EXPECT_FALSE(writer_.CommitHere(log_));
  EXPECT_EQ(disk_.own_syncs, 0);
}

TEST_F(AppendLogWriterTest, AFailureOfWhoCommitsIsMadeGoodByTheWriter) {
  Begin(LogSync::kAlways);
  AwaitDurable(Append("synced;"));
  disk_.sync_error = EIO;
  const Lsn end = log_.Append("lost?;");
  EXPECT_FALSE(writer_.CommitHere(log_));
  log_.Wake();
  Await([&] { return writer_.error() == EIO; });
  EXPECT_FALSE(writer_.CommitsHere());
  EXPECT_EQ(writer_.durable_lsn(), 7);
  disk_.sync_error = 0;
  AwaitDurable(end);
  EXPECT_EQ(Bytes("one"), "synced;lost?;");
}

TEST_F(AppendLogWriterTest, ASlowDiskIsLeftToTheWriterUntilItIsPromptAgain) {
  Begin(LogSync::kAlways);
  disk_.sync_millis = 500;
  AwaitDurable(Append("slow;"));
  EXPECT_FALSE(writer_.CommitsHere());
  log_.Append("next;");
  EXPECT_FALSE(writer_.CommitHere(log_));
  EXPECT_EQ(disk_.own_syncs, 0);
  disk_.sync_millis = 0;
  Await([&] {
    AwaitDurable(Append("prompt;"));
    return writer_.CommitsHere();
  });
}

TEST_F(AppendLogWriterTest, SeveralThatCommitWriteEachRecordOnce) {
  constexpr int kThreads = 3;
  constexpr int kRecords = 300;
  Begin(LogSync::kAlways);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      for (int n = 0; n < kRecords; ++n) {
        const Lsn end = log_.Append(std::to_string(i) + ";");
        if (!writer_.CommitHere(log_)) log_.Wake();
        AwaitDurable(end);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string bytes = Bytes("one");
  EXPECT_EQ(bytes.size(), size_t{2} * kThreads * kRecords);
  for (char c = '0'; c < '0' + kThreads; ++c) {
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), c), kRecords);
  }
}

TEST_F(AppendLogWriterTest, AHealthListenerHearsOfFailureAndRecovery) {
  std::vector<int> errors;
  std::mutex mutex;
  writer_.SetHealthListener([&](AppendLogWriter::Health health) {
    const std::lock_guard lock(mutex);
    errors.push_back(health.error);
  });
  Begin(LogSync::kAlways);
  disk_.write_error = ENOSPC;
  const Lsn end = Append("record;");
  Await([&] { return writer_.error() != 0; });
  disk_.write_error = 0;
  AwaitDurable(end);
  writer_.Stop();
  EXPECT_EQ(errors, (std::vector<int>{ENOSPC, 0}));
}

}  // namespace
}  // namespace mikura::engine
