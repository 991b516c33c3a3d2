// SPDX-License-Identifier: Apache-2.0
// A snapshot that is taken while the keyspace changes is the state at its gate, and with the change
// log replayed from its position the state of later: for any workload, and whatever snapshots run
// beside it. One thread and a seed; what happens between two chains of a walk happens in the sink.
//
// Each way to walk that is known to be wrong (store/walk_mutants.h) has to be noticed. One more
// cannot be put into this code: a mark for each bucket of a chain, since only chains are settled.
// MIKURA_SNAPSHOT_SEEDS says how many seeds are tried.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "engine/collections/list_value.h"
#include "engine/keyspace/collection_access.h"
#include "engine/keyspace/key_access.h"
#include "engine/persistence/rdb_file.h"
#include "engine/persistence/rdb_samples.h"
#include "engine/persistence/rdb_value_writer.h"
#include "engine/store/walk_mutants.h"

namespace mikura::engine {
namespace {

using store::WalkMutant;

constexpr int kDatabases = 3;
constexpr UnixMillis kNow = 500;
constexpr UnixMillis kDeadline = 1000;
constexpr store::Access kAccess{kNow, false};
// Three shards have all keys, so that chains are moved and shared.
constexpr std::string_view kTags[] = {"{a}", "{b}", "{c}"};

using Words = std::vector<std::string>;
// database/key -> value
using Contents = std::map<std::string, std::string>;

std::unique_ptr<Keyspace> MakeKeyspace() {
  return Keyspace::Create({.database_count = kDatabases, .hash_seed = 1}).value();
}

class LogText final : public LogReader {
 public:
  void OnBytes(std::span<const LogSlice> slices) override {
    for (const LogSlice& slice : slices) text.append(slice.bytes());
  }
  std::string text;
};

// ---- The commands of the workload. None of them gives the same when it is executed twice.

ShardSet ShardsOf(std::span<const Key> keys) {
  ShardSet shards;
  for (const Key& key : keys) shards.set(key.shard());
  return shards;
}

void Add(KeyAccess& keys, const Key& key) {
  const store::Found found = keys.Peek(key);
  const int64_t count = found ? ParseInt64(found.entry.value().substr(4990)).value_or(0) : 0;
  store::Attributes attributes;
  if (found) attributes.deadline = found.entry.attributes().deadline;
  // All lie outside their entries, or none would be shared.
  CHECK(keys.SetString(key, fmt::format("{:05000}", count + 1), attributes).ok());
}

void AddShort(KeyAccess& keys, const Key& key) {
  const store::Found found = keys.Peek(key);
  const int64_t count = found ? ParseInt64(found.entry.value()).value_or(0) : 0;
  store::Attributes attributes;
  if (found) attributes.deadline = found.entry.attributes().deadline;
  CHECK(keys.SetString(key, std::to_string(count + 1), attributes).ok());
}

void Push(KeyAccess& keys, const Key& key, std::string_view value) {
  auto list = keys.Edit<collections::ListValue>(key);
  CHECK(list.ok());
  (*list)->PushBack(value);
  CHECK(list->Commit().ok());
}

void Rename(KeyAccess& keys, const Key& from, const Key& to) {
  const store::Found found = keys.Peek(from);
  if (!found || from.name == to.name) return;
  CHECK(keys.CopyFrom(found.entry, to, found.entry.attributes().deadline).ok());
  keys.Erase(from);
}

void Apply(KeyAccess& keys, std::span<const Key> names, const Words& words) {
  const std::string& command = words[0];
  if (command == "ADD") {
    for (const Key& key : names) AddShort(keys, key);
  } else if (command == "ADDLONG") {
    Add(keys, names[0]);
  } else if (command == "PUSH") {
    Push(keys, names[0], words.back());
  } else if (command == "RENAME") {
    Rename(keys, names[0], names[1]);
  } else if (command == "TIME") {
    if (store::Found found = keys.Peek(names[0])) {
      CHECK(keys.SetDeadline(found, names[0], kDeadline).ok());
    }
  } else if (command == "SET") {
    CHECK(keys.SetString(names[0], words[2], {}).ok());
  } else if (command == "RPUSH") {
    for (size_t i = 2; i < words.size(); ++i) Push(keys, names[0], words[i]);
  } else if (command == "PEXPIREAT") {
    store::Found found = keys.Peek(names[0]);
    CHECK(found && keys.SetDeadline(found, names[0], *ParseInt64(words[2])).ok());
  } else {
    CHECK(command == "DEL");
    keys.Erase(names[0]);
  }
}

std::vector<Key> NamesOf(Keyspace& keyspace, const Words& words) {
  std::vector<Key> names;
  const bool has_one =
      words[0] == "PUSH" || words[0] == "SET" || words[0] == "RPUSH" || words[0] == "PEXPIREAT";
  const size_t end = has_one ? 2 : words.size();
  for (size_t i = 1; i < end; ++i) names.push_back(keyspace.hasher()(words[i]));
  return names;
}

void Execute(Keyspace& keyspace, int database, const Words& words) {
  Effects effects;
  if (words[0] == "FLUSHDB") return keyspace.FlushDatabase(database, effects);
  if (words[0] == "SWAPDB") {
    return keyspace.SwapDatabases(std::atoi(words[1].c_str()), std::atoi(words[2].c_str()),
                                  effects);
  }
  const std::vector<Key> names = NamesOf(keyspace, words);
  KeyAccess keys(keyspace, effects, database, kAccess);
  keyspace.RunLocked(ShardsOf(names), names, kNow, effects, [&] {
    Apply(keys, names, words);
    const std::vector<std::string_view> views(words.begin(), words.end());
    effects.Add(database, views);
    return true;
  });
}

// Executes a log.
class Replay {
 public:
  explicit Replay(Keyspace& keyspace) : keyspace_(keyspace) {}

