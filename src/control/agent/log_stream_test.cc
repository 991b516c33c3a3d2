// SPDX-License-Identifier: Apache-2.0
#include "control/agent/log_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

class Streams : public ::testing::Test {
 protected:
  Streams() {
    root_ = ::testing::TempDir() + "mikura-logs-XXXXXX";
    CHECK(mkdtemp(root_.data()) != nullptr);
    path_ = root_ + "/group/elasticache/redis/demo-001/0001/slow-log";
  }
  ~Streams() override { std::filesystem::remove_all(root_); }

  LogStream Opened(int64_t file_bytes_max = LogStream::kFileBytesMax) const {
    LogStream stream(path_, file_bytes_max);
    EXPECT_TRUE(stream.Open().ok());
    return stream;
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // As a process does that is killed before it counted what it wrote.
  void WriteUncounted(const std::string& text) const {
    std::ofstream(path_, std::ios::app) << text;
  }

  std::string root_;
  std::string path_;
};

TEST_F(Streams, OneThatBeginsAnewGoesOn) {
  LogStream first = Opened();
  EXPECT_EQ(first.PositionOf("a"), "");
  ASSERT_TRUE(first.Append("one\n", "a", "run 1").ok());
  LogStream second = Opened();
  EXPECT_EQ(second.PositionOf("a"), "run 1");
  ASSERT_TRUE(second.Append("two\n", "a", "run 2").ok());
  EXPECT_EQ(Read(path_), "one\ntwo\n");
  EXPECT_EQ(Opened().PositionOf("a"), "run 2");
}

TEST_F(Streams, WhatWasNotCountedBeforeAKillComesAgainAndIsThereOnce) {
  WriteUncounted("");
  LogStream first = Opened();
  ASSERT_TRUE(first.Append("one\n", "a", "run 1").ok());
  WriteUncounted("two\nthr");
  LogStream second = Opened();
  EXPECT_EQ(second.PositionOf("a"), "run 1");
  ASSERT_TRUE(second.Append("two\nthree\n", "a", "run 3").ok());
  EXPECT_EQ(Read(path_), "one\ntwo\nthree\n");
}

TEST_F(Streams, TheVeryFirstEntryToo) {
  { Opened(); }
  WriteUncounted("one\n");
  ASSERT_TRUE(Opened().Append("one\n", "a", "run 1").ok());
  EXPECT_EQ(Read(path_), "one\n");
}

TEST_F(Streams, NodesOfOneStreamHaveTheirOwnPositions) {
  LogStream stream = Opened();
  ASSERT_TRUE(stream.Append("one\n", "a", "x 1").ok());
  ASSERT_TRUE(stream.Append("two\n", "b", "y 1").ok());
  ASSERT_TRUE(stream.Drop("a").ok());
  EXPECT_EQ(Opened().PositionOf("a"), "");
  EXPECT_EQ(Opened().PositionOf("b"), "y 1");
}

TEST_F(Streams, FilesAreBoundedInSizeAndNumber) {
  LogStream stream = Opened(10);
  for (const char* line : {"1234567\n", "2234567\n", "3234567\n", "4234567\n", "5234567\n",
                           "6234567\n", "7234567\n"}) {
    ASSERT_TRUE(stream.Append(line, "a", "x 1").ok());
  }
  EXPECT_EQ(Read(path_), "7234567\n");
  EXPECT_EQ(Read(path_ + ".1"), "6234567\n");
  EXPECT_EQ(Read(path_ + ".4"), "3234567\n");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".5"));
}

TEST_F(Streams, AKillBetweenTwoFilesLosesNothing) {
  LogStream stream = Opened(10);
  ASSERT_TRUE(stream.Append("1234567\n", "a", "x 1").ok());
  std::filesystem::rename(path_, path_ + ".1");  // and the process ends here
  LogStream next = Opened(10);
  ASSERT_TRUE(next.Append("2234567\n", "a", "x 2").ok());
  EXPECT_EQ(Read(path_), "2234567\n");
  EXPECT_EQ(Read(path_ + ".1"), "1234567\n");
}

TEST_F(Streams, AFileThatSomebodyTookAwayBeginsAnew) {
  LogStream stream = Opened();
  ASSERT_TRUE(stream.Append("one\n", "a", "x 1").ok());
  std::filesystem::remove(path_);
  ASSERT_TRUE(stream.Append("two\n", "a", "x 2").ok());
  EXPECT_EQ(Read(path_), "two\n");
  ASSERT_TRUE(Opened().Append("three\n", "a", "x 3").ok());
  EXPECT_EQ(Read(path_), "two\nthree\n");
}

TEST_F(Streams, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(root_ + "/group") << "a file";
  LogStream stream(path_);
  const Status opened = stream.Open();
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("cannot create"));
}

TEST_F(Streams, WhatCannotBeCountedIsNotThere) {
  LogStream stream = Opened();
  ASSERT_TRUE(stream.Append("one\n", "a", "x 1").ok());
  std::filesystem::create_directories(path_ + ".cursor.new/x");  // in the way of the next cursor
  EXPECT_FALSE(stream.Append("two\n", "a", "x 2").ok());
  EXPECT_EQ(Read(path_), "one\n");
  EXPECT_EQ(stream.PositionOf("a"), "x 1");
}

}  // namespace
}  // namespace mikura::control
