// SPDX-License-Identifier: Apache-2.0
// What SORT gives to the change log, and which keys it names. The replies are in
// tests/protocol/sort.test.
#include <gtest/gtest.h>

#include "engine/commands/command_keys.h"
#include "engine/commands/command_test_support.h"
#include "engine/commands/sort_request.h"

namespace mikura::engine {
namespace {

class SortCommands : public testing::Test {
 protected:
  std::string Of(std::string_view line) {
    runner_.Run(line);
    return runner_.effects();
  }
  CommandRunner runner_;
};

TEST_F(SortCommands, AreRepeatedAsTheListTheyStored) {
  runner_.Run("RPUSH l 3 1 2");
  EXPECT_EQ(Of("SORT l"), "");
  EXPECT_EQ(Of("SORT l STORE d"), "MULTI; DEL d; RPUSH d 1 2 3; EXEC");
  EXPECT_EQ(Of("SORT absent STORE d"), "DEL d");
  EXPECT_EQ(Of("SORT absent STORE d"), "");
}

TEST_F(SortCommands, ALongListIsRepeatedInParts) {
  std::vector<std::string> words = {"RPUSH", "l"};
  for (int i = 0; i < 2500; ++i) words.push_back(std::to_string(i));
  runner_.Run(words);
  const std::string effects = Of("SORT l STORE d");
  size_t parts = 0;
  for (size_t at = 0; (at = effects.find("RPUSH d", at)) != std::string::npos; ++at) ++parts;
  EXPECT_EQ(parts, 3u);
  EXPECT_EQ(runner_.Run("LLEN d"), ":2500 ");
  EXPECT_EQ(runner_.Run("LINDEX d -1"), "$4 2499 ");
}

std::vector<uint32_t> KeyWords(const std::vector<std::string_view>& args) {
  std::vector<KeyPlace> places;
  FindSortKeys(args, places);
  std::vector<uint32_t> words;
  for (const KeyPlace& place : places) words.push_back(place.word);
  return words;
}

using Words = std::vector<uint32_t>;

TEST(SortRequest, TheLastDestinationCounts) {
  EXPECT_EQ(KeyWords({"SORT", "k"}), Words({1}));
  EXPECT_EQ(KeyWords({"SORT", "k", "STORE", "d"}), Words({1, 3}));
  EXPECT_EQ(KeyWords({"SORT", "k", "STORE", "d", "store", "e"}), Words({1, 5}));
  EXPECT_EQ(KeyWords({"SORT", "k", "BY", "store", "GET", "x"}), Words({1}));
  EXPECT_EQ(KeyWords({"SORT", "k", "STORE", "get", "STORE", "d"}), Words({1, 5}));
  EXPECT_EQ(KeyWords({"SORT", "k", "STORE"}), Words({1}));
  EXPECT_EQ(KeyWords({"SORT", "k", "LIMIT", "0"}), Words({1}));
}

bool ReadsOthers(const std::vector<std::string_view>& args) { return SortReadsUnnamedKeys(args); }

TEST(SortRequest, OnlyAPatternWithAStarNamesOtherKeys) {
  EXPECT_FALSE(ReadsOthers({"SORT", "k"}));
  EXPECT_FALSE(ReadsOthers({"SORT", "k", "BY", "nosort", "GET", "#"}));
  EXPECT_FALSE(ReadsOthers({"SORT", "k", "STORE", "a*"}));
  EXPECT_TRUE(ReadsOthers({"SORT", "k", "BY", "w*"}));
  EXPECT_TRUE(ReadsOthers({"SORT", "k", "GET", "#", "GET", "h*->f"}));
}

}  // namespace
}  // namespace mikura::engine
