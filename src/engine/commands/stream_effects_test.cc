// SPDX-License-Identifier: Apache-2.0
// What stream commands give to the change log, and that a replica that repeats it has the same.
#include <gtest/gtest.h>

#include <random>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

using std::chrono::milliseconds;

// Without the MULTI and EXEC around several.
std::string Unwrapped(const std::string& effects) {
  constexpr std::string_view kMulti = "MULTI; ";
  constexpr std::string_view kExec = "; EXEC";
  if (!effects.starts_with(kMulti)) return effects;
  return effects.substr(kMulti.size(), effects.size() - kMulti.size() - kExec.size());
}

class StreamEffects : public testing::Test {
 protected:
  // The effects of one command line.
  std::string Of(std::string_view line) {
    runner_.Run(line);
    return Unwrapped(runner_.effects());
  }
  std::string Now() { return std::to_string(runner_.clock().NowMillis()); }

  CommandRunner runner_;
};

TEST_F(StreamEffects, AnEntryIsAddedWithTheIdItGot) {
  EXPECT_EQ(Of("XADD s * f v"), "XADD s " + Now() + "-0 f v");
  EXPECT_EQ(Of("XADD s * f v"), "XADD s " + Now() + "-1 f v");
  EXPECT_EQ(Of("XADD t NOMKSTREAM * f v"), "");
  EXPECT_EQ(Of("XADD t 5-* f v g w"), "XADD t 5-0 f v g w");
  EXPECT_EQ(Of("XADD t 5-0 f v"), "");
}

TEST_F(StreamEffects, ATrimIsExact) {
  runner_.encoding_limits().stream_node_entries = 2;
  for (int i = 1; i <= 5; ++i) runner_.Run("XADD s " + std::to_string(i) + " f v");
  EXPECT_EQ(Of("XADD s MAXLEN ~ 3 6 f v"), "XADD s MAXLEN = 4 6-0 f v");
  EXPECT_EQ(Of("XADD s MAXLEN ~ 3 7 f v"), "XADD s MAXLEN = 3 7-0 f v");
  EXPECT_EQ(Of("XADD s MAXLEN ~ 3 8 f v"), "XADD s 8-0 f v");
  EXPECT_EQ(Of("XADD s MINID ~ 7 9 f v"), "XADD s MINID = 7-0 9-0 f v");
  EXPECT_EQ(Of("XADD s MAXLEN 2 10 f v"), "XADD s MAXLEN = 2 10-0 f v");
  EXPECT_EQ(Of("XTRIM s MAXLEN 2"), "");
  EXPECT_EQ(Of("XTRIM s MINID 10"), "XTRIM s MINID = 10-0");
  EXPECT_EQ(Of("XTRIM s MAXLEN ~ 0"), "XTRIM s MAXLEN = 0");
}

TEST_F(StreamEffects, ARemovalNamesWhatWasThere) {
  runner_.Run("XADD s 1 f v");
  runner_.Run("XADD s 2 f v");
  EXPECT_EQ(Of("XDEL s 1 1 7"), "XDEL s 1-0");
  EXPECT_EQ(Of("XDEL s 1"), "");
  EXPECT_EQ(Of("XSETID s 9 ENTRIESADDED 5"), "XSETID s 9 ENTRIESADDED 5");
}

TEST_F(StreamEffects, GroupsAreMadeWithConcreteIds) {
  runner_.Run("XADD s 7-7 f v");
  EXPECT_EQ(Of("XGROUP CREATE s g $"), "XGROUP CREATE s g 7-7 ENTRIESREAD -1");
  EXPECT_EQ(Of("XGROUP CREATE new g 0 MKSTREAM"),
            "XGROUP CREATE new g 0-0 ENTRIESREAD -1 MKSTREAM");
  EXPECT_EQ(Of("XGROUP SETID s g $ ENTRIESREAD 1"), "XGROUP SETID s g 7-7 ENTRIESREAD 1");
  EXPECT_EQ(Of("XGROUP CREATECONSUMER s g c"), "XGROUP CREATECONSUMER s g c");
  EXPECT_EQ(Of("XGROUP CREATECONSUMER s g c"), "");
  EXPECT_EQ(Of("XGROUP DELCONSUMER s g c"), "XGROUP DELCONSUMER s g c");
  EXPECT_EQ(Of("XGROUP DELCONSUMER s g c"), "");
  EXPECT_EQ(Of("XGROUP DESTROY s g"), "XGROUP DESTROY s g");
  EXPECT_EQ(Of("XGROUP DESTROY s g"), "");
}

