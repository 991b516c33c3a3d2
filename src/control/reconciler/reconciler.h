// SPDX-License-Identifier: Apache-2.0
// The loop that makes hosts match the store. It is level-triggered: a step reads everything, does
// what can be done now, and keeps nothing in memory that matters; whatever wakes it only makes the
// next step come sooner.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "control/reconciler/access_workflow.h"
#include "control/reconciler/cache_cluster_workflow.h"
#include "control/reconciler/event_log.h"
#include "control/reconciler/log_workflow.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/parameter_plan.h"
#include "control/reconciler/parameter_workflow.h"
#include "control/reconciler/reconciler_context.h"
#include "control/reconciler/replication_group_workflow.h"
#include "control/reconciler/snapshot_scheduler.h"
#include "control/reconciler/snapshot_workflow.h"

namespace mikura::control {

class Reconciler {
 public:
  // The arguments outlive the reconciler.
  Reconciler(MetadataStore& store, NodeRuntime& runtime, const Clock& clock,
             const ReconcilerTimings& timings);
  ~Reconciler();

  // Before the first step: the part of a type's memory that a node really gets.
  void SetMemoryScale(double scale) { plan_.set_memory_scale(scale); }

  // Runs Step() on a thread of its own until Stop() or the destructor.
  void Start();
  void Stop();

  // One pass over everything. Returns whether nothing is left to do for now. Not to be called
  // while the thread runs.
  bool Step();

 private:
  void Loop();
  void Wake();
  bool Note(const std::string& id, const Result<bool>& result);

  EventLog events_;
  ParameterPlan plan_;
  ReconcilerContext context_;
  NodeKeeper keeper_;
  AccessWorkflow access_;
  LogWorkflow logs_;
  ReplicationGroupWorkflow groups_;
  CacheClusterWorkflow clusters_;
  ParameterWorkflow parameters_;
  SnapshotWorkflow snapshots_;
  SnapshotScheduler scheduler_;
  // Resource and words of errors already logged: one that lasts is said once.
  std::set<std::string> said_;

  Mutex mutex_;
  CondVar wake_;
  bool woken_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<void> watch_;  // the store's handle; its owners are this and the store's call
  std::thread thread_;
};

}  // namespace mikura::control
