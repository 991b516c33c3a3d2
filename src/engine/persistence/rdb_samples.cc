// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_samples.h"

#include <fmt/format.h>

#include <initializer_list>

#include "engine/collections/hash_value.h"
#include "engine/collections/list_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/collections/stream_value.h"
#include "engine/persistence/compact_lists.h"
#include "engine/persistence/crc64.h"
#include "engine/persistence/rdb_output.h"
#include "engine/persistence/rdb_writer.h"

namespace mikura::engine {
namespace {

using namespace collections;

using Words = std::initializer_list<std::string_view>;

std::string Bytes(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out.push_back(static_cast<char>(byte));
  return out;
}

// A string in its plain form, whatever it holds.
std::string Text(std::string_view bytes) {
  std::string out;
  AppendRdbLength(out, bytes.size());
  return out.append(bytes);
}

std::string Texts(Words words) {
  std::string out;
  for (const std::string_view word : words) out += Text(word);
  return out;
}

std::string Fixed(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::string RawId(uint64_t ms, uint64_t seq) {
  std::string out;
  AppendRdbBigEndian(out, ms, 8);
  AppendRdbBigEndian(out, seq, 8);
  return out;
}

// Header: bytes of all, place of the last entry, entries. Entries of up to 63 bytes.
std::string Ziplist(Words words) {
  std::string entries;
  size_t before = 0;
  size_t last = 0;
  for (const std::string_view word : words) {
    last = entries.size();
    const std::string entry = Bytes({static_cast<int>(before), static_cast<int>(word.size())});
    entries += entry;
    entries += word;
    before = entry.size() + word.size();
  }
  return Fixed(10 + entries.size() + 1, 4) + Fixed(10 + last, 4) + Fixed(words.size(), 2) +
         entries + '\xff';
}

std::string Listpack(Words words) {
  ListpackWriter writer;
  for (const std::string_view word : words) writer.AddString(word);
  return writer.Finish();
}

std::string Intset(int bytes, std::initializer_list<int64_t> values) {
  std::string out = Fixed(static_cast<uint64_t>(bytes), 4) + Fixed(values.size(), 4);
  for (const int64_t value : values) out += Fixed(static_cast<uint64_t>(value), bytes);
  return out;
}

// Two entries, 5-1 and 5-2, with the same field; one between them was deleted.
std::string StreamNodes() {
  ListpackWriter node;
  for (const int64_t number : {2, 1, 1}) node.AddInteger(number);
  node.AddString("f");
  node.AddInteger(0);
  const auto entry = [&node](int64_t flags, int64_t seq, std::string_view value) {
    for (const int64_t number : {flags, int64_t{0}, seq}) node.AddInteger(number);
    node.AddString(value);
    node.AddInteger(4);
  };
  entry(2, 0, "one");
  entry(3, 1, "gone");
  for (const int64_t number : {0, 0, 2, 1}) node.AddInteger(number);
  node.AddString("g");
  node.AddString("two");
  node.AddInteger(6);
  return Bytes({1}) + Text(RawId(5, 1)) + Text(node.Finish());
}

// type: 15, 19 or 21; each adds something.
std::string Stream(int type) {
  std::string out = StreamNodes() + Bytes({2, 5, 3});  // entries, last id
  if (type >= 19) out += Bytes({5, 1, 5, 2, 3});       // first id, deleted id, added
  out += Bytes({1}) + Text("group") + Bytes({5, 1});
  if (type >= 19) out += Bytes({1});                              // entries read
  out += Bytes({1}) + RawId(5, 1) + Fixed(1000, 8) + Bytes({3});  // pending: id, time, deliveries
  out += Bytes({1}) + Text("alice") + Fixed(2000, 8);
  if (type >= 21) out += Fixed(1500, 8);
  return out + Bytes({1}) + RawId(5, 1);
}

constexpr std::string_view kStream =
    "stream 5-1 f=one 5-3 g=two last 5-3 deleted 0-0 added 2 group group 5-1 read 1 pending "
    "5-1 alice 1000 3 consumer alice 2000 2000";
constexpr std::string_view kStream2 =
    "stream 5-1 f=one 5-3 g=two last 5-3 deleted 5-2 added 3 group group 5-1 read 1 pending "
    "5-1 alice 1000 3 consumer alice 2000 2000";
constexpr std::string_view kStream3 =
    "stream 5-1 f=one 5-3 g=two last 5-3 deleted 5-2 added 3 group group 5-1 read 1 pending "
    "5-1 alice 1000 3 consumer alice 2000 1500";

void AddStrings(std::vector<RdbSample>& out) {
  out.push_back({"string", 0, Text("hello"), "string hello"});
  out.push_back({"string of 14 bits length", 0, Text(std::string(300, 'x')),
                 "string " + std::string(300, 'x')});
  out.push_back({"string of 32 bits length", 0, Text(std::string(20'000, 'y')),
                 "string " + std::string(20'000, 'y')});
  out.push_back({"string of 64 bits length", 0, Bytes({0x81, 0, 0, 0, 0, 0, 0, 0, 2, 'a', 'b'}),
                 "string ab"});
  out.push_back({"string of 8 bits", 0, Bytes({0xc0, 0x80}), "string -128"});
  out.push_back({"string of 16 bits", 0, Bytes({0xc1, 0xff, 0x7f}), "string 32767"});
  out.push_back({"string of 32 bits", 0, Bytes({0xc2, 0, 0, 0, 0x80}), "string -2147483648"});
  out.push_back({"compressed string", 0, Bytes({0xc3, 4, 40, 0, 'a', 0xe0, 30}) + '\0', ""});
  // One literal, then 39 times what is one byte before: 7 and 30 more and 2.
  out.back().payload = Bytes({0xc3, 5, 40, 0, 'a', 0xe0, 30, 0});
  out.back().wanted = "string " + std::string(40, 'a');
}

void AddListsAndSets(std::vector<RdbSample>& out) {
  out.push_back({"list", 1, Bytes({3}) + Texts({"a", "b"}) + Bytes({0xc0, 7}), "list a b 7"});
  out.push_back({"list (ziplist)", 10,
                 // "x", 12 in the type byte, 1000 of 16 bits, -5 of 8, 70000 of 24, 2^31 of 64
                 Text(Fixed(10 + 3 + 2 + 4 + 3 + 5 + 10 + 1, 4) + Fixed(27, 4) + Fixed(6, 2) +
                      Bytes({0, 1, 'x', 3, 0xfd, 2, 0xc0, 0xe8, 0x03, 4, 0xfe, 0xfb, 3, 0xf0, 0x70,
                             0x11, 0x01, 5, 0xe0}) +
                      Fixed(1ull << 31, 8) + '\xff'),
                 "list x 12 1000 -5 70000 2147483648"});
  out.push_back({"list (quicklist)", 14,
                 Bytes({2}) + Text(Ziplist({"a", "b"})) + Text(Ziplist({"c"})), "list a b c"});
  out.push_back({"list (quicklist 2)", 18,
                 Bytes({2, 2}) + Text(Listpack({"a", "b"})) + Bytes({1}) + Text("plain"),
                 "list a b plain"});
  out.push_back({"set", 2, Bytes({2}) + Texts({"x", "y"}), "set x y"});
  out.push_back({"set (intset of 16 bits)", 11, Text(Intset(2, {-3, 5, 300})), "set -3 5 300"});
  out.push_back({"set (intset of 32 bits)", 11, Text(Intset(4, {1, 70000})), "set 1 70000"});
  out.push_back({"set (intset of 64 bits)", 11, Text(Intset(8, {INT64_MIN, INT64_MAX})),
                 "set -9223372036854775808 9223372036854775807"});
  out.push_back({"set (listpack)", 20, Text(Listpack({"x", "yy"})), "set x yy"});
}

void AddSortedSets(std::vector<RdbSample>& out) {
  out.push_back({"sorted set", 3,
                 Bytes({4}) + Text("a") + Text("1.5") + Text("low") + Bytes({255}) + Text("high") +
                     Bytes({254}) + Text("b") + Text("-0.25"),
                 "zset low=-inf b=-0.25 a=1.5 high=inf"});
  out.push_back(
      {"sorted set 2", 5, Bytes({1}) + Text("a") + Fixed(0x4004000000000000, 8), "zset a=2.5"});
  out.push_back(
      {"sorted set (ziplist)", 12, Text(Ziplist({"a", "1", "b", "2.5"})), "zset a=1 b=2.5"});
  out.push_back({"sorted set (listpack)", 17, Text(Listpack({"a", "-inf", "b", "1e3"})),
                 "zset a=-inf b=1000"});
}

void AddHashes(std::vector<RdbSample>& out) {
  out.push_back({"hash", 4, Bytes({2}) + Texts({"a", "1", "b", "2"}), "hash a=1 b=2"});
  // The second value has two unused bytes behind it.
  out.push_back({"hash (zipmap)", 9,
                 Text(Bytes({2, 1, 'a', 1, 0, '1', 1, 'b', 2, 2, '2', '3', 'z', 'z', 0xff})),
                 "hash a=1 b=23"});
  out.push_back({"hash (ziplist)", 13, Text(Ziplist({"a", "1"})), "hash a=1"});
  out.push_back({"hash (listpack)", 16, Text(Listpack({"a", "1", "b", ""})), "hash a=1 b="});
  const std::string fields = Texts({"a", "1"});
  const std::string more = Texts({"b", "2"});
  out.push_back({"hash with deadlines before Redis 7.4.0", 22,
                 Bytes({2}) + Bytes({0x43, 0xe8}) + fields + Bytes({0}) + more,
                 "hash a=1@1000 b=2"});
  out.push_back({"hash (listpack) with deadlines before Redis 7.4.0", 23,
                 Text(Listpack({"a", "1", "5000", "b", "2", "0"})), "hash a=1@5000 b=2"});
  out.push_back({"hash with deadlines", 24,
                 Fixed(1000, 8) + Bytes({3, 1}) + fields + Bytes({0}) + more + Bytes({0x40, 0x65}) +
                     Texts({"c", "3"}),
                 "hash a=1@1000 b=2 c=3@1100"});
  out.push_back({"hash (listpack) with deadlines", 25,
                 Fixed(5000, 8) + Text(Listpack({"a", "1", "5000", "b", "2", "0"})),
                 "hash a=1@5000 b=2"});
}

std::string DescribeStream(const StreamValue& stream) {
  const auto id_text = [](StreamId id) { return fmt::format("{}-{}", id.ms, id.seq); };
  std::string out = "stream";
  if (stream.size() > 0) {
    stream.VisitRange(0, stream.size(), false, [&](const StreamEntry& entry) {
      out += " " + id_text(entry.id());
      entry.VisitFields([&](std::string_view name, std::string_view value) {
        out += fmt::format(" {}={}", name, value);
      });
      return true;
    });
  }
  out += fmt::format(" last {} deleted {} added {}", id_text(stream.last_id()),
                     id_text(stream.max_deleted_id()), stream.entries_added());
  for (const StreamGroup& group : stream.groups()) {
    out += fmt::format(" group {} {} read {}", group.name(), id_text(group.last_id()),
                       group.entries_read());
    for (StreamGroup::PendingCursor c(group, StreamId()); !c.at_end(); c.Next()) {
      const PendingEntry entry = c.entry();
      out +=
          fmt::format(" pending {} {} {} {}", id_text(entry.id),
                      group.ConsumerAt(entry.consumer).name, entry.delivered_at, entry.deliveries);
    }
    for (uint64_t i = 0; i < group.consumer_count(); ++i) {
      const StreamConsumer consumer = group.ConsumerByRank(i);
      out += fmt::format(" consumer {} {} {}", consumer.name, consumer.seen_at, consumer.active_at);
    }
  }
  return out;
}

template <typename Value>
std::string DescribeElements(std::string_view type, const Value& value) {
  std::string out(type);
  for (typename Value::Cursor c(value); !c.at_end(); c.Next()) {
    out += fmt::format(" {}", c.element());
  }
  return out;
}

std::string DescribeHash(const HashValue& hash) {
  std::string out = "hash";
  for (uint64_t i = 0; i < hash.size(); ++i) {
    const HashValue::Field field = hash.At(i);
    out += fmt::format(" {}={}", field.name, field.value);
    if (field.deadline != kNoFieldDeadline) out += fmt::format("@{}", field.deadline);
  }
  return out;
}

std::string DescribeSortedSet(const SortedSetValue& set) {
  std::string out = "zset";
  for (SortedSetValue::Cursor c(set); !c.at_end(); c.Next()) {
    out += fmt::format(" {}={}", c.element().member, c.element().score);
  }
  return out;
}

}  // namespace

std::vector<RdbSample> RdbSamples() {
  std::vector<RdbSample> all;
  AddStrings(all);
  AddListsAndSets(all);
  AddSortedSets(all);
  AddHashes(all);
  all.push_back({"stream", 15, Stream(15), std::string(kStream)});
  all.push_back({"stream 2", 19, Stream(19), std::string(kStream2)});
  all.push_back({"stream 3", 21, Stream(21), std::string(kStream3)});
  return all;
}

std::string Describe(const RdbEntry& entry) {
  if (entry.collection == nullptr) return fmt::format("string {}", entry.value);
  const Collection& value = *entry.collection;
  switch (value.type()) {
    case CollectionType::kList:
      return DescribeElements("list", static_cast<const ListValue&>(value));
    case CollectionType::kSet:
      return DescribeElements("set", static_cast<const SetValue&>(value));
    case CollectionType::kSortedSet:
      return DescribeSortedSet(static_cast<const SortedSetValue&>(value));
    case CollectionType::kHash:
      return DescribeHash(static_cast<const HashValue&>(value));
    case CollectionType::kStream:
      break;
  }
  return DescribeStream(static_cast<const StreamValue&>(value));
}

std::string RdbFileOf(std::string_view body, std::string_view version) {
  std::string out = "REDIS" + std::string(version);
  out += body;
  AppendRdbEnd(out, Crc64(0, out));
  return out;
}

std::string RdbFileOfSamples() {
  std::string body;
  AppendRdbAux(body, "redis-ver", "7.4.0");
  AppendRdbAux(body, "repl-id", std::string(40, 'a'));
  AppendRdbAux(body, "repl-offset", "123456");
  AppendRdbFunction(body, "#!lua name=l\nredis.register_function('f', function() end)");
  body += Bytes({0xf7, 1, 2, 3, 5, 2, 'x', 'y', 4}) + Fixed(0, 8) + Bytes({0});  // of a module
  AppendRdbSelect(body, 3);
  AppendRdbResize(body, 40, 2);
  body += Bytes({0xf4, 1, 2, 3});  // a slot
  int number = 0;
  for (const RdbSample& sample : RdbSamples()) {
    ++number;
    if (number % 5 == 0) body += Bytes({0xf9, 7});                      // use counter
    if (number % 5 == 1) body += Bytes({0xf8, 9});                      // idle time
    if (number % 5 == 2) body += '\xfc' + Fixed(1'900'000'000'000, 8);  // deadline
    body.push_back(static_cast<char>(sample.type));
    body += Text(fmt::format("key{}", number)) + sample.payload;
  }
  return RdbFileOf(body);
}

}  // namespace mikura::engine
