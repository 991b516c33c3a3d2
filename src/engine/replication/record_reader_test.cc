// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/record_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mikura::engine {
namespace {

std::string Command(std::initializer_list<std::string_view> words) {
  std::string out = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) out += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return out;
}

// All whole records, as "word word|word word".
std::vector<std::string> ReadAll(RecordReader& reader) {
  std::vector<std::string> all;
  RecordReader::Record record;
  while (true) {
    const auto more = reader.Next(record);
    EXPECT_TRUE(more.ok()) << more.error().message;
    if (!more.ok() || !more.value()) return all;
    std::string text;
    for (const CommandWords words : record.commands) {
      text += text.empty() ? "" : "|";
      text += fmt::format("{}", fmt::join(words, " "));
    }
    all.push_back(text);
  }
}

using Records = std::vector<std::string>;

TEST(RecordReader, CommandsAreRecords) {
  RecordReader reader;
  reader.Append(Command({"SET", "k", "v"}) + Command({"DEL", "k"}));
  EXPECT_EQ(ReadAll(reader), (Records{"SET k v", "DEL k"}));
}

TEST(RecordReader, ATransactionIsOneRecord) {
  RecordReader reader;
  reader.Append(Command({"MULTI"}) + Command({"SET", "a", "1"}) + Command({"SET", "b", "2"}));
  EXPECT_EQ(ReadAll(reader), Records{});
  reader.Append(Command({"EXEC"}) + Command({"DEL", "a"}));
  EXPECT_EQ(ReadAll(reader), (Records{"SET a 1|SET b 2", "DEL a"}));
}

TEST(RecordReader, BytesOfARecordAreAllOfThem) {
  const std::string block = Command({"MULTI"}) + Command({"SET", "a", "1"}) + Command({"EXEC"});
  RecordReader reader;
  reader.Append(block + Command({"PING"}));
  RecordReader::Record record;
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_EQ(record.bytes, block);
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_EQ(record.bytes, Command({"PING"}));
}

TEST(RecordReader, ItDoesNotMatterWhereTheStreamIsCut) {
  std::string stream;
  Records expected;
  for (int i = 0; i < 50; ++i) {
    const std::string value(static_cast<size_t>(i * 37), 'v');
    stream += Command({"SET", "key", value});
    expected.push_back("SET key " + value);
    stream +=
        Command({"MULTI"}) + Command({"DEL", "a"}) + Command({"DEL", "b"}) + Command({"EXEC"});
    expected.push_back("DEL a|DEL b");
  }
  for (const size_t piece : {1, 3, 1000, 30'000}) {
    RecordReader reader;
    Records got;
    size_t bytes = 0;
    for (size_t at = 0; at < stream.size(); at += piece) {
      reader.Append(std::string_view(stream).substr(at, piece));
      for (std::string& record : ReadAll(reader)) got.push_back(std::move(record));
      bytes = at + piece;
    }
    EXPECT_GE(bytes, stream.size());
    EXPECT_EQ(got, expected) << piece;
    EXPECT_EQ(reader.unread_bytes(), 0u);
  }
}

TEST(RecordReader, AnEmptyLineIsARecordWithoutCommands) {
  RecordReader reader;
  reader.Append("\r\n" + Command({"PING"}));
  RecordReader::Record record;
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_TRUE(record.commands.empty());
  EXPECT_EQ(record.bytes, "\r\n");
}

TEST(RecordReader, TextThatIsNoCommandIsRefused) {
  for (const std::string_view text : {"hello\r\n", "*1\r\n:5\r\n", "*-7\r\n$1\r\nx\r\n*x\r\n"}) {
    RecordReader reader;
    reader.Append(text);
    RecordReader::Record record;
    auto more = reader.Next(record);
    while (more.ok() && more.value()) more = reader.Next(record);
    EXPECT_FALSE(more.ok()) << text;
  }
}

}  // namespace
}  // namespace mikura::engine
