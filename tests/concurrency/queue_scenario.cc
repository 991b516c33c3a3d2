// SPDX-License-Identifier: Apache-2.0
// Queues of all kinds with clients that wait: every item is delivered exactly once, whatever
// becomes of the clients that waited for it. They time out, are unblocked, and leave.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <set>

#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {

namespace {

constexpr int kProducers = 2;  // for each kind of queue
constexpr char kFifo[] = "queue:fifo";
constexpr char kSortedSet[] = "queue:sorted";
constexpr char kStream[] = "queue:stream";
constexpr char kMoved[] = "queue:moved";
constexpr char kEnd[] = "end";
constexpr int kFifoConsumers = 4;
const std::string kAny[] = {"queue:any:0", "queue:any:1", "queue:any:2"};

struct Delivery {
  std::string item;
  int64_t called_nanos;
  int64_t returned_nanos;
};

class Queues {
 public:
  explicit Queues(const Settings& settings, Report& report)
      : scenario("queues", settings, report) {}

  void Produced(std::vector<std::string> items) { Add(std::move(items), produced_); }
  void Delivered(std::vector<std::string> items) { Add(std::move(items), delivered_); }

  void Remember(int64_t client_id) {
    const MutexLock lock(mutex_);
    clients_.push_back(client_id);
  }
  std::vector<int64_t> clients() {
    const MutexLock lock(mutex_);
    return clients_;
  }

  void FifoDelivered(std::vector<Delivery> deliveries) {
    std::vector<std::string> items;
    for (const Delivery& delivery : deliveries) items.push_back(delivery.item);
    Delivered(std::move(items));
    const MutexLock lock(mutex_);
    std::move(deliveries.begin(), deliveries.end(), std::back_inserter(fifo_));
  }

  void Compare();
  void CompareOrder();

  Scenario scenario;
  std::atomic<bool> producers_finished = false;

 private:
  void Add(std::vector<std::string> items, std::vector<std::string>& to) {
    const MutexLock lock(mutex_);
    std::move(items.begin(), items.end(), std::back_inserter(to));
  }

  Mutex mutex_;
  std::vector<std::string> produced_;  // all of these: GUARDED_BY(mutex_) while threads run
  std::vector<std::string> delivered_;
  std::vector<int64_t> clients_;
  std::vector<Delivery> fifo_;
};

void Queues::Compare() {
  std::sort(produced_.begin(), produced_.end());
  std::sort(delivered_.begin(), delivered_.end());
  std::vector<std::string> lost, doubled;
  std::set_difference(produced_.begin(), produced_.end(), delivered_.begin(), delivered_.end(),
                      std::back_inserter(lost));
  std::set_difference(delivered_.begin(), delivered_.end(), produced_.begin(), produced_.end(),
                      std::back_inserter(doubled));
  scenario.Count("items", produced_.size());
  const auto first = [](std::vector<std::string> items) {
    if (items.size() > 10) items.resize(10);
    return fmt::format("{}", fmt::join(items, " "));
  };
  if (!lost.empty()) scenario.Fail(fmt::format("{} lost: {}", lost.size(), first(lost)));
  if (!doubled.empty())
    scenario.Fail(fmt::format("{} doubled: {}", doubled.size(), first(doubled)));
}

// "fifo.producer.number": the items of one producer leave in the order in which they came.
void Queues::CompareOrder() {
  std::map<std::string, std::vector<std::pair<int, const Delivery*>>> producers;
  for (const Delivery& delivery : fifo_) {
    const size_t dot = delivery.item.rfind('.');
    producers[delivery.item.substr(0, dot)].emplace_back(std::stoi(delivery.item.substr(dot + 1)),
                                                         &delivery);
  }
  for (auto& [producer, deliveries] : producers) {
    std::sort(deliveries.begin(), deliveries.end());
    const Delivery* latest = nullptr;  // of the earlier items, the one whose pop was called last
    for (const auto& [number, delivery] : deliveries) {
      if (latest != nullptr && delivery->returned_nanos < latest->called_nanos) {
        scenario.Fail(fmt::format("{} was delivered before {}", delivery->item, latest->item));
      }
      if (latest == nullptr || delivery->called_nanos > latest->called_nanos) latest = delivery;
    }
  }
}

// --- producers

class Producer {
 public:
  Producer(Queues& queues, const char* kind, int number)
      : queues_(queues),
        kind_(kind),
        number_(number),
        random_(queues.scenario.settings.seed, 300 + static_cast<uint64_t>(number)),
        connection_(queues.scenario.Connect()) {}

