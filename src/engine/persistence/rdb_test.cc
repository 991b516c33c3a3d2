// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "engine/persistence/crc64.h"
#include "engine/persistence/lzf.h"
#include "engine/persistence/persistence_test_support.h"
#include "engine/persistence/rdb_compression.h"
#include "engine/persistence/rdb_reader.h"
#include "engine/persistence/rdb_writer.h"

namespace mikura::engine {
namespace {

using testing::HasSubstr;

// Hands out `bytes` in pieces of at most `piece`.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes, size_t piece = SIZE_MAX)
      : bytes_(std::move(bytes)), piece_(piece) {}
  Result<size_t> Read(char* out, size_t size) override {
    const size_t count = std::min({size, piece_, bytes_.size() - position_});
    std::memcpy(out, bytes_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::string bytes_;
  size_t piece_;
  size_t position_ = 0;
};

struct Read {
  int database;
  std::string key;
  std::string value;
  store::Attributes attributes;
};

class Collector final : public RdbHandler {
 public:
  Status OnEntry(const RdbEntry& entry) override {
    entries.push_back(
        {entry.database, std::string(entry.key), std::string(entry.value), entry.attributes});
    return Ok();
  }
  void OnAux(std::string_view name, std::string_view value) override {
    aux.emplace_back(name, value);
  }
  std::vector<Read> entries;
  std::vector<std::pair<std::string, std::string>> aux;
};

std::string Ended(std::string rdb) {
  AppendRdbEnd(rdb, Crc64(0, rdb));
  return rdb;
}

std::string Header() {
  std::string out;
  AppendRdbHeader(out);
  return out;
}

// The error of reading `rdb`, or "" when there was none.
std::string ErrorOf(const std::string& rdb) {
  StringSource source(rdb);
  Collector collector;
  UncountedMemory memory;
  RdbReader reader(source, collector, memory);
  const Status status = reader.Read();
  return status.ok() ? "" : status.error().message;
}

TEST(Crc64, MatchesTheCheckValueOfTheJonesVariant) {
  EXPECT_EQ(Crc64(0, "123456789"), 0xe9c6d914c4b8d9caull);
  EXPECT_EQ(Crc64(Crc64(0, "1234"), "56789"), 0xe9c6d914c4b8d9caull);
}

TEST(Lzf, ExpandsLiteralsAndOverlappingCopies) {
  std::string out(7, ' ');
  // One literal "a", then 6 more by copying from distance 1.
  EXPECT_TRUE(ExpandLzf(std::string_view("\x00"
                                         "a"
                                         "\x80\x00",
                                         4),
                        out));
  EXPECT_EQ(out, "aaaaaaa");
}

TEST(Lzf, RefusesWhatLeavesTheBuffers) {
  std::string out(7, ' ');
  EXPECT_FALSE(ExpandLzf(std::string_view("\x80\x00", 2), out));  // copies from before
  EXPECT_FALSE(ExpandLzf(std::string_view("\x05"
                                          "ab",
                                          3),
                         out));  // literals missing
  EXPECT_FALSE(ExpandLzf(std::string_view("\x00"
                                          "a\xe0",
                                          3),
                         out));  // length missing
  EXPECT_FALSE(ExpandLzf(std::string_view("\x00"
                                          "a\xa0\x00",
                                          4),
                         out));  // too long
  EXPECT_FALSE(ExpandLzf(std::string_view("\x00"
                                          "a\x20\x00",
                                          4),
                         out));  // too short
}

std::string Expanded(std::string_view compressed, size_t size) {
  std::string out(size, ' ');
  return ExpandLzf(compressed, out) ? out : "";
}

TEST(Lzf, WhatIsCompressedExpandsToWhatItWas) {
  LzfCompressor compressor;
  uint32_t random = 1;
  const auto next = [&random] { return (random = random * 1664525 + 1013904223) >> 8; };
  int compressed_count = 0;
  for (int round = 0; round < 3000; ++round) {
    // Texts of few letters and of many; with repetitions near and far.
    std::string text;
    const uint32_t letters = 1 + next() % 200;
    const size_t size = next() % (round % 100 == 0 ? 60'000 : 600);
    while (text.size() < size) {
      if (!text.empty() && next() % 4 == 0) {
        const size_t from = next() % text.size();
        text += text.substr(from, next() % 400);
      } else {
        text.push_back(static_cast<char>(next() % letters));
      }
    }
    std::string out = "before";
    if (!compressor.Append(out, text, 4)) {
      ASSERT_EQ(out, "before");
      continue;
    }
    ++compressed_count;
    ASSERT_LE(out.size(), 6 + text.size() - 4);
    ASSERT_EQ(Expanded(std::string_view(out).substr(6), text.size()), text) << round;
  }
  EXPECT_GT(compressed_count, 1000);
}

TEST(Lzf, ALongRunTakesLittleAndNoiseIsLeftAlone) {
  LzfCompressor compressor;
  std::string out;
  EXPECT_TRUE(compressor.Append(out, std::string(100'000, 'x'), 4));
  EXPECT_LT(out.size(), 1500u);
  std::string noise;
  uint32_t random = 7;
  for (int i = 0; i < 5000; ++i) {
    random = random * 1664525 + 1013904223;
    noise.push_back(static_cast<char>(random >> 24));
  }
  out.clear();
  EXPECT_FALSE(compressor.Append(out, noise, 4));
  EXPECT_EQ(out, "");
  EXPECT_FALSE(compressor.Append(out, "", 4));
}

TEST(RdbCompression, LongTextsAreCompressedAndTheRestStaysAsItWas) {
  std::string plain = Header();
  RdbPlainTexts texts;
  const std::string noise = "8f3Jq0zPk2Lw9xVb7Nc5Rt";
  AppendRdbString(plain, std::string(30, 'k'), std::string(70, 'v'), {.deadline = 7}, &texts);
  AppendRdbString(plain, "short", "value", {}, &texts);
  AppendRdbString(plain, noise, std::string(20'000, 'w'), {}, &texts);
  ASSERT_EQ(texts.size(), 4u);
  RdbCompressor compressor;
  std::string compressed;
  compressor.AppendData(compressed, plain, texts);
  EXPECT_LT(compressed.size(), 450u);
  for (const std::string& data : {plain, compressed}) {
    StringSource source(Ended(data));
    Collector got;
    UncountedMemory memory;
    RdbReader reader(source, got, memory);
    const Status status = reader.Read();
    ASSERT_TRUE(status.ok()) << status.error().message;
    ASSERT_EQ(got.entries.size(), 3u);
    EXPECT_EQ(got.entries[0].key, std::string(30, 'k'));
    EXPECT_EQ(got.entries[0].value, std::string(70, 'v'));
    EXPECT_EQ(got.entries[0].attributes.deadline, 7);
    EXPECT_EQ(got.entries[1].value, "value");
    EXPECT_EQ(got.entries[2].key, noise);
    EXPECT_EQ(got.entries[2].value, std::string(20'000, 'w'));
  }
}

// As Redis: what a number of 32 bits is written as, and nothing else.
TEST(Rdb, NumbersAreWrittenAsNumbers) {
  const auto written = [](std::string_view text) {
    std::string out;
    AppendRdbText(out, text);
    return out;
  };
  EXPECT_EQ(written("0"), std::string("\xc0\x00", 2));
  EXPECT_EQ(written("-128"), "\xc0\x80");
  EXPECT_EQ(written("128"), std::string("\xc1\x80\x00", 3));
  EXPECT_EQ(written("-32769"), "\xc2\xff\x7f\xff\xff");
  EXPECT_EQ(written("2147483647"), "\xc2\xff\xff\xff\x7f");
  EXPECT_EQ(written("-2147483648"), std::string("\xc2\x00\x00\x00\x80", 5));
  for (const std::string text :
       {"", "00", "-0", "+1", " 1", "1 ", "1.0", "2147483648", "0x1", "-2147483649", "-"}) {
    EXPECT_EQ(written(text), std::string(1, static_cast<char>(text.size())) + text);
  }
}

TEST(Rdb, WhatWasWrittenIsReadBack) {
  std::string rdb = Header();
  AppendRdbAux(rdb, "redis-ver", "7.0.15");
  AppendRdbSelect(rdb, 0);
  AppendRdbString(rdb, "plain", "value", {});
  AppendRdbString(rdb, "", "", {});
  AppendRdbString(rdb, std::string(70, 'k'), std::string(20'000, 'v'), {});
  AppendRdbSelect(rdb, 7);
  AppendRdbString(rdb, "timed", "t", {.deadline = 1'700'000'000'123});
  AppendRdbString(
      rdb, "mc", "m",
      {.has_memcached = true, .memcached_flags = 0xdeadbeef, .cas = 42, .memcached_state = 5});
  AppendRdbString(rdb, "after", "a", {});
  rdb = Ended(rdb);

  for (const size_t piece : {size_t{1}, size_t{7}, size_t{100'000}}) {
    StringSource source(rdb + "behind", piece);
    Collector got;
    UncountedMemory memory;
    RdbReader reader(source, got, memory);
    const Status status = reader.Read();
    ASSERT_TRUE(status.ok()) << status.error().message;
    EXPECT_EQ(reader.offset(), rdb.size());
    ASSERT_EQ(got.entries.size(), 6u);
    EXPECT_EQ(got.aux.at(0).first, "redis-ver");
    EXPECT_EQ(got.entries[0].value, "value");
    EXPECT_EQ(got.entries[1].key, "");
    EXPECT_EQ(got.entries[2].value, std::string(20'000, 'v'));
    EXPECT_EQ(got.entries[2].database, 0);
    EXPECT_EQ(got.entries[3].database, 7);
    EXPECT_EQ(got.entries[3].attributes.deadline, 1'700'000'000'123);
    EXPECT_TRUE(got.entries[4].attributes.has_memcached);
    EXPECT_EQ(got.entries[4].attributes.memcached_flags, 0xdeadbeef);
    EXPECT_EQ(got.entries[4].attributes.cas, 42u);
    EXPECT_EQ(got.entries[4].attributes.memcached_state, 5);
    EXPECT_EQ(got.entries[4].attributes.deadline, store::kNoDeadline);
    EXPECT_FALSE(got.entries[5].attributes.has_memcached);
  }
}

TEST(Rdb, BytesBehindTheEndAreLeftToTheCaller) {
  StringSource source(Ended(Header()) + "*1\r\n");
  Collector got;
  UncountedMemory memory;
  RdbReader reader(source, got, memory);
  ASSERT_TRUE(reader.Read().ok());
  EXPECT_EQ(reader.rest(), "*1\r\n");
}

TEST(Rdb, BytesReadBeforeAreTheBeginning) {
  const std::string rdb = Ended(Header());
  StringSource source(rdb.substr(5));
  Collector got;
  UncountedMemory memory;
  RdbReader reader(source, got, memory, std::string_view(rdb).substr(0, 5));
  EXPECT_TRUE(reader.Read().ok());
}

TEST(Rdb, IntegersAndCompressedStringsAreExpanded) {
  std::string rdb = Header();
  const auto value = [&rdb](std::string_view encoded) {
    rdb.append("\x00\x01k", 3);
    rdb.append(encoded);
  };
  value(std::string_view("\xc0\xff", 2));              // int8
  value(std::string_view("\xc1\x00\x80", 3));          // int16
  value(std::string_view("\xc2\xff\xff\xff\x7f", 5));  // int32
  value(
      std::string_view("\xc3\x04\x07\x00"
                       "a"
                       "\x80\x00",
                       7));  // LZF
  StringSource source(Ended(rdb));
  Collector got;
  UncountedMemory memory;
  RdbReader reader(source, got, memory);
  const Status status = reader.Read();
  ASSERT_TRUE(status.ok()) << status.error().message;
  ASSERT_EQ(got.entries.size(), 4u);
  EXPECT_EQ(got.entries[0].value, "-1");
  EXPECT_EQ(got.entries[1].value, "-32768");
  EXPECT_EQ(got.entries[2].value, "2147483647");
  EXPECT_EQ(got.entries[3].value, "aaaaaaa");
}

TEST(Rdb, HintsOfOtherServersAreSkipped) {
  std::string rdb = Header();
  rdb.append("\xfb\x03\x01", 3);                    // sizes of the database
  rdb.append("\xf4\x01\x02\x03", 4);                // a slot
  rdb.append("\xf7\x05\x02\x01\x05\x02xy\x00", 9);  // module data
  rdb.append("\xf9\x07", 2);                        // use counter
  rdb.append("\xf8\x09", 2);                        // idle time
  rdb.append("\xfd\x01\x00\x00\x00", 5);            // deadline in seconds
  AppendRdbString(rdb, "k", "v", {});
  StringSource source(Ended(rdb));
  Collector got;
  UncountedMemory memory;
  RdbReader reader(source, got, memory);
  const Status status = reader.Read();
  ASSERT_TRUE(status.ok()) << status.error().message;
  ASSERT_EQ(got.entries.size(), 1u);
  EXPECT_EQ(got.entries[0].attributes.deadline, 1000);
}

TEST(Rdb, ATypeThatIsNotSupportedIsNamed) {
  std::string rdb = Header();
  AppendRdbSelect(rdb, 3);
  rdb.append("\x07\x04name\x01", 7);
  EXPECT_THAT(ErrorOf(rdb), HasSubstr("a module value (RDB type 7), which is not supported"));
  EXPECT_THAT(ErrorOf(rdb), HasSubstr("key 'name' in database 3"));
}

TEST(Rdb, AWrongChecksumIsRefusedAndNoneIsAccepted) {
  std::string rdb = Header();
  AppendRdbString(rdb, "k", "v", {});
  std::string broken = Ended(rdb);
  broken[13] ^= 1;  // the value
  EXPECT_THAT(ErrorOf(broken), HasSubstr("checksum"));
  EXPECT_EQ(ErrorOf(rdb + '\xff' + std::string(8, '\0')), "");
}

TEST(Rdb, EveryTruncationIsAnError) {
  std::string rdb = Header();
  AppendRdbAux(rdb, "a", "b");
  AppendRdbSelect(rdb, 1);
  AppendRdbString(rdb, "key", std::string(300, 'v'), {.deadline = 5, .has_memcached = true});
  rdb = Ended(rdb);
  for (size_t size = 0; size < rdb.size(); ++size) {
    EXPECT_THAT(ErrorOf(rdb.substr(0, size)), HasSubstr("too early")) << size;
  }
}

TEST(Rdb, LengthsAreNotBelieved) {
  EXPECT_THAT(ErrorOf(Header() + std::string("\x00\x81\x7f\xff\xff\xff\xff\xff\xff\xff", 10)),
              HasSubstr("a string of"));
  EXPECT_THAT(ErrorOf(Header() + std::string("\x00\x80\x1f\xff\xff\xff"
                                             "abc",
                                             9)),
              HasSubstr("too early"));
  EXPECT_THAT(ErrorOf(Header() + std::string("\x00\xc3\x01\x80\x1f\xff\xff\xff"
                                             "a",
                                             9)),
              HasSubstr("impossible size"));
}

TEST(Rdb, FlippedBitsNeverCrashTheReader) {
  std::string rdb = Header();
  AppendRdbAux(rdb, "name", "value");
  AppendRdbSelect(rdb, 1);
  AppendRdbString(rdb, "key", "value", {.deadline = 5, .has_memcached = true});
  rdb = Ended(rdb);
  int refused = 0;
  for (size_t bit = 0; bit < rdb.size() * 8; ++bit) {
    std::string broken = rdb;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    refused += ErrorOf(broken).empty() ? 0 : 1;
  }
  EXPECT_EQ(refused, static_cast<int>(rdb.size() * 8));  // the checksum sees each single bit
}

TEST(Rdb, OtherFilesAreRefused) {
  EXPECT_THAT(ErrorOf("hello, world"), HasSubstr("does not begin"));
  EXPECT_THAT(ErrorOf("REDIS9999\xff"), HasSubstr("version 9999"));
}

}  // namespace
}  // namespace mikura::engine
