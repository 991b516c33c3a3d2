// SPDX-License-Identifier: Apache-2.0
#include "tests/concurrency/key_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/check.h"

namespace mikura::concurrency {

namespace {

using Kind = KeyState::Kind;

constexpr char kWrongType[] = "-WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr char kNull[] = "_";

std::string Bulk(const std::string& text) { return "$" + text; }
std::string Integer(size_t value) { return fmt::format(":{}", value); }

std::optional<int64_t> Number(const std::string& text) {
  char* end = nullptr;
  const int64_t value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != 0 || fmt::format("{}", value) != text) return std::nullopt;
  return value;
}

std::string Array(const std::vector<std::string>& parts) {
  return fmt::format("*[{}]", fmt::join(parts, " "));
}

// One command on one key. A function for each type of key.
class Run {
 public:
  Run(KeyState& state, const Words& words, const std::string& observed)
      : state_(state), words_(words), name_(words[0]), observed_(observed) {}

  std::string Reply() {
    if (std::optional<std::string> reply = OnAnyType()) return *reply;
    const Kind kind = KindOfCommand();
    if (!absent() && state_.kind != kind) return kWrongType;
    std::string reply;
    switch (kind) {
      case Kind::kString:
        reply = OnString();
        break;
      case Kind::kHash:
        reply = OnHash();
        break;
      case Kind::kList:
        reply = OnList();
        break;
      case Kind::kSet:
        reply = OnSet();
        break;
      default:
        reply = OnSortedSet();
        break;
    }
    // A collection without elements is no key.
    if (!absent() && state_.kind != Kind::kString && state_.fields.empty() &&
        state_.items.empty()) {
      state_ = {};
    }
    return reply;
  }

 private:
  bool absent() const { return state_.kind == Kind::kAbsent; }
  const std::string& word(size_t i) const { return words_[i]; }

  Kind KindOfCommand() const {
    static const std::map<std::string, Kind> kinds = {
        {"LPUSH", Kind::kList},        {"RPUSH", Kind::kList},        {"LPOP", Kind::kList},
        {"RPOP", Kind::kList},         {"LLEN", Kind::kList},         {"LRANGE", Kind::kList},
        {"LMOVE", Kind::kList},        {"SADD", Kind::kSet},          {"SREM", Kind::kSet},
        {"SPOP", Kind::kSet},          {"SMEMBERS", Kind::kSet},      {"SCARD", Kind::kSet},
        {"ZADD", Kind::kSortedSet},    {"ZINCRBY", Kind::kSortedSet}, {"ZREM", Kind::kSortedSet},
        {"ZPOPMIN", Kind::kSortedSet}, {"ZRANGE", Kind::kSortedSet},  {"HSET", Kind::kHash},
        {"HGET", Kind::kHash},         {"HDEL", Kind::kHash},         {"HINCRBY", Kind::kHash},
        {"HGETALL", Kind::kHash},      {"HLEN", Kind::kHash}};
    const auto found = kinds.find(name_);
    return found == kinds.end() ? Kind::kString : found->second;
  }

  void Become(Kind kind) {
    if (absent()) state_ = {.kind = kind};
  }

  void SetTo(const std::string& value, int64_t deadline) {
    state_ = {.kind = Kind::kString, .text = value, .deadline_millis = deadline};
  }

  std::optional<std::string> OnAnyType() {
    if (name_ == "DEL") {
      const std::string reply = absent() ? ":0" : ":1";
      state_ = {};
      return reply;
    }
    if (name_ == "EXISTS") return absent() ? ":0" : ":1";
    if (name_ == "PEXPIREAT") {
      if (absent()) return ":0";
      state_.deadline_millis = std::strtoll(word(2).c_str(), nullptr, 10);
      return ":1";
    }
    if (name_ == "PERSIST") {
      return std::exchange(state_.deadline_millis, 0) != 0 ? ":1" : ":0";
    }
    if (name_ == "SETNX") {
      if (!absent()) return ":0";
      SetTo(word(2), 0);
      return ":1";
    }
    if (name_ == "SET" && (words_.size() == 3 || word(3) == "PXAT")) {
      SetTo(word(2), words_.size() == 3 ? 0 : std::strtoll(word(4).c_str(), nullptr, 10));
      return "+OK";
    }
    return std::nullopt;
  }

  std::string OnString() {
    if (name_ == "GET") return absent() ? kNull : Bulk(state_.text);
    if (name_ == "STRLEN") return Integer(state_.text.size());
    if (name_ == "SET") {  // key value IFEQ old
      if (absent() || state_.text != word(4)) return kNull;
      SetTo(word(2), 0);
      return "+OK";
    }
    std::string old = absent() ? kNull : Bulk(state_.text);
    if (name_ == "GETSET") {
      SetTo(word(2), 0);
      return old;
    }
    if (name_ == "GETDEL") {
      state_ = {};
      return old;
    }
    if (name_ == "APPEND") {
      Become(Kind::kString);
      state_.text += word(2);
      return Integer(state_.text.size());
    }
    CHECK(name_ == "INCR");
    const std::optional<int64_t> number = absent() ? 0 : Number(state_.text);
    if (!number) return "-ERR value is not an integer or out of range";
    Become(Kind::kString);
    state_.text = fmt::format("{}", *number + 1);
    return ":" + state_.text;
  }

