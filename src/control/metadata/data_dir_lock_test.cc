// SPDX-License-Identifier: Apache-2.0
#include "control/metadata/data_dir_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

class DataDir : public ::testing::Test {
 protected:
  DataDir() {
    parent_ = ::testing::TempDir() + "mikura-lock-XXXXXX";
    CHECK(mkdtemp(parent_.data()) != nullptr);
    directory_ = parent_ + "/deep/data";
  }
  ~DataDir() override { std::filesystem::remove_all(parent_); }

  std::string parent_;
  std::string directory_;
};

TEST_F(DataDir, IsMadeForItsOwnerAlone) {
  ASSERT_TRUE(DataDirLock::Take(directory_).ok());
  struct stat info {};
  ASSERT_EQ(stat(directory_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(DataDir, ASecondTakerIsToldThePidOfTheFirst) {
  const auto first = DataDirLock::Take(directory_).value();
  const auto second = DataDirLock::Take(directory_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("in use by process " + std::to_string(getpid())));
}

TEST_F(DataDir, IsFreeAgainWhenItsHolderEnds) {
  { const auto first = DataDirLock::Take(directory_).value(); }
  EXPECT_TRUE(DataDirLock::Take(directory_).ok());
}

// As when the service is killed while it starts an engine: the child has the descriptors of its
// parent until it runs its own program.
TEST_F(DataDir, IsFreeAgainWhenAChildOfItsDeadHolderLetsGo) {
  const pid_t holder = fork();
  if (holder == 0) {
    const auto taken = DataDirLock::Take(directory_);
    if (taken.ok() && fork() == 0) usleep(100'000);
    _exit(taken.ok() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(holder, &status, 0), holder);
  ASSERT_EQ(status, 0);
  const auto taken = DataDirLock::Take(directory_);
  EXPECT_TRUE(taken.ok());
}

TEST_F(DataDir, AFileInItsPlaceIsAClearError) {
  std::filesystem::create_directories(parent_ + "/deep");
  std::ofstream(directory_) << "a file";
  const auto taken = DataDirLock::Take(directory_);
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.error().message, HasSubstr("data directory " + directory_));
}

}  // namespace
}  // namespace mikura::control