  void Run(std::string_view log) {
    left_ = log;
    while (!left_.empty()) {
      Words words(static_cast<size_t>(TakeNumber('*')));
      for (std::string& word : words) {
        const auto size = static_cast<size_t>(TakeNumber('$'));
        word = left_.substr(0, size);
        left_.remove_prefix(size + 2);
      }
      if (words[0] == "SELECT") {
        database_ = std::atoi(words[1].c_str());
      } else if (words[0] != "MULTI" && words[0] != "EXEC") {
        Execute(keyspace_, database_, words);
      }
    }
  }

 private:
  int64_t TakeNumber(char kind) {
    CHECK(left_[0] == kind);
    const size_t end = left_.find("\r\n");
    const int64_t number = *ParseInt64(left_.substr(1, end - 1));
    left_.remove_prefix(end + 2);
    return number;
  }

  Keyspace& keyspace_;
  std::string_view left_;
  int database_ = 0;
};

class Reader final : public store::EntryConsumer {
 public:
  Reader(Keyspace& keyspace, Contents& contents) : keyspace_(keyspace), contents_(contents) {}
  void Consume(int database, const store::Entry& entry) override {
    std::string text;
    RdbEntry shown{.database = database, .value = entry.value()};
    std::unique_ptr<collections::Collection> packed;
    if (entry.type() != store::ValueType::kString) {
      shown.collection = entry.collection();
      if (shown.collection == nullptr) {
        packed = OpenPacked(keyspace_.allocator().collections(), entry.type(), entry.value());
        shown.collection = packed.get();
      }
    }
    contents_[fmt::format("{}/{}", database, entry.key())] =
        fmt::format("{} {}", Describe(shown), entry.attributes().deadline);
  }

 private:
  Keyspace& keyspace_;
  Contents& contents_;
};

Contents ContentsOf(Keyspace& keyspace) {
  Contents contents;
  Reader reader(keyspace, contents);
  for (const std::string_view tag : kTags) {
    const uint32_t index = keyspace.hasher()(tag).shard();
    ShardGuard guard(keyspace.lock(index));
    for (int database = 0; database < kDatabases; ++database) {
      std::optional<uint64_t> cursor = 0;
      while (cursor) {
        cursor = keyspace.LockedShard(index).Scan(database, *cursor, 1000, kAccess, reader);
      }
    }
  }
  return contents;
}

// ---- One seed.

class Simulation {
 public:
  explicit Simulation(uint32_t seed) : random_(seed), keyspace_(MakeKeyspace()) {
    keyspace_->change_log().AddReader(log_);
    keyspace_->change_log().SetActive(true);
    first_ = keyspace_->change_log().head();
    for (uint32_t i = Below(500); i > 0; --i) Act();
  }
  ~Simulation() { keyspace_->change_log().Stop(); }

