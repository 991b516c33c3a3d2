// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/asked_snapshot.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "engine/keyspace/key_access.h"
#include "engine/persistence/rdb_file.h"

namespace mikura::engine {
namespace {

using State = AskedSnapshot::State;

class AskedSnapshotTest : public testing::Test {
 protected:
  AskedSnapshotTest() {
    std::string name = std::filesystem::temp_directory_path() / "mikura-asked-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~AskedSnapshotTest() override {
    snapshot_.Stop();
    std::filesystem::remove_all(folder_);
  }

  AskedSnapshot::Progress AwaitEnd() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (snapshot_.progress().state == State::kSaving &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    return snapshot_.progress();
  }

  const SystemClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<Keyspace> keyspace_ = Keyspace::Create({.database_count = 16}).value();
  SnapshotSlots slots_;
  AskedSnapshot snapshot_{*keyspace_, slots_, clock_};
};

TEST_F(AskedSnapshotTest, NothingWasAskedAtFirst) {
  EXPECT_EQ(snapshot_.progress().state, State::kNone);
}

TEST_F(AskedSnapshotTest, WritesOneFileAfterTheOther) {
  for (const char* name : {"a.rdb", "b.rdb"}) {
    const std::string path = folder_ / name;
    ASSERT_TRUE(snapshot_.Begin(path).ok());
    const auto ended = AwaitEnd();
    EXPECT_EQ(ended.state, State::kDone) << ended.error;
    EXPECT_EQ(ended.path, path);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
}

TEST_F(AskedSnapshotTest, SaysWhyItFailed) {
  ASSERT_TRUE(snapshot_.Begin(folder_ / "no" / "a.rdb").ok());
  const auto ended = AwaitEnd();
  EXPECT_EQ(ended.state, State::kFailed);
  EXPECT_NE(ended.error.find("No such file"), std::string::npos) << ended.error;
}

}  // namespace
}  // namespace mikura::engine