  void Run(const std::function<Words(Producer&)>& words) {
    std::vector<std::string> all;
    while (!queues_.scenario.IsOver() && connection_.is_open()) {
      items_.clear();
      Push(words(*this));
      std::move(items_.begin(), items_.end(), std::back_inserter(all));
      if (random_.OneIn(20)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    queues_.Produced(std::move(all));
  }

  std::string Item() {
    items_.push_back(fmt::format("{}.{}.{}", kind_, number_, next_++));
    return items_.back();
  }
  Words WithItems(Words words) {
    for (uint64_t i = 0; i <= random_.Below(3); ++i) words.push_back(Item());
    return words;
  }
  Random& random() { return random_; }

 private:
  // As it is, in a transaction, or from a script that does not declare its key.
  void Push(Words words) {
    const uint64_t way = random_.Below(6);
    if (way == 0) {
      connection_.Send(std::vector<Words>{{"MULTI"}, words, {"EXEC"}});
      for (int i = 0; i < 2; ++i) connection_.Read();
      const std::optional<Reply> results = connection_.Read();
      if (!results || results->parts.size() != 1) queues_.scenario.Fail("EXEC of a push");
      return;
    }
    if (way == 1) {
      words.insert(words.begin(), {"EVAL", "return redis.call(unpack(ARGV))", "0"});
    }
    queues_.scenario.Must(connection_, words);
  }

  Queues& queues_;
  const std::string kind_;
  const int number_;
  Random random_;
  Connection connection_;
  int next_ = 0;
  std::vector<std::string> items_;
};

Words PushAny(Producer& producer) {
  const char* name = producer.random().OneIn(2) ? "LPUSH" : "RPUSH";
  return producer.WithItems({name, kAny[producer.random().Below(3)]});
}

Words AddToSortedSet(Producer& producer) {
  return {"ZADD", kSortedSet, fmt::format("{}", producer.random().Below(100)), producer.Item()};
}

Words AddToStream(Producer& producer) { return {"XADD", kStream, "*", "item", producer.Item()}; }

// --- consumers

Connection ConnectKnown(Queues& queues) {
  Connection connection = queues.scenario.Connect();
  const Reply id = queues.scenario.Must(connection, {"CLIENT", "ID"});
  queues.Remember(std::strtoll(id.text.c_str(), nullptr, 10));
  return connection;
}

// Waits without end: an item that nobody is woken for would keep it, and the load, for ever.
void ConsumeFifo(Queues& queues) {
  Connection connection = ConnectKnown(queues);
  std::vector<Delivery> deliveries;
  while (true) {
    const int64_t called = NowNanos();
    const std::optional<Reply> reply = connection.Call({"BLPOP", kFifo, "0"});
    if (!reply) {
      queues.scenario.Fail("BLPOP: no reply");
      break;
    }
    if (reply->is_null() || reply->is_error("UNBLOCKED")) continue;
    if (reply->parts.size() != 2) {
      queues.scenario.Fail("BLPOP: " + reply->Text());
      break;
    }
    if (reply->parts[1].text == kEnd) break;
    deliveries.push_back({reply->parts[1].text, called, NowNanos()});
  }
  queues.FifoDelivered(std::move(deliveries));
}

// All bulk strings of the reply that are items: "kind.producer.number".
void CollectItems(const Reply& reply, const std::string& kind, std::vector<std::string>& items) {
  if (reply.kind == '$' && reply.text.starts_with(kind + ".")) items.push_back(reply.text);
  for (const Reply& part : reply.parts) CollectItems(part, kind, items);
}

void Consume(Queues& queues, const std::string& kind, uint64_t seed,
             const std::function<Words(Random&)>& words) {
  Connection connection = ConnectKnown(queues);
  Random random(queues.scenario.settings.seed, 400 + seed);
  std::vector<std::string> items;
  while (true) {
    const bool last = queues.producers_finished;
    const Words call = words(random);
    const std::optional<Reply> reply = connection.Call(call);
    if (!reply || (reply->is_error() && !reply->is_error("UNBLOCKED"))) {
      queues.scenario.Fail(Join(call) + ": " + (reply ? reply->Text() : "no reply"));
      break;
    }
    CollectItems(*reply, kind, items);
    if (last && reply->is_null()) break;
  }
  queues.Delivered(std::move(items));
}

Words PopAny(Random& random) {
  const uint64_t first = random.Below(3);
  const std::string& a = kAny[first];
  const std::string& b = kAny[(first + 1) % 3];
  const std::string& c = kAny[(first + 2) % 3];
  switch (random.Below(5)) {
    case 0:
      return {"BLPOP", a, b, c, "0.02"};
    case 1:
      return {"BRPOP", a, b, c, "0.02"};
    case 2:
      return {"BLMPOP", "0.02", "3", a, b, c, "LEFT", "COUNT", "3"};
    case 3:
      return {"LMPOP", "3", a, b, c, "RIGHT", "COUNT", "2"};
    default:
      return {"BRPOP", a, "0.005"};
  }
}

Words PopSortedSet(Random& random) {
  switch (random.Below(3)) {
    case 0:
      return {"BZPOPMIN", kSortedSet, "0.02"};
    case 1:
      return {"BZPOPMAX", kSortedSet, "0.02"};
    default:
      return {"BZMPOP", "0.02", "1", kSortedSet, "MIN", "COUNT", "2"};
  }
}

Words ReadGroup(const std::string& consumer) {
  return {"XREADGROUP", "GROUP", "g",     consumer,  "COUNT", "3",
          "BLOCK",      "20",    "NOACK", "STREAMS", kStream, ">"};
}

// Leaves while it waits. What it was given meanwhile has been moved, not lost.
void MoveAndVanish(Queues& queues) {
  Random random(queues.scenario.settings.seed, 500);
  while (!queues.producers_finished) {
    Connection connection = queues.scenario.Connect();
    connection.Send({"BLMOVE", kAny[random.Below(3)], kMoved, "LEFT", "RIGHT", "0"});
    std::this_thread::sleep_for(std::chrono::microseconds(random.Below(3000)));
    connection.Close();
  }
}

// Says that it will send nothing more, and reads what it is still sent: nothing it was given may
// be missing there.
void PopAndHangUp(Queues& queues) {
  Random random(queues.scenario.settings.seed, 501);
  std::vector<std::string> items;
  while (!queues.producers_finished) {
    Connection connection = queues.scenario.Connect();
    connection.Send({"BLPOP", kAny[0], kAny[1], kAny[2], "0"});
    std::this_thread::sleep_for(std::chrono::microseconds(random.Below(3000)));
    connection.FinishSending();
    while (std::optional<Reply> reply = connection.Read()) CollectItems(*reply, "any", items);
  }
  queues.Delivered(std::move(items));
}

void Unblock(Queues& queues) {
  Connection connection = queues.scenario.Connect();
  Random random(queues.scenario.settings.seed, 502);
  uint64_t unblocked = 0;
  while (!queues.producers_finished && connection.is_open()) {
    const std::vector<int64_t> clients = queues.clients();
    if (clients.empty()) continue;
    const std::string id = fmt::format("{}", clients[random.Below(clients.size())]);
    const Reply reply = queues.scenario.Must(
        connection, {"CLIENT", "UNBLOCK", id, random.OneIn(2) ? "TIMEOUT" : "ERROR"});
    if (reply.text == "1") ++unblocked;
    std::this_thread::sleep_for(std::chrono::microseconds(random.Below(2000)));
  }
  queues.scenario.Count("clients unblocked", unblocked);
}

void StartProducers(Crew& crew, Queues& queues) {
  const std::pair<const char*, std::function<Words(Producer&)>> kinds[] = {
      {"fifo",
       [](Producer& producer) {
         return producer.WithItems({"RPUSH", kFifo});
       }},
      {"any", PushAny},
      {"sorted", AddToSortedSet},
      {"stream", AddToStream}};
  int number = 0;
  for (const auto& [kind, words] : kinds) {
    for (int i = 0; i < kProducers; ++i, ++number) {
      crew.Add([&queues, kind = kind, words = words, number] {
        Producer(queues, kind, number).Run(words);
      });
    }
  }
}

void StartConsumers(Crew& crew, Queues& queues) {
  for (int i = 0; i < kFifoConsumers; ++i) crew.Add([&queues] { ConsumeFifo(queues); });
  for (uint64_t i = 0; i < 3; ++i) {
    crew.Add([&queues, i] { Consume(queues, "any", i, PopAny); });
  }
  for (uint64_t i = 0; i < 2; ++i) {
    crew.Add([&queues, i] { Consume(queues, "sorted", 10 + i, PopSortedSet); });
    crew.Add([&queues, i] {
      Consume(queues, "stream", 20 + i, [i](Random&) { return ReadGroup(fmt::format("c{}", i)); });
    });
  }
  crew.Add([&queues] { MoveAndVanish(queues); });
  crew.Add([&queues] { PopAndHangUp(queues); });
  crew.Add([&queues] { Unblock(queues); });
}

}  // namespace

void RunQueues(const Settings& settings, Report& report) {
  Queues queues(settings, report);
  Connection connection = queues.scenario.Connect();
  queues.scenario.Must(connection, {"XGROUP", "CREATE", kStream, "g", "$", "MKSTREAM"});
  Crew consumers;
  StartConsumers(consumers, queues);
  {
    Crew producers;
    StartProducers(producers, queues);
  }
  queues.producers_finished = true;
  for (int i = 0; i < kFifoConsumers; ++i) queues.scenario.Must(connection, {"RPUSH", kFifo, kEnd});
  consumers.Wait();
  // What was moved, and what came back to a queue when all had left.
  std::vector<std::string> left;
  for (const std::string& key : {kAny[0], kAny[1], kAny[2], std::string(kMoved)}) {
    CollectItems(queues.scenario.Must(connection, {"LRANGE", key, "0", "-1"}), "any", left);
  }
  CollectItems(queues.scenario.Must(connection, {"ZRANGE", kSortedSet, "0", "-1"}), "sorted", left);
  CollectItems(queues.scenario.Must(connection,
                                    {"XREADGROUP", "GROUP", "g", "end", "STREAMS", kStream, ">"}),
               "stream", left);
  queues.scenario.Count("moved for clients that left, or left over", left.size());
  queues.Delivered(std::move(left));
  queues.Compare();
  queues.CompareOrder();
}

}  // namespace mikura::concurrency
