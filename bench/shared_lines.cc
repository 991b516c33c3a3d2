// SPDX-License-Identifier: Apache-2.0
// Two threads with a request batch each run requests in turn, between stores to marker addresses,
// for shared_lines.py, which reads every memory access of this program out of valgrind's trace and
// finds the cache lines that one thread writes and the other touches. Nothing but the sockets is
// left out of the request path.
//
// With --time it needs no valgrind: it prints how long the locks are held.
#include <pthread.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/commands/command_test_support.h"
#include "engine/server/request_batch.h"

namespace mikura::engine {
namespace {

constexpr int kThreads = 2;
constexpr int kKeys = 64;  // per thread and step
constexpr size_t kValueBytes = 64;
constexpr UnixMillis kNow = 1'750'000'000'000;

struct alignas(64) Marker {
  volatile uint64_t word;
};
// [step][thread][begin, end]
Marker markers[16][kThreads][2];  // NOLINT(*-non-const-global-*): seen from outside only

struct Node {
  std::unique_ptr<Keyspace> keyspace = Keyspace::Create({.database_count = 16}).value();
  CommandTable table;
  FakeServices fakes;
  AccessControl access{table};
  Observation observation;
  Scripts scripts;
  DeliveryQueues queues{kThreads, [](uint32_t) {}};
  PubSub pubsub{queues, keyspace->hasher()};
  ClientTracking tracking{*keyspace, queues, [](uint64_t) { return std::nullopt; }};
  Monitors monitors{queues};
  Services services{fakes, fakes, fakes, access, observation, scripts, pubsub, tracking, monitors};
  SystemFenceClock fence_clock;
  NodeState state{fence_clock};
  SystemClock clock;
  Dispatcher dispatcher{*keyspace, table, services, state};
  MemcachedSettings settings;
  MemcachedBackend memcached{*keyspace, fakes.parameters, state, clock, settings, [] {}};
};

std::string Name(int number) { return "key:" + std::to_string(100'000'000 + number); }

// Nobody subscribes here.
class NoPushes final : public PushPort {
 public:
  void Push(Session&, PushOrder, std::string_view, const Message*, std::string_view) override {}
  void DeliverInside(Session&) override {}
  bool HasWaiting() const override { return false; }
  void SendReplies() override {}
  void BeginInside(Session&) override {}
  void EndInside() override {}
  void PublishState(Session&) override {}
  std::string DeliverAround(Session&, bool) override { return {}; }
};

// One event loop without its sockets.
class Loop {
 public:
  explicit Loop(Node& node)
      : batch_(*node.keyspace, node.dispatcher, node.memcached, pushes_, statistics_, observer_),
        memory_(&node.keyspace->gauge()),
        resp_(ConnectedSocket(), Protocol::kResp, MakeRecord(), memory_, released_),
        text_(ConnectedSocket(), Protocol::kMemcached, MakeRecord(), memory_, released_) {
    text_.MakeMemcachedParser({});
  }

  void Run(const std::vector<std::string>& requests, bool is_memcached) {
    for (const std::string& request : requests) {
      size_t used = 0;
      if (is_memcached) {
        batch_.AddMemcached(text_, request, &used);
      } else {
        batch_.AddCompactResp(resp_, request);
      }
      if (batch_.full()) {
        batch_.Run(kNow);
        batch_.ClearOutput();
      }
    }
    batch_.Run(kNow);
    batch_.ClearOutput();
  }

 private:
  static std::shared_ptr<ClientRecord> MakeRecord() {
    auto record = std::make_shared<ClientRecord>();
    record->state.authenticated = true;
    return record;
  }

  Observation observation_;
  CommandObserver observer_{observation_};
  NoPushes pushes_;
  LoopStatistics statistics_;
  RequestBatch batch_;
  ClientMemory memory_;     // before the sessions, which tell it of their end
  const Lsn released_ = 0;  // nothing is held back
  Session resp_;
  Session text_;
};

std::string Resp(const std::vector<std::string>& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return text;
}

enum class Kind : uint8_t { kGet, kSet, kTextGet, kTextSet };

std::vector<std::string> Requests(Kind kind, const std::vector<std::string>& names) {
  const std::string value(kValueBytes, 'v');
  std::vector<std::string> requests;
  for (const std::string& name : names) {
    switch (kind) {
      case Kind::kGet:
        requests.push_back(Resp({"GET", name}));
        break;
      case Kind::kSet:
        requests.push_back(Resp({"SET", name, value}));
        break;
      case Kind::kTextGet:
        requests.push_back("get " + name + "\r\n");
        break;
      case Kind::kTextSet:
        requests.push_back("set " + name + " 0 0 " + std::to_string(kValueBytes) + "\r\n" + value +
                           "\r\n");
        break;
    }
  }
  return requests;
}

// The next names whose shards belong to `thread`: even shards to one, odd ones to the other.
std::vector<std::string> NamesOf(const Node& node, int thread, int& next) {
  std::vector<std::string> names;
  while (names.size() < kKeys) {
    std::string name = Name(next++);
    const uint32_t shard = node.keyspace->hasher()(name).shard();
    if (shard % kThreads == static_cast<uint32_t>(thread)) names.push_back(std::move(name));
  }
  return names;
}

// Runs what it is given on threads that live all the time, one of them at a time.
class Stage {
 public:
  explicit Stage(Node& node) {
    for (int i = 0; i < kThreads; ++i)
      threads_[i] = std::thread([this, &node, i] { Live(node, i); });
  }
  ~Stage() {
    for (int i = 0; i < kThreads; ++i) Do(i, nullptr);
    for (std::thread& thread : threads_) thread.join();
  }
  void Do(int thread, std::function<void(Loop&)> task) {
    std::unique_lock lock(mutex_);
    task_ = std::move(task);
    turn_ = thread;
    changed_.notify_all();
    changed_.wait(lock, [&] { return turn_ == -1; });
  }

