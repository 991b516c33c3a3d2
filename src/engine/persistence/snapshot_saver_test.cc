// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/snapshot_saver.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <string>

#include "engine/keyspace/key_access.h"
#include "engine/persistence/rdb_file.h"

namespace mikura::engine {
namespace {

class SnapshotSaverTest : public testing::Test {
 protected:
  SnapshotSaverTest() {
    std::string name = std::filesystem::temp_directory_path() / "mikura-saver-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    Configure({});
    saver_.Start();
  }
  ~SnapshotSaverTest() override {
    saver_.Stop();
    std::filesystem::remove_all(folder_);
  }

  void Configure(std::vector<SaveSettings::Point> points) {
    saver_.Configure({path(), std::move(points)});
  }
  std::string path() const { return folder_ / "dump.rdb"; }
  void Set(std::string_view name, std::string_view value) {
    const Key key = keyspace_->hasher()(name);
    Effects effects;
    KeyAccess keys(*keyspace_, effects, 0, {clock_.NowMillis(), true});
    keyspace_->RunLocked(key, clock_.NowMillis(), effects, [&] {
      EXPECT_TRUE(keys.SetString(key, value, {}).ok());
      return true;
    });
  }
  // How it ended, or the test fails.
  Status Await(std::future<Status> status) {
    EXPECT_EQ(status.wait_for(std::chrono::seconds(60)), std::future_status::ready);
    return status.get();
  }
  std::future<Status> Begin(SnapshotSaver::Kind kind = SnapshotSaver::Kind::kBackground) {
    auto ended = std::make_shared<std::promise<Status>>();
    EXPECT_TRUE(saver_.Begin(kind, [ended](const Status& status) { ended->set_value(status); }));
    return ended->get_future();
  }
  uint64_t KeysInFile() {
    const auto loaded = Keyspace::Create({}).value();
    const auto count = LoadRdb(*loaded, path(), 0);
    return count.ok() ? count->keys : 0;
  }

  ManualClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<Keyspace> keyspace_ = Keyspace::Create({}).value();
  SnapshotSlots slots_;
  SnapshotSaver saver_{*keyspace_, slots_, clock_};
};

TEST_F(SnapshotSaverTest, SavesWhenAskedAndSaysSo) {
  Set("a", "1");
  Set("b", "2");
  EXPECT_EQ(saver_.status().changes, 2u);
  EXPECT_EQ(saver_.status().last_seconds, -1);
  clock_.Advance(std::chrono::seconds(100));
  EXPECT_TRUE(Await(Begin()).ok());
  EXPECT_EQ(KeysInFile(), 2u);
  const SaveStatus status = saver_.status();
  EXPECT_EQ(status.last_save_at, clock_.NowMillis());
  EXPECT_EQ(status.changes, 0u);
  EXPECT_EQ(status.saves, 1u);
  EXPECT_EQ(status.last_seconds, 0);
  EXPECT_FALSE(status.is_saving);
}

TEST_F(SnapshotSaverTest, AFailureKeepsTheFileOfBefore) {
  Set("a", "1");
  EXPECT_TRUE(Await(Begin()).ok());
  Set("b", "2");
  saver_.Configure({folder_ / "absent" / "dump.rdb", {}});
  const Status status = Await(Begin());
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("absent/dump.rdb"), std::string::npos);
  EXPECT_FALSE(saver_.status().last_ok);
  EXPECT_EQ(saver_.status().saves, 1u);
  EXPECT_EQ(saver_.status().changes, 1u);
  EXPECT_EQ(KeysInFile(), 1u);
}

TEST_F(SnapshotSaverTest, WritesStopWhileABackgroundSaveHasFailedAndThereAreSavePoints) {
  saver_.Stop();
  SnapshotSaver saver(*keyspace_, slots_, clock_);
  std::atomic<bool> cannot_save{false};
  saver.SetOnCannotSave([&](bool cannot) { cannot_save = cannot; });
  const std::string good = path();
  const std::string bad = folder_ / "absent" / "dump.rdb";
  const auto save = [&](SnapshotSaver::Kind kind) {
    std::promise<Status> ended;
    EXPECT_TRUE(saver.Begin(kind, [&](const Status& status) { ended.set_value(status); }));
    return ended.get_future().get().ok();
  };
  saver.Configure({bad, {}});
  saver.Start();
  EXPECT_FALSE(save(SnapshotSaver::Kind::kBackground));
  EXPECT_FALSE(cannot_save);  // nobody expects snapshots
  saver.Configure({bad, {{3600, 1}}});
  EXPECT_TRUE(cannot_save);
  saver.Configure({bad, {{3600, 1}}, false});
  EXPECT_FALSE(cannot_save);
  saver.Configure({good, {{3600, 1}}});
  EXPECT_TRUE(cannot_save);
  EXPECT_TRUE(save(SnapshotSaver::Kind::kAwaited));
  EXPECT_FALSE(cannot_save);
  saver.Configure({bad, {{3600, 1}}});
  EXPECT_FALSE(save(SnapshotSaver::Kind::kAwaited));  // its client knows
  EXPECT_FALSE(cannot_save);
}

TEST_F(SnapshotSaverTest, ASavePointIsReachedByTimeAndChanges) {
  Configure({{60, 2}, {600, 1}});
  const UnixMillis start = clock_.NowMillis();
  EXPECT_FALSE(saver_.IsDue(start + 700'000));
  Set("a", "1");
  EXPECT_FALSE(saver_.IsDue(start + 600'000));
  EXPECT_TRUE(saver_.IsDue(start + 600'001));
  Set("a", "2");
  EXPECT_FALSE(saver_.IsDue(start + 60'000));
  EXPECT_TRUE(saver_.IsDue(start + 60'001));
}

TEST_F(SnapshotSaverTest, ASavePointSavesByItself) {
  Configure({{1, 1}});
  Set("a", "1");
  clock_.Advance(std::chrono::seconds(2));
  for (int i = 0; i < 6000 && saver_.status().saves == 0; ++i) usleep(10'000);
  EXPECT_EQ(saver_.status().saves, 1u);
  EXPECT_EQ(KeysInFile(), 1u);
}

TEST_F(SnapshotSaverTest, AfterAFailureSavePointsWait) {
  saver_.Configure({folder_ / "absent" / "dump.rdb", {}});
  Set("a", "1");
  EXPECT_FALSE(Await(Begin()).ok());
  saver_.Configure({folder_ / "absent" / "dump.rdb", {{1, 1}}});
  const UnixMillis failed = clock_.NowMillis();
  EXPECT_FALSE(saver_.IsDue(failed + SnapshotSaver::kRetryPause - 1));
  EXPECT_TRUE(saver_.IsDue(failed + SnapshotSaver::kRetryPause));
}

// The sink is asked for each piece of the file: a walk over enough keys is interrupted.
TEST_F(SnapshotSaverTest, OneThatIsReplacedEndsWithAnErrorAndTheNextOneIsWhole) {
  for (int i = 0; i < 20'000; ++i) Set("key" + std::to_string(i), std::string(100, 'v'));
  std::future<Status> first = Begin();
  EXPECT_TRUE(saver_.status().is_saving);
  EXPECT_FALSE(saver_.Begin(SnapshotSaver::Kind::kBackground));
  auto ended = std::make_shared<std::promise<Status>>();
  saver_.BeginInstead([ended](const Status& status) { ended->set_value(status); });
  EXPECT_TRUE(Await(ended->get_future()).ok());
  EXPECT_EQ(first.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_EQ(KeysInFile(), 20'000u);
  const auto files = std::filesystem::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(SnapshotSaverTest, AtTheEndWhatWasAskedForIsAnswered) {
  std::future<Status> last = Begin();
  saver_.Stop();
  EXPECT_EQ(last.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_FALSE(saver_.Begin(SnapshotSaver::Kind::kBackground));
}

}  // namespace
}  // namespace mikura::engine
