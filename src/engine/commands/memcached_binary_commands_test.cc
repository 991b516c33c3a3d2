// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/commands/memcached_commands.h"
#include "engine/commands/memcached_test_support.h"
#include "wire/memcached_binary_test_support.h"

namespace mikura::engine {
namespace {

using wire::BinaryPacket;
using wire::CounterExtras;
using wire::DescribeReplies;
using wire::StorageExtras;

class MemcachedBinary : public testing::Test {
 public:
  std::string Ask(std::initializer_list<BinaryPacket> packets) {
    std::string bytes;
    for (const BinaryPacket& packet : packets) bytes += packet.Bytes();
    return DescribeReplies(memcached.Run(bytes));
  }
  static BinaryPacket Set(uint8_t opcode, const std::string& key, const std::string& value,
                          uint64_t cas = 0, uint32_t exptime = 0) {
    return {.opcode = opcode,
            .key = key,
            .extras = StorageExtras(5, exptime),
            .value = value,
            .cas = cas};
  }
  // The CAS of a key, as GET answers it.
  uint64_t CasOf(const std::string& key) {
    const std::string reply = memcached.Run(BinaryPacket{.opcode = 0, .key = key}.Bytes());
    uint64_t cas = 0;
    for (size_t i = 16; i < 24; ++i) cas = cas << 8 | static_cast<uint8_t>(reply.at(i));
    return cas;
  }