  // Whether some snapshot was wrong.
  bool IsWrong() {
    for (uint32_t i = 2 + Below(3); i > 0 && !is_wrong_; --i) {
      TakeSnapshot(0);
      for (uint32_t more = Below(100); more > 0; --more) Act();
    }
    return is_wrong_;
  }

 private:
  class Sink final : public SnapshotSink {
   public:
    Sink(Simulation& simulation, int depth, int64_t writes_max)
        : simulation_(simulation), depth_(depth), writes_left_(writes_max) {}
    Status Write(std::string_view bytes) override {
      if (writes_left_-- == 0) return Error{"it was given up"};
      text.append(bytes);
      simulation_.Between(depth_);
      return Ok();
    }
    std::string text;

   private:
    Simulation& simulation_;
    const int depth_;
    int64_t writes_left_;
  };

  uint32_t Below(uint32_t most) { return static_cast<uint32_t>(random_() % most); }
  std::string Name(char kind, uint32_t keys) {
    return fmt::format("{}{}{}", kTags[Below(std::size(kTags))], kind, Below(keys));
  }

  void Between(int depth) {
    for (uint32_t i = Below(4); i > 0; --i) Act();
    if (depth < 2 && Below(15) == 0) TakeSnapshot(depth + 1);
  }

  void Act() {
    const int database = Below(4) == 0 ? static_cast<int>(Below(kDatabases)) : 0;
    const uint32_t kind = Below(200);
    if (kind == 0) return Execute(*keyspace_, database, {"FLUSHDB"});
    if (kind == 1) return Execute(*keyspace_, 0, {"SWAPDB", "0", std::to_string(1 + Below(2))});
    if (kind < 6) return Expire();
    if (kind < 60) return Execute(*keyspace_, database, {"ADD", Name('s', 150)});
    if (kind < 80) return Execute(*keyspace_, database, {"ADD", Name('s', 150), Name('s', 150)});
    if (kind < 90) return Execute(*keyspace_, database, {"ADDLONG", Name('x', 6)});
    if (kind < 120) {
      const std::string value(100, static_cast<char>('a' + Below(26)));
      return Execute(*keyspace_, 0, {"PUSH", Name('l', 1), value});
    }
    if (kind < 135)
      return Execute(*keyspace_, database, {"RENAME", Name('s', 150), Name('s', 150)});
    if (kind < 150) return Execute(*keyspace_, database, {"TIME", Name('s', 150)});
    if (kind < 170) return ResizeSome();
    return Execute(*keyspace_, database, {"DEL", Name('s', kind < 172 ? 150 : 60)});
  }

