// SPDX-License-Identifier: Apache-2.0
// The machine: its clock, its disk, its log; and the agent.
#include "tests/simulation/node.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.h"

namespace mikura::simulation {
namespace {

constexpr size_t kBacklogBytes = 3000;
constexpr Micros kTurn = 20 * kMillisecond;
constexpr Micros kPingPeriod = 100 * kMillisecond;
constexpr Micros kDiskPeriod = 60 * kMillisecond;  // of syncs when nothing waits for them
constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";

uint64_t Mix(uint64_t digest, std::string_view bytes) {
  for (const char byte : bytes) digest = (digest ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return digest;
}

// What the sets name: "node/life".
std::map<int, int64_t> MembersOf(const std::vector<std::string>& names) {
  std::map<int, int64_t> members;
  for (const std::string& name : names) {
    const size_t slash = name.find('/');
    members[static_cast<int>(*ParseInt64(name.substr(0, slash)))] =
        *ParseInt64(name.substr(slash + 1));
  }
  return members;
}

}  // namespace

std::string Node::NameOf(int node, int64_t life) { return fmt::format("{}/{}", node, life); }

Node::Node(Surroundings& around, int index)
    : around_(around), index_(index), drift_ppm_(around.world.Between(-500, 500)) {
  disk_.ids.current = fmt::format("{:040}", index);
}

Node::~Node() {
  for (const auto& link : std::vector(replicas_)) DropLink(link);
  if (chunk_ != nullptr) chunk_->Release();
}

Micros Node::LocalNow() const {
  const Micros now = around_.world.now();
  return now + now * drift_ppm_ / 1'000'000 + 7'000'000 * index_;
}

void Node::Later(Part part, Micros delay, std::function<void()> action) {
  around_.world.After(delay, [this, part, life = life_, action = std::move(action)]() mutable {
    When(part, life, std::move(action));
  });
}

void Node::When(Part part, int64_t life, std::function<void()> action) {
  if (life != life_ || !is_up_) return;
  const Micros thaws_in = frozen_until_[part] - around_.world.now();
  if (thaws_in <= 0 && waiting_[part].empty()) return action();
  waiting_[part].push_back(std::move(action));
  if (waiting_[part].size() == 1) ThawLater(part);
}

// What has come meanwhile happens in the order in which it came.
void Node::ThawLater(Part part) {
  const Micros thaws_in = std::max<Micros>(0, frozen_until_[part] - around_.world.now());
  around_.world.After(thaws_in, [this, part, life = life_] {
    if (life != life_ || !is_up_) return;
    while (!waiting_[part].empty() && frozen_until_[part] <= around_.world.now()) {
      const std::function<void()> action = std::move(waiting_[part].front());
      action();
      if (life != life_ || !is_up_) return;
      waiting_[part].pop_front();
    }
    if (!waiting_[part].empty()) ThawLater(part);
  });
}

void Node::Freeze(bool engine, bool agent, Micros end) {
  if (engine) frozen_until_[kEngine] = std::max(frozen_until_[kEngine], end);
  if (agent) frozen_until_[kAgent] = std::max(frozen_until_[kAgent], end);
}

void Node::Start() {
  is_up_ = true;
  ++life_;
  lease_ = 0;
  shard_ = {};
  fence_ = {};
  is_proposing_ = false;
  doubtful_revision_ = -1;
  Recover();
  Later(kAgent, around_.world.Between(1, kRenewal), [this] { AgentTurn(); });
  Later(kEngine, around_.world.Between(1, kTurn), [this] { EngineTurn(); });
  Later(kEngine, kDiskPeriod, [this] { SyncDisk(); });
}

// The end of the log that was not synced is lost, up to any byte.
void Node::Crash() {
  LeaveUpstream();
  StepDown();
  is_up_ = false;
  const auto kept = static_cast<size_t>(around_.world.Between(
      static_cast<int64_t>(disk_.synced), static_cast<int64_t>(disk_.log.size())));
  disk_.log.resize(kept);
}

// The log is read as a replica reads its primary's; a torn record at its end is cut off.
void Node::Recover() {
  is_primary_ = false;
  upstream_node_ = -1;
  frozen_until_[0] = frozen_until_[1] = freeze_after_request_ = 0;
  waiting_[0].clear();
  waiting_[1].clear();
  ids_ = disk_.ids;
  epoch_ = disk_.epoch;
  data_ = disk_.base;
  head_ = disk_.base_lsn;
  engine::RecordReader reader;
  reader.Append(disk_.log);
  engine::RecordReader::Record record;
  size_t used = 0;
  while (true) {
    const auto more = reader.Next(record);
    if (!more.ok()) return around_.history.Fail("the log on disk is malformed");
    if (!more.value()) break;
    used += record.bytes.size();
    head_ += static_cast<Lsn>(record.bytes.size());
    Execute(std::string(record.bytes), record.commands);
  }
  disk_.log.resize(used);
  disk_.synced = std::min(disk_.synced, used);
  backlog_ = std::make_unique<engine::Backlog>(kBacklogBytes, engine::LagLimits{});
  backlog_->Reset(head_);
  sync_ = {.durable = engine::InSyncSet::kEverything};
  in_sync_ = std::make_unique<engine::InSyncSet>(
      [this] { return head_; }, [this](const engine::InSyncSet::State& state) { sync_ = state; });
  around_.history.NoteData(ids_.current, head_, data_.digest, index_);
}

void Node::SyncDisk() {
  disk_.synced = disk_.log.size();
  Flush();
  if (around_.scenario.syncs_disk && !is_primary_) SendAck();
  Later(kEngine, around_.scenario.syncs_disk ? around_.world.Between(1000, 4000) : kDiskPeriod,
        [this] { SyncDisk(); });
}

void Node::WriteIds() {
  disk_.synced = disk_.log.size();
  disk_.ids = ids_;
  disk_.epoch = epoch_;
}

// Another history begins, as a copy of another node's.
void Node::Reset(const Data& data, Lsn lsn, const std::string& id) {
  for (const auto& link : std::vector(replicas_)) DropLink(link);
  data_ = data;
  head_ = lsn;
  ids_ = {id, "", -1};
  backlog_->Reset(lsn);
  disk_ = {data, lsn, ids_, epoch_, "", 0};
  around_.history.NoteData(id, lsn, data_.digest, index_);
}

void Node::Append(const std::string& record) {
  if (chunk_ == nullptr || !chunk_->HasRoomFor(record.size())) {
    if (chunk_ != nullptr) chunk_->Release();
    chunk_ = engine::LogChunk::Create(record.size());
    chunk_records_ = 0;
  }
  chunk_->Write("", record);
  chunk_->Publish(head_);
  const engine::LogSlice slice(chunk_, head_, chunk_->RecordBytes(chunk_records_++));
  backlog_->OnBytes({&slice, 1});
  disk_.log += record;
  head_ += static_cast<Lsn>(record.size());
}

void Node::Execute(const std::string& bytes, std::span<const engine::CommandWords> commands) {
  for (const engine::CommandWords words : commands) {
    if (words[0] != "SET") continue;
    const int key = static_cast<int>(*ParseInt64(words[1]));
    const int64_t value = *ParseInt64(words[2]);
    data_.writes.emplace_back(key, value);
    data_.current[key] = value;
  }
  data_.digest = Mix(data_.digest, bytes);
}

void Node::EngineTurn() {
  const Micros now = around_.world.now();
  if (is_primary_ && now >= next_ping_) {
    next_ping_ = now + kPingPeriod;
    Append(std::string(kPing));
    Execute(std::string(kPing), {});
    around_.history.NoteData(ids_.current, head_, data_.digest, index_);
    PumpAll();
  }
  for (const auto& link : std::vector(replicas_)) {
    if (!link->is_alive || now - link->heard_at > kSilenceMax) DropLink(link);
  }
  if (is_primary_) in_sync_->Tick(Nanos());
  if (!is_primary_ && upstream_node_ >= 0) {
    if (upstream_ != nullptr && now - upstream_heard_ > kSilenceMax) LeaveUpstream();
    if (upstream_ == nullptr || !upstream_->is_alive) Connect();
    SendAck();
  }
  Flush();
  Later(kEngine, kTurn, [this] { EngineTurn(); });
}

// ---- Agent.

// The lease counts from when its renewal was sent: the store counts it from later.
void Node::AgentTurn() {
  const Micros sent_at = LocalNow();
  around_.network.Send(index_, kStorePlace, [this, life = life_, sent_at] {
    if (life != life_) return;
    const LeaseView view = around_.store.Renew(index_, lease_);
    around_.network.Send(kStorePlace, index_, [this, life, view, sent_at] {
      When(kAgent, life, [this, view, sent_at] { TakeView(view, sent_at); });
    });
  });
  TendInSync();
  Later(kAgent, kRenewal, [this] { AgentTurn(); });
}

void Node::TakeView(const LeaseView& view, Micros sent_at) {
  lease_ = view.lease;
  LearnShard(view.shard);
  if (view.is_leader && view.shard.epoch == shard_.epoch) {
    const bool is_wrong = around_.scenario.mutant == Mutant::kGrantsFromReceipt;
    const Micros deadline = is_wrong ? LocalNow() + kLeaseTime : sent_at + kLeaseTime - kMargin;
    const bool is_later = fence_.epoch < view.shard.epoch || fence_.deadline < deadline;
    if (is_later) fence_ = {view.shard.epoch, deadline};
    Later(kEngine, 0, [this, epoch = view.shard.epoch] { Promote(epoch); });
  } else if (shard_.primary != index_) {
    Later(kEngine, 0, [this, primary = shard_.primary, epoch = shard_.epoch] {
      if (primary >= 0) Follow(primary, epoch);
    });
  }
}

void Node::LearnShard(const ShardRecord& shard) {
  if (shard.revision < shard_.revision) return;
  shard_ = shard;
}

// The agent of the primary keeps the set in the store as the engine wants it, and tells the engine
// what the store has: until then who was in it counts.
void Node::TendInSync() {
  if (shard_.primary != index_ || is_proposing_ || !around_.scenario.is_sync) return;
  Later(kEngine, 0, [this, epoch = shard_.epoch] {
    if (!is_primary_ || epoch_ != epoch) return;
    Later(kAgent, 0, [this, epoch, wanted = in_sync_->wanted()] { TakeWanted(epoch, wanted); });
  });
}

void Node::TakeWanted(int64_t epoch, const engine::InSyncSet::Wanted& wanted) {
  if (shard_.epoch != epoch || is_proposing_) return;
  std::map<int, int64_t> in_sync = MembersOf(wanted.names);
  in_sync[index_] = life_;
  // A proposal without an answer may come true yet, unless the record has changed since.
  const bool is_doubtful = doubtful_revision_ == shard_.revision;
  if (in_sync == shard_.in_sync && !is_doubtful) return TellAgreed(wanted.version, in_sync);
  if (in_sync.size() >= kInSyncNeeded) ProposeInSync(wanted.version, in_sync);
}

void Node::ProposeInSync(uint64_t version, const std::map<int, int64_t>& in_sync) {
  is_proposing_ = true;
  doubtful_revision_ = shard_.revision;
  const int64_t proposal = ++proposal_;
  around_.network.Send(
      index_, kStorePlace,
      [this, life = life_, revision = shard_.revision, version, in_sync, proposal] {
        const bool is_changed = around_.store.ChangeInSync(revision, in_sync);
        const ShardRecord shard = around_.store.shard();
        around_.network.Send(
            kStorePlace, index_, [this, life, shard, is_changed, version, in_sync, proposal] {
              When(kAgent, life, [this, shard, is_changed, version, in_sync, proposal] {
                LearnShard(shard);
                if (is_changed) TellAgreed(version, in_sync);
                if (proposal == proposal_) is_proposing_ = false;
              });
            });
      });
  // The answer may be lost; the next renewal tells what came of it.
  Later(kAgent, 2 * kRenewal, [this, proposal] {
    if (proposal == proposal_) is_proposing_ = false;
  });
}

void Node::TellAgreed(uint64_t version, const std::map<int, int64_t>& in_sync) {
  std::vector<std::string> names;
  for (const auto& [node, life] : in_sync) {
    if (node != index_) names.push_back(NameOf(node, life));
  }
  Later(kEngine, 0, [this, epoch = shard_.epoch, version, names] {
    if (!is_primary_ || epoch_ != epoch) return;
    in_sync_->Agree(version, names, Nanos());
    Flush();
  });
}

}  // namespace mikura::simulation
