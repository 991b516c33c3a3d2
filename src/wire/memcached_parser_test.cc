// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_parser.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mikura::wire {
namespace {

using enum MemcachedCommand;

// Everything a request says, as text.
std::string Describe(const MemcachedRequest& r) {
  return fmt::format(
      "{}[{}]{}{}{}{} mode={} flags={} exptime={} N={} R={} cas={} E={} number={} J={} meta=<{}> "
      "data=<{}> reply=<{}>\n",
      static_cast<int>(r.command), r.key, r.noreply ? " noreply" : "", r.last_key ? " last" : "",
      r.key_is_binary ? " binary" : "", r.erase_old ? " erase" : "", r.mode, r.client_flags,
      r.exptime, r.vivify_ttl, r.recache_ttl, r.cas, r.explicit_cas, r.number, r.initial,
      r.meta_flags, r.data, r.reply);
}

// Feeds the parser as a connection does: appends pieces, drops what was consumed. Each call sees
// an allocation of exactly its input, so that a sanitizer notices a read behind the end.
class Connection {
 public:
  explicit Connection(size_t item_size_max = 1 << 20) : parser_({.item_size_max = item_size_max}) {}

  void Receive(std::string_view piece) {
    if (closed_) return;
    pending_.append(piece);
    while (Step()) {
    }
  }
  const std::string& log() const { return log_; }
  size_t pending() const { return pending_.size(); }
  bool closed() const { return closed_; }

 private:
  bool Step() {
    std::unique_ptr<char[]> exact(new char[pending_.size()]);
    std::copy(pending_.begin(), pending_.end(), exact.get());
    size_t consumed = 0;
    const auto status =
        parser_.Parse(std::string_view(exact.get(), pending_.size()), &request_, &consumed);
    if (status == MemcachedParseStatus::kComplete) {
      log_ += Describe(request_);
      EXPECT_GT(consumed, 0u);
    }
    if (status == MemcachedParseStatus::kClose) {
      log_ += fmt::format("closed: {}\n", parser_.close_reason());
      closed_ = true;
    }
    EXPECT_LE(consumed, pending_.size());
    pending_.erase(0, consumed);
    if (status == MemcachedParseStatus::kNeedMore) {
      EXPECT_GT(parser_.wanted(), pending_.size());
    }
    return status == MemcachedParseStatus::kComplete;
  }

  MemcachedParser parser_;
  MemcachedRequest request_;
  std::string pending_;
  std::string log_;
  bool closed_ = false;
};

std::string Parsed(std::string_view input, size_t item_size_max = 1 << 20) {
  Connection connection(item_size_max);
  connection.Receive(input);
  return connection.log();
}

// Parses one whole request.
class One {
 public:
  explicit One(std::string_view input, size_t item_size_max = 1 << 20)
      : parser_({.item_size_max = item_size_max}) {
    size_t consumed = 0;
    status = parser_.Parse(input, &request, &consumed);
  }
  MemcachedParseStatus status;
  MemcachedRequest request;

 private:
  MemcachedParser parser_;
};

std::string Refusal(std::string_view input) {
  One one(input);
  EXPECT_EQ(one.status, MemcachedParseStatus::kComplete);
  EXPECT_EQ(one.request.command, kReply);
  return std::string(one.request.reply);
}

TEST(MemcachedParser, HandsOutEachKeyOfARetrievalAndMarksTheLast) {
  MemcachedParser parser;
  MemcachedRequest request;
  std::string_view input = "gats 10 a  bb c \r\nversion\r\n";
  std::vector<std::string> keys;
  for (int i = 0; i < 3; ++i) {
    size_t consumed = 0;
    ASSERT_EQ(parser.Parse(input, &request, &consumed), MemcachedParseStatus::kComplete);
    EXPECT_EQ(request.command, kGats);
    EXPECT_EQ(request.exptime, 10);
    EXPECT_EQ(request.last_key, i == 2);
    keys.emplace_back(request.key);
    input.remove_prefix(consumed);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "bb", "c"}));
  EXPECT_EQ(input, "version\r\n");
}

TEST(MemcachedParser, KnowsOfABadKeyBeforeTheFirstOneIsHandedOut) {
  const std::string line = "get a b " + std::string(251, 'k') + " c\r\n";
  EXPECT_EQ(Refusal(line), "CLIENT_ERROR bad command line format\r\n");
  const One longest("get " + std::string(250, 'k') + "\r\n");
  EXPECT_EQ(longest.request.command, kGet);
}

