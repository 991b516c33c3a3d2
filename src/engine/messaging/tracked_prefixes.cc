// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/tracked_prefixes.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace mikura::engine {
namespace {

constexpr uint64_t kChangeCost = 128;  // beside the key

// An array of keys, all but those whose last writer is `spared`. Empty when none are left.
std::string KeysText(const std::map<std::string, uint64_t>& changes, uint64_t spared) {
  std::string keys;
  size_t count = 0;
  for (const auto& [key, writer] : changes) {
    if (spared != 0 && writer == spared) continue;
    AppendBulk(keys, key);
    ++count;
  }
  if (count == 0) return {};
  return "*" + std::to_string(count) + "\r\n" + keys;
}

}  // namespace

// One changed key, for a loop with clients of some of its prefixes.
class PrefixDelivery final : public Delivery {
 public:
  PrefixDelivery(TrackedPrefixes& owner, uint32_t loop,
                 std::shared_ptr<const TrackedPrefixes::Prefixes> prefixes, std::string_view key,
                 uint64_t writer)
      : owner_(owner), loop_(loop), prefixes_(std::move(prefixes)), key_(key), writer_(writer) {}

  void Run(ReceiverFinder&) override { owner_.NoteChange(loop_, *prefixes_, key_, writer_); }

 private:
  TrackedPrefixes& owner_;
  const uint32_t loop_;
  const std::shared_ptr<const TrackedPrefixes::Prefixes> prefixes_;
  const std::string key_;
  const uint64_t writer_;
};

TrackedPrefixes::TrackedPrefixes(Keyspace& keyspace, DeliveryQueues& queues,
                                 std::function<uint64_t()> writer)
    : keyspace_(keyspace),
      queues_(queues),
      writer_(std::move(writer)),
      list_(std::make_shared<const Prefixes>()),
      readers_(new Reader[kThreadsMax]),
      loops_(queues.loop_count()) {
  keyspace.SetKeyObserver(KeyObserverKind::kPrefixes, this);
}

TrackedPrefixes::~TrackedPrefixes() = default;

void TrackedPrefixes::Change(std::string_view prefix, uint32_t loop, bool add) {
  MutexLock lock(mutex_);
  auto found = prefixes_.find(prefix);
  if (found == prefixes_.end()) {
    CHECK(add);
    auto made = std::make_shared<Prefix>(prefix, queues_.loop_count());
    found = prefixes_.emplace(prefix, std::move(made)).first;
  }
  Prefix& held = *found->second;
  const bool was_empty = held.total == 0;
  held.total += add ? 1 : -1;
  held.counts[loop].fetch_add(add ? 1 : -1, std::memory_order_relaxed);
  if (!was_empty && held.total > 0) return;
  if (held.total == 0) prefixes_.erase(found);
  Prefixes list;
  for (const auto& [text, entry] : prefixes_) list.push_back(entry);
  list_ = std::make_shared<const Prefixes>(std::move(list));
  version_.fetch_add(1, std::memory_order_release);
  count_.store(prefixes_.size(), std::memory_order_relaxed);
  // Without the shards' locks: what is being written right now need not be told.
  if (prefixes_.size() > 1 || (prefixes_.size() == 1 && !add)) return;
  for (uint32_t shard = 0; shard < kShardCount; ++shard) {
    keyspace_.SetObserved(shard, KeyObserverKind::kPrefixes, add);
  }
}

void TrackedPrefixes::Add(Receiver& client, const std::string& prefix) {
  loops_[client.loop()].clients[prefix].push_back(&client);
  Change(prefix, client.loop(), true);
}

void TrackedPrefixes::Remove(Receiver& client, const std::string& prefix) {
  Change(prefix, client.loop(), false);
  auto& all = loops_[client.loop()].clients;
  const auto found = all.find(prefix);
  CHECK(found != all.end());
  std::erase(found->second, &client);
  if (found->second.empty()) all.erase(found);
}

const TrackedPrefixes::Prefixes& TrackedPrefixes::List() {
  Reader& reader = readers_[ThreadIndex()];
  const uint64_t version = version_.load(std::memory_order_acquire);
  if (reader.list == nullptr || reader.version != version) [[unlikely]] {
    MutexLock lock(mutex_);
    reader.list = list_;
    reader.version = version_.load(std::memory_order_relaxed);
  }
  return *reader.list;
}

void TrackedPrefixes::OnTouched(int, const Key& key) {
  Prefixes matching;
  for (const auto& prefix : List()) {
    if (key.name.starts_with(prefix->text)) matching.push_back(prefix);
  }
  if (matching.empty()) return;
  const auto shared = std::make_shared<const Prefixes>(std::move(matching));
  for (uint32_t loop = 0; loop < queues_.loop_count(); ++loop) {
    uint64_t clients = 0;
    for (const auto& prefix : *shared) {
      clients += prefix->counts[loop].load(std::memory_order_relaxed);
    }
    if (clients == 0) continue;
    queues_.Post(loop, std::make_unique<PrefixDelivery>(*this, loop, shared, key.name, writer_()),
                 clients * (kChangeCost + key.name.size()));
  }
}

void TrackedPrefixes::NoteChange(uint32_t loop, const Prefixes& prefixes, const std::string& key,
                                 uint64_t writer) {
  Loop& own = loops_[loop];
  for (const auto& prefix : prefixes) {
    if (own.clients.contains(prefix->text)) own.changes[prefix->text][key] = writer;
  }
}

void TrackedPrefixes::TellChanges(uint32_t loop, const Tell& tell) {
  Loop& own = loops_[loop];
  const auto changes = std::exchange(own.changes, {});
  for (const auto& [prefix, keys] : changes) {
    const auto clients = own.clients.find(prefix);
    if (clients == own.clients.end()) continue;
    Message::Ref all;
    for (Receiver* client : clients->second) {
      if (client->tracking().no_loop) {
        std::string others = KeysText(keys, client->id());
        if (!others.empty()) tell(*client, Message::OfText(std::move(others)));
        continue;
      }
      if (!all) all = Message::OfText(KeysText(keys, 0));
      tell(*client, all);
    }
  }
}

}  // namespace mikura::engine
