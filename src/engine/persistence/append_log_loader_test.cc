// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_loader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/keyspace/effects.h"
#include "engine/persistence/rdb_file.h"

namespace mikura::engine {
namespace {

std::string Command(std::initializer_list<std::string_view> words) {
  std::string out;
  AppendCommandHeader(out, words.size());
  for (const std::string_view word : words) AppendCommandWord(out, word);
  return out;
}

// "SET a 1; MULTI...": the records as text.
std::string Records(std::string_view log, size_t piece_bytes) {
  AppendLogParser parser;
  std::vector<AppendLogParser::Words> commands;
  std::string text;
  for (size_t i = 0; i < log.size(); i += piece_bytes) {
    parser.Append(log.substr(i, piece_bytes));
    while (true) {
      const auto outcome = parser.Next(commands);
      if (outcome == AppendLogParser::Outcome::kIncomplete) break;
      if (outcome == AppendLogParser::Outcome::kMalformed) {
        return text + fmt::format("!{}:{}", parser.error_offset(), parser.error());
      }
      text += fmt::format("{}(", parser.record_offset());
      for (const auto& words : commands) {
        for (const std::string_view word : words) text += fmt::format("{} ", word);
      }
      text += ")";
    }
  }
  return text + fmt::format("+{}", parser.incomplete_bytes());
}

TEST(AppendLogParser, CutsRecordsWhereverTheBytesAreCut) {
  const std::string log = Command({"SET", "a", "1"}) + "#TS:1700000000\r\n" + Command({"MULTI"}) +
                          Command({"SET", "b", "\r\n"}) + Command({"DEL", "a"}) +
                          Command({"exec"}) + Command({"PING"});
  const std::string whole = Records(log, log.size());
  EXPECT_EQ(whole, "0(SET a 1 )43(SET b \r\n DEL a )120(PING )+0");
  for (size_t piece = 1; piece < log.size(); ++piece) EXPECT_EQ(Records(log, piece), whole);
}

TEST(AppendLogParser, RefusesWhatIsNoLog) {
  EXPECT_EQ(Records("SET a 1\r\n", 99), "!0:no command begins here");
  EXPECT_EQ(Records("*0\r\n", 99), "!0:a command without words");
  EXPECT_EQ(Records("*1\r\n:4\r\n", 99), "!0:a word of a command does not begin with '$'");
  EXPECT_EQ(Records("*1\r\n$3\r\nPINGx\r\n", 99),
            "!0:a word of a command is not as long as it says");
  EXPECT_EQ(Records("*-1\r\n", 99), "!0:a count is not a number, or far too large");
  EXPECT_EQ(Records("*1x\r\n", 99), "!0:a count is not a number, or far too large");
  EXPECT_EQ(Records("*1\n$4\r\n", 99), "!0:a count is not a number, or far too large");
  EXPECT_EQ(Records("*1\r\n$99999999999\r\n", 99), "!0:a count is not a number, or far too large");
  EXPECT_EQ(Records("*1\r\n$" + std::string(30, '1'), 99),
            "!0:a count is not a number, or far too large");
  EXPECT_EQ(Records(Command({"EXEC"}), 99), "!14:EXEC without MULTI");
  EXPECT_EQ(Records(Command({"MULTI"}) + Command({"MULTI"}), 99), "!30:MULTI inside of MULTI");
  EXPECT_EQ(Records(Command({"PING"}) + std::string(8, '\0'), 99),
            "0(PING )!14:no command begins here");
}

class AppendLogLoaderTest : public testing::Test {
 protected:
  AppendLogLoaderTest() {
    std::string name = std::filesystem::temp_directory_path() / "mikura-loader-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    place_ = name;
  }
  ~AppendLogLoaderTest() override { std::filesystem::remove_all(place_); }

  void Write(const std::string& file, std::string_view bytes) {
    std::ofstream(place_ / file, std::ios::binary) << bytes;
  }
  std::string Bytes(const std::string& file) {
    std::ostringstream bytes;
    bytes << std::ifstream(place_ / file, std::ios::binary).rdbuf();
    return bytes.str();
  }
  // What was executed, or the error.
  std::string Load(std::string_view manifest, bool cuts_tail = true) {
    const auto parsed = AppendLogManifest::Parse(manifest, "m");
    const AppendLogFolder folder(place_.string(), "a.aof");
    keyspace_ = Keyspace::Create({}).value();
    executed_.clear();
    AppendLogLoader loader(*keyspace_, folder,
                           {.execute = [this](std::span<const AppendLogParser::Words> commands,
                                              int& database) -> Status {
                              executed_ += fmt::format("{}(", database);
                              for (const auto& words : commands) {
                                if (words[0] == "BAD") return Error{"it is bad"};
                                if (words[0] == "SELECT") database = words[1][0] - '0';
                                for (const std::string_view word : words)
                                  executed_ += fmt::format("{} ", word);
                              }
                              executed_ += ")";
                              return Ok();
                            },
                            .replace_libraries = [](std::span<const std::string>) { return Ok(); }},
                           cuts_tail, progress_);
    const Status status = loader.Load(*parsed);
    if (status.ok()) return executed_;
    const std::string& message = status.error().message;
    return "!" + message.substr(message.find(place_.string()) + place_.string().size() + 1);
  }

