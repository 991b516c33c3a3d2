// SPDX-License-Identifier: Apache-2.0
#include "base/logging.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace mikura {
namespace {

class LogFile : public ::testing::Test {
 protected:
  LogFile() { std::filesystem::create_directories(folder_); }
  ~LogFile() override {
    SetLogFile("");
    std::filesystem::remove_all(folder_);
  }
  static size_t Lines(const std::string& path) {
    std::ifstream file(path);
    size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }

  // Of this test alone: others run beside it.
  const std::string folder_ =
      ::testing::TempDir() + "mikura-logging-test-" + std::to_string(getpid());
  const std::string path_ = folder_ + "/log";
};

TEST_F(LogFile, ThatWasMovedIsFollowedByAnotherWithoutALostLine) {
  ASSERT_TRUE(SetLogFile(path_));
  std::atomic<bool> stop{false};   // told by this thread to the writers
  std::atomic<size_t> written{0};  // counted by the writers
  std::vector<std::thread> writers;
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back([&] {
      while (!stop) {
        Log(LogLevel::kWarning, "test", "a line");
        ++written;
      }
    });
  }
  for (int move = 1; move <= 20; ++move) {
    const size_t before = written;
    while (written < before + 10) std::this_thread::yield();
    std::filesystem::rename(path_, path_ + std::to_string(move));
    ASSERT_TRUE(SetLogFile(path_));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  size_t lines = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    lines += Lines(entry.path());
  }
  EXPECT_EQ(lines, written);
}

TEST_F(LogFile, ThatCannotBeOpenedLeavesTheLogWhereItIs) {
  ASSERT_TRUE(SetLogFile(path_));
  EXPECT_FALSE(SetLogFile(folder_ + "/none/log"));
  Log(LogLevel::kWarning, "test", "a line");
  EXPECT_EQ(Lines(path_), 1U);
}

}  // namespace
}  // namespace mikura
