// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/reconciler.h"

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"

namespace mikura::control {

Reconciler::Reconciler(MetadataStore& store, NodeRuntime& runtime, const Clock& clock,
                       const ReconcilerTimings& timings)
    : events_(clock),
      context_{store, runtime, clock, events_, timings, &plan_},
      keeper_(context_),
      access_(context_),
      logs_(context_),
      groups_(context_, keeper_, access_),
      clusters_(context_, keeper_),
      parameters_(context_, plan_),
      snapshots_(context_),
      scheduler_(context_) {}

Reconciler::~Reconciler() { Stop(); }

void Reconciler::Start() {
  watch_ = context_.store.Watch(std::string(kAccountsPrefix), [this] { Wake(); });
  context_.runtime.OnChange([this] { Wake(); });
  thread_ = std::thread([this] { Loop(); });
}

void Reconciler::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
  watch_.reset();
  context_.runtime.OnChange(nullptr);
}

void Reconciler::Wake() {
  {
    MutexLock lock(mutex_);
    woken_ = true;
  }
  wake_.NotifyAll();
}

void Reconciler::Loop() {
  while (true) {
    const bool idle = Step();
    MutexLock lock(mutex_);
    if (!woken_ && !stopping_) {
      wake_.WaitFor(mutex_, idle ? context_.timings.idle_rest : context_.timings.busy_rest);
    }
    if (stopping_) return;
    woken_ = false;
  }
}

bool Reconciler::Step() {
  Result<Inventory> inventory = LoadInventory(context_.store);
  if (!inventory.ok()) return Note("store", inventory.error());
  plan_.Load(*inventory);
  events_.Load(*inventory);
  bool idle = Note("logs", logs_.Step(*inventory));
  for (Loaded<ReplicationGroup>& group : inventory->groups) {
    idle = Note("replication group " + group.record.id, groups_.Step(group, *inventory)) && idle;
  }
  for (auto& [key, cluster] : inventory->clusters) {
    if (!cluster.record.replication_group.empty()) continue;
    idle = Note("cache cluster " + cluster.record.id, clusters_.Step(cluster, *inventory)) && idle;
  }
  idle = Note("parameters", parameters_.Step()) && idle;
  idle = Note("users", access_.StoreStatuses(*inventory)) && idle;
  for (Loaded<Snapshot>& snapshot : inventory->snapshots) {
    idle = Note("snapshot " + snapshot.record.name, snapshots_.Step(snapshot, *inventory)) && idle;
  }
  idle = Note("snapshots", scheduler_.Step(*inventory)) && idle;
  const Status trimmed = events_.Trim(context_.store);
  if (!trimmed.ok()) Note("events", trimmed.error());
  return idle;
}

bool Reconciler::Note(const std::string& id, const Result<bool>& result) {
  if (result.ok()) return *result;
  const std::string words = id + ": " + result.error().message;
  if (said_.size() > 1000) said_.clear();
  if (said_.insert(words).second) Log(LogLevel::kError, "reconciler", "{}", words);
  return false;
}

}  // namespace mikura::control
