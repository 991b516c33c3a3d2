// SPDX-License-Identifier: Apache-2.0
#include "tests/concurrency/background.h"

#include <fmt/format.h>

#include <set>

namespace mikura::concurrency {

namespace {

constexpr int kLasting = 200;  // keys that nobody touches
constexpr char kLastingPattern[] = "lasting:*";

const Words kLooks[] = {{"INFO", "everything"},
                        {"CLIENT", "LIST"},
                        {"SLOWLOG", "GET", "5"},
                        {"SLOWLOG", "RESET"},
                        {"CONFIG", "SET", "slowlog-log-slower-than", "0"},
                        {"CONFIG", "SET", "slowlog-log-slower-than", "10000"},
                        {"CONFIG", "SET", "hash-max-listpack-entries", "1"},
                        {"CONFIG", "SET", "hash-max-listpack-entries", "512"},
                        {"CONFIG", "SET", "list-max-listpack-size", "2"},
                        {"CONFIG", "SET", "list-max-listpack-size", "-2"},
                        {"CONFIG", "SET", "notify-keyspace-events", "KEA"},
                        {"CONFIG", "SET", "notify-keyspace-events", ""},
                        {"CONFIG", "GET", "*"},
                        {"CONFIG", "RESETSTAT"},
                        {"COMMAND", "COUNT"},
                        {"MEMORY", "STATS"},
                        {"ACL", "LIST"},
                        {"ROLE"}};

}  // namespace

Background::Background(const Settings& settings, Report& report)
    : scenario_("background", settings, report) {
  Connection connection = scenario_.Connect();
  Words words = {"MSET"};
  for (int i = 0; i < kLasting; ++i) {
    words.push_back(fmt::format("lasting:{}", i));
    words.push_back("v");
  }
  scenario_.Must(connection, words);
  crew_.Add([this] { Scan(); });
  crew_.Add([this] { ListKeys(); });
  crew_.Add([this] { Look(); });
  crew_.Add([this] { Watch(); });
}

Background::~Background() {
  ended_ = true;
  crew_.Wait();
}

Reply Background::Ask(Connection& connection, const Words& words) {
  while (connection.is_open()) {
    std::optional<Reply> reply = connection.Call(words);
    if (reply && reply->is_error("BUSY") && !ended_) continue;
    if (reply && !reply->is_error()) return *reply;
    if (!ended_) scenario_.Fail(Join(words) + ": " + (reply ? reply->Text() : "lost connection"));
    return {};
  }
  return {};
}

void Background::Scan() {
  Connection connection = scenario_.Connect();
  uint64_t rounds = 0;
  for (; !ended_ && connection.is_open(); ++rounds) {
    ScanOnce(connection, rounds % 2 == 0 ? "7" : "100");
  }
  scenario_.Count("iterations of SCAN", rounds);
}

void Background::ScanOnce(Connection& connection, const std::string& count) {
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    const Reply reply = Ask(connection, {"SCAN", cursor, "MATCH", kLastingPattern, "COUNT", count});
    if (reply.parts.size() != 2) return;
    cursor = reply.parts[0].text;
    for (const Reply& key : reply.parts[1].parts) seen.insert(key.text);
  } while (cursor != "0");
  if (seen.size() != kLasting) {
    scenario_.Fail(fmt::format("an iteration of SCAN saw {} of {} keys", seen.size(), kLasting));
  }
}

void Background::ListKeys() {
  Connection connection = scenario_.Connect();
  uint64_t rounds = 0;
  for (; !ended_ && connection.is_open(); ++rounds) {
    const Reply keys = Ask(connection, {"KEYS", kLastingPattern});
    if (!ended_ && keys.parts.size() != kLasting) {
      scenario_.Fail(fmt::format("KEYS saw {} of {} keys", keys.parts.size(), kLasting));
    }
    Ask(connection, {"RANDOMKEY"});
    Ask(connection, {"DBSIZE"});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  scenario_.Count("KEYS", rounds);
}

void Background::Look() {
  Connection connection = scenario_.Connect();
  Random random(scenario_.settings.seed, 900);
  uint64_t rounds = 0;
  for (; !ended_ && connection.is_open(); ++rounds) {
    Ask(connection, kLooks[random.Below(std::size(kLooks))]);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  scenario_.Count("looks at the node", rounds);
}

// MONITOR for a while, again and again: +time [database client] "words" ...
void Background::Watch() {
  uint64_t lines = 0;
  while (!ended_) {
    Connection connection = scenario_.Connect();
    if (!scenario_.Expect(connection.Call({"MONITOR"}), "+OK", "MONITOR")) return;
    for (int i = 0; i < 2000 && !ended_; ++i, ++lines) {
      const std::optional<Reply> line = connection.Read();
      if (!line) break;  // who reads slower than all others write is closed: that is its bound
      const bool well_formed = line->kind == '+' && line->text.find(" [0 ") != std::string::npos &&
                               line->text.ends_with('"');
      if (!well_formed) {
        scenario_.Fail("MONITOR: " + line->Text());
        return;
      }
    }
  }
  if (lines == 0) scenario_.Fail("MONITOR: no line was seen");
  scenario_.Count("lines of MONITOR", lines);
}

}  // namespace mikura::concurrency
