// SPDX-License-Identifier: Apache-2.0
// Every encoding of a value that Redis up to 7.4 and Valkey up to 8 have in their files, byte by
// byte; and what we write of each is read back as the same.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/persistence/persistence_test_support.h"
#include "engine/persistence/rdb_file.h"
#include "engine/persistence/rdb_output.h"
#include "engine/persistence/rdb_samples.h"
#include "engine/persistence/rdb_value_writer.h"
#include "engine/persistence/rdb_writer.h"

namespace mikura::engine {
namespace {

using testing::HasSubstr;

class Describer final : public RdbHandler {
 public:
  Status OnEntry(const RdbEntry& entry) override {
    texts[fmt::format("{}/{}", entry.database, entry.key)] = Describe(entry);
    if (entry.collection == nullptr) return Ok();
    written.push_back(static_cast<char>(RdbTypeOf(*entry.collection)));
    AppendRdbText(written, entry.key);
    return AppendRdbCollection(written, *entry.collection, [](std::string&) { return Status(); });
  }
  void OnAux(std::string_view, std::string_view) override {}
  Status OnFunctionLibrary(std::string_view code) override {
    functions += code;
    return Ok();
  }
  std::map<std::string, std::string> texts;
  std::string written;  // the collections as we write them
  std::string functions;
};

// The error, or "".
std::string Read(std::string_view file, Describer& describer) {
  TextSource source(file);
  UncountedMemory memory;
  RdbReader reader(source, describer, memory);
  const Status status = reader.Read();
  return status.ok() ? "" : status.error().message;
}

std::string FileWith(const RdbSample& sample) {
  std::string body(1, static_cast<char>(sample.type));
  AppendRdbText(body, "key");
  return RdbFileOf(body + sample.payload);
}

TEST(RdbEncodings, EachIsRead) {
  for (const RdbSample& sample : RdbSamples()) {
    Describer describer;
    EXPECT_EQ(Read(FileWith(sample), describer), "") << sample.name;
    EXPECT_EQ(describer.texts["0/key"], sample.wanted) << sample.name;
  }
}

TEST(RdbEncodings, WhatWeWriteOfEachIsReadAsTheSame) {
  for (const RdbSample& sample : RdbSamples()) {
    Describer first;
    ASSERT_EQ(Read(FileWith(sample), first), "") << sample.name;
    if (first.written.empty()) continue;  // a string
    Describer second;
    EXPECT_EQ(Read(RdbFileOf(first.written), second), "") << sample.name;
    // When a consumer was last active Redis 7.0 does not know.
    if (sample.type != 21) {
      EXPECT_EQ(second.texts, first.texts) << sample.name;
    }
  }
}

TEST(RdbEncodings, EachThatIsCutIsRefusedWithItsOffset) {
  for (const RdbSample& sample : RdbSamples()) {
    const std::string file = FileWith(sample);
    for (size_t size = 9; size < file.size(); size += 1 + size / 100) {
      Describer describer;
      EXPECT_THAT(Read(file.substr(0, size), describer), HasSubstr("RDB data, offset "))
          << sample.name << " " << size;
    }
  }
}

TEST(RdbEncodings, AFileOfThemAllIsRead) {
  Describer describer;
  EXPECT_EQ(Read(RdbFileOfSamples(), describer), "");
  EXPECT_EQ(describer.texts.size(), RdbSamples().size());
  EXPECT_EQ(describer.texts.begin()->first.substr(0, 5), "3/key");
  EXPECT_THAT(describer.functions, HasSubstr("name=l"));
}

TEST(RdbEncodings, AllVersionsUpToTwelveAreRead) {
  std::string body(1, '\0');
  AppendRdbText(body, "key");
  AppendRdbText(body, "value");
  for (const std::string_view version : {"0001", "0004", "0006", "0009", "0010", "0011", "0012"}) {
    Describer describer;
    EXPECT_EQ(Read(RdbFileOf(body, version), describer), "");
    EXPECT_EQ(describer.texts["0/key"], "string value");
  }
  Describer describer;
  EXPECT_THAT(Read(RdbFileOf(body, "0013"), describer), HasSubstr("RDB version 13 is not known"));
}

// What stands in a file about the stream of changes, and what a keyspace cannot take.
TEST(RdbEncodings, APlaceInTheStreamIsKeptAndWhatDoesNotFitIsRefused) {
  const auto keyspace = Keyspace::Create({.database_count = 4}).value();
  const std::string file = RdbFileOfSamples();
  TextSource source(file);
  KeyspaceLoader loader(*keyspace, 0);
  loader.SetLibraries([](std::string_view) { return Ok(); });
  RdbReader reader(source, loader, keyspace->allocator().collections());
  const Status status = reader.Read();
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(loader.position().id, std::string(40, 'a'));
  EXPECT_EQ(loader.position().offset, 123456);
  EXPECT_EQ(keyspace->KeyCount(3), RdbSamples().size());

  const auto refused = [&](std::string_view body) {
    const std::string bytes = RdbFileOf(body);
    TextSource again(bytes);
    KeyspaceLoader next(*keyspace, 0);
    RdbReader second(again, next, keyspace->allocator().collections());
    const Status ended = second.Read();
    return ended.ok() ? "" : ended.error().message;
  };
  std::string key(1, '\0');
  AppendRdbText(key, "key1");
  AppendRdbText(key, "v");
  EXPECT_THAT(refused(std::string("\xfe\x03") + key), HasSubstr("twice"));
  EXPECT_THAT(refused(std::string("\xfe\x03") + key), HasSubstr("offset "));
  EXPECT_THAT(refused(std::string("\xfe\x04") + key), HasSubstr("database 4"));
}

}  // namespace
}  // namespace mikura::engine