  std::string OnHash() {
    std::map<std::string, std::string>& fields = state_.fields;
    if (name_ == "HLEN") return Integer(fields.size());
    if (name_ == "HGETALL") return Pairs();
    const auto found = fields.find(word(2));
    if (name_ == "HGET") return found == fields.end() ? kNull : Bulk(found->second);
    if (name_ == "HDEL") return Integer(fields.erase(word(2)));
    if (name_ == "HSET") {
      Become(Kind::kHash);
      std::string reply = found == fields.end() ? ":1" : ":0";
      fields[word(2)] = word(3);
      return reply;
    }
    CHECK(name_ == "HINCRBY");
    const std::optional<int64_t> number = found == fields.end() ? 0 : Number(found->second);
    if (!number) return "-ERR hash value is not an integer";
    Become(Kind::kHash);
    return ":" + (fields[word(2)] = fmt::format("{}", *number + *Number(word(3))));
  }

  std::string Pairs() const {
    std::vector<std::string> parts;
    for (const auto& [field, value] : state_.fields) {
      parts.push_back(Bulk(field));
      parts.push_back(Bulk(value));
    }
    return Array(parts);
  }

  std::string Pop(bool left) {
    if (state_.items.empty()) return kNull;
    const std::string item = left ? state_.items.front() : state_.items.back();
    left ? state_.items.pop_front() : state_.items.pop_back();
    return Bulk(item);
  }

  std::string OnList() {
    std::deque<std::string>& items = state_.items;
    if (name_ == "LLEN") return Integer(items.size());
    if (name_ == "LPOP" || name_ == "RPOP") return Pop(name_ == "LPOP");
    if (name_ == "LPUSH" || name_ == "RPUSH") {
      Become(Kind::kList);
      name_ == "LPUSH" ? items.push_front(word(2)) : items.push_back(word(2));
      return Integer(items.size());
    }
    if (name_ == "LMOVE") {  // key key LEFT RIGHT
      if (items.empty()) return kNull;
      items.push_back(items.front());
      items.pop_front();
      return Bulk(items.back());
    }
    CHECK(name_ == "LRANGE");  // key 0 -1
    std::vector<std::string> parts;
    for (const std::string& item : items) parts.push_back(Bulk(item));
    return Array(parts);
  }

  std::string OnSet() {
    if (name_ == "SCARD") return Integer(state_.fields.size());
    if (name_ == "SREM") return Integer(state_.fields.erase(word(2)));
    if (name_ == "SADD") {
      Become(Kind::kSet);
      return state_.fields.emplace(word(2), "").second ? ":1" : ":0";
    }
    if (name_ == "SPOP") {
      if (absent()) return kNull;
      const bool was_member = !observed_.empty() && state_.fields.erase(observed_.substr(1)) == 1;
      return was_member ? observed_ : "-not a member";
    }
    CHECK(name_ == "SMEMBERS");
    std::vector<std::string> parts;
    for (const auto& [member, unused] : state_.fields) parts.push_back(Bulk(member));
    return Array(parts);
  }

  // Members by score, then by name. Scores are whole numbers.
  std::vector<std::pair<int64_t, std::string>> Ranked() const {
    std::vector<std::pair<int64_t, std::string>> ranked;
    for (const auto& [member, score] : state_.fields) ranked.emplace_back(*Number(score), member);
    std::sort(ranked.begin(), ranked.end());
    return ranked;
  }

  std::string OnSortedSet() {
    if (name_ == "ZREM") return Integer(state_.fields.erase(word(2)));
    if (name_ == "ZADD") {  // key score member
      Become(Kind::kSortedSet);
      const bool is_new = !state_.fields.contains(word(3));
      state_.fields[word(3)] = word(2);
      return is_new ? ":1" : ":0";
    }
    if (name_ == "ZINCRBY") {  // key delta member
      Become(Kind::kSortedSet);
      std::string& score = state_.fields[word(3)];
      score = fmt::format("{}", Number(score).value_or(0) + *Number(word(2)));
      return Bulk(score);
    }
    std::vector<std::pair<int64_t, std::string>> ranked = Ranked();
    if (name_ == "ZPOPMIN") {
      if (ranked.size() > 1) ranked.resize(1);
      if (!ranked.empty()) state_.fields.erase(ranked[0].second);
    } else {
      CHECK(name_ == "ZRANGE");  // key 0 -1 WITHSCORES
    }
    std::vector<std::string> parts;
    for (const auto& [score, member] : ranked) {
      parts.push_back(Bulk(member));
      parts.push_back(fmt::format("${}", score));
    }
    return Array(parts);
  }

  KeyState& state_;
  const Words& words_;
  const std::string& name_;
  const std::string& observed_;
};

}  // namespace

std::string KeyState::Serialized() const {
  std::string out =
      fmt::format("{} {} {}:{}", static_cast<int>(kind), deadline_millis, text.size(), text);
  for (const auto& [field, value] : fields) {
    out += fmt::format(" {}:{}={}:{}", field.size(), field, value.size(), value);
  }
  for (const std::string& item : items) out += fmt::format(" {}:{}", item.size(), item);
  return out;
}

std::string RunOnModel(KeyState& state, const Words& words, const std::string& observed) {
  return Run(state, words, observed).Reply();
}

std::string Ordered(const Words& words, Reply reply) {
  if (words[0] == "SMEMBERS") {
    std::sort(reply.parts.begin(), reply.parts.end(),
              [](const Reply& a, const Reply& b) { return a.text < b.text; });
  }
  if (words[0] == "HGETALL") {
    std::map<std::string, std::string> fields;
    for (size_t i = 0; i + 1 < reply.parts.size(); i += 2) {
      fields[reply.parts[i].text] = reply.parts[i + 1].text;
    }
    size_t i = 0;
    for (const auto& [field, value] : fields) {
      reply.parts[i++].text = field;
      reply.parts[i++].text = value;
    }
  }
  return reply.Text();
}

}  // namespace mikura::concurrency
