// SPDX-License-Identifier: Apache-2.0
#include "bench/protocol.h"

#include <gtest/gtest.h>

namespace mikura::bench {
namespace {

constexpr Protocol kAll[] = {Protocol::kResp, Protocol::kMemcachedText, Protocol::kMemcachedMeta,
                             Protocol::kMemcachedBinary};

std::string GetText(const RequestWriter& writer, uint64_t key) {
  std::string out(writer.get_bytes(), '?');
  EXPECT_EQ(writer.Get(key, out.data()), out.data() + out.size());
  return out;
}

std::string SetText(const RequestWriter& writer, uint64_t key) {
  std::string out(writer.set_bytes(), '?');
  EXPECT_EQ(writer.Set(key, out.data()), out.data() + out.size());
  return out;
}

TEST(RequestWriter, WritesRespWithAndWithoutExpiry) {
  const RequestWriter plain({Protocol::kResp, 16, 18, 0});
  EXPECT_EQ(GetText(plain, 77), "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000077\r\n");
  EXPECT_EQ(SetText(plain, 255),
            "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000255\r\n$18\r\n00000000000000ffip\r\n");
  const RequestWriter expiring({Protocol::kResp, 16, 4, 90});
  EXPECT_EQ(SetText(expiring, 1),
            "*5\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$4\r\n0001\r\n$2\r\nEX\r\n$2\r\n90\r\n");
}

TEST(RequestWriter, WritesMemcachedTextAndMeta) {
  const RequestWriter text({Protocol::kMemcachedText, 16, 4, 60});
  EXPECT_EQ(GetText(text, 5), "get key:000000000005\r\n");
  EXPECT_EQ(SetText(text, 5), "set key:000000000005 0 60 4\r\n0005\r\n");
  const RequestWriter meta({Protocol::kMemcachedMeta, 16, 4, 0});
  EXPECT_EQ(GetText(meta, 5), "mg key:000000000005 v\r\n");
  EXPECT_EQ(SetText(meta, 5), "ms key:000000000005 4\r\n0005\r\n");
}

TEST(RequestWriter, WritesMemcachedBinary) {
  using namespace std::string_literals;
  const RequestWriter writer({Protocol::kMemcachedBinary, 16, 4, 60});
  const std::string key = "key:000000000005";
  EXPECT_EQ(GetText(writer, 5),
            "\x80\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x10"s + std::string(12, '\0') + key);
  EXPECT_EQ(SetText(writer, 5), "\x80\x01\x00\x10\x08\x00\x00\x00\x00\x00\x00\x1c"s +
                                    std::string(12, '\0') + "\0\0\0\0\0\0\0\x3c"s + key + "0005");
}

TEST(RequestWriter, KnowsTheValueOfEachKey) {
  const RequestWriter writer({Protocol::kResp, 32, 64, 0});
  EXPECT_TRUE(writer.IsValueOf(3, writer.ValueOf(3)));
  EXPECT_FALSE(writer.IsValueOf(4, writer.ValueOf(3)));
  EXPECT_FALSE(writer.IsValueOf(3, writer.ValueOf(3).substr(1)));
}

TEST(ReadReply, ReadsWhatTheWriterExpectsAndWaitsForEveryByte) {
  for (const Protocol protocol : kAll) {
    const RequestWriter writer({protocol, 32, 64, 0});
    const std::string hit = writer.HitReply(9);
    for (size_t bytes = 0; bytes < hit.size(); ++bytes) {
      EXPECT_EQ(ReadReply(protocol, hit.substr(0, bytes)).kind, ReplyKind::kIncomplete) << bytes;
    }
    const std::string two = hit + hit;
    const Reply reply = ReadReply(protocol, two);
    EXPECT_EQ(reply.kind, ReplyKind::kHit);
    EXPECT_EQ(reply.bytes, hit.size());
    EXPECT_TRUE(writer.IsValueOf(9, reply.value));
    const std::string stored = writer.StoredReply();
    EXPECT_EQ(ReadReply(protocol, stored).kind, ReplyKind::kStored);
    EXPECT_EQ(ReadReply(protocol, stored).bytes, stored.size());
  }
}

TEST(ReadReply, TellsMissesAndErrors) {
  EXPECT_EQ(ReadReply(Protocol::kResp, "$-1\r\n").kind, ReplyKind::kMiss);
  EXPECT_EQ(ReadReply(Protocol::kResp, "_\r\n").kind, ReplyKind::kMiss);
  EXPECT_EQ(ReadReply(Protocol::kMemcachedText, "END\r\n").kind, ReplyKind::kMiss);
  EXPECT_EQ(ReadReply(Protocol::kMemcachedMeta, "EN\r\n").kind, ReplyKind::kMiss);
  EXPECT_EQ(ReadReply(Protocol::kResp, "-OOM full\r\n+OK\r\n").bytes, 11u);
  EXPECT_EQ(ReadReply(Protocol::kResp, ":1\r\n").kind, ReplyKind::kError);
  EXPECT_EQ(ReadReply(Protocol::kMemcachedText, "SERVER_ERROR x\r\n").kind, ReplyKind::kError);
  EXPECT_EQ(ReadReply(Protocol::kMemcachedMeta, "ERROR\r\n").kind, ReplyKind::kError);
  const auto packet = [](char opcode, char status) {
    std::string text(24, '\0');
    text[0] = '\x81';
    text[1] = opcode;
    text[7] = status;
    text[11] = 4;
    return text + "word";
  };
  EXPECT_EQ(ReadReply(Protocol::kMemcachedBinary, packet(0, 1)).kind, ReplyKind::kMiss);
  const std::string full = packet(1, '\x82');
  const Reply error = ReadReply(Protocol::kMemcachedBinary, full);
  EXPECT_EQ(error.kind, ReplyKind::kError);
  EXPECT_EQ(error.value, "word");
  EXPECT_EQ(error.bytes, 28u);
}

TEST(ReadReply, RefusesAValueWhoseLengthOrEndIsWrong) {
  EXPECT_EQ(ReadReply(Protocol::kResp, "$3\r\nabcd\r\n").kind, ReplyKind::kError);
  EXPECT_EQ(ReadReply(Protocol::kResp, "$x\r\nabc\r\n").kind, ReplyKind::kError);
  EXPECT_EQ(ReadReply(Protocol::kMemcachedText, "VALUE k 0 1\r\na\r\nENDX\r\n").kind,
            ReplyKind::kError);
}

}  // namespace
}  // namespace mikura::bench
