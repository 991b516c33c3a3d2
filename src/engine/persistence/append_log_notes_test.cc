// SPDX-License-Identifier: Apache-2.0
// The notes of the time in the append log (aof-timestamp-enabled).
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/persistence/append_log_parser.h"
#include "engine/persistence/append_log_writer.h"

namespace mikura::engine {
namespace {

using std::chrono::milliseconds;

// Syncs fail when told.
class FailingSync final : public FileCalls {
 public:
  int Sync(int fd) override {
    if (sync_error == 0) return FileCalls::Sync(fd);
    errno = sync_error;
    return -1;
  }
  std::atomic<int> sync_error{0};
};

class AppendLogNotes : public testing::Test {
 protected:
  AppendLogNotes() {
    std::string name = std::filesystem::temp_directory_path() / "mikura-notes-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    place_ = name;
    log_.AddReader(writer_);
    writer_.set_sync(LogSync::kAlways);
    writer_.set_notes_time(true);
  }
  ~AppendLogNotes() override {
    writer_.Stop();
    log_.Stop();
    std::filesystem::remove_all(place_);
  }

  void Begin(std::string prefix = "") {
    writer_.Start();
    log_.SetActive(true, LogUse::kAppendLog);
    writer_.Attach(Create("one"), log_.head(), std::move(prefix));
  }
  std::unique_ptr<AppendLogFile> Create(const std::string& file) {
    return AppendLogFile::Create(place_ / file, disk_).value();
  }
  std::string Bytes(const std::string& file) const {
    std::ostringstream bytes;
    bytes << std::ifstream(place_ / file, std::ios::binary).rdbuf();
    return bytes.str();
  }
  // The writer is at rest afterwards: the clock may be moved.
  void AppendAndAwait(std::string_view record) {
    const Lsn end = log_.Append(record);
    log_.Wake();
    AwaitDurable(end);
  }
  void AwaitDurable(Lsn lsn) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (writer_.durable_lsn() < lsn) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  std::filesystem::path place_;
  FailingSync disk_;
  ManualClock clock_{5'000'000};
  AppendLogWriter writer_{clock_};
  ChangeLog log_;
};

TEST_F(AppendLogNotes, PrecedeRecordsWhenTheSecondHasChanged) {
  Begin("select;");
  AppendAndAwait("one;");
  clock_.Advance(milliseconds(999));
  AppendAndAwait("two;");
  clock_.Advance(milliseconds(1));
  AppendAndAwait("three;");
  EXPECT_EQ(Bytes("one"), "select;#TS:5000\r\none;two;#TS:5001\r\nthree;");
  EXPECT_EQ(writer_.durable_lsn(), 14);  // positions do not count them
  EXPECT_EQ(writer_.file_bytes(), Bytes("one").size());
}

TEST_F(AppendLogNotes, AClockThatIsSetBackIsNotNoted) {
  Begin();
  AppendAndAwait("one;");
  clock_.Jump(milliseconds(-60'000));
  AppendAndAwait("two;");
  EXPECT_EQ(Bytes("one"), "#TS:5000\r\none;two;");
}

TEST_F(AppendLogNotes, AreSwitchedOnAndOffWhileItRuns) {
  writer_.set_notes_time(false);
  Begin();
  AppendAndAwait("one;");
  writer_.set_notes_time(true);
  AppendAndAwait("two;");
  writer_.set_notes_time(false);
  clock_.Advance(milliseconds(5000));
  AppendAndAwait("three;");
  EXPECT_EQ(Bytes("one"), "one;#TS:5000\r\ntwo;three;");
}

TEST_F(AppendLogNotes, BeginEachFile) {
  Begin();
  AppendAndAwait("one;");
  writer_.SwitchAt(
      {.at = log_.head(),
       .prefix = "select;",
       .open = [&]() -> Result<std::unique_ptr<AppendLogFile>> { return Create("two"); },
       .done = [](const Status& status) { EXPECT_TRUE(status.ok()); }});
  AppendAndAwait("two;");
  EXPECT_EQ(Bytes("one"), "#TS:5000\r\none;");
  EXPECT_EQ(Bytes("two"), "select;#TS:5000\r\ntwo;");
}

TEST_F(AppendLogNotes, AreWrittenAgainWithWhatASyncLost) {
  Begin();
  AppendAndAwait("one;");
  clock_.Advance(milliseconds(1000));
  disk_.sync_error = EIO;
  const Lsn end = log_.Append("two;");
  log_.Wake();
  while (writer_.error() == 0) std::this_thread::yield();
  disk_.sync_error = 0;
  AwaitDurable(end);
  EXPECT_EQ(Bytes("one"), "#TS:5000\r\none;#TS:5001\r\ntwo;");
}

TEST_F(AppendLogNotes, AreSkippedByWhoReadsTheLog) {
  const std::string ping = "*1\r\n$4\r\nPING\r\n";
  Begin();
  AppendAndAwait(ping);
  clock_.Advance(milliseconds(1000));
  AppendAndAwait(ping);
  AppendLogParser parser;
  parser.Append(Bytes("one"));
  std::vector<AppendLogParser::Words> commands;
  EXPECT_EQ(parser.Next(commands), AppendLogParser::Outcome::kRecord);
  EXPECT_EQ(parser.Next(commands), AppendLogParser::Outcome::kRecord);
  EXPECT_EQ(commands[0][0], "PING");
  EXPECT_EQ(parser.Next(commands), AppendLogParser::Outcome::kIncomplete);
  EXPECT_EQ(parser.incomplete_bytes(), 0u);
}

}  // namespace
}  // namespace mikura::engine