 private:
  void Live(Node& node, int index) {
    Loop loop(node);
    pthread_attr_t attributes;
    void* stack = nullptr;
    size_t stack_bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
      pthread_attr_getstack(&attributes, &stack, &stack_bytes);
      pthread_attr_destroy(&attributes);
    }
    std::unique_lock lock(mutex_);
    std::fprintf(stderr, "object stack%d %p %zu\n", index, stack, stack_bytes);
    for (bool ended = false; !ended;) {
      changed_.wait(lock, [&] { return turn_ == index; });
      const std::function<void(Loop&)> task = std::move(task_);
      ended = !task;
      if (task) task(loop);
      turn_ = -1;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void(Loop&)> task_;
  int turn_ = -1;
  std::array<std::thread, kThreads> threads_;
};

struct Step {
  const char* name;
  Kind kind;
  bool is_new;   // keys that do not exist yet
  bool is_same;  // both threads use the keys of the first
};
constexpr Step kSteps[] = {
    {"GET", Kind::kGet, false, false},
    {"SET in place", Kind::kSet, false, false},
    {"SET of new keys", Kind::kSet, true, false},
    {"memcached get", Kind::kTextGet, false, false},
    {"memcached set in place", Kind::kTextSet, false, false},
    {"GET of the same keys", Kind::kGet, false, true},
};

void DescribeObjects(const Node& node) {
  Keyspace& keyspace = *node.keyspace;
  const auto stride =
      reinterpret_cast<char*>(&keyspace.lock(1)) - reinterpret_cast<char*>(&keyspace.lock(0));
  std::fprintf(stderr, "object shards %p %td\nstride %td\n", static_cast<void*>(&keyspace.lock(0)),
               stride * kShardCount, stride);
  std::fprintf(stderr, "object node %p %zu\n", static_cast<const void*>(&node), sizeof(node));
  std::fprintf(stderr, "object keyspace %p %zu\n", static_cast<void*>(&keyspace), sizeof(keyspace));
  std::fprintf(stderr, "markers %p\nkeys %d\n", static_cast<void*>(markers), kKeys);
  for (const Step& step : kSteps) std::fprintf(stderr, "step %s\n", step.name);
  if (FILE* maps = std::fopen("/proc/self/maps", "r")) {
    char line[512];
    while (std::fgets(line, sizeof(line), maps) != nullptr) {
      size_t begin = 0;
      size_t end = 0;
      if (std::sscanf(line, "%zx-%zx", &begin, &end) != 2) continue;
      if (end - begin < (size_t{1} << 33)) continue;  // only the data's region is so large
      std::fprintf(stderr, "object data %#zx %zu\n", begin, end - begin);
    }
    std::fclose(maps);
  }
  // The reader of the trace has to know where the markers are before one is written.
  std::fprintf(stderr, "ready\n");
  std::getchar();
}

void Trace(Node& node) {
  Stage stage(node);
  int next = 0;
  std::array<std::vector<std::string>, kThreads> names;
  for (int i = 0; i < kThreads; ++i) names[i] = NamesOf(node, i, next);
  const auto run = [&](int thread, Kind kind, const std::vector<std::string>& keys, Marker* marks) {
    const auto requests = Requests(kind, keys);
    const bool is_memcached = kind == Kind::kTextGet || kind == Kind::kTextSet;
    stage.Do(thread, [&](Loop& loop) {
      if (marks != nullptr) marks[0].word = 1;
      loop.Run(requests, is_memcached);
      if (marks != nullptr) marks[1].word = 1;
    });
  };
  // What is made once (caches of the allocator, arrays that grow) is made before anything counts.
  for (int i = 0; i < kThreads; ++i) {
    run(i, Kind::kSet, names[i], nullptr);
    for (int extra = 0; extra < 2; ++extra) run(i, Kind::kSet, NamesOf(node, i, next), nullptr);
    for (const Kind kind : {Kind::kGet, Kind::kTextGet, Kind::kTextSet}) {
      run(i, kind, names[i], nullptr);
    }
  }
  DescribeObjects(node);
  for (size_t step = 0; step < std::size(kSteps); ++step) {
    for (int i = 0; i < kThreads; ++i) {
      const Step& what = kSteps[step];
      const auto keys = what.is_new ? NamesOf(node, i, next) : names[what.is_same ? 0 : i];
      // Once before it counts, so that entries have the shape that this kind of request leaves.
      if (!what.is_new) run(i, what.kind, keys, nullptr);
      run(i, what.kind, keys, markers[step][i]);
    }
  }
}

// ---- How long locks are held.

double NanosPerTick() {
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t first = __rdtsc();
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100)) {
  }
  const auto nanos = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
  return static_cast<double>(nanos) / static_cast<double>(__rdtsc() - first);
}

void Print(const char* name, std::vector<uint64_t>& ticks, double nanos, uint64_t overhead) {
  std::sort(ticks.begin(), ticks.end());
  const auto at = [&](double share) {
    const uint64_t value =
        ticks[static_cast<size_t>(share * static_cast<double>(ticks.size() - 1))];
    return static_cast<double>(value - std::min(value, overhead)) * nanos;
  };
  double sum = 0;
  for (const uint64_t value : ticks) sum += static_cast<double>(value - std::min(value, overhead));
  std::printf("%-22s p50 %5.0f  p90 %5.0f  p99 %5.0f  p99.9 %6.0f  mean %5.0f ns\n", name, at(0.5),
              at(0.9), at(0.99), at(0.999), sum * nanos / static_cast<double>(ticks.size()));
}

// Times each critical section of random keys of a large keyspace, prefetched 64 at a time.
void Time() NO_THREAD_SAFETY_ANALYSIS {
  constexpr int kCount = 1'000'000;
  constexpr int kBatch = 64;
  const auto keyspace = Keyspace::Create({.database_count = 1}).value();
  const std::string value(kValueBytes, 'v');
  std::string reply(kValueBytes, ' ');
  const store::Access access = keyspace->AccessAt(kNow);
  std::vector<std::string> names;
  for (int i = 0; i < kCount; ++i) names.push_back(Name(i));
  std::vector<uint64_t> inserts;
  std::vector<uint64_t> ticks[2];
  std::vector<uint64_t> empty;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t begin = __rdtsc();
    empty.push_back(__rdtsc() - begin);
  }
  std::sort(empty.begin(), empty.end());
  const auto set = [&](const Key& key) {
    const uint64_t begin = __rdtsc();
    keyspace->lock(key.shard()).Lock();
    CHECK(keyspace->LockedShard(key.shard()).SetString(0, key, value, {}, access).ok());
    keyspace->lock(key.shard()).Unlock();
    return __rdtsc() - begin;
  };
  const auto get = [&](const Key& key) {
    const uint64_t begin = __rdtsc();
    keyspace->lock(key.shard()).Lock();
    const store::Found found = keyspace->LockedShard(key.shard()).Find(0, key, access);
    CHECK(found.exists);
    std::memcpy(reply.data(), found.entry.value().data(), kValueBytes);
    keyspace->lock(key.shard()).Unlock();
    return __rdtsc() - begin;
  };
  for (const std::string& name : names) inserts.push_back(set(keyspace->hasher()(name)));
  uint64_t random = 1;
  for (int which = 0; which < 2; ++which) {
    for (int round = 0; round < kCount / kBatch; ++round) {
      std::array<Key, kBatch> keys;
      for (Key& key : keys) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        key = keyspace->hasher()(names[(random >> 33) % kCount]);
      }
      for (const Key& key : keys) keyspace->UnlockedShard(key.shard()).PrefetchTable(0);
      keyspace->LoadAhead(0, keys);
      for (const Key& key : keys) ticks[which].push_back(which == 0 ? get(key) : set(key));
    }
  }
  const double nanos = NanosPerTick();
  const uint64_t overhead = empty[empty.size() / 2];
  Print("GET", ticks[0], nanos, overhead);
  Print("SET in place", ticks[1], nanos, overhead);
  Print("SET of new keys", inserts, nanos, overhead);
}

