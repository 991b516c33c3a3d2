// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/commands/memcached_test_support.h"

namespace mikura::engine {
namespace {

class MemcachedWatching : public testing::Test {
 public:
  std::string Run(std::string_view input) { return memcached.Run(input); }
  // What the connection's source gives now; "(ended)" behind its last piece.
  std::string Take(size_t bytes = 1 << 20) {
    std::string out;
    if (!memcached.source()->Produce(bytes, out)) out += "(ended)";
    return out;
  }
  // The line without its time and number.
  static std::string Text(const std::string& line) { return line.substr(line.find(" type=") + 1); }

  CommandRunner redis;
  MemcachedRunner memcached{redis};
};

TEST_F(MemcachedWatching, AWatcherSeesTheKindsItAskedFor) {
  EXPECT_EQ(Run("watch mutations evictions\r\n"), "OK\r\n");
  MemcachedWatchers& watchers = memcached.fakes().watchers;
  EXPECT_EQ(watchers.kinds(), kWatchMutations | kWatchEvictions);
  EXPECT_EQ(Take(), "");
  watchers.Emit(kWatchFetchers, "type=item_get");
  watchers.Emit(kWatchMutations, "type=item_store");
  watchers.Emit(kWatchMutations, "type=item_store");
  EXPECT_EQ(memcached.fakes().wakes, 1) << "woken once, until it took the lines";
  const std::string lines = Take();
  EXPECT_EQ(lines.substr(0, 3), "ts=");
  EXPECT_EQ(Text(lines.substr(0, lines.find('\n'))), "type=item_store");
  watchers.Emit(kWatchMutations, "type=item_store");
  EXPECT_EQ(memcached.fakes().wakes, 2);
  memcached.source().reset();
  EXPECT_EQ(watchers.kinds(), 0);
}

TEST_F(MemcachedWatching, ASlowWatcherIsToldHowManyLinesItMissed) {
  Run("watch\r\n");
  MemcachedWatchers& watchers = memcached.fakes().watchers;  // its buffers hold 1024 bytes
  const std::string text = "type=" + std::string(400, 'x');
  for (int i = 0; i < 5; ++i) watchers.Emit(kWatchFetchers, text);
  EXPECT_EQ(watchers.totals().lines_sent, 2u);
  EXPECT_EQ(watchers.totals().lines_skipped, 3u);
  EXPECT_TRUE(Take().ends_with("\nskipped=3\n"));
  watchers.Emit(kWatchFetchers, text);
  EXPECT_EQ(Take().find("skipped"), std::string::npos);
}

TEST_F(MemcachedWatching, RefusesWhatItCannotWatch) {
  EXPECT_EQ(Run("watch nonsense\r\n"), "ERROR\r\n");
  memcached.settings().watch_enabled = false;
  EXPECT_EQ(Run("watch\r\n"), "CLIENT_ERROR watch commands not allowed\r\n");
  memcached.settings().watch_enabled = true;
  memcached.set_has_unsent_replies(true);
  EXPECT_EQ(Run("watch\r\n"), "ERROR cannot pipeline other commands before watch\r\n");
  memcached.set_has_unsent_replies(false);
  std::vector<std::unique_ptr<OutputSource>> watchers;
  for (size_t i = 0; i < MemcachedWatchers::kWatchersMax; ++i) {
    EXPECT_EQ(Run("watch\r\n"), "OK\r\n");
    watchers.push_back(std::move(memcached.source()));
  }
  EXPECT_EQ(Run("watch\r\n"), "WATCHER_TOO_MANY log watcher limit reached\r\n");
}

TEST_F(MemcachedWatching, KeysAreEncodedInLines) {
  EXPECT_EQ(EncodeMemcachedKey("aZ9-._~"), "aZ9-._~");
  EXPECT_EQ(EncodeMemcachedKey(std::string_view("#\xff\n", 3)), "%23%FF%0A");
}

TEST_F(MemcachedWatching, ADumpShowsEveryKeyOnceInPieces) {
  for (int i = 0; i < 500; ++i) memcached.Set("key" + std::to_string(i), "x");
  memcached.Set("b#", "x", "0", "100");
  EXPECT_EQ(Run("lru_crawler metadump all\r\n"), "");
  EXPECT_TRUE(memcached.source()->holds_requests());
  std::string all;
  int pieces = 0;
  while (all.find("(ended)") == std::string::npos) {
    all += Take(1000);
    ++pieces;
  }
  EXPECT_GT(pieces, 10);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 502);  // with END
  EXPECT_NE(all.find("key=b%23 exp=1"), std::string::npos);
  EXPECT_NE(all.find("key=key7 exp=-1 cas="), std::string::npos);
  EXPECT_NE(all.find(" fetch=no cls=1 size="), std::string::npos);
}

TEST_F(MemcachedWatching, ADumpOfRequestsCanBeSentBack) {
  memcached.Set("plain", "1");
  Run("ms Zm9v 1 b\r\n2\r\n");
  redis.Run(std::vector<std::string>{"SET", "two words", "3"});
  EXPECT_EQ(Run("lru_crawler mgdump all\r\n"), "");
  const std::string all = Take();
  EXPECT_EQ(all.size(),
            std::string("mg plain\r\nmg Zm9v b\r\nmg dHdvIHdvcmRz b\r\nEN\r\n(ended)").size());
  EXPECT_NE(all.find("mg plain\r\n"), std::string::npos);
  EXPECT_NE(all.find("mg Zm9v b\r\n"), std::string::npos);
  EXPECT_NE(all.find("mg dHdvIHdvcmRz b\r\n"), std::string::npos);
  EXPECT_TRUE(all.ends_with("EN\r\n(ended)"));
  EXPECT_EQ(Run("mg dHdvIHdvcmRz b v\r\n"), "VA 1\r\n3\r\n");
}

TEST_F(MemcachedWatching, LinesOfEvictionsWaitUntilNoShardIsLocked) {
  Run("watch evictions\r\n");
  MemcachedWatchers& watchers = memcached.fakes().watchers;
  watchers.Add(kWatchEvictions, "type=eviction");
  watchers.Add(kWatchEvictions, "type=eviction");
  EXPECT_EQ(memcached.fakes().wakes, 0);
  watchers.WakeWaiting();
  EXPECT_EQ(memcached.fakes().wakes, 1);
  const std::string lines = Take();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  watchers.WakeWaiting();
  EXPECT_EQ(memcached.fakes().wakes, 1);
}

TEST_F(MemcachedWatching, ADumpIsRefusedWhenTurnedOff) {
  EXPECT_EQ(Run("lru_crawler metadump 99\r\n"), "BADCLASS invalid class id\r\n");
  memcached.settings().dump_enabled = false;
  EXPECT_EQ(Run("lru_crawler metadump all\r\n"), "ERROR metadump not allowed\r\n");
  EXPECT_EQ(Run("lru_crawler mgdump all\r\n"), "ERROR mgdump not allowed\r\n");
  EXPECT_EQ(Run("stats cachedump 1 0\r\n"), "CLIENT_ERROR stats cachedump not allowed\r\n");
  EXPECT_EQ(Run("lru_crawler disable\r\n"), "OK\r\n");
  EXPECT_EQ(Run("lru_crawler crawl all\r\n"), "CLIENT_ERROR lru crawler disabled\r\n");
}

}  // namespace
}  // namespace mikura::engine