  std::filesystem::path place_;
  std::unique_ptr<Keyspace> keyspace_;
  std::string executed_;
  LoadProgress progress_;
};

constexpr std::string_view kOne = "file i seq 1 type i\n";
constexpr std::string_view kTwo = "file i seq 1 type i\nfile j seq 2 type i\n";

TEST_F(AppendLogLoaderTest, RunsTheFilesInTheirOrderEachFromDatabaseZero) {
  Write("i", Command({"SELECT", "3"}) + Command({"SET", "a", "1"}));
  Write("j", Command({"MULTI"}) + Command({"SET", "b", "2"}) + Command({"EXEC"}));
  EXPECT_EQ(Load(kTwo), "0(SELECT 3 )3(SET a 1 )0(SET b 2 )");
  EXPECT_EQ(progress_.bytes_done.load(), progress_.bytes_total.load());
}

TEST_F(AppendLogLoaderTest, ATailIsCutBehindTheLastWholeRecordOrRefused) {
  const std::string first = Command({"SET", "a", "1"});
  const std::string second = Command({"MULTI"}) + Command({"SET", "b", "2"}) + Command({"EXEC"});
  for (size_t size = 0; size <= first.size() + second.size(); ++size) {
    const std::string bytes = (first + second).substr(0, size);
    const size_t whole = size < first.size()                   ? 0
                         : size < first.size() + second.size() ? first.size()
                                                               : size;
    Write("i", bytes);
    const std::string refusal = Load(kOne, false);
    if (size != whole) {
      EXPECT_EQ(refusal.substr(0, refusal.find(':')), fmt::format("!i at byte {}", whole));
      EXPECT_EQ(Bytes("i"), bytes);
    }
    std::string wanted = whole >= first.size() ? "0(SET a 1 )" : "";
    if (whole == first.size() + second.size()) wanted += "0(SET b 2 )";
    EXPECT_EQ(Load(kOne), wanted) << size;
    EXPECT_EQ(Bytes("i"), bytes.substr(0, whole));
  }
}

TEST_F(AppendLogLoaderTest, OnlyTheLastFileMayEndTooEarly) {
  Write("i", Command({"SET", "a", "1"}).substr(0, 9));
  Write("j", "");
  EXPECT_EQ(Load(kTwo), "!i at byte 0: the file ends within a command");
}

TEST_F(AppendLogLoaderTest, WhatIsWrongIsRefusedWithFileAndOffset) {
  const std::string good = Command({"SET", "a", "1"});
  Write("i", good + "junk" + good);
  EXPECT_EQ(Load(kOne), fmt::format("!i at byte {}: no command begins here", good.size()));
  Write("i", good + Command({"BAD"}) + good);
  EXPECT_EQ(Load(kOne), fmt::format("!i at byte {}: it is bad", good.size()));
  std::filesystem::remove(place_ / "i");
  EXPECT_EQ(Load(kOne), "!i: No such file or directory");
}

TEST_F(AppendLogLoaderTest, AFlippedByteIsRefusedOrChangesARecord) {
  const std::string log = Command({"SET", "a", "1"}) + Command({"MULTI"}) +
                          Command({"SET", "b", "22"}) + Command({"EXEC"}) +
                          Command({"SET", "c", ""});
  for (size_t i = 0; i < log.size(); ++i) {
    for (const char flip : {'\x01', '\x10', '\x7f'}) {
      std::string bytes = log;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      Write("i", bytes);
      const std::string outcome = Load(kOne);
      const auto records = std::count(outcome.begin(), outcome.end(), '(');
      EXPECT_TRUE(outcome.starts_with('!') || records <= 3) << i << ": " << outcome;
    }
  }
}

TEST_F(AppendLogLoaderTest, RecordsMayFollowRdbDataInOneFile) {
  const auto other = Keyspace::Create({}).value();
  SnapshotSlots slots;
  ASSERT_TRUE(SaveRdb(*other, slots, place_ / "b").ok());
  Write("b", Bytes("b") + Command({"SET", "a", "1"}));
  EXPECT_EQ(Load("file b seq 1 type b\n"), "0(SET a 1 )");
  const std::string bytes = Bytes("b");
  Write("b", bytes.substr(0, 20));
  EXPECT_EQ(Load("file b seq 1 type b\n").substr(0, 3), "!b:");
  Write("b", bytes + "*1\r\n");  // and be cut
  EXPECT_EQ(Load("file b seq 1 type b\n"), "0(SET a 1 )");
  EXPECT_EQ(Bytes("b"), bytes);
}

}  // namespace
}  // namespace mikura::engine
