// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_keys.h"

#include <gtest/gtest.h>

namespace mikura::engine {
namespace {

std::vector<uint32_t> Words(const CommandSpec& spec, std::vector<std::string_view> args) {
  std::vector<KeyPlace> places;
  FindKeyPlaces(spec, args, places);
  std::vector<uint32_t> words;
  for (const KeyPlace& place : places) words.push_back(place.word);
  return words;
}

using Places = std::vector<uint32_t>;

TEST(CommandKeys, ARangeMayEndAtTheEnd) {
  const CommandSpec mset{.keys = KeysFrom(1, -1, 2)};
  EXPECT_EQ(Words(mset, {"MSET", "a", "1", "b", "2"}), (Places{1, 3}));
  const CommandSpec blpop{.keys = KeysFrom(1, -2, 1)};
  EXPECT_EQ(Words(blpop, {"BLPOP", "a", "b", "0"}), (Places{1, 2}));
}

TEST(CommandKeys, ANumberOfKeysThatTheWordsDoNotHaveMeansNone) {
  static constexpr KeySpec kSpecs[] = {KeysInRange("OW update", 1, 1),
                                       KeysByNumber("RO access", 2)};
  const CommandSpec store{.key_specs = kSpecs};
  EXPECT_EQ(Words(store, {"ZUNIONSTORE", "d", "2", "a", "b", "WEIGHTS"}), (Places{1, 3, 4}));
  EXPECT_EQ(Words(store, {"ZUNIONSTORE", "d", "3", "a", "b"}), (Places{1}));
  EXPECT_EQ(Words(store, {"ZUNIONSTORE", "d", "9223372036854775807", "a"}), (Places{1}));
  EXPECT_EQ(Words(store, {"ZUNIONSTORE", "d", "-1", "a"}), (Places{1}));
}

TEST(CommandKeys, KeysBehindAKeywordAreTheFirstHalf) {
  static constexpr KeySpec kSpecs[] = {
      {.access = "RO access", .keyword = "STREAMS", .keyword_from = 1, .last = -1, .limit = 2}};
  const CommandSpec read{.key_specs = kSpecs};
  EXPECT_EQ(Words(read, {"XREAD", "COUNT", "1", "STREAMS", "a", "b", "0", "0"}), (Places{4, 5}));
  EXPECT_EQ(Words(read, {"XREAD", "COUNT", "1", "streams"}), Places{});
  EXPECT_EQ(Words(read, {"XREAD", "COUNT", "1"}), Places{});
}

}  // namespace
}  // namespace mikura::engine
