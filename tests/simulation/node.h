// SPDX-License-Identifier: Apache-2.0
// A machine with one engine and its agent. Log, backlog, record reader, replication ids and the set
// of replicas in sync are the engine's own; around them is what the real one does on threads and
// sockets.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/replication/backlog.h"
#include "engine/replication/in_sync_set.h"
#include "engine/replication/record_reader.h"
#include "engine/replication/replication_ids.h"
#include "tests/simulation/history.h"
#include "tests/simulation/store.h"

namespace mikura::simulation {

using engine::Lsn;

class Node;

// What all parts of a run share.
struct Surroundings {
  const Scenario& scenario;
  World& world;
  Network& network;
  Store& store;
  History& history;
  Outcome& outcome;
  std::vector<std::unique_ptr<Node>>& nodes;
};

// The data of a node: who wrote what, in order.
struct Data {
  std::vector<std::pair<int, int64_t>> writes;  // key, value
  std::map<int, int64_t> current;
  uint64_t digest = 0;  // of every record so far, pings included
};

// What survives a crash: the file of the log, up to some byte behind the last sync, and, written
// with a sync each time, what it begins with.
struct Disk {
  Data base;
  Lsn base_lsn = 0;
  engine::ReplicationIds ids;
  int64_t epoch = 0;
  std::string log;
  size_t synced = 0;
};

struct ClientRequest {
  bool is_write = false;
  int key = 0;
  int64_t value = 0;
  // ok: the value read or written. Not ok: nothing is known of a write that was executed.
  std::function<void(bool ok, int64_t value)> answer;
};

// A connection of a replica to its primary. Ordered; what is on its way is lost when it breaks.
struct Link {
  int primary = -1;
  int replica = -1;
  int64_t epoch = 0;
  bool is_alive = true;
  bool is_closed[2] = {false, false};  // by the replica, by the primary: which reads nothing more
  Micros arrival[2] = {0, 0};          // of the last message in each direction
  // ---- The primary's.
  engine::Backlog::Cursor cursor;
  bool is_attached = false;
  bool is_streaming = false;
  Micros heard_at = 0;
};

class Node {
 public:
  Node(Surroundings& around, int index);
  ~Node();

  // ---- Of the world.
  void Start();
  void Crash();
  void Freeze(bool engine, bool agent, Micros end);
  bool is_up() const { return is_up_; }
  // As a machine that stalls between running a request and answering it.
  void FreezeAfterNextRequest(Micros duration) { freeze_after_request_ = duration; }
  void BreakLinks();

  // ---- Of clients and controllers; arrived over the network.
  void Serve(ClientRequest request);
  struct Position {
    int64_t epoch = 0;
    Lsn lsn = 0;
    int64_t life = 0;
  };
  void AskPosition(std::function<void(Position)> answer);

  // ---- For the end of a run.
  const Data& data() const { return data_; }
  Lsn head() const { return head_; }
  bool is_primary() const { return is_primary_; }
  int64_t life() const { return life_; }
  const engine::ReplicationIds& ids() const { return ids_; }

 private:
  enum Part { kEngine, kAgent };
  struct Held {
    Lsn tag = 0;
    int64_t epoch = 0;
    bool is_write = false;
    int64_t value = 0;
    std::function<void(bool, int64_t)> answer;
  };
  struct Fence {
    int64_t epoch = 0;
    Micros deadline = 0;  // by the clock of this machine
  };

  // What a part does later: nothing after a crash, and when it is not frozen.
  void Later(Part part, Micros delay, std::function<void()> action);
  void When(Part part, int64_t life, std::function<void()> action);
  void ThawLater(Part part);
  Micros LocalNow() const;
  static std::string NameOf(int node, int64_t life);

  // ---- Agent.
  void AgentTurn();
  void TakeView(const LeaseView& view, Micros sent_at);
  void LearnShard(const ShardRecord& shard);
  void TendInSync();
  void TakeWanted(int64_t epoch, const engine::InSyncSet::Wanted& wanted);
  void ProposeInSync(uint64_t version, const std::map<int, int64_t>& in_sync);
  void TellAgreed(uint64_t version, const std::map<int, int64_t>& in_sync);

  // ---- Engine, as any.
  void EngineTurn();
  void Append(const std::string& record);
  void Execute(const std::string& bytes, std::span<const engine::CommandWords> commands);
  void SyncDisk();
  void WriteIds();
  void Recover();
  void Reset(const Data& data, Lsn lsn, const std::string& id);

  // ---- Engine, as primary.
  void Promote(int64_t epoch);
  void StepDown();
  bool FenceIsOpen() const;
  bool MayAnswer() const;
  Lsn Durable() const;
  void ConfigureSync(bool enabled);
  MonotonicNanos Nanos() const { return LocalNow() * 1000; }
  void Flush();
  void Accept(const std::shared_ptr<Link>& link, const std::string& id, Lsn wanted, int64_t life);
  void Pump(const std::shared_ptr<Link>& link);
  void PumpAll();
  void TakeAck(const std::shared_ptr<Link>& link, Lsn lsn);
  void DropLink(const std::shared_ptr<Link>& link);

  // ---- Engine, as replica.
  void Follow(int primary, int64_t epoch);
  void Connect();
  void LeaveUpstream();
  void Continue(const std::string& id);
  void Copy(const std::string& id, Lsn lsn, const Data& data);
  void Receive(const std::string& bytes);
  void SendAck();
  // In order; to_primary: the direction.
  void Deliver(const std::shared_ptr<Link>& link, bool to_primary,
               std::function<void(Node&)> action);

  Surroundings& around_;
  const int index_;
  const int64_t drift_ppm_;
  bool is_up_ = false;
  int64_t life_ = 0;
  Micros frozen_until_[2] = {0, 0};
  Micros freeze_after_request_ = 0;
  std::deque<std::function<void()>> waiting_[2];  // until it is not frozen any more
  Disk disk_;

  // ---- Agent. The fence is a page of memory that the engine reads by itself.
  int64_t lease_ = 0;
  ShardRecord shard_;
  Fence fence_;
  bool is_proposing_ = false;
  int64_t proposal_ = 0;
  int64_t doubtful_revision_ = -1;  // of a proposal that may still change the record

  // ---- Engine.
  bool is_primary_ = false;
  int64_t epoch_ = 0;
  engine::ReplicationIds ids_;
  Lsn head_ = 0;
  Data data_;
  engine::LogChunk* chunk_ = nullptr;
  uint32_t chunk_records_ = 0;
  std::unique_ptr<engine::Backlog> backlog_;
  std::map<int, Lsn> last_lsn_;  // of keys
  std::deque<Held> held_;
  std::vector<std::shared_ptr<Link>> replicas_;
  Micros next_ping_ = 0;
  int upstream_node_ = -1;
  std::shared_ptr<Link> upstream_;
  std::unique_ptr<engine::RecordReader> reader_;
  Micros upstream_heard_ = 0;
  std::unique_ptr<engine::InSyncSet> in_sync_;
  engine::InSyncSet::State sync_;
};

}  // namespace mikura::simulation