TEST_F(StreamEffects, ADeliveryIsAClaimAndAPosition) {
  for (int i = 1; i <= 3; ++i) runner_.Run("XADD s " + std::to_string(i) + " f v");
  runner_.Run("XGROUP CREATE s g 0");
  const std::string claim = " TIME " + Now() + " RETRYCOUNT 1 FORCE JUSTID LASTID ";
  EXPECT_EQ(Of("XREADGROUP GROUP g c COUNT 2 STREAMS s >"),
            "XCLAIM s g c 0 1-0 2-0" + claim + "2-0; XGROUP SETID s g 2-0 ENTRIESREAD 2");
  EXPECT_EQ(Of("XREADGROUP GROUP g c STREAMS s 0"), "");
  EXPECT_EQ(Of("XREADGROUP GROUP g d NOACK STREAMS s >"),
            "XGROUP CREATECONSUMER s g d; XGROUP SETID s g 3-0 ENTRIESREAD 3");
  EXPECT_EQ(Of("XREADGROUP GROUP g e STREAMS s 0"), "XGROUP CREATECONSUMER s g e");
  EXPECT_EQ(Of("XREADGROUP GROUP g c STREAMS s >"), "");
  EXPECT_EQ(Of("XACK s g 1 1 9"), "XACK s g 1-0");
  EXPECT_EQ(Of("XACK s g 1"), "");
}

TEST_F(StreamEffects, AClaimSaysWhatItCameTo) {
  for (int i = 1; i <= 3; ++i) runner_.Run("XADD s " + std::to_string(i) + " f v");
  runner_.Run("XGROUP CREATE s g 0");
  runner_.Run("XREADGROUP GROUP g c STREAMS s >");
  runner_.Run("XDEL s 2");
  EXPECT_EQ(Of("XCLAIM s g d 0 1 2 TIME 5"),
            "XCLAIM s g d 0 1-0 TIME 5 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0; XACK s g 2-0");
  EXPECT_EQ(Of("XCLAIM s g d 0 9"), "");
  EXPECT_EQ(Of("XCLAIM s g d 0 9 LASTID 8"), "XGROUP SETID s g 8-0 ENTRIESREAD 3");
  EXPECT_EQ(Of("XAUTOCLAIM s g e 0 - JUSTID"),
            "XCLAIM s g e 0 1-0 TIME " + Now() + " RETRYCOUNT 2 FORCE JUSTID LASTID 8-0; " +
                "XCLAIM s g e 0 3-0 TIME " + Now() + " RETRYCOUNT 1 FORCE JUSTID LASTID 8-0");
  EXPECT_EQ(Of("XAUTOCLAIM s g e 1 - JUSTID"), "");
}

TEST_F(StreamEffects, RemovalWithReferencesIsTwoSteps) {
  for (int i = 1; i <= 3; ++i) runner_.Run("XADD s " + std::to_string(i) + " f v");
  runner_.Run("XGROUP CREATE s g 0");
  runner_.Run("XREADGROUP GROUP g c STREAMS s >");
  EXPECT_EQ(Of("XDELEX s DELREF IDS 1 1"), "XACK s g 1-0; XDEL s 1-0");
  EXPECT_EQ(Of("XDELEX s ACKED IDS 1 2"), "");
  EXPECT_EQ(Of("XACKDEL s g ACKED IDS 1 2"), "XACK s g 2-0; XDEL s 2-0");
  EXPECT_EQ(Of("XADD s DELREF MAXLEN 1 4 f v"), "XACK s g 3-0; XADD s MAXLEN = 1 4-0 f v");
  EXPECT_EQ(Of("XADD s ACKED MAXLEN 1 5 f v"), "XADD s 5-0 f v");
  runner_.Run("XREADGROUP GROUP g c STREAMS s >");
  runner_.Run("XACK s g 5");
  EXPECT_EQ(Of("XADD s ACKED MAXLEN 2 6 f v"), "XADD s 6-0 f v; XDEL s 5-0");
}

