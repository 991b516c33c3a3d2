// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "wire/memcached_binary_parser.h"
#include "wire/memcached_binary_test_support.h"
#include "wire/memcached_binary_writer.h"
#include "wire/memcached_parser.h"

namespace mikura::wire {
namespace {

using enum MemcachedCommand;

std::string Describe(const MemcachedRequest& r) {
  return fmt::format(
      "{:02x} {}{}{}{}{}[{}] flags={} exptime={} N={} cas={} number={} J={} opaque={:08x} "
      "status={:x} meta={}{} data=<{}>\n",
      r.opcode, static_cast<int>(r.command), r.is_binary ? "" : " text", r.noreply ? " quiet" : "",
      r.with_key ? " key" : "", r.close ? " close" : "", r.key, r.client_flags, r.exptime,
      r.vivify_ttl, r.cas, r.number, r.initial, r.opaque, static_cast<int>(r.status),
      r.meta.Has('N') ? "N" : "", r.meta.Has('C') ? "C" : "", r.data);
}

// Feeds a parser as a connection does; each call sees an allocation of exactly its input, so that a
// sanitizer notices a read behind the end.
class Connection {
 public:
  explicit Connection(const MemcachedParserOptions& options = {}) : parser_(options) {}

  void Receive(std::string_view piece) {
    pending_.append(piece);
    while (!ended_ && Step()) {
    }
  }
  const std::string& log() const { return log_; }
  size_t pending() const { return pending_.size(); }

 private:
  bool Step() {
    std::unique_ptr<char[]> exact(new char[pending_.size()]);
    std::copy(pending_.begin(), pending_.end(), exact.get());
    size_t consumed = 0;
    const auto status = parser_.Parse({exact.get(), pending_.size()}, &request_, &consumed);
    EXPECT_LE(consumed, pending_.size());
    pending_.erase(0, consumed);
    if (status == MemcachedParseStatus::kComplete) {
      EXPECT_GT(consumed, 0u);
      log_ += Describe(request_);
      ended_ = request_.close;
    } else if (status == MemcachedParseStatus::kClose) {
      log_ += fmt::format("closed: {}\n", parser_.close_reason());
      ended_ = true;
    } else {
      EXPECT_GT(parser_.wanted(), pending_.size());
    }
    return status == MemcachedParseStatus::kComplete;
  }

  MemcachedParser parser_;
  MemcachedRequest request_;
  std::string pending_;
  std::string log_;
  bool ended_ = false;
};

std::string Parsed(std::string_view input, size_t item_size_max = 1 << 20) {
  Connection connection({.item_size_max = item_size_max});
  connection.Receive(input);
  return connection.log();
}

// One packet through the pure function.
class One {
 public:
  explicit One(const BinaryPacket& packet, const MemcachedBinaryLimits& limits = {})
      : bytes_(packet.Bytes()), parse(ParseMemcachedBinary(bytes_, limits, &request)) {}

 private:
  std::string bytes_;

