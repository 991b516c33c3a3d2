// SPDX-License-Identifier: Apache-2.0
// Accounts in many shards. Money moves by MULTI, by WATCH, by scripts that declare their keys and
// scripts that do not, and by a function, all at once; whoever adds the accounts up, in any way,
// always finds the same total.
#include <fmt/format.h>

#include <cstdlib>

#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {

namespace {

constexpr int kAccounts = 8;
constexpr int kAtFirst = 1000;
constexpr int kTotal = kAccounts * kAtFirst;

constexpr char kTransferScript[] =
    "local names = #KEYS > 0 and KEYS or {ARGV[2], ARGV[3]} "
    "local left = tonumber(redis.call('GET', names[1])) "
    "if left < tonumber(ARGV[1]) then return 0 end "
    "redis.call('DECRBY', names[1], ARGV[1]) "
    "redis.call('INCRBY', names[2], ARGV[1]) return 1";
constexpr char kSumScript[] =
    "local sum = 0 for i = 0, tonumber(ARGV[1]) - 1 do "
    "sum = sum + tonumber(redis.call('GET', 'bank:' .. i)) end return sum";
constexpr char kLibrary[] =
    "#!lua name=bank\n"
    "redis.register_function('transfer', function(keys, args) "
    "redis.call('DECRBY', args[2], args[1]) redis.call('INCRBY', args[3], args[1]) return 1 end) "
    "redis.register_function{function_name='total', flags={'no-writes'}, "
    "callback=function(keys, args) local sum = 0 for i = 0, tonumber(args[1]) - 1 do "
    "sum = sum + tonumber(redis.call('GET', 'bank:' .. i)) end return sum end}";

std::string Account(uint64_t number) { return fmt::format("bank:{}", number); }

Words WithAccounts(Words words) {
  for (int i = 0; i < kAccounts; ++i) words.push_back(Account(i));
  return words;
}

int64_t Sum(const std::vector<Reply>& balances) {
  int64_t sum = 0;
  for (const Reply& balance : balances) sum += std::strtoll(balance.text.c_str(), nullptr, 10);
  return sum;
}

class Teller {
 public:
  Teller(Scenario& scenario, uint64_t number)
      : scenario_(scenario),
        random_(scenario.settings.seed, 100 + number),
        connection_(scenario.Connect()) {}

  void Run(bool (Teller::*transfer)(), const char* how) {
    uint64_t done = 0;
    while (!scenario_.IsOver()) {
      const uint64_t from = random_.Below(kAccounts);
      from_ = Account(from);
      to_ = Account((from + 1 + random_.Below(kAccounts - 1)) % kAccounts);
      amount_ = fmt::format("{}", 1 + random_.Below(20));
      if ((this->*transfer)()) ++done;
      if (!connection_.is_open()) {
        scenario_.Fail("lost connection");
        return;
      }
    }
    scenario_.Count(how, done);
    if (done == 0) scenario_.Fail(fmt::format("{}: not one", how));
  }

  bool ByTransaction() {
    connection_.Send(std::vector<Words>{
        {"MULTI"}, {"DECRBY", from_, amount_}, {"INCRBY", to_, amount_}, {"EXEC"}});
    for (int i = 0; i < 3; ++i) connection_.Read();
    return Executed(connection_.Read());
  }

  // Optimistic: nothing happens when another teller was faster.
  bool ByWatch() {
    scenario_.Must(connection_, {"WATCH", from_, to_});
    const int64_t amount = std::strtoll(amount_.c_str(), nullptr, 10);
    const int64_t from = Balance(from_);
    const int64_t to = Balance(to_);
    connection_.Send(std::vector<Words>{{"MULTI"},
                                        {"SET", from_, fmt::format("{}", from - amount)},
                                        {"SET", to_, fmt::format("{}", to + amount)},
                                        {"EXEC"}});
    for (int i = 0; i < 3; ++i) connection_.Read();
    const std::optional<Reply> results = connection_.Read();
    return results && !results->is_null() && Executed(results);
  }

  bool ByScript() {
    return IsNumber(connection_.Call({"EVAL", kTransferScript, "2", from_, to_, amount_}));
  }

