// SPDX-License-Identifier: Apache-2.0
// Clients that meet on few keys; the history of each key must be linearizable. Commands come alone,
// in MULTI, and from scripts that declare the key and scripts that do not: each way takes the
// key's lock differently.
#include <fmt/format.h>

#include <iterator>

#include "tests/concurrency/key_model.h"
#include "tests/concurrency/linearizability.h"
#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {

namespace {

constexpr int kClients = 7;
constexpr char kRunWords[] = "return redis.pcall(unpack(ARGV))";
// A server under load may run a command some time after it has read the clock.
constexpr int64_t kExpirySlackMillis = 500;

enum class KeyKind { kString, kExpiring, kHash, kList, kSet, kSortedSet, kMixed };
constexpr KeyKind kKinds[] = {KeyKind::kString,    KeyKind::kString, KeyKind::kExpiring,
                              KeyKind::kHash,      KeyKind::kList,   KeyKind::kSet,
                              KeyKind::kSortedSet, KeyKind::kMixed};
constexpr size_t kKeys = std::size(kKinds);

class Client {
 public:
  Client(Scenario& scenario, int number)
      : histories(kKeys),
        scenario_(scenario),
        number_(number),
        random_(scenario.settings.seed, static_cast<uint64_t>(number)),
        connection_(scenario.Connect()) {}

  void Run() {
    while (!scenario_.IsOver()) {
      const size_t key = random_.Below(kKeys);
      Operation operation{.client = number_,
                          .words = Next(kKinds[key], fmt::format("one:{}", key))};
      operation.called_nanos = NowNanos();
      const std::optional<Reply> reply = Perform(operation.words);
      operation.returned_nanos = NowNanos();
      if (!reply) {
        scenario_.Fail("lost connection");
        return;
      }
      operation.reply = Ordered(operation.words, *reply);
      histories[key].push_back(std::move(operation));
    }
  }

  std::vector<std::vector<Operation>> histories;

 private:
  std::optional<Reply> Perform(const Words& words) {
    switch (random_.Below(12)) {
      case 0:
        return InTransaction(words);
      case 1:
        return InScript(words, {"EVAL", kRunWords, "1", words[1]});
      case 2:
        return InScript(words, {"EVAL", kRunWords, "0"});
      default:
        return connection_.Call(words);
    }
  }

  std::optional<Reply> InTransaction(const Words& words) {
    if (!connection_.Send(std::vector<Words>{{"MULTI"}, words, {"EXEC"}})) return std::nullopt;
    connection_.Read();
    connection_.Read();
    std::optional<Reply> results = connection_.Read();
    if (!results || results->parts.size() != 1) return results;
    return results->parts[0];
  }

  std::optional<Reply> InScript(const Words& words, Words call) {
    call.insert(call.end(), words.begin(), words.end());
    std::optional<Reply> reply = connection_.Call(call);
    if (reply && reply->is_error())
      reply->text = reply->text.substr(0, reply->text.find(" script:"));
    return reply;
  }

  Words Next(KeyKind kind, const std::string& key) {
    switch (kind) {
      case KeyKind::kString:
        return StringCommand(key);
      case KeyKind::kExpiring:
        return ExpiringCommand(key);
      case KeyKind::kHash:
        return HashCommand(key);
      case KeyKind::kList:
        return ListCommand(key);
      case KeyKind::kSet:
        return SetCommand(key);
      case KeyKind::kSortedSet:
        return SortedSetCommand(key);
      case KeyKind::kMixed:
        break;
    }
    switch (random_.Below(6)) {
      case 0:
        return StringCommand(key);
      case 1:
        return ExpiringCommand(key);
      case 2:
        return HashCommand(key);
      case 3:
        return ListCommand(key);
      case 4:
        return SetCommand(key);
      default:
        return random_.OneIn(2) ? Words{"DEL", key} : SortedSetCommand(key);
    }
  }

  // A value that nobody else writes.
  std::string Value() { return fmt::format("{}.{}", number_, ++values_); }
  std::string Few() { return fmt::format("m{}", random_.Below(3)); }