 public:
  MemcachedRequest request;
  MemcachedParse parse;
};

// The status of a packet that is refused; fails when it is not, or is not closed on as `closes`
// says.
MemcachedStatus Refusal(const BinaryPacket& packet, bool closes,
                        const MemcachedBinaryLimits& limits = {}) {
  One one(packet, limits);
  EXPECT_EQ(one.parse.status, MemcachedParseStatus::kComplete);
  EXPECT_EQ(one.request.command, kReply);
  EXPECT_EQ(one.request.close, closes);
  EXPECT_FALSE(one.request.noreply);
  return one.request.status;
}

TEST(MemcachedBinaryParser, ReadsAStorageRequest) {
  const BinaryPacket packet{.opcode = 0x11,
                            .key = "key",
                            .extras = StorageExtras(0x01020304, 4000000000),
                            .value = "value",
                            .opaque = 0x0a0b0c0d};
  One one(packet);
  EXPECT_EQ(one.parse.status, MemcachedParseStatus::kComplete);
  EXPECT_EQ(one.parse.consumed, packet.Bytes().size());
  EXPECT_EQ(one.parse.swallow, 0u);
  EXPECT_EQ(one.request.command, kSet);
  EXPECT_EQ(one.request.key, "key");
  EXPECT_EQ(one.request.data, "value");
  EXPECT_EQ(one.request.client_flags, 0x01020304u);
  EXPECT_EQ(one.request.exptime, 4000000000);
  EXPECT_TRUE(one.request.noreply);
}

TEST(MemcachedBinaryParser, TakesAnyStorageRequestWithACasForACompareAndSet) {
  for (const uint8_t opcode : {0x01, 0x02, 0x03}) {
    One one({.opcode = opcode, .key = "k", .extras = StorageExtras(0, 0), .cas = 7});
    EXPECT_EQ(one.request.command, kCas);
    EXPECT_EQ(one.request.cas, 7u);
  }
  EXPECT_EQ(One({.opcode = 0x0e, .key = "k", .value = "v", .cas = 7}).request.command, kAppend);
}

TEST(MemcachedBinaryParser, ReadsACounterAndWhetherItMayBeMade) {
  One made({.opcode = 0x05, .key = "n", .extras = CounterExtras(2, 9, 0)});
  EXPECT_EQ(made.request.command, kIncr);
  EXPECT_EQ(made.request.number, 2u);
  EXPECT_EQ(made.request.initial, 9u);
  EXPECT_TRUE(made.request.meta.Has('N'));
  One kept({.opcode = 0x06, .key = "n", .extras = CounterExtras(2, 9, 0xffffffff), .cas = 3});
  EXPECT_EQ(kept.request.command, kDecr);
  EXPECT_FALSE(kept.request.meta.Has('N'));
  EXPECT_TRUE(kept.request.meta.Has('C'));
}

TEST(MemcachedBinaryParser, KeepsTheOpaqueInTheOrderOfItsBytes) {
  One one({.opcode = 0x0a, .opaque = 0x01020304});
  OutputBuffer out;
  WriteBinaryStatus(out, one.request, MemcachedStatus::kNotFound);
  EXPECT_EQ(out.view().substr(12, 4), "\x01\x02\x03\x04");
  EXPECT_EQ(DescribeReplies(out.view()), "0a 01 [] |Not found\n");
}

TEST(MemcachedBinaryParser, WaitsForTheHeaderThenForTheWholePacket) {
  const std::string bytes =
      BinaryPacket{.opcode = 1, .key = "k", .extras = StorageExtras(0, 0), .value = "abc"}.Bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    MemcachedRequest request;
    const auto parse = ParseMemcachedBinary(std::string_view(bytes).substr(0, size), {}, &request);
    ASSERT_EQ(parse.status, MemcachedParseStatus::kNeedMore);
    ASSERT_GT(parse.wanted, size);
    ASSERT_LE(parse.wanted, bytes.size());
  }
}

TEST(MemcachedBinaryParser, EndsTheConnectionWhenLengthsCannotBe) {
  const auto unknown = MemcachedStatus::kUnknownCommand;
  // The key is longer than the body, as in CVE-2016-8704 to 8706, for every opcode.
  for (int opcode = 0; opcode < 256; ++opcode) {
    const auto code = static_cast<uint8_t>(opcode);
    EXPECT_EQ(Refusal({.opcode = code, .key_length = 250, .body_length = 249}, true), unknown);
    EXPECT_EQ(Refusal({.opcode = code, .key_length = 0xffff, .body_length = 0}, true), unknown);
    // Extras behind the end of the body, as in CVE-2020-10931.
    EXPECT_EQ(Refusal({.opcode = code, .extras_length = 255, .body_length = 254}, true), unknown);
    EXPECT_EQ(
        Refusal({.opcode = code, .key_length = 1, .extras_length = 8, .body_length = 8}, true),
        unknown);
  }
}

TEST(MemcachedBinaryParser, EndsTheConnectionWhenLengthsDoNotFitTheOpcode) {
  const auto invalid = MemcachedStatus::kInvalid;
  const std::string four(4, 'e');
  const std::string long_key(251, 'k');
  const BinaryPacket wrong[] = {
      {.opcode = 0x00},                                 // get without a key
      {.opcode = 0x00, .key = long_key},                //
      {.opcode = 0x00, .key = "k", .extras = four},     //
      {.opcode = 0x00, .key = "k", .value = "v"},       //
      {.opcode = 0x01, .extras = StorageExtras(0, 0)},  // set without a key
      {.opcode = 0x01, .key = "k", .extras = four},     //
      {.opcode = 0x05, .key = "k", .extras = four},     //
      {.opcode = 0x05, .key = "k", .extras = CounterExtras(1, 1, 1), .value = "v"},
      {.opcode = 0x07, .value = "v"},                              //
      {.opcode = 0x08, .key = "k"},                                //
      {.opcode = 0x08, .extras = "ee"},                            //
      {.opcode = 0x0a, .value = "v"},                              //
      {.opcode = 0x0e, .key = "k", .extras = four, .value = "v"},  //
      {.opcode = 0x10, .key = "k", .extras = four},                //
      {.opcode = 0x1c, .key = "k"},                                //
      {.opcode = 0x1d, .key = "k", .extras = four, .value = "v"},  //
      {.opcode = 0x20, .key = "k"},                                //
      {.opcode = 0x21, .value = "v"},                              //
  };
  for (const BinaryPacket& packet : wrong) {
    EXPECT_EQ(Refusal(packet, true), invalid) << int{packet.opcode} << " " << packet.key;
  }
}

TEST(MemcachedBinaryParser, PassesOverTheBodyOfAnUnknownCommand) {
  One one({.opcode = 0x30, .key = "k", .value = "body"});
  EXPECT_EQ(one.request.status, MemcachedStatus::kUnknownCommand);
  EXPECT_EQ(one.parse.consumed + one.parse.swallow, 24u + 5u);
  EXPECT_EQ(Refusal({.opcode = 0x1b, .extras = "eeee"}, false), MemcachedStatus::kUnknownCommand);
}

TEST(MemcachedBinaryParser, RefusesAValueOverTheLimitFromItsFirstBytesAndKeepsNoneOfIt) {
  for (const uint32_t body : {2'000'000u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    BinaryPacket packet{.opcode = 0x01, .key = "k", .extras = StorageExtras(0, 0)};
    packet.body_length = body;  // CVE-2011-4971: a length that is negative when signed
    One one(packet);
    EXPECT_EQ(one.parse.status, MemcachedParseStatus::kComplete);
    EXPECT_EQ(one.request.command, kTooLarge);
    EXPECT_EQ(one.request.key, "k");
    EXPECT_TRUE(one.request.erase_old);
    EXPECT_EQ(one.parse.consumed, 24u + 9u);
    EXPECT_EQ(one.parse.swallow, body - 9u);
  }
  Connection connection({.item_size_max = 200});
  connection.Receive(
      BinaryPacket{.opcode = 0x0e, .key = "k", .value = std::string(200, 'v')}.Bytes() +
      BinaryPacket{.opcode = 0x0a}.Bytes());
  EXPECT_EQ(connection.pending(), 0u);
  EXPECT_NE(connection.log().find("0a"), std::string::npos);
}

TEST(MemcachedBinaryParser, CountsTheFlagsOfAnEntryAtTheLimitAsMemcachedDoes) {
  const MemcachedBinaryLimits limits{.item_size_max = 100};
  BinaryPacket packet{.opcode = 1, .key = "k", .extras = StorageExtras(0, 0)};
  packet.value = std::string(100 - 1 - MemcachedParser::kItemOverhead, 'v');
  EXPECT_EQ(One(packet, limits).request.command, kSet);
  packet.extras = StorageExtras(1, 0);
  EXPECT_EQ(One(packet, limits).request.command, kTooLarge);
}

TEST(MemcachedBinaryParser, ServesAClientThatMustAuthenticateOnlySaslAndTheVersion) {
  const MemcachedBinaryLimits limits{.has_sasl = true, .authenticated = false};
  const auto refused = MemcachedStatus::kAuthenticationError;
  EXPECT_EQ(Refusal({.opcode = 0x00, .key = "k"}, true, limits), refused);
  EXPECT_EQ(Refusal({.opcode = 0x17}, true, limits), refused);
  EXPECT_EQ(Refusal({.opcode = 0x77}, true, limits), refused);
  BinaryPacket huge{.opcode = 0x01, .key = "k", .extras = StorageExtras(0, 0)};
  huge.body_length = 900'000;
  EXPECT_EQ(Refusal(huge, true, limits), refused);
  EXPECT_EQ(One({.opcode = 0x0b}, limits).request.command, kVersion);
  EXPECT_EQ(One({.opcode = 0x20}, limits).request.command, kSaslMechanisms);
  One attempt({.opcode = 0x21, .key = "PLAIN", .value = "message"}, limits);
  EXPECT_EQ(attempt.request.command, kAuthenticate);
  EXPECT_EQ(attempt.request.data, "message");
}

TEST(MemcachedBinaryParser, BoundsASaslMessage) {
  const MemcachedBinaryLimits limits{.has_sasl = true, .authenticated = false};
  BinaryPacket packet{.opcode = 0x21, .key = "PLAIN"};
  packet.body_length = 5 + kSaslMessageMax + 1;
  EXPECT_EQ(Refusal(packet, false, limits), MemcachedStatus::kOutOfMemory);
  packet.body_length = 5 + kSaslMessageMax;
  EXPECT_EQ(One(packet, limits).parse.status, MemcachedParseStatus::kNeedMore);
  EXPECT_EQ(Refusal({.opcode = 0x21, .key = std::string(33, 'M')}, false, limits),
            MemcachedStatus::kInvalid);
}

TEST(MemcachedBinaryParser, DoesNotKnowSaslWithoutPasswords) {
  for (const uint8_t opcode : {0x21, 0x22}) {
    EXPECT_EQ(Refusal({.opcode = opcode, .key = "PLAIN"}, false), MemcachedStatus::kUnknownCommand);
  }
  EXPECT_EQ(Refusal({.opcode = 0x20}, false), MemcachedStatus::kUnknownCommand);
}

TEST(MemcachedParser, ChoosesTheProtocolByTheFirstByte) {
  EXPECT_NE(Parsed(BinaryPacket{.opcode = 0x0b}.Bytes()).find("0b"), std::string::npos);
  EXPECT_NE(Parsed("version\r\n").find("text"), std::string::npos);
  Connection mixed;
  mixed.Receive(BinaryPacket{.opcode = 0x0b}.Bytes() + "version\r\n" + std::string(24, ' '));
  EXPECT_NE(mixed.log().find("closed: a binary request"), std::string::npos);
}

TEST(MemcachedParser, SpeaksOneProtocolOnlyWhenTold) {
  Connection ascii({.protocol = MemcachedProtocol::kAscii});
  ascii.Receive(BinaryPacket{.opcode = 0x0b}.Bytes() + "\n");
  EXPECT_NE(ascii.log().find("text"), std::string::npos);
  Connection binary({.protocol = MemcachedProtocol::kBinary});
  binary.Receive("version\r\n");
  EXPECT_EQ(binary.log(), "");
  binary.Receive("version\r\nversion\r\n");
  EXPECT_NE(binary.log().find("closed"), std::string::npos);
}

std::string Corpus() {
  std::string bytes;
  for (int opcode = 0; opcode < 0x30; ++opcode) {
    const auto code = static_cast<uint8_t>(opcode);
    for (const std::string& extras :
         {std::string(), StorageExtras(7, 0), CounterExtras(1, 2, 3), std::string(4, '\0')}) {
      // Only what does not end the connection, so that all of it is reached.
      for (const std::string& value : {std::string(), std::string("v"), std::string(400, 'v')}) {
        const BinaryPacket packet{code, "key", extras, value, value.size(), 0x61626364};
        if (!One(packet, {.item_size_max = 256}).request.close) bytes += packet.Bytes();
      }
    }
  }
  return bytes + BinaryPacket{.opcode = 0x0a}.Bytes();
}

TEST(MemcachedBinaryParser, GivesTheSameResultHoweverTheBytesAreSplit) {
  const std::string input = Corpus();
  const std::string expected = Parsed(input, 256);
  EXPECT_NE(expected.find("\n0a"), std::string::npos);
  for (size_t first = 0; first <= input.size(); first += 7) {
    Connection connection({.item_size_max = 256});
    connection.Receive(std::string_view(input).substr(0, first));
    connection.Receive(std::string_view(input).substr(first));
    ASSERT_EQ(connection.log(), expected) << "split at " << first;
  }
  Connection bytewise({.item_size_max = 256});
  for (const char byte : input) bytewise.Receive({&byte, 1});
  EXPECT_EQ(bytewise.log(), expected);
}

TEST(MemcachedBinaryParser, SurvivesGarbageAndSplitsItTheSame) {
  std::mt19937 random(20260102);
  const std::string corpus = Corpus();
  for (int round = 0; round < 400; ++round) {
    std::string input = corpus.substr(random() % (corpus.size() / 2));
    input.insert(0, 1, '\x80');
    for (int change = 0; change < 10; ++change) {
      input[random() % std::min<size_t>(input.size(), 600)] = static_cast<char>(random());
    }
    Connection pieces({.item_size_max = 256});
    for (size_t at = 0; at < input.size();) {
      const size_t size = 1 + random() % 60;
      pieces.Receive(std::string_view(input).substr(at, size));
      at += size;
    }
    ASSERT_EQ(pieces.log(), Parsed(input, 256)) << "round " << round;
  }
}

}  // namespace
}  // namespace mikura::wire
