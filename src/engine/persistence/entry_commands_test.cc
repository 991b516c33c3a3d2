// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/entry_commands.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/collections/hash_value.h"
#include "engine/collections/list_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/collections/stream_value.h"
#include "engine/persistence/append_log_parser.h"
#include "engine/persistence/persistence_test_support.h"

namespace mikura::engine {
namespace {

using collections::StreamId;
using collections::StreamValue;

// Each command as a line.
std::vector<std::string> Lines(std::string_view bytes) {
  AppendLogParser parser;
  parser.Append(bytes);
  std::vector<std::string> lines;
  std::vector<AppendLogParser::Words> commands;
  while (parser.Next(commands) == AppendLogParser::Outcome::kRecord) {
    lines.push_back(fmt::format("{}", fmt::join(commands[0], " ")));
  }
  EXPECT_EQ(parser.incomplete_bytes(), 0u);
  return lines;
}

std::vector<std::string> LinesOf(const collections::Collection& value,
                                 UnixMillis deadline = store::kNoDeadline) {
  std::string out;
  const auto keep = [](std::string&) { return Status(); };
  EXPECT_TRUE(AppendCollectionCommands(out, "k", value, deadline, keep).ok());
  return Lines(out);
}

std::vector<std::string> LinesOf(std::string_view value, const store::Attributes& attributes) {
  std::string out;
  AppendStringCommands(out, "k", value, attributes);
  return Lines(out);
}

using Expected = std::vector<std::string>;

TEST(EntryCommands, AStringIsSetAndGetsItsDeadline) {
  EXPECT_EQ(LinesOf("v", {}), Expected{"SET k v"});
  EXPECT_EQ(LinesOf("v", {.deadline = 77}), (Expected{"SET k v", "PEXPIREAT k 77"}));
}

TEST(EntryCommands, WhatMemcachedKeepsGoesWithTheString) {
  store::Attributes attributes{
      .has_memcached = true, .memcached_flags = 5, .cas = 6, .memcached_state = 1};
  EXPECT_EQ(LinesOf("v", attributes), Expected{"MIKURA.SET k v 5 6 -1 1"});
  attributes.deadline = 77;
  EXPECT_EQ(LinesOf("v", attributes), Expected{"MIKURA.SET k v 5 6 77 1"});
}

TEST(EntryCommands, ElementsCome64InACommand) {
  UncountedMemory memory;
  collections::ListValue list(memory);
  for (int i = 0; i < 130; ++i) list.PushBack(std::to_string(i));
  const std::vector<std::string> lines = LinesOf(list, 99);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[0].starts_with("RPUSH k 0 1 "));
  EXPECT_TRUE(lines[0].ends_with(" 62 63"));
  EXPECT_TRUE(lines[1].starts_with("RPUSH k 64 "));
  EXPECT_EQ(lines[2], "RPUSH k 128 129");
  EXPECT_EQ(lines[3], "PEXPIREAT k 99");
}

TEST(EntryCommands, ScoresReadBackAsTheyAre) {
  UncountedMemory memory;
  collections::SortedSetValue set(memory);
  set.Set("a", 0.1);
  set.Set("b", std::numeric_limits<double>::infinity());
  EXPECT_EQ(LinesOf(set), Expected{"ZADD k 0.10000000000000001 a inf b"});
}

TEST(EntryCommands, FieldsOfAHashKeepTheirDeadlines) {
  UncountedMemory memory;
  collections::HashValue hash(memory);
  hash.Set("f", "1", 500);
  hash.Set("g", "2");
  EXPECT_EQ(LinesOf(hash), (Expected{"HMSET k f 1 g 2", "HPEXPIREAT k 500 FIELDS 1 f"}));
}

TEST(EntryCommands, AStreamComesWithItsCountersAndGroups) {
  UncountedMemory memory;
  StreamValue stream(memory);
  const std::string_view fields[] = {"f", "v"};
  stream.Append({1, 1}, fields, {});
  stream.Append({1, 2}, fields, {});
  stream.set_last_id({5, 0});
  stream.set_entries_added(7);
  stream.set_max_deleted_id({4, 4});
  stream.AddGroup("g", {1, 1}, 1);
  collections::StreamGroup* group = stream.FindGroup("g");
  const uint64_t consumer = group->AddConsumer("c", 3);
  group->AddConsumer("idle", 3);
  group->SetPending({.id = {1, 1}, .consumer = consumer, .delivered_at = 33, .deliveries = 2});
  EXPECT_EQ(
      LinesOf(stream),
      (Expected{"XADD k 1-1 f v", "XADD k 1-2 f v", "XSETID k 5-0 ENTRIESADDED 7 MAXDELETEDID 4-4",
                "XGROUP CREATE k g 1-1 ENTRIESREAD 1", "XGROUP CREATECONSUMER k g c",
                "XCLAIM k g c 0 1-1 TIME 33 RETRYCOUNT 2 JUSTID FORCE",
                "XGROUP CREATECONSUMER k g idle"}));
}

TEST(EntryCommands, AStreamWithoutEntriesIsThere) {
  UncountedMemory memory;
  const StreamValue stream(memory);
  EXPECT_EQ(LinesOf(stream), (Expected{"XGROUP CREATE k x 0-0 MKSTREAM", "XGROUP DESTROY k x",
                                       "XSETID k 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0"}));
}

TEST(EntryCommands, APendingEntryThatWasDeletedMakesItARestore) {
  UncountedMemory memory;
  StreamValue stream(memory);
  stream.AddGroup("g", {1, 1}, 1);
  collections::StreamGroup* group = stream.FindGroup("g");
  const uint64_t consumer = group->AddConsumer("c", 3);
  group->SetPending({.id = {1, 1}, .consumer = consumer, .delivered_at = 33, .deliveries = 2});
  const std::vector<std::string> lines = LinesOf(stream);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("RESTORE k 0 "));
}

TEST(EntryCommands, ALongValueIsFlushedInBetweenAndAnErrorEndsIt) {
  UncountedMemory memory;
  collections::ListValue list(memory);
  for (int i = 0; i < 300; ++i) list.PushBack(std::string(1000, 'x'));
  std::string out;
  int flushes = 0;
  const auto count = [&](std::string& bytes) {
    ++flushes;
    bytes.clear();
    return Status();
  };
  EXPECT_TRUE(AppendCollectionCommands(out, "k", list, store::kNoDeadline, count).ok());
  EXPECT_GE(flushes, 4);
  const auto fail = [](std::string&) { return Status(Error{"full"}); };
  EXPECT_FALSE(AppendCollectionCommands(out, "k", list, store::kNoDeadline, fail).ok());
}

}  // namespace
}  // namespace mikura::engine
