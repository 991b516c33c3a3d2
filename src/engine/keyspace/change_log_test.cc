// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/change_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mikura::engine {
namespace {

// Joins everything it is given, and checks that nothing is missing in between.
class CollectingReader final : public LogReader {
 public:
  explicit CollectingReader(Lsn begin = 0) : next_(begin) {}
  void OnBytes(std::span<const LogSlice> slices) override {
    for (const LogSlice& slice : slices) {
      EXPECT_EQ(slice.begin(), next_);
      next_ = slice.end();
      text_.append(slice.bytes());
      slices_.push_back(slice);
    }
  }
  const std::string& text() const { return text_; }
  const std::vector<LogSlice>& slices() const { return slices_; }

 private:
  Lsn next_;
  std::string text_;
  std::vector<LogSlice> slices_;
};

TEST(ChangeLog, RecordsOfOneThreadArriveInOrderAndCountBytes) {
  ChangeLog log;
  CollectingReader reader;
  log.AddReader(reader);
  log.SetActive(true);
  EXPECT_EQ(log.Append("one;"), 4);
  EXPECT_EQ(log.Append("two;"), 8);
  log.Drain();
  log.Stop();
  EXPECT_EQ(reader.text(), "one;two;");
  EXPECT_EQ(log.head(), 8);
  EXPECT_EQ(log.flushed(), 8);
}

TEST(ChangeLog, NeighbouringRecordsBecomeOneSlice) {
  ChangeLog log;
  log.SetActive(true);
  for (int i = 0; i < 100; ++i) log.Append("0123456789");
  CollectingReader reader;
  log.AddReader(reader);  // the first reader starts the flusher: all records are there already
  log.Drain();
  log.Stop();
  EXPECT_EQ(reader.slices().size(), 1u);
  EXPECT_EQ(reader.text().size(), 1000u);
}

TEST(ChangeLog, RecordsLargerThanAChunkAreWhole) {
  ChangeLog log;
  CollectingReader reader;
  log.AddReader(reader);
  log.SetActive(true);
  const std::string large(5 * LogChunk::kBytes + 7, 'x');
  log.Append("a");
  log.Append(large);
  log.Append("b");
  log.Drain();
  log.Stop();
  EXPECT_EQ(reader.text(), "a" + large + "b");
}

TEST(ChangeLog, SlicesOutliveTheLog) {
  CollectingReader reader;
  {
    ChangeLog log;
    log.AddReader(reader);
    log.SetActive(true);
    for (int i = 0; i < 20'000; ++i) log.Append("0123456789");
    log.Drain();
  }
  size_t bytes = 0;
  for (const LogSlice& slice : reader.slices()) {
    bytes += slice.bytes().size();
    EXPECT_EQ(slice.bytes().substr(0, 10), "0123456789");
  }
  EXPECT_EQ(bytes, 200'000u);
}

TEST(ChangeLog, TheHeadCanBeMovedWhileNobodyReads) {
  ChangeLog log;
  CollectingReader reader(5000);
  log.AddReader(reader);
  log.SetHead(5000);
  log.SetActive(true);
  EXPECT_EQ(log.Append("abc"), 5003);
  log.Drain();
  log.SetActive(false);
  log.SetHead(100);
  EXPECT_EQ(log.head(), 100);
  log.Stop();
  EXPECT_EQ(reader.text(), "abc");
}

LogRecord In(int database, std::string_view bytes) { return {bytes, database, database}; }

std::string Select(int database) {
  std::string text;
  AppendSelect(text, database);
  return text;
}

TEST(ChangeLog, ADatabaseIsSelectedWhenItChanges) {
  ChangeLog log;
  CollectingReader reader;
  log.AddReader(reader);
  log.SetActive(true);
  log.Append("ping;");
  log.Append(In(0, "a;"));
  log.Append(In(0, "b;"));
  log.Append(In(9, "c;"));
  log.Append("ping;");
  const Lsn end = log.Append(In(9, "d;"));
  log.Append({"e;", 9, 3});
  log.Append(In(3, "f;"));
  log.Drain();
  log.Stop();
  EXPECT_EQ(reader.text(), "ping;" + Select(0) + "a;b;" + Select(9) + "c;ping;d;e;f;");
  EXPECT_EQ(end + 4, log.head());
}

TEST(ChangeLog, WhoBeginsToReadIsToldTheDatabase) {
  ChangeLog log;
  CollectingReader reader;
  log.AddReader(reader);
  log.SetActive(true);
  log.Append(In(2, "a;"));
  log.SetActive(true);
  log.Append(In(2, "b;"));
  log.ForgetDatabase();
  log.Append(In(2, "c;"));
  log.Drain();
  log.Stop();
  EXPECT_EQ(reader.text(), Select(2) + "a;" + Select(2) + "b;" + Select(2) + "c;");
}

TEST(ChangeLog, ADatabaseWithALargeNumberIsSelectedEachTime) {
  ChangeLog log;
  CollectingReader reader;
  log.AddReader(reader);
  log.SetActive(true);
  for (const int database : {16383, 126, 127, 16383, 126}) log.Append(In(database, "x;"));
  log.Drain();
  log.Stop();
  EXPECT_EQ(reader.text(), Select(16383) + "x;" + Select(126) + "x;" + Select(127) + "x;" +
                               Select(16383) + "x;" + Select(126) + "x;");
}

// Threads that write to databases of their own take turns in one stream.
TEST(ChangeLog, EachRecordOfManyThreadsIsInItsDatabase) {
  constexpr int kThreads = 4;
  constexpr int kRecords = 20'000;
  ChangeLog log;
  CollectingReader reader;
  log.AddReader(reader);
  log.SetActive(true);
  std::vector<std::thread> threads;
  for (int database = 0; database < kThreads; ++database) {
    threads.emplace_back([&log, database] {
      const std::string record = fmt::format("{};", database);
      for (int i = 0; i < kRecords; ++i) log.Append(In(database, record));
    });
  }
  for (std::thread& thread : threads) thread.join();
  log.Drain();
  log.Stop();
  std::string_view text = reader.text();
  const size_t select_size = Select(0).size();
  int counts[kThreads] = {};
  char selected = '?';
  while (!text.empty()) {
    if (text.starts_with('*')) {
      const char before = std::exchange(selected, text[select_size - 3]);
      ASSERT_NE(before, selected);
      text.remove_prefix(select_size);
    }
    ASSERT_EQ(text[0], selected);
    ++counts[selected - '0'];
    text.remove_prefix(2);
  }
  for (const int count : counts) EXPECT_EQ(count, kRecords);
}

TEST(ChangeLog, ARemovedReaderHearsNoMore) {
  ChangeLog log;
  CollectingReader first;
  CollectingReader second;
  log.AddReader(first);
  log.AddReader(second);
  log.SetActive(true);
  log.Append("1");
  log.Drain();
  log.RemoveReader(second);
  log.Append("2");
  log.Drain();
  log.Stop();
  EXPECT_EQ(first.text(), "12");
  EXPECT_EQ(second.text(), "1");
}

TEST(ChangeLog, AThreadThatGetsTheNumberOfAnEndedOneContinuesItsChain) {
  ChangeLog log;
  CollectingReader reader;
  log.AddReader(reader);
  log.SetActive(true);
  std::string expected;
  for (int i = 0; i < 600; ++i) {  // more threads than there are numbers
    const std::string record = fmt::format("{};", i);
    expected += record;
    std::thread([&] { log.Append(record); }).join();
  }
  log.Drain();
  log.Stop();
  EXPECT_EQ(reader.text(), expected);
}

// Writers change "keys" under their locks and log the key's new version; a replay of the log must
// see the versions of each key ascend by one, and records that span two keys must be whole.
TEST(ChangeLog, OrderPerKeyIsTheOrderOfItsLockAndTransactionsAreWhole) {
  constexpr int kKeys = 5;
  constexpr int kWriters = 4;
  constexpr int kRounds = 4000;
  ChangeLog log;
  CollectingReader reader;
  log.AddReader(reader);
  log.SetActive(true);
  std::mutex locks[kKeys];
  int versions[kKeys] = {};

  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      uint32_t random = 12345 + static_cast<uint32_t>(writer);
      for (int i = 0; i < kRounds; ++i) {
        random = random * 1664525 + 1013904223;
        const int a = static_cast<int>((random >> 8) % kKeys);
        const int b = (a + 1) % kKeys;
        if ((random >> 20) % 3 == 0) {
          std::scoped_lock both(locks[a], locks[b]);
          ++versions[a];
          ++versions[b];
          log.Append(fmt::format("[{}={} {}={}]", a, versions[a], b, versions[b]));
        } else {
          std::scoped_lock one(locks[a]);
          ++versions[a];
          log.Append(fmt::format("[{}={}]", a, versions[a]));
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  log.Drain();
  log.Stop();

  int seen[kKeys] = {};
  int records = 0;
  const char* at = reader.text().c_str();
  while (*at != '\0') {
    ASSERT_EQ(*at, '[') << "a record was torn";
    do {
      char* end = nullptr;
      const long key = std::strtol(at + 1, &end, 10);
      const long version = std::strtol(end + 1, &end, 10);
      ASSERT_EQ(version, seen[key] + 1) << "key " << key;
      ++seen[key];
      at = end;
    } while (*at == ' ');
    ASSERT_EQ(*at++, ']');
    ++records;
  }
  EXPECT_EQ(records, kWriters * kRounds);
  for (int i = 0; i < kKeys; ++i) EXPECT_EQ(seen[i], versions[i]);
}

TEST(LogSlice, CanBeCutAtBothEnds) {
  ChangeLog log;
  log.SetActive(true);
  log.Append("0123456789");
  CollectingReader reader;
  log.AddReader(reader);
  log.Drain();
  log.Stop();
  LogSlice slice = reader.slices().at(0);
  slice.TrimBefore(4);
  slice.TrimTo(3);
  EXPECT_EQ(slice.bytes(), "456");
  EXPECT_EQ(slice.begin(), 4);
  EXPECT_EQ(slice.end(), 7);
}

}  // namespace
}  // namespace mikura::engine
