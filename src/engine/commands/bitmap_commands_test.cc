// SPDX-License-Identifier: Apache-2.0
// What the commands of bits give to the change log, and their limits. The replies are in
// tests/protocol/bitmap*.test.
#include <gtest/gtest.h>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

class BitmapCommands : public testing::Test {
 protected:
  std::string Of(std::string_view line) {
    runner_.Run(line);
    return runner_.effects();
  }
  CommandRunner runner_;
};

TEST_F(BitmapCommands, AreRepeatedAsTheyAre) {
  EXPECT_EQ(Of("SETBIT b 7 1"), "SETBIT b 7 1");
  EXPECT_EQ(Of("BITOP NOT c b"), "BITOP NOT c b");
  EXPECT_EQ(Of("BITOP AND c absent"), "DEL c");
  EXPECT_EQ(Of("BITOP AND c absent"), "");
  EXPECT_EQ(Of("BITFIELD b GET u8 0"), "");
  EXPECT_EQ(Of("BITFIELD b SET u8 0 5"), "BITFIELD b SET u8 0 5");
}

TEST_F(BitmapCommands, AFieldThatStaysIsNoEffectUnlessTheStringGrew) {
  runner_.Run("SETBIT b 7 1");
  EXPECT_EQ(Of("BITFIELD b OVERFLOW FAIL SET u8 0 256"), "");
  EXPECT_EQ(Of("BITFIELD b OVERFLOW FAIL SET u8 8 256"), "BITFIELD b OVERFLOW FAIL SET u8 8 256");
  EXPECT_EQ(runner_.Run("STRLEN b"), ":2 ");
}

TEST_F(BitmapCommands, NoBitLiesBehindTheGreatestString) {
  runner_.set_string_bytes_max(4);
  const std::string complaint = "-ERR bit offset is not an integer or out of range ";
  EXPECT_EQ(runner_.Run("SETBIT b 31 1"), ":0 ");
  EXPECT_EQ(runner_.Run("SETBIT b 32 1"), complaint);
  EXPECT_EQ(runner_.Run("GETBIT b 32"), complaint);
  EXPECT_EQ(runner_.Run("BITFIELD b SET u8 32 1"), complaint);
  EXPECT_EQ(runner_.Run("BITFIELD b SET i64 #288230376151711744 1"), complaint);  // * 64: 2^64
  EXPECT_EQ(runner_.Run("STRLEN b"), ":4 ");
}

TEST_F(BitmapCommands, AChangedBitRenewsWhatAMemcachedClientCompares) {
  runner_.Run("SET b x");
  runner_.SetAttributes("b", {.has_memcached = true, .memcached_flags = 3, .cas = 7});
  runner_.Run("SETBIT b 0 1");
  EXPECT_EQ(runner_.AttributesOf("b").memcached_flags, 3u);
  EXPECT_NE(runner_.AttributesOf("b").cas, 7u);
}

}  // namespace
}  // namespace mikura::engine