  void Expire() {
    const uint32_t index = keyspace_->hasher()(kTags[Below(std::size(kTags))]).shard();
    ShardGuard guard(keyspace_->lock(index));
    keyspace_->LockedShard(index).ExpireStep(kDeadline + 10'000, 1 + Below(20));
  }
  void ResizeSome() {
    const uint32_t index = keyspace_->hasher()(kTags[Below(std::size(kTags))]).shard();
    ShardGuard guard(keyspace_->lock(index));
    keyspace_->LockedShard(index).ResizeStep(1 + Below(3));
  }

  void TakeSnapshot(int depth) {
    ChangeLog& log = keyspace_->change_log();
    const Contents then = ContentsOf(*keyspace_);
    const auto form = Below(4) == 0 ? SnapshotForm::kCommands : SnapshotForm::kRdb;
    auto begun = Snapshot::Begin(
        *keyspace_, slots_, [&log] { log.ForgetDatabase(); }, Snapshot::Waiter::kWriters, form);
    CHECK(begun.ok());
    Snapshot& snapshot = **begun;
    snapshot.set_chains_per_step(1);
    Sink sink(*this, depth, Below(4) == 0 ? Below(20) : INT64_MAX);
    const bool is_rdb = form == SnapshotForm::kRdb;
    if (!(is_rdb ? snapshot.WriteRdb(sink, {}) : snapshot.WriteCommands(sink, "")).ok()) return;
    log.Drain();
    const auto begin = static_cast<size_t>(snapshot.lsn() - first_);
    if (!IsState(sink.text, form, then, std::string_view(log_.text).substr(begin)))
      is_wrong_ = true;
  }

  static bool LoadsRdb(std::string_view file, Keyspace& copy) {
    TextSource source(file);
    KeyspaceLoader loader(copy, 0);
    return RdbReader(source, loader, copy.allocator().collections()).Read().ok();
  }
  static bool Runs(std::string_view file, Keyspace& copy) {
    Replay(copy).Run(file);
    return true;
  }

  // Whether the file holds what there was then; and, with the log, what there is now.
  bool IsState(std::string_view file, SnapshotForm form, const Contents& then,
               std::string_view log) {
    const WalkMutant mutant = Mutant();
    SetMutant(WalkMutant::kNone);
    const auto copy = MakeKeyspace();
    const bool is_loaded = form == SnapshotForm::kRdb ? LoadsRdb(file, *copy) : Runs(file, *copy);
    const bool was_state = is_loaded && ContentsOf(*copy) == then;
    if (is_loaded) Replay(*copy).Run(log);
    const bool is_state = was_state && ContentsOf(*copy) == ContentsOf(*keyspace_);
    SetMutant(mutant);
    return is_state;
  }

 public:
#ifdef MIKURA_DCHECKS
  static WalkMutant Mutant() { return store::walk_mutant; }
  static void SetMutant(WalkMutant mutant) { store::walk_mutant = mutant; }
#else
  static WalkMutant Mutant() { return WalkMutant::kNone; }
  static void SetMutant(WalkMutant) {}
#endif

 private:
  std::mt19937 random_;
  std::unique_ptr<Keyspace> keyspace_;
  SnapshotSlots slots_;
  LogText log_;
  Lsn first_ = 0;
  bool is_wrong_ = false;
};

uint32_t Seeds() {
  const char* wanted = std::getenv("MIKURA_SNAPSHOT_SEEDS");
  return wanted == nullptr ? 40 : static_cast<uint32_t>(std::atoi(wanted));
}

TEST(SnapshotProperty, WithTheLogFromItsPositionItIsTheState) {
  for (uint32_t seed = 1; seed <= Seeds(); ++seed) {
    ASSERT_FALSE(Simulation(seed).IsWrong()) << "seed " << seed;
  }
}

struct NamedMutant {
  WalkMutant mutant;
  std::string_view name;
};

class SnapshotMutants : public testing::TestWithParam<NamedMutant> {};

TEST_P(SnapshotMutants, AreNoticed) {
  if (!store::kHasWalkMutants) GTEST_SKIP() << "only builds with DCHECKs have mutants";
  constexpr uint32_t kSeedsMax = 300;
  uint32_t noticed = 0;
  for (uint32_t seed = 1; seed <= kSeedsMax && noticed == 0; ++seed) {
    Simulation::SetMutant(GetParam().mutant);
    if (Simulation(seed).IsWrong()) noticed = seed;
    Simulation::SetMutant(WalkMutant::kNone);
  }
  fmt::print("{}: noticed by seed {}\n", GetParam().name, noticed);
  EXPECT_GT(noticed, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Each, SnapshotMutants,
    testing::Values(NamedMutant{WalkMutant::kOneSense, "OneSense"},
                    NamedMutant{WalkMutant::kNoGate, "NoGate"},
                    NamedMutant{WalkMutant::kInsertUnsettled, "InsertUnsettled"},
                    NamedMutant{WalkMutant::kDatabaseByIndex, "DatabaseByIndex"},
                    NamedMutant{WalkMutant::kFlushDrops, "FlushDrops"},
                    NamedMutant{WalkMutant::kMoveUnsettled, "MoveUnsettled"},
                    NamedMutant{WalkMutant::kDestinationInherits, "DestinationInherits"},
                    NamedMutant{WalkMutant::kSourceOnly, "SourceOnly"},
                    NamedMutant{WalkMutant::kExpiryUnsettled, "ExpiryUnsettled"},
                    NamedMutant{WalkMutant::kNoCopyOnWrite, "NoCopyOnWrite"},
                    NamedMutant{WalkMutant::kSlotReused, "SlotReused"}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace mikura::engine