  Words StringCommand(const std::string& key) {
    switch (random_.Below(14)) {
      case 0:
        return {"SET", key, Value()};
      case 1:
        return {"SET", key, fmt::format("{}", random_.Below(3))};
      case 2:
        return {"SET", key, Value(), "IFEQ", fmt::format("{}", random_.Below(3))};
      case 3:
        return {"SETNX", key, Value()};
      case 4:
        return {"GETSET", key, fmt::format("{}", random_.Below(3))};
      case 5:
        return {"GETDEL", key};
      case 6:
        return {"APPEND", key, fmt::format("{}", random_.Below(10))};
      case 7:
        return {"STRLEN", key};
      case 8:
        return {"DEL", key};
      case 9:
      case 10:
        return {"INCR", key};
      default:
        return {"GET", key};
    }
  }

  std::string Soon() {
    return fmt::format("{}", NowNanos() / 1'000'000 + static_cast<int64_t>(random_.Below(12)));
  }

  Words ExpiringCommand(const std::string& key) {
    switch (random_.Below(9)) {
      case 0:
        return {"SET", key, Value(), "PXAT", Soon()};
      case 1:
        return {"PEXPIREAT", key, Soon()};
      case 2:
        return {"PERSIST", key};
      case 3:
        return {"SETNX", key, Value()};
      case 4:
        return {"EXISTS", key};
      case 5:
        return {"INCR", key};
      default:
        return {"GET", key};
    }
  }

  Words HashCommand(const std::string& key) {
    switch (random_.Below(7)) {
      case 0:
        return {"HSET", key, Few(), Value()};
      case 1:
        return {"HSET", key, Few(), "5"};
      case 2:
        return {"HDEL", key, Few()};
      case 3:
        return {"HINCRBY", key, Few(), "3"};
      case 4:
        return {"HGETALL", key};
      case 5:
        return {"HLEN", key};
      default:
        return {"HGET", key, Few()};
    }
  }

  Words ListCommand(const std::string& key) {
    switch (random_.Below(10)) {
      case 0:
        return {"LRANGE", key, "0", "-1"};
      case 1:
        return {"LLEN", key};
      case 2:
        return {"LMOVE", key, key, "LEFT", "RIGHT"};
      case 3:
        return random_.OneIn(5) ? Words{"DEL", key} : Words{"LPOP", key};
      case 4:
        return {"LPUSH", key, Value()};
      case 5:
        return {"RPUSH", key, Value()};
      case 6:
        return {"LPUSH", key, Few()};
      case 7:
        return {"LPOP", key};
      default:
        return {"RPOP", key};
    }
  }

  Words SetCommand(const std::string& key) {
    switch (random_.Below(6)) {
      case 0:
        return {"SREM", key, Few()};
      case 1:
        return {"SPOP", key};
      case 2:
        return {"SMEMBERS", key};
      case 3:
        return {"SCARD", key};
      default:
        return {"SADD", key, Few()};
    }
  }

  Words SortedSetCommand(const std::string& key) {
    switch (random_.Below(6)) {
      case 0:
        return {"ZADD", key, fmt::format("{}", random_.Below(5)), Few()};
      case 1:
        return {"ZINCRBY", key, "2", Few()};
      case 2:
        return {"ZPOPMIN", key};
      case 3:
        return {"ZREM", key, Few()};
      default:
        return {"ZRANGE", key, "0", "-1", "WITHSCORES"};
    }
  }

  Scenario& scenario_;
  const int number_;
  Random random_;
  Connection connection_;
  uint64_t values_ = 0;
};

void Judge(Scenario& scenario, size_t key, std::vector<Operation> history) {
  const size_t count = history.size();
  const Verdict verdict =
      CheckLinearizability(std::move(history), {.expiry_slack_millis = kExpirySlackMillis});
  scenario.Count("operations judged", count);
  scenario.Count("states visited", verdict.states_visited);
  if (verdict.kind == Verdict::Kind::kGaveUp) {
    scenario.Fail(fmt::format("one:{}: too many orders to search: {}", key, verdict.why));
  } else if (!verdict.is_linearizable()) {
    scenario.Fail(fmt::format("one:{} is not linearizable: {}", key, verdict.why));
  }
}

}  // namespace

void RunSingleKeys(const Settings& settings, Report& report) {
  Scenario scenario("single keys", settings, report);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(std::make_unique<Client>(scenario, i));
  Crew crew;
  for (const auto& client : clients) crew.Add([&client] { client->Run(); });
  crew.Wait();
  for (size_t key = 0; key < kKeys; ++key) {
    std::vector<Operation> history;
    for (const auto& client : clients) {
      std::move(client->histories[key].begin(), client->histories[key].end(),
                std::back_inserter(history));
    }
    Judge(scenario, key, std::move(history));
  }
}

}  // namespace mikura::concurrency