  CommandRunner redis;
  MemcachedRunner memcached{redis, {.protocol = wire::MemcachedProtocol::kBinary}};
  MemcachedRunner text{redis};
};

TEST_F(MemcachedBinary, GetsWhatWasSetWithAndWithoutTheKey) {
  EXPECT_EQ(Ask({Set(1, "a", "value"), {.opcode = 0, .key = "a"}, {.opcode = 0x0c, .key = "a"}}),
            "01 00* [] |\n00 00* [00000005] |value\n0c 00* [00000005] a|value\n");
  EXPECT_EQ(Ask({{.opcode = 0, .key = "b"}, {.opcode = 0x0c, .key = "b"}}),
            "00 01 [] |Not found\n0c 01 [] b|\n");
}

TEST_F(MemcachedBinary, LargeValuesAreGivenByReference) {
  const std::string large = std::string(50'000, 'l') + "!";
  Ask({Set(1, "a", large)});
  memcached.set_takes_references(true);
  // A request that was answered in full may be taken back; what came before it stays.
  EXPECT_EQ(
      Ask({{.opcode = 0, .key = "a"},
           {.opcode = 0x10, .key = "none"},
           {.opcode = 0x0c, .key = "a"}}),
      "00 00* [00000005] |" + large + "\n10 01 [] |Not found\n0c 00* [00000005] a|" + large + "\n");
  EXPECT_EQ(memcached.references(), 2u);
}

TEST_F(MemcachedBinary, QuietRetrievalsAnswerHitsOnly) {
  EXPECT_EQ(Ask({Set(0x11, "a", "v"),
                 {.opcode = 0x09, .key = "b"},
                 {.opcode = 0x0d, .key = "b"},
                 {.opcode = 0x0d, .key = "a"},
                 {.opcode = 0x24, .key = "b", .extras = std::string("\0\0\1\0", 4)},
                 {.opcode = 0x0a}}),
            "0d 00* [00000005] a|v\n0a 00 [] |\n");
}

TEST_F(MemcachedBinary, QuietChangesAnswerFailuresOnly) {
  EXPECT_EQ(Ask({Set(0x12, "a", "v"),
                 Set(0x12, "a", "v"),
                 Set(0x13, "b", "v"),
                 {.opcode = 0x14, .key = "b"},
                 {.opcode = 0x1a, .key = "b", .value = "x"},
                 {.opcode = 0x19, .key = "a", .value = "x"},
                 {.opcode = 0x14, .key = "a"}}),
            "12 02 [] |Data exists for key.\n13 01 [] |Not found\n14 01 [] |Not found\n"
            "1a 05 [] |Not stored.\n");
}

TEST_F(MemcachedBinary, ComparesTheCasOfEveryChange) {
  Ask({Set(1, "a", "v"), {.opcode = 5, .key = "n", .extras = CounterExtras(1, 1, 0)}});
  const std::string exists = " 02 [] |Data exists for key.\n";
  EXPECT_EQ(Ask({Set(1, "a", "w", 1), Set(2, "a", "w", 1), Set(3, "a", "w", 1)}),
            "01" + exists + "02" + exists + "03" + exists);
  EXPECT_EQ(Ask({{.opcode = 4, .key = "a", .cas = 1},
                 {.opcode = 0x0e, .key = "a", .value = "w", .cas = 1},
                 {.opcode = 5, .key = "n", .extras = CounterExtras(1, 1, 0), .cas = 1}}),
            "04" + exists + "0e" + exists + "05" + exists);
  EXPECT_EQ(Ask({Set(1, "none", "w", 1)}), "01 01 [] |Not found\n");
  EXPECT_EQ(Ask({Set(1, "a", "w", CasOf("a"))}), "01 00* [] |\n");
  EXPECT_EQ(Ask({{.opcode = 0x0e, .key = "a", .value = "x", .cas = CasOf("a")}}), "0e 00* [] |\n");
  EXPECT_EQ(Ask({{.opcode = 4, .key = "a", .cas = CasOf("a")}}), "04 00 [] |\n");
}

TEST_F(MemcachedBinary, CountsFromTheInitialNumberUnlessTheExpiryForbidsIt) {
  const auto count = [](uint8_t opcode, uint64_t delta, uint32_t exptime) {
    return BinaryPacket{.opcode = opcode, .key = "n", .extras = CounterExtras(delta, 10, exptime)};
  };
  const auto number = [](const char* head, uint64_t value) {
    return std::string(head) + " 00* [] |" + wire::BigEndian(value, 8) + "\n";
  };
  EXPECT_EQ(Ask({count(5, 1, 0xffffffff)}), "05 01 [] |Not found\n");
  EXPECT_EQ(Ask({count(5, 1, 0), count(5, 7, 0), count(6, 100, 0)}),
            number("05", 10) + number("05", 17) + number("06", 0));
  EXPECT_EQ(Ask({count(0x15, 3, 0)}), "");
  EXPECT_EQ(text.Run("get n\r\n"), "VALUE n 0 2\r\n3 \r\nEND\r\n");
  EXPECT_EQ(Ask({Set(1, "n", "x"), count(5, 1, 0)}),
            "01 00* [] |\n05 06 [] |Non-numeric server-side value for incr or decr\n");
}

TEST_F(MemcachedBinary, TakesExpiryForUnsigned) {
  // 0xffffffff is a time in the year 2106, where the text protocol has -1: gone at once.
  Ask({Set(1, "a", "v", 0, 0xffffffff)});
  EXPECT_EQ(Ask({{.opcode = 0x0c, .key = "a"}}), "0c 00* [00000005] a|v\n");
}

TEST_F(MemcachedBinary, TouchAnswersTheFlagsAndGetAndTouchTheValue) {
  Ask({Set(1, "a", "v")});
  EXPECT_EQ(Ask({{.opcode = 0x1c, .key = "a", .extras = std::string("\0\0\0\x64", 4)},
                 {.opcode = 0x1d, .key = "a", .extras = std::string("\0\0\0\x64", 4)},
                 {.opcode = 0x23, .key = "a", .extras = std::string("\0\0\0\x64", 4)},
                 {.opcode = 0x1c, .key = "b", .extras = std::string("\0\0\0\x64", 4)}}),
            "1c 00* [00000005] |\n1d 00* [00000005] |v\n23 00* [00000005] a|v\n"
            "1c 01 [] |Not found\n");
  EXPECT_EQ(text.Run("mg a t\r\n"), "HD t100\r\n");
}

TEST_F(MemcachedBinary, AppendsAndPrepends) {
  EXPECT_EQ(Ask({Set(1, "a", "b"),
                 {.opcode = 0x0e, .key = "a", .value = "c"},
                 {.opcode = 0x0f, .key = "a", .value = "a"},
                 {.opcode = 0, .key = "a"}}),
            "01 00* [] |\n0e 00* [] |\n0f 00* [] |\n00 00* [00000005] |abc\n");
}

TEST_F(MemcachedBinary, AnswersVersionNoopAndQuit) {
  EXPECT_EQ(Ask({{.opcode = 0x0b}, {.opcode = 0x0a}}), "0b 00 [] |1.6.18\n0a 00 [] |\n");
  EXPECT_EQ(Ask({{.opcode = 0x07}, {.opcode = 0x0a}}), "07 00 [] |\n");
  EXPECT_TRUE(memcached.close_after_reply());
}

TEST_F(MemcachedBinary, ClosesAfterAPacketThatCannotBe) {
  EXPECT_EQ(Ask({{.opcode = 0, .key_length = 9, .body_length = 1}, {.opcode = 0x0a}}),
            "00 81 [] |Unknown command\n");
  EXPECT_TRUE(memcached.close_after_reply());
}

TEST_F(MemcachedBinary, FlushesNowOrLaterOrNotAtAll) {
  Ask({Set(1, "a", "v")});
  EXPECT_EQ(Ask({{.opcode = 8, .extras = wire::BigEndian(10, 4)}}), "08 00 [] |\n");
  EXPECT_EQ(memcached.fakes().planned_flush, redis.clock().NowMillis() + 10'000);
  EXPECT_EQ(Ask({{.opcode = 0x18}, {.opcode = 0, .key = "a"}}), "00 01 [] |Not found\n");
  memcached.settings().flush_all_enabled = false;
  EXPECT_EQ(Ask({{.opcode = 0x18}}), "18 20 [] |Auth failure.\n");
}

TEST_F(MemcachedBinary, AnswersStatisticsInPackets) {
  const std::string settings = Ask({{.opcode = 0x10, .key = "settings"}});
  EXPECT_NE(settings.find("10 00 [] flush_enabled|yes\n"), std::string::npos);
  EXPECT_TRUE(settings.ends_with("\n10 00 [] |\n"));
  EXPECT_EQ(Ask({{.opcode = 0x10, .key = "reset"}}), "10 00 [] |\n");
  EXPECT_EQ(memcached.fakes().resets, 1);
  EXPECT_EQ(Ask({{.opcode = 0x10, .key = "bogus"}, {.opcode = 0x10, .key = "conns"}}),
            "10 01 [] |Not found\n10 01 [] |Not found\n");
}

TEST_F(MemcachedBinary, RefusesAValueOverTheLimitAndDropsWhatASetWasToReplace) {
  Ask({Set(1, "a", "v"), Set(1, "b", "v")});
  const std::string big(2'000'000, 'v');
  EXPECT_EQ(Ask({Set(0x11, "a", big),
                 {.opcode = 0x0e, .key = "b", .value = big},
                 {.opcode = 0, .key = "a"},
                 {.opcode = 0, .key = "b"}}),
            "11 03 [] |Too large.\n0e 03 [] |Too large.\n00 01 [] |Not found\n"
            "00 00* [00000005] |v\n");
}

TEST_F(MemcachedBinary, NamesWhyARequestIsNotAdmitted) {
  wire::MemcachedRequest request;
  request.is_binary = true;
  request.noreply = true;
  request.command = wire::MemcachedCommand::kSet;
  request.opcode = 0x11;
  wire::OutputBuffer out;
  for (const Fault fault : {Fault::kOutOfMemory, Fault::kReadOnlyReplica, Fault::kLoading}) {
    RefuseMemcached(request, fault, out);
  }
  EXPECT_EQ(DescribeReplies(out.view()),
            "11 82 [] |Out of memory allocating item\n"
            "11 84 [] |this node is a read-only replica\n"
            "11 86 [] |the data set is being loaded\n");
}

TEST_F(MemcachedBinary, ReplicatesWhatItChanges) {
  CommandRunner replica;
  memcached.ReplicateTo(replica);
  Ask({Set(1, "a", "v"),
       {.opcode = 0x0e, .key = "a", .value = "w"},
       {.opcode = 5, .key = "n", .extras = CounterExtras(1, 10, 0)}});
  MemcachedRunner there(replica);
  EXPECT_EQ(there.Run("gets a n\r\n"), text.Run("gets a n\r\n"));
  Ask({{.opcode = 4, .key = "a"}});
  EXPECT_EQ(there.Run("get a\r\n"), "END\r\n");
}

}  // namespace
}  // namespace mikura::engine
