// SPDX-License-Identifier: Apache-2.0
// What the commands of HyperLogLogs give to the change log. The replies are in
// tests/protocol/hyperloglog.test.
#include <gtest/gtest.h>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

class HyperLogLogCommands : public testing::Test {
 protected:
  std::string Of(std::string_view line) {
    runner_.Run(line);
    return runner_.effects();
  }
  CommandRunner runner_;
};

TEST_F(HyperLogLogCommands, AreRepeatedWhenTheyChangedSomething) {
  EXPECT_EQ(Of("PFADD h"), "PFADD h");
  EXPECT_EQ(Of("PFADD h"), "");
  EXPECT_EQ(Of("PFADD h a b"), "PFADD h a b");
  EXPECT_EQ(Of("PFADD h b a"), "");
  EXPECT_EQ(Of("PFCOUNT h"), "PFCOUNT h");
  EXPECT_EQ(Of("PFCOUNT h"), "");  // it was kept
  EXPECT_EQ(Of("PFCOUNT h g"), "");
  EXPECT_EQ(Of("PFMERGE g h"), "PFMERGE g h");
  EXPECT_EQ(Of("PFDEBUG GETREG g"), "PFDEBUG TODENSE g");
  EXPECT_EQ(Of("PFDEBUG TODENSE g"), "");
  EXPECT_EQ(Of("PFADD g a b"), "");
  EXPECT_EQ(Of("PFADD g c"), "PFADD g c");
}

TEST_F(HyperLogLogCommands, AReplicaKeepsAnEstimateForItselfOnly) {
  runner_.Run("PFADD h a b");
  runner_.fakes().role.is_primary = false;
  EXPECT_EQ(runner_.Run("PFCOUNT h"), ":2 ");
  EXPECT_EQ(runner_.effects(), "");
}

TEST_F(HyperLogLogCommands, AReplicaWithAnotherLimitFollows) {
  runner_.encoding_limits().hll_sparse_bytes = 20;
  runner_.Run("PFADD h a b c d");
  EXPECT_EQ(runner_.Run("PFDEBUG ENCODING h"), "+dense ");
  runner_.encoding_limits().hll_sparse_bytes = 3000;
  runner_.Run("PFMERGE g h");
  EXPECT_EQ(runner_.Run("PFDEBUG ENCODING g"), "+dense ");
  EXPECT_EQ(runner_.Run("PFCOUNT g"), ":4 ");
}

TEST_F(HyperLogLogCommands, ABrokenValueIsNotChanged) {
  runner_.Run("PFADD h a b c");
  runner_.Run("APPEND h hello");
  const std::string before = runner_.Run("GET h");
  for (const std::string_view line :
       {"PFADD h x", "PFADD h a b c d e f g h i j", "PFMERGE h", "PFMERGE g h", "PFCOUNT h",
        "PFCOUNT h g", "PFDEBUG GETREG h", "PFDEBUG DECODE h", "PFDEBUG TODENSE h"}) {
    EXPECT_EQ(runner_.Run(line), "-INVALIDOBJ Corrupted HLL object detected ") << line;
    EXPECT_EQ(runner_.effects(), "") << line;
  }
  EXPECT_EQ(runner_.Run("GET h"), before);
  EXPECT_EQ(runner_.Run("EXISTS g"), ":0 ");
}

TEST_F(HyperLogLogCommands, AChangeRenewsWhatAMemcachedClientCompares) {
  runner_.Run("PFADD h a");
  runner_.SetAttributes("h", {.has_memcached = true, .memcached_flags = 3, .cas = 7});
  runner_.Run("PFADD h b");
  EXPECT_EQ(runner_.AttributesOf("h").memcached_flags, 3u);
  EXPECT_NE(runner_.AttributesOf("h").cas, 7u);
}

TEST_F(HyperLogLogCommands, ADeadlineStays) {
  runner_.Run("PFADD h a");
  runner_.Run("EXPIRE h 100");
  runner_.Run("PFADD h b");
  runner_.Run("PFDEBUG TODENSE h");
  runner_.Run("PFMERGE h g");
  EXPECT_EQ(runner_.Run("TTL h"), ":100 ");
}

}  // namespace
}  // namespace mikura::engine