// What it costs to take a lock that another core held last: two threads take one in turn.
void TimeTransfer() NO_THREAD_SAFETY_ANALYSIS {
  constexpr uint64_t kRounds = 300'000;
  const auto keyspace = Keyspace::Create({.database_count = 1}).value();
  alignas(64) std::atomic<uint64_t> turn{0};  // publishes whose turn it is
  std::vector<uint64_t> ticks;
  const auto work = [&](uint64_t mine, bool records) NO_THREAD_SAFETY_ANALYSIS {
    for (uint64_t i = mine; i < kRounds; i += 2) {
      while (turn.load(std::memory_order_acquire) != i) __builtin_ia32_pause();
      const uint64_t begin = __rdtsc();
      keyspace->lock(7).Lock();
      keyspace->lock(7).Unlock();
      if (records) ticks.push_back(__rdtsc() - begin);
      turn.store(i + 1, std::memory_order_release);
    }
  };
  std::thread other([&] { work(1, false); });
  work(0, true);
  other.join();
  Print("lock of another core", ticks, NanosPerTick(), 0);
}

}  // namespace
}  // namespace mikura::engine

int main(int argc, char** argv) {
  using namespace mikura::engine;
  if (argc > 1 && std::strcmp(argv[1], "--time") == 0) {
    Time();
    TimeTransfer();
    return 0;
  }
  Node node;
  Trace(node);
}
