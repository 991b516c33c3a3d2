// SPDX-License-Identifier: Apache-2.0
#include "control/agent/log_lines.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "base/numbers.h"

namespace mikura::control {
namespace {

constexpr size_t kEntryParts = 6;
constexpr size_t kWordsMax = 32;  // of an entry; the last of so many may stand for more
constexpr size_t kTimeBytes = 24;

struct Level {
  std::string_view ours;
  std::string_view name;
  char sign;
};
constexpr Level kLevels[] = {{"debug", "VERBOSE", '-'},
                             {"info", "NOTICE", '*'},
                             {"notice", "NOTICE", '*'},
                             {"warning", "WARNING", '#'},
                             {"error", "WARNING", '#'}};

// Bytes that would break a line or are no ASCII as "\x0a".
std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 0x7f) {
      printable += c;
    } else {
      printable += fmt::format("\\x{:02x}", byte);
    }
  }
  return printable;
}

std::string JsonText(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : Printable(text)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// "... (3 more arguments)" -> 3.
std::optional<size_t> MoreArguments(std::string_view word) {
  constexpr std::string_view kBegin = "... (";
  constexpr std::string_view kEnd = " more arguments)";
  if (word.size() <= kBegin.size() + kEnd.size() || word.substr(0, kBegin.size()) != kBegin ||
      word.substr(word.size() - kEnd.size()) != kEnd) {
    return std::nullopt;
  }
  word.remove_prefix(kBegin.size());
  word.remove_suffix(kEnd.size());
  const auto count = ParseInt64(word);
  if (!count || *count < 0) return std::nullopt;
  return static_cast<size_t>(*count);
}

std::string CommandOf(const std::vector<AdminReply>& words) {
  if (words.empty()) return {};
  size_t arguments = words.size() - 1;
  if (words.size() == kWordsMax) {
    const auto more = MoreArguments(words.back().text);
    if (more) arguments = words.size() - 2 + *more;
  }
  if (arguments == 0) return words.front().text;
  return fmt::format("{} ... ({} more arguments)", words.front().text, arguments);
}

bool IsTime(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != kForm.size()) return false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !is_digit : text[i] != kForm[i]) return false;
  }
  return true;
}

// "2020-11-12T01:28:57.994Z" -> "12 Nov 2020 01:28:57.994 UTC".
std::string LogTime(std::string_view iso) {
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int64_t month =
      ParseInt64(iso.substr(5, 1) == "0" ? iso.substr(6, 1) : iso.substr(5, 2)).value_or(1);
  const size_t index = month >= 1 && month <= 12 ? static_cast<size_t>(month - 1) : 0;
  return fmt::format("{} {} {} {} UTC", iso.substr(8, 2), kMonths[index], iso.substr(0, 4),
                     iso.substr(11, 12));
}

}  // namespace

Result<std::vector<SlowLogEntry>> ParseSlowLog(const AdminReply& reply) {
  const Error malformed{"SLOWLOG GET was answered with something else"};
  if (reply.kind != AdminReply::Kind::kArray) return malformed;
  std::vector<SlowLogEntry> entries;
  for (const AdminReply& part : reply.parts) {
    if (part.parts.size() != kEntryParts) return malformed;
    const auto id = ParseInt64(part.parts[0].text);
    const auto at = ParseInt64(part.parts[1].text);
    const auto micros = ParseInt64(part.parts[2].text);
    if (!id || !at || !micros) return malformed;
    entries.push_back({*id, *at, *micros, CommandOf(part.parts[3].parts), part.parts[4].text,
                       part.parts[5].text});
  }
  return entries;
}

std::string SlowLogLine(const LogTarget& target, const SlowLogEntry& entry) {
  if (!target.as_json) {
    return fmt::format("{},{},{},{},{},{},{}\n", target.cluster_id, target.cache_node_id,
                       entry.at_seconds, entry.micros, Printable(entry.command),
                       Printable(entry.client_address), Printable(entry.client_name));
  }
  return fmt::format(
      "{{\"CacheClusterId\":{},\"CacheNodeId\":{},\"Id\":{},\"Timestamp\":{},\"Duration (us)\":{},"
      "\"Command\":{},\"ClientAddress\":{},\"ClientName\":{}}}\n",
      JsonText(target.cluster_id), JsonText(target.cache_node_id), entry.id, entry.at_seconds,
      entry.micros, JsonText(entry.command), JsonText(entry.client_address),
      JsonText(entry.client_name));
}

std::string EngineLogLine(const LogTarget& target, char role, std::string_view line,
                          std::string_view now) {
  std::string_view time = now;
  std::string_view message = line;
  const Level* level = &kLevels[3];
  if (line.size() > kTimeBytes && IsTime(line.substr(0, kTimeBytes)) && line[kTimeBytes] == ' ') {
    const std::string_view rest = line.substr(kTimeBytes + 1);
    const std::string_view word = rest.substr(0, rest.find(' '));
    for (const Level& each : kLevels) {
      if (each.ours != word) continue;
      level = &each;
      time = line.substr(0, kTimeBytes);
      message = rest.size() > word.size() ? rest.substr(word.size() + 1) : std::string_view();
    }
  }
  if (!target.as_json) {
    return fmt::format("{}/{}:{} {} {} {}\n", target.cluster_id, target.cache_node_id, role,
                       LogTime(time), level->sign, Printable(message));
  }
  return fmt::format(
      "{{\"CacheClusterId\":{},\"CacheNodeId\":{},\"LogLevel\":\"{}\",\"Role\":\"{}\",\"Time\":"
      "\"{}\",\"Message\":{}}}\n",
      JsonText(target.cluster_id), JsonText(target.cache_node_id), level->name, role, LogTime(time),
      JsonText(message));
}

}  // namespace mikura::control
