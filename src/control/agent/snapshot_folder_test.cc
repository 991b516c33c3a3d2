// SPDX-License-Identifier: Apache-2.0
#include "control/agent/snapshot_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"

namespace mikura::control {
namespace {

using State = SnapshotFile::State;
using ::testing::HasSubstr;

class SnapshotFolderTest : public ::testing::Test {
 protected:
  SnapshotFolderTest() {
    root_ = ::testing::TempDir() + "mikura-snapshots-XXXXXX";
    CHECK(mkdtemp(root_.data()) != nullptr);
    std::filesystem::create_directories(root_ + "/buckets/b");
    folder_ = std::make_unique<SnapshotFolder>(root_, root_ + "/buckets");
  }
  ~SnapshotFolderTest() override {
    folder_.reset();
    std::filesystem::remove_all(root_);
  }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Make(const std::string& id, const std::string& text) {
    Write(folder_->PathForAttempt(id, 1).value(), text);
    ASSERT_EQ(folder_->Accept(id, 1).state, State::kDone);
  }
  SnapshotFile AwaitExport(const std::string& id, const std::string& key) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    SnapshotFile file = folder_->Export(id, key);
    while (file.state == State::kWorking && std::chrono::steady_clock::now() < deadline) {
      file = folder_->Export(id, key);
    }
    return file;
  }

  std::string root_;
  std::unique_ptr<SnapshotFolder> folder_;
};

TEST_F(SnapshotFolderTest, AFileIsThereWhenItWasAccepted) {
  const std::string path = folder_->PathForAttempt("1", 2).value();
  Write(path, "data");
  Write(path + ".9-x.tmp", "half");
  EXPECT_FALSE(folder_->Find("1"));
  const SnapshotFile file = folder_->Accept("1", 2);
  EXPECT_EQ(file.state, State::kDone);
  EXPECT_EQ(file.bytes, 4);
  EXPECT_GT(file.made_at, 0);
  const auto left = std::filesystem::directory_iterator(root_ + "/snapshots/1");
  EXPECT_EQ(std::distance(begin(left), end(left)), 1);
}

TEST_F(SnapshotFolderTest, ACopyOutlivesItsOriginal) {
  Make("1", "data");
  EXPECT_EQ(folder_->Copy("1", "2").state, State::kDone);
  EXPECT_EQ(folder_->Copy("1", "2").state, State::kDone);
  ASSERT_TRUE(folder_->Remove("1").ok());
  EXPECT_EQ(Read(folder_->FileOf("snapshot:2").value()), "data");
  EXPECT_FALSE(folder_->FileOf("snapshot:1").ok());
  EXPECT_EQ(folder_->Copy("1", "3").state, State::kFailed);
}

TEST_F(SnapshotFolderTest, AnExportIsAFileInItsBucket) {
  Make("1", "data");
  EXPECT_EQ(AwaitExport("1", "b/s-0001.rdb").state, State::kDone);
  EXPECT_EQ(Read(root_ + "/buckets/b/s-0001.rdb"), "data");
  EXPECT_EQ(Read(folder_->FileOf("bucket:b/s-0001.rdb").value()), "data");
}

TEST_F(SnapshotFolderTest, NothingOutsideTheBucketsIsReachedOrWritten) {
  Make("1", "data");
  Write(root_ + "/secret.rdb", "secret");
  std::filesystem::create_symlink(root_ + "/secret.rdb", root_ + "/buckets/b/link.rdb");
  for (const char* key : {"../secret.rdb", "b/../../secret.rdb", "b/link.rdb", "", "/"}) {
    EXPECT_FALSE(folder_->FileOf(std::string("bucket:") + key).ok()) << key;
  }
  EXPECT_EQ(folder_->Export("1", "../secret.rdb").state, State::kFailed);
  EXPECT_EQ(folder_->Export("1", "b/link.rdb").state, State::kFailed);
  EXPECT_EQ(Read(root_ + "/secret.rdb"), "secret");
}

TEST_F(SnapshotFolderTest, WithoutAFolderOfBucketsThereAreNone) {
  SnapshotFolder none(root_, "");
  EXPECT_THAT(none.FileOf("bucket:b/a.rdb").error().message, HasSubstr("no folder of buckets"));
}

}  // namespace
}  // namespace mikura::control
