// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/compact_lists.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mikura::engine {
namespace {

using Elements = std::vector<std::string>;

// The elements, and "malformed" behind them when the walk ended so.
Elements All(CompactForm form, std::string_view bytes) {
  CompactReader reader(form, bytes);
  Elements all;
  std::string_view element;
  while (reader.Next(element)) all.emplace_back(element);
  if (reader.is_malformed()) all.emplace_back("malformed");
  return all;
}

std::string Bytes(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out.push_back(static_cast<char>(byte));
  return out;
}

TEST(CompactLists, AListpackGivesBackWhatWasWritten) {
  ListpackWriter writer;
  Elements wanted;
  for (const int64_t value :
       {int64_t{0}, int64_t{127}, int64_t{128}, int64_t{-1}, int64_t{4095}, int64_t{-4096},
        int64_t{4096}, int64_t{32767}, int64_t{-32768}, int64_t{8388607}, int64_t{-8388608},
        int64_t{INT32_MAX}, int64_t{INT32_MIN}, INT64_MAX, INT64_MIN}) {
    writer.AddInteger(value);
    wanted.push_back(std::to_string(value));
  }
  for (const size_t size : {0, 1, 63, 64, 100, 4095, 4096, 70000}) {
    wanted.emplace_back(size, 'x');
    writer.AddString(wanted.back());
  }
  EXPECT_EQ(writer.count(), wanted.size());
  EXPECT_EQ(All(CompactForm::kListpack, writer.Finish()), wanted);
}

// Bytes as redis-server 7.0.15 has them in DUMP of a hash with a=1, b=hello.
TEST(CompactLists, AListpackOfRedisIsRead) {
  const std::string bytes = Bytes({22,   0,   0, 0,    4,   0,   0x81, 'a', 2,   0x01, 1,
                                   0x81, 'b', 2, 0x85, 'h', 'e', 'l',  'l', 'o', 6,    0xFF});
  EXPECT_EQ(All(CompactForm::kListpack, bytes), (Elements{"a", "1", "b", "hello"}));
}

TEST(CompactLists, AZiplistHasAllItsEncodings) {
  const std::string entries = Bytes({0x00, 0x01, 'a',                          // 6-bit length
                                     0x03, 0x40, 0x02, 'b',  'c',              // 14-bit length
                                     0x05, 0x80, 0,    0,    0,    1,    'd',  // 32-bit length
                                     0x07, 0xF1,                               // 0
                                     0x02, 0xFD,                               // 12
                                     0x02, 0xFE, 0x80,                         // int8
                                     0x03, 0xC0, 0x00, 0x80,                   // int16
                                     0x04, 0xF0, 0xFF, 0xFF, 0x7F,             // int24
                                     0x05, 0xD0, 0,    0,    0,    0x80,       // int32
                                     0xFE, 6,    0,    0,    0,    0xE0, 1,   0,
                                     0,    0,    0,    0,    0,    0,  // long length before, int64
                                     0xFF});
  std::string bytes = Bytes({0, 0, 0, 0, 0, 0, 0, 0, 10, 0}) + entries;
  bytes[0] = static_cast<char>(bytes.size());
  EXPECT_EQ(All(CompactForm::kZiplist, bytes),
            (Elements{"a", "bc", "d", "0", "12", "-128", "-32768", "8388607", "-2147483648", "1"}));
}

TEST(CompactLists, AZipmapSkipsUnusedBytes) {
  const std::string bytes =
      Bytes({2, 3, 'f', 'o', 'o', 3, 2, 'b', 'a', 'r', 0, 0, 1, 'k', 0, 0, 0xFF});
  EXPECT_EQ(All(CompactForm::kZipmap, bytes), (Elements{"foo", "bar", "k", ""}));
}

TEST(CompactLists, AnIntsetHasIntegersOfOneWidth) {
  EXPECT_EQ(All(CompactForm::kIntset, Bytes({2, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0xFF, 5, 0})),
            (Elements{"-1", "5"}));
  EXPECT_EQ(All(CompactForm::kIntset, Bytes({2, 0, 0, 0, 3, 0, 0, 0, 0xFF, 0xFF, 5, 0})),
            Elements{"malformed"});
  EXPECT_EQ(All(CompactForm::kIntset, Bytes({3, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3})),
            Elements{"malformed"});
}

// Whatever the bytes are, the walk ends and stays inside (the sanitizers look).
TEST(CompactLists, DamagedBytesEndTheWalk) {
  std::mt19937 random(1);
  ListpackWriter writer;
  for (int i = 0; i < 50; ++i) writer.AddString(std::string(random() % 40, 'y'));
  const std::string good = writer.Finish();
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good.substr(0, random() % (good.size() + 1));
    for (int flips = 0; flips < 3 && !bytes.empty(); ++flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    for (const CompactForm form : {CompactForm::kListpack, CompactForm::kZiplist,
                                   CompactForm::kZipmap, CompactForm::kIntset}) {
      EXPECT_LE(All(form, bytes).size(), bytes.size() + 1);
    }
  }
}

}  // namespace
}  // namespace mikura::engine