TEST(MemcachedParser, TakesAStorageCommandWithItsData) {
  const One one("cas key 7 -1 5 99 noreply\r\na\r\nbc\r\n");
  EXPECT_EQ(one.request.command, kCas);
  EXPECT_EQ(one.request.key, "key");
  EXPECT_EQ(one.request.client_flags, 7u);
  EXPECT_EQ(one.request.exptime, -1);
  EXPECT_EQ(one.request.cas, 99u);
  EXPECT_EQ(one.request.data, "a\r\nbc");
  EXPECT_TRUE(one.request.noreply);
}

TEST(MemcachedParser, WaitsForTheWholeDataAndSaysHowMuchItWants) {
  MemcachedParser parser;
  MemcachedRequest request;
  size_t consumed = 0;
  EXPECT_EQ(parser.Parse("set k 0 0 10\r\nabc", &request, &consumed),
            MemcachedParseStatus::kNeedMore);
  EXPECT_EQ(consumed, 0u);
  EXPECT_EQ(parser.wanted(), 14u + 12u);
}

TEST(MemcachedParser, ResynchronisesAfterBadDataAsMemcachedDoes) {
  const std::string log = Parsed("set a 0 0 3\r\nabcdefg\r\nget a\r\n");
  EXPECT_NE(log.find("CLIENT_ERROR bad data chunk"), std::string::npos);
  EXPECT_NE(log.find("reply=<ERROR\r\n>"), std::string::npos);
  EXPECT_NE(log.find("[a] last"), std::string::npos);
}

TEST(MemcachedParser, PassesOverTheDataOfAValueOverTheLimitWithoutKeepingIt) {
  Connection connection(1024);
  connection.Receive("set k 0 0 5000\r\n");
  for (int i = 0; i < 5; ++i) {
    connection.Receive(std::string(1000, 'x'));
    EXPECT_EQ(connection.pending(), 0u);
  }
  connection.Receive("\r\nversion\r\n");
  EXPECT_EQ(connection.log(), Parsed("set k 0 0 5000\r\n", 1024) + Parsed("version\r\n"));
}

TEST(MemcachedParser, CountsTheLimitAsMemcachedDoes) {
  const auto command_for = [](int value, uint32_t flags) {
    const std::string data(static_cast<size_t>(value), 'x');
    One one(fmt::format("set a {} 0 {}\r\n{}\r\n", flags, value, data));
    return one.request.command;
  };
  EXPECT_EQ(command_for((1 << 20) - 60, 0), kSet);
  EXPECT_EQ(command_for((1 << 20) - 59, 0), kTooLarge);
  EXPECT_EQ(command_for((1 << 20) - 64, 1), kSet);
  EXPECT_EQ(command_for((1 << 20) - 63, 1), kTooLarge);
}

TEST(MemcachedParser, OnlyAFailedSetDropsTheOldEntry) {
  const auto erases = [](std::string_view line) { return One(line, 100).request.erase_old; };
  EXPECT_TRUE(erases("set a 0 0 200\r\n"));
  EXPECT_TRUE(erases("ms a 200\r\n"));
  EXPECT_FALSE(erases("add a 0 0 200\r\n"));
  EXPECT_FALSE(erases("cas a 0 0 200 1\r\n"));
  EXPECT_TRUE(erases("ms a 200 MA\r\n"));
}

TEST(MemcachedParser, NoreplySilencesRefusalsOfClassicCommands) {
  EXPECT_EQ(Refusal("set a x 0 1 noreply\r\n"), "");
  EXPECT_EQ(Refusal("incr a x noreply\r\n"), "");
  EXPECT_EQ(Refusal("verbosity noreply\r\n"), "");
  EXPECT_EQ(Refusal("set a 0 0 1 noreply\r\nxyz\r\n"), "");
  EXPECT_EQ(Refusal("ms a 1 q\r\nxyz\r\n"), "CLIENT_ERROR bad data chunk\r\n");
}

TEST(MemcachedParser, ReadsMetaFlagsAndKeepsTheirOrder) {
  const One one("ms YWI= 2 b F5 T30 C9 I q MA N60 Oabc k\r\nxx\r\n");
  const MemcachedRequest& r = one.request;
  EXPECT_EQ(r.command, kMetaSet);
  EXPECT_EQ(r.key, "ab");
  EXPECT_TRUE(r.key_is_binary);
  EXPECT_EQ(r.client_flags, 5u);
  EXPECT_EQ(r.exptime, 30);
  EXPECT_EQ(r.cas, 9u);
  EXPECT_EQ(r.vivify_ttl, 60);
  EXPECT_EQ(r.mode, 'A');
  EXPECT_TRUE(r.noreply);
  EXPECT_TRUE(r.meta.Has('I') && r.meta.Has('O') && r.meta.Has('k') && !r.meta.Has('o'));
  EXPECT_EQ(r.meta_flags, "b F5 T30 C9 I q MA N60 Oabc k");
  EXPECT_EQ(r.data, "xx");
}

