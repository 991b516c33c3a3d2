// SPDX-License-Identifier: Apache-2.0
#include "bench/command_requests.h"

#include <fmt/format.h>

#include <cstring>

#include "base/check.h"
#include "base/numbers.h"

namespace mikura::bench {
namespace {

constexpr std::string_view kElementZero = "element:00000000";
// A score has a fixed number of digits and no zero in front.
constexpr std::string_view kScoreZero = "10000000";
constexpr uint64_t kScoreMin = 10'000'000;
constexpr uint64_t kScores = 90'000'000;

constexpr std::string_view kGetScript = "return redis.call('GET',KEYS[1])";
constexpr std::string_view kIncrScript = "return redis.call('INCR',KEYS[1])";
constexpr std::string_view kIncrScriptDigest = "da8455f0535fd532821b3713a4eccd80fc4b8457";

const std::vector<CommandForm>& Forms() {
  static const std::vector<CommandForm> forms = {
      {"incr", {"INCR", "{key}"}, {"SET", "{key}", "10000"}, {}, ":"},
      {"lpush", {"LPUSH", "{key}", "{value}"}, {"RPUSH", "{key}"}, {"{value}"}, ":"},
      {"rpop", {"RPOP", "{key}"}, {"RPUSH", "{key}"}, {"{value}"}, "${value}\r\n"},
      {"lrange10", {"LRANGE", "{key}", "0", "9"}, {"RPUSH", "{key}"}, {"{value}"}, "*10\r\n"},
      {"hset",
       {"HSET", "{key}", "{element}", "{value}"},
       {"HSET", "{key}"},
       {"{element}", "{value}"},
       ":"},
      {"hget",
       {"HGET", "{key}", "{element}"},
       {"HSET", "{key}"},
       {"{element}", "{value}"},
       "${value}\r\n"},
      {"sadd", {"SADD", "{key}", "{any}"}, {"SADD", "{key}"}, {"{element}"}, ":"},
      {"sismember", {"SISMEMBER", "{key}", "{any}"}, {"SADD", "{key}"}, {"{element}"}, ":"},
      {"zadd",
       {"ZADD", "{key}", "{score}", "{any}"},
       {"ZADD", "{key}"},
       {"{score}", "{element}"},
       ":"},
      {"zscore",
       {"ZSCORE", "{key}", "{element}"},
       {"ZADD", "{key}"},
       {"{score}", "{element}"},
       "$8\r\n"},
      {"zrange10",
       {"ZRANGE", "{key}", "0", "9"},
       {"ZADD", "{key}"},
       {"{score}", "{element}"},
       "*10\r\n"},
      {"xadd",
       {"XADD", "{key}", "*", "field", "{value}"},
       {"XADD", "{key}", "*", "field", "{value}"},
       {},
       "$"},
      {"eval", {"EVAL", kGetScript, "1", "{key}"}, {"SET", "{key}", "{value}"}, {}, "${value}\r\n"},
      {"eval-incr", {"EVAL", kIncrScript, "1", "{key}"}, {"SET", "{key}", "10000"}, {}, ":"},
      // Its filling makes the script known.
      {"evalsha",
       {"EVALSHA", kIncrScriptDigest, "1", "{key}"},
       {"EVAL", kIncrScript, "1", "{key}"},
       {},
       ":"},
  };
  return forms;
}

void PutDecimal(uint64_t number, char* end) {
  do {
    *--end = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
}

// Spreads the scores of neighbours.
uint64_t ScoreOf(uint64_t number) {
  return kScoreMin + (number * 0x9E3779B97F4A7C15ULL >> 20) % kScores;
}

// The number in the line that begins behind the type's byte; `end` becomes the next line's begin.
std::optional<int64_t> NumberOfLine(std::string_view input, size_t begin, size_t& end) {
  const size_t newline = input.find("\r\n", begin);
  if (newline == std::string_view::npos) return std::nullopt;
  end = newline + 2;
  return ParseInt64(input.substr(begin + 1, newline - begin - 1));
}

}  // namespace

const CommandForm* FindCommandForm(std::string_view name) {
  for (const CommandForm& form : Forms()) {
    if (form.name == name) return &form;
  }
  return nullptr;
}

std::vector<std::string_view> CommandFormNames() {
  std::vector<std::string_view> names;
  for (const CommandForm& form : Forms()) names.push_back(form.name);
  return names;
}

std::optional<size_t> RespReplyBytes(std::string_view input) {
  size_t at = 0;
  for (uint64_t left = 1; left > 0; --left) {
    if (at >= input.size()) return 0;
    const char type = input[at];
    const size_t newline = input.find("\r\n", at);
    if (std::string_view("+-:_$*").find(type) == std::string_view::npos) return std::nullopt;
    if (newline == std::string_view::npos) return 0;
    if (type == '+' || type == '-' || type == ':' || type == '_') {
      at = newline + 2;
      continue;
    }
    size_t begin = 0;
    const std::optional<int64_t> number = NumberOfLine(input, at, begin);
    if (!number || *number < -1 || *number > 1 << 30) return std::nullopt;
    at = begin;
    if (*number == -1) continue;
    if (type == '*') {
      left += static_cast<uint64_t>(*number);
    } else {
      at += static_cast<size_t>(*number) + 2;
    }
    if (at > input.size()) return 0;
  }
  return at;
}

CommandWriter::CommandWriter(const CommandForm& form, const CommandShape& shape)
    : shape_(shape), value_(shape.value_bytes, 'x') {
  CHECK(shape.key_bytes >= RequestWriter::kKeyBytesMin && shape.elements >= 1);
  right_reply_ = form.reply;
  if (const size_t at = right_reply_.find("{value}"); at != std::string::npos) {
    right_reply_.replace(at, 7, std::to_string(shape.value_bytes));
  }
  reply_bytes_max_ = 64 + 10 * (32 + size_t{shape.value_bytes});
  request_.bytes = fmt::format("*{}\r\n", form.request.size());
  for (const std::string_view word : form.request) AddWord(word, request_);
  AddFilling(form, fill_);
}

void CommandWriter::AddWord(std::string_view word, Template& to) const {
  std::string text(word);
  std::optional<SlotKind> kind;
  if (word == "{key}") {
    text = "key:" + std::string(shape_.key_bytes - 4, '0');
    kind = SlotKind::kKey;
  } else if (word == "{element}" || word == "{any}") {
    text = kElementZero;
    kind = word == "{any}" ? SlotKind::kAny : SlotKind::kElement;
  } else if (word == "{score}") {
    text = kScoreZero;
    kind = SlotKind::kScore;
  } else if (word == "{value}") {
    text = value_;
  }
  to.bytes += fmt::format("${}\r\n{}\r\n", text.size(), text);
  if (kind) to.slots.push_back({*kind, to.bytes.size() - 2});
}

void CommandWriter::AddFilling(const CommandForm& form, Template& to) const {
  const size_t elements = form.group.empty() ? 0 : shape_.elements;
  to.bytes = fmt::format("*{}\r\n", form.fill.size() + elements * form.group.size());
  for (const std::string_view word : form.fill) AddWord(word, to);
  const size_t key_slots = to.slots.size();
  for (size_t i = 0; i < elements; ++i) {
    for (const std::string_view word : form.group) AddWord(word, to);
    for (; to.slots.size() > key_slots; to.slots.pop_back()) {
      const Slot slot = to.slots.back();
      char* end = to.bytes.data() + slot.end;
      PutDecimal(slot.kind == SlotKind::kScore ? ScoreOf(i) : i, end);
    }
  }
}

char* CommandWriter::Request(uint64_t key, uint64_t random, char* out) const {
  std::memcpy(out, request_.bytes.data(), request_.bytes.size());
  for (const Slot& slot : request_.slots) {
    char* end = out + slot.end;
    switch (slot.kind) {
      case SlotKind::kKey:
        PutDecimal(key, end);
        break;
      case SlotKind::kElement:
        PutDecimal(random % shape_.elements, end);
        break;
      case SlotKind::kAny:
        PutDecimal(random % (uint64_t{shape_.elements} * 2), end);
        break;
      case SlotKind::kScore:
        PutDecimal(ScoreOf(random), end);
        break;
    }
  }
  return out + request_.bytes.size();
}

char* CommandWriter::Fill(uint64_t key, char* out) const {
  std::memcpy(out, fill_.bytes.data(), fill_.bytes.size());
  for (const Slot& slot : fill_.slots) PutDecimal(key, out + slot.end);
  return out + fill_.bytes.size();
}

Reply CommandWriter::ReadReply(std::string_view input, bool is_fill) const {
  const std::optional<size_t> bytes = RespReplyBytes(input);
  if (!bytes) return {ReplyKind::kError, input.size(), input.substr(0, 80)};
  if (*bytes == 0) return {};
  const std::string_view reply = input.substr(0, *bytes);
  if (is_fill ? reply[0] != '-' : reply.substr(0, right_reply_.size()) == right_reply_) {
    return {ReplyKind::kHit, *bytes, reply};
  }
  if (reply == "$-1\r\n" || reply == "_\r\n") return {ReplyKind::kMiss, *bytes, reply};
  return {ReplyKind::kError, *bytes, reply.substr(0, reply.find('\r'))};
}

}  // namespace mikura::bench