// A primary and a replica that repeats its effects.
class RandomStreams : public testing::TestWithParam<uint32_t> {
 protected:
  RandomStreams() {
    for (CommandRunner* const runner : {&primary_, &replica_}) {
      runner->encoding_limits().stream_node_entries = 7;
    }
  }

  std::string Any(std::initializer_list<const char*> words) {
    return *(words.begin() + random_() % words.size());
  }
  std::string Number(uint32_t below) { return std::to_string(random_() % below); }
  // Of an entry that may be there.
  std::string Id() { return std::to_string(1 + (next_ > 60 ? next_ - 60 : 0) + random_() % 60); }
  std::string Ids() { return Id() + " " + Id(); }
  std::string Group() { return Any({"g", "h"}); }
  std::string Consumer() { return Any({"a", "b", "c"}); }

  std::string AnyChange() {
    switch (random_() % 14) {
      case 0:
        return "XGROUP CREATE s " + Group() + " " + Any({"0", "$"}) + " MKSTREAM";
      case 1:
        return "XDEL s " + Ids();
      case 2:
        return "XACK s " + Group() + " " + Ids();
      case 3:
      case 4:
        return "XREADGROUP GROUP " + Group() + " " + Consumer() + " COUNT " + Number(9) +
               Any({" ", " NOACK "}) + "STREAMS s >";
      case 5:
        return "XCLAIM s " + Group() + " " + Consumer() + " 0 " + Ids() +
               Any({"", " FORCE", " JUSTID", " IDLE 5", " RETRYCOUNT 9", " LASTID 90"});
      case 6:
        return "XAUTOCLAIM s " + Group() + " " + Consumer() + " " + Number(20) + " " + Id() +
               " COUNT 5";
      case 7:
        return "XTRIM s " + Any({"MAXLEN ~ ", "MAXLEN "}) + Number(60) +
               Any({"", " DELREF", " ACKED"});
      case 8:
        return "XTRIM s " + Any({"MINID ~ ", "MINID "}) + Id() + Any({"", " DELREF", " ACKED"});
      case 9:
        return "XACKDEL s " + Group() + " " + Any({"KEEPREF", "DELREF", "ACKED"}) + " IDS 2 " +
               Ids();
      case 10:
        if (random_() % 30 != 0) return "XDELEX s ACKED IDS 1 " + Id();
        return Any(
            {"XGROUP DESTROY s g", "XGROUP SETID s h 5", "DEL s", "XGROUP DELCONSUMER s g a"});
      default:
        return "XADD s " + Any({"", "MAXLEN ~ 20 ", "DELREF MAXLEN 30 ", "ACKED MAXLEN ~ 10 "}) +
               std::to_string(++next_) + " f " + Number(100);
    }
  }

  void RunOnBoth(const std::string& change) {
    primary_.Run(change);
    std::string effects = Unwrapped(primary_.effects());
    while (!effects.empty()) {
      const size_t end = effects.find("; ");
      replica_.Run(effects.substr(0, end));
      effects.erase(0, end == std::string::npos ? end : end + 2);
    }
    primary_.clock().Advance(milliseconds(1));
    replica_.clock().Advance(milliseconds(1));
  }

  std::mt19937 random_{GetParam()};
  CommandRunner primary_;
  CommandRunner replica_;
  uint32_t next_ = 0;
};

TEST_P(RandomStreams, AReplicaHasTheSame) {
  for (int step = 0; step < 3000; ++step) {
    const std::string change = AnyChange();
    RunOnBoth(change);
    for (const char* look : {"XRANGE s - +", "XPENDING s g - + 1000", "XPENDING s h - + 1000",
                             "XINFO GROUPS s", "XINFO STREAM s"}) {
      ASSERT_EQ(primary_.Run(look), replica_.Run(look)) << step << ": " << change;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomStreams, testing::Range(1u, 6u));

}  // namespace
}  // namespace mikura::engine