TEST(MemcachedParser, RefusesMetaFlagsInMemcachedsWords) {
  const std::pair<const char*, const char*> cases[] = {
      {"mg a v v\r\n", "CLIENT_ERROR duplicate flag\r\n"},
      {"mg a \xff\r\n", "CLIENT_ERROR duplicate flag\r\n"},
      {"mg a x\r\n", "CLIENT_ERROR invalid flag\r\n"},
      {"mg a Tx\r\n", "CLIENT_ERROR bad token in command line format\r\n"},
      {"mg a Fx\r\n", "CLIENT_ERROR bad command line format\r\n"},
      {"mg a b\r\n", "CLIENT_ERROR error decoding key\r\n"},
      {"mg a Tx Fx\r\n", "CLIENT_ERROR bad token in command line format\r\n"},
      {"mg a Tx MZZ\r\n", "CLIENT_ERROR incorrect length for M token\r\n"},
      {"ma a Dx\r\n", "CLIENT_ERROR invalid or duplicate flag\r\n"},
      {"ma a MX\r\n", "CLIENT_ERROR invalid mode for ma M token\r\n"},
      {"md a Cx\r\n", "CLIENT_ERROR invalid or duplicate flag\r\n"},
      {"ms a 1 MZ\r\n", "CLIENT_ERROR invalid mode for ms M token\r\n"},
      {"ms a\r\n", "CLIENT_ERROR bad command line format\r\n"},
      {"me\r\n", "CLIENT_ERROR bad command line format\r\n"},
      {"mg\r\n", "ERROR\r\n"},
      {"mx a\r\n", "ERROR\r\n"},
      {"mn\r\n", "MN\r\n"},
  };
  for (const auto& [line, reply] : cases) EXPECT_EQ(Refusal(line), reply) << line;
}

TEST(MemcachedParser, LimitsTheNumberOfFlagsAndTheLengthOfTheOpaque) {
  EXPECT_EQ(One("mg a s t v f c k h l q u Oabc T0 N0 R0 P L D1\r\n").request.command, kMetaGet);
  EXPECT_EQ(Refusal("mg a s t v f c k h l q u Oabc T0 N0 R0 P L D1 C1\r\n"),
            "CLIENT_ERROR options flags are too long\r\n");
  EXPECT_EQ(One("mg a O" + std::string(31, 'o') + "\r\n").request.command, kMetaGet);
  EXPECT_EQ(Refusal("mg a O" + std::string(32, 'o') + "\r\n"),
            "CLIENT_ERROR opaque token too long\r\n");
}

TEST(MemcachedParser, ClosesAConnectionThatSpeaksHttp) {
  EXPECT_EQ(One("GET / HTTP/1.1\r\n").status, MemcachedParseStatus::kClose);
  EXPECT_EQ(Refusal("\x81\r\n"), "ERROR\r\n");
}

TEST(MemcachedParser, TakesTheMagicByteOfTheBinaryProtocolForTextAfterTheStart) {
  EXPECT_EQ(Parsed("version\r\n\x80z\r\n"), Parsed("version\r\n") + Parsed("zz\r\n"));
}

TEST(MemcachedParser, ClosesOnALineThatDoesNotEndUnlessItIsARetrieval) {
  Connection endless;
  endless.Receive(std::string(MemcachedParser::kLineMax, 'x'));
  EXPECT_FALSE(endless.closed());
  endless.Receive("x");
  EXPECT_TRUE(endless.closed());

  std::string keys = "gets ";
  for (int i = 0; i < 3000; ++i) keys += "key ";
  Connection retrieval;
  retrieval.Receive(keys);
  EXPECT_FALSE(retrieval.closed());
  EXPECT_EQ(retrieval.log(), "");
  retrieval.Receive("\r\n");
  EXPECT_EQ(retrieval.pending(), 0u);
}

TEST(MemcachedParser, BoundsTheLineOfARetrieval) {
  MemcachedParser parser;
  MemcachedRequest request;
  size_t consumed = 0;
  const std::string line = "get " + std::string(MemcachedParser::kRetrievalLineMax, 'k');
  EXPECT_EQ(parser.Parse(line, &request, &consumed), MemcachedParseStatus::kClose);
}