  bool ByUndeclaredScript() {
    return IsNumber(connection_.Call({"EVAL", kTransferScript, "0", amount_, from_, to_}));
  }

  bool ByFunction() {
    return IsNumber(connection_.Call({"FCALL", "transfer", "0", amount_, from_, to_}));
  }

 private:
  int64_t Balance(const std::string& account) {
    return std::strtoll(scenario_.Must(connection_, {"GET", account}).text.c_str(), nullptr, 10);
  }

  bool Executed(const std::optional<Reply>& results) {
    if (results && results->parts.size() == 2 && !results->parts[0].is_error() &&
        !results->parts[1].is_error()) {
      return true;
    }
    scenario_.Fail("EXEC: " + (results ? results->Text() : "lost connection"));
    return false;
  }

  bool IsNumber(const std::optional<Reply>& reply) {
    if (reply && reply->kind == ':') return true;
    scenario_.Fail("script: " + (reply ? reply->Text() : "lost connection"));
    return false;
  }

  Scenario& scenario_;
  Random random_;
  Connection connection_;
  std::string from_, to_, amount_;
};

// The total, in a way that `round` picks.
int64_t Total(Scenario& scenario, Connection& connection, uint64_t round) {
  const std::string accounts = fmt::format("{}", kAccounts);
  const auto number = [](const Reply& reply) {
    return std::strtoll(reply.text.c_str(), nullptr, 10);
  };
  switch (round % 5) {
    case 0:
      return Sum(scenario.Must(connection, WithAccounts({"MGET"})).parts);
    case 1:
      return number(scenario.Must(connection, {"EVAL", kSumScript, "0", accounts}));
    case 2:
      return number(scenario.Must(connection, {"EVAL_RO", kSumScript, "0", accounts}));
    case 3:
      return number(scenario.Must(connection, {"FCALL_RO", "total", "0", accounts}));
    default:
      break;
  }
  std::vector<Words> requests = {{"MULTI"}};
  for (int i = 0; i < kAccounts; ++i) requests.push_back({"GET", Account(i)});
  requests.push_back({"EXEC"});
  connection.Send(requests);
  for (int i = 0; i <= kAccounts; ++i) connection.Read();
  const std::optional<Reply> results = connection.Read();
  return results ? Sum(results->parts) : -1;
}

void Audit(Scenario& scenario, uint64_t first) {
  Connection connection = scenario.Connect();
  uint64_t round = first;
  while (!scenario.IsOver() && connection.is_open()) {
    const int64_t total = Total(scenario, connection, round);
    if (total != kTotal)
      scenario.Fail(fmt::format("way {}: total {} instead of {}", round % 5, total, kTotal));
    ++round;
  }
  scenario.Count("audits", round - first);
}

}  // namespace

void RunBank(const Settings& settings, Report& report) {
  Scenario scenario("bank", settings, report);
  Connection connection = scenario.Connect();
  scenario.Must(connection, {"FUNCTION", "LOAD", "REPLACE", kLibrary});
  Words set = {"MSET"};
  for (int i = 0; i < kAccounts; ++i) {
    set.push_back(Account(i));
    set.push_back(fmt::format("{}", kAtFirst));
  }
  scenario.Must(connection, set);
  const std::pair<bool (Teller::*)(), const char*> ways[] = {
      {&Teller::ByTransaction, "transfers by MULTI"},
      {&Teller::ByWatch, "transfers by WATCH"},
      {&Teller::ByWatch, "transfers by WATCH"},
      {&Teller::ByScript, "transfers by EVAL"},
      {&Teller::ByUndeclaredScript, "transfers by EVAL, keys undeclared"},
      {&Teller::ByFunction, "transfers by FCALL"}};
  {
    Crew crew;
    uint64_t number = 0;
    for (const auto& [way, how] : ways) {
      crew.Add(
          [&scenario, way = way, how = how, number] { Teller(scenario, number).Run(way, how); });
      ++number;
    }
    for (uint64_t first = 0; first < 3; ++first) {
      crew.Add([&scenario, first] { Audit(scenario, first); });
    }
  }
  const int64_t total = Total(scenario, connection, 0);
  if (total != kTotal) scenario.Fail(fmt::format("at the end {} instead of {}", total, kTotal));
}

}  // namespace mikura::concurrency
