// SPDX-License-Identifier: Apache-2.0
// Tokens that move between keys of many shards: elements by SMOVE and LMOVE, whole keys by RENAME
// and COPY. Whoever looks at all places at once sees each token exactly once.
#include <fmt/format.h>

#include <algorithm>

#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {

namespace {

constexpr int kPlaces = 6;
constexpr int kTokens = 12;

std::string Place(const char* kind, uint64_t number) { return fmt::format("{}:{}", kind, number); }

constexpr char kAllElements[] =
    "local all = {} for i = 0, tonumber(ARGV[1]) - 1 do "
    "for _, member in ipairs(redis.call('SMEMBERS', 'set:' .. i)) do all[#all + 1] = member end "
    "for _, member in ipairs(redis.call('LRANGE', 'list:' .. i, 0, -1)) do "
    "all[#all + 1] = member end end return all";
// Moves a whole key with COPY and DEL, which no script or transaction may be seen half way in.
constexpr char kCopyScript[] =
    "if redis.call('COPY', KEYS[1], KEYS[2]) == 1 then return redis.call('DEL', KEYS[1]) end "
    "return 0";

class Mover {
 public:
  Mover(Scenario& scenario, uint64_t number)
      : scenario_(scenario),
        random_(scenario.settings.seed, 200 + number),
        connection_(scenario.Connect()) {}

  void Run() {
    uint64_t moved = 0;
    while (!scenario_.IsOver() && connection_.is_open()) {
      const uint64_t from = random_.Below(kPlaces);
      const uint64_t to = random_.Below(kPlaces);  // also the same place
      const std::optional<Reply> reply = connection_.Call(Move(from, to));
      const bool refused = reply && reply->is_error("ERR no such key");  // RENAME
      if (!reply || (reply->is_error() && !refused)) {
        scenario_.Fail(reply ? reply->Text() : "lost connection");
        return;
      }
      if (!refused && !reply->is_null() && reply->text != "0") ++moved;
    }
    scenario_.Count("moves", moved);
  }

 private:
  Words Move(uint64_t from, uint64_t to) {
    const auto side = [this] { return random_.OneIn(2) ? "LEFT" : "RIGHT"; };
    const auto token = [this] { return fmt::format("t{}", random_.Below(kTokens)); };
    switch (random_.Below(7)) {
      case 0:
      case 1:
        return {"SMOVE", Place("set", from), Place("set", to), token()};
      case 2:
        return {"LMOVE", Place("list", from), Place("list", to), side(), side()};
      case 3:
        return {"RPOPLPUSH", Place("list", from), Place("list", to)};
      case 4:
        return {"RENAMENX", Place("whole", from), Place("whole", to)};
      case 5: {
        const uint64_t elsewhere = to == from ? (to + 1) % kPlaces : to;
        return {"EVAL", kCopyScript, "2", Place("whole", from), Place("whole", elsewhere)};
      }
      default:
        return {"BLMOVE", Place("list", from), Place("list", to), side(), side(), "0.001"};
    }
  }

  Scenario& scenario_;
  Random random_;
  Connection connection_;
};

class Looker {
 public:
  Looker(Scenario& scenario) : scenario_(scenario), connection_(scenario.Connect()) {}

  void Run() {
    uint64_t looks = 0;
    while (!scenario_.IsOver() && connection_.is_open()) {
      Compare(looks % 2 == 0 ? ByTransaction() : ByScript(), kTokens * 2);
      CountWholes();
      ++looks;
    }
    scenario_.Count("looks", looks);
  }

 private:
  std::vector<std::string> ByTransaction() {
    std::vector<Words> requests = {{"MULTI"}};
    for (int i = 0; i < kPlaces; ++i) {
      requests.push_back({"SMEMBERS", Place("set", i)});
      requests.push_back({"LRANGE", Place("list", i), "0", "-1"});
    }
    requests.push_back({"EXEC"});
    connection_.Send(requests);
    for (size_t i = 0; i + 1 < requests.size(); ++i) connection_.Read();
    std::vector<std::string> elements;
    for (const Reply& place : connection_.Read().value_or(Reply{}).parts) Append(place, elements);
    return elements;
  }

  std::vector<std::string> ByScript() {
    std::vector<std::string> elements;
    Append(scenario_.Must(connection_, {"EVAL", kAllElements, "0", fmt::format("{}", kPlaces)}),
           elements);
    return elements;
  }

  static void Append(const Reply& from, std::vector<std::string>& to) {
    for (const Reply& part : from.parts) to.push_back(part.text);
  }

  void Compare(std::vector<std::string> elements, size_t count) {
    std::sort(elements.begin(), elements.end());
    const bool twice = std::adjacent_find(elements.begin(), elements.end()) != elements.end();
    if (elements.size() != count || twice) {
      scenario_.Fail(fmt::format("{} elements instead of {}: {}", elements.size(), count,
                                 fmt::join(elements, " ")));
    }
  }

  // Half of the places hold a whole key, always as many.
  void CountWholes() {
    Words words = {"EXISTS"};
    for (int i = 0; i < kPlaces; ++i) words.push_back(Place("whole", i));
    const Reply reply = scenario_.Must(connection_, words);
    if (reply.Text() != fmt::format(":{}", kPlaces / 2)) {
      scenario_.Fail("whole keys: " + reply.Text());
    }
  }

  Scenario& scenario_;
  Connection connection_;
};

}  // namespace

void RunMoves(const Settings& settings, Report& report) {
  Scenario scenario("moves", settings, report);
  Connection connection = scenario.Connect();
  for (int i = 0; i < kTokens; ++i) {
    scenario.Must(connection, {"SADD", Place("set", i % kPlaces), fmt::format("t{}", i)});
    scenario.Must(connection, {"RPUSH", Place("list", i % kPlaces), fmt::format("l{}", i)});
  }
  for (int i = 0; i < kPlaces / 2; ++i) {
    // Of different sizes, so that packed values and trees change places.
    Words words = {"HSET", Place("whole", i)};
    for (int field = 0; field < 1 + i * 400; ++field) {
      words.push_back(fmt::format("f{}", field));
      words.push_back("v");
    }
    scenario.Must(connection, words);
  }
  Crew crew;
  for (uint64_t i = 0; i < 5; ++i) crew.Add([&scenario, i] { Mover(scenario, i).Run(); });
  for (int i = 0; i < 2; ++i) crew.Add([&scenario] { Looker(scenario).Run(); });
}

}  // namespace mikura::concurrency