TEST(MemcachedParser, EndsALineAtANulAsMemcachedDoes) {
  const One one(std::string_view("get a\0 b c\r\n", 12));
  EXPECT_EQ(one.request.key, "a");
  EXPECT_TRUE(one.request.last_key);
}

TEST(MemcachedParser, RecognisesTheDiscoveryOfClusterNodes) {
  EXPECT_EQ(One("config get cluster\r\n").request.command, kClusterConfig);
  EXPECT_EQ(One("get AmazonElastiCache:cluster\r\n").request.command, kClusterItem);
  EXPECT_EQ(Refusal("config set cluster\r\n"), "ERROR\r\n");
}

// A stream with every kind of request, refusals and resynchronisation included.
std::string Corpus() {
  return std::string(
             "get a\r\ngets a bb  ccc \r\n\r\n\nset k 1 2 3\r\nabc\r\nset k 0 0 3\r\nabcd\r\n"
             "add k 0 0 0\r\n\r\nget\r\ngat 10 x y\r\ngat z y\r\ncas k 0 0 1 5 noreply\r\nx\r\n"
             "delete k 0 noreply\r\nincr k 5\r\ntouch k 100\r\nflush_all 10 noreply\r\n"
             "mg YWI= b k v t\r\nms a 2 Oop T0\r\nhi\r\nms a 2 MZ\r\nhi\r\nmd a I T30 q\r\n"
             "ma n D5 N0 J13 v\r\nme a\r\nmn\r\nset big 0 0 300\r\n") +
         std::string(300, 'B') + "\r\nms big 300 q\r\n" + std::string(300, 'C') +
         "\r\nget AmazonElastiCache:cluster k\r\nconfig get cluster\r\nstats settings a  b\r\n" +
         "version\r\nget a\rb\r\nset k x 0 1\r\nverbosity 1\r\nquit\r\n";
}

TEST(MemcachedParser, GivesTheSameResultHoweverTheBytesAreSplit) {
  const std::string input = Corpus();
  const std::string expected = Parsed(input, 256);
  for (size_t first = 0; first <= input.size(); ++first) {
    Connection connection(256);
    connection.Receive(std::string_view(input).substr(0, first));
    connection.Receive(std::string_view(input).substr(first));
    ASSERT_EQ(connection.log(), expected) << "split at " << first;
  }
  Connection bytewise(256);
  for (const char byte : input) bytewise.Receive(std::string_view(&byte, 1));
  EXPECT_EQ(bytewise.log(), expected);
}

TEST(MemcachedParser, SurvivesGarbageAndSplitsItTheSame) {
  std::mt19937 random(20260101);
  const std::string corpus = Corpus();
  const std::string letters("get set mg ms 0123456789-+=\r\n \t\0\xff\x80noreply", 41);
  for (int round = 0; round < 300; ++round) {
    std::string input = corpus;
    for (int change = 0; change < 12; ++change) {
      const size_t at = random() % input.size();
      const char byte = letters[random() % letters.size()];
      switch (random() % 3) {
        case 0:
          input[at] = byte;
          break;
        case 1:
          input.insert(at, 1, byte);
          break;
        default:
          input.erase(at, 1 + random() % 8);
      }
    }
    Connection pieces(256);
    for (size_t at = 0; at < input.size();) {
      const size_t size = 1 + random() % 40;
      pieces.Receive(std::string_view(input).substr(at, size));
      at += size;
    }
    ASSERT_EQ(pieces.log(), Parsed(input, 256)) << "round " << round;
  }
}

TEST(MemcachedParser, TakesHugeNumbersWithoutTrouble) {
  const std::string digits(400, '9');
  EXPECT_EQ(Refusal("set a 0 0 " + digits + "\r\n"), "CLIENT_ERROR bad command line format\r\n");
  EXPECT_EQ(Refusal("set a 0 0 2147483646\r\n"), "CLIENT_ERROR bad command line format\r\n");
  EXPECT_EQ(One("set a 0 0 2147483645\r\n").request.command, kTooLarge);
  EXPECT_EQ(Refusal("incr a " + digits + "\r\n"),
            "CLIENT_ERROR invalid numeric delta argument\r\n");
}

TEST(MemcachedParser, AGetHasNoDeadlineOfTheGatBefore) {
  Connection at_once;
  at_once.Receive("gat 60 key\r\nget key\r\n");
  Connection in_pieces;
  for (const char c : std::string_view("gat 60 key\r\nget key\r\n")) in_pieces.Receive({&c, 1});
  EXPECT_EQ(in_pieces.log(), at_once.log());
}

}  // namespace
}  // namespace mikura::wire
