// SPDX-License-Identifier: Apache-2.0
// What every part of the reconciler works with.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "control/metadata/metadata_store.h"
#include "control/model/node_runtime.h"

namespace mikura::control {

class EventLog;
class ParameterPlan;

struct ReconcilerTimings {
  // A node that dies is started again at once; one that dies again and again waits from
  // restart_pause, doubling to restart_pause_max.
  std::chrono::milliseconds restart_pause{500};
  std::chrono::milliseconds restart_pause_max{30'000};
  // A node that ran this long has left its crashes behind.
  std::chrono::milliseconds stable_after{10'000};
  // A planned failover whose target does not catch up in this time is given up, and tried again
  // after the pause.
  std::chrono::milliseconds handover_max{1'000};
  std::chrono::milliseconds handover_pause{5'000};
  // How long to rest without being woken, while something is under way and otherwise.
  std::chrono::milliseconds busy_rest{100};
  std::chrono::milliseconds idle_rest{1'000};
};

struct ReconcilerContext {
  MetadataStore& store;
  NodeRuntime& runtime;
  const Clock& clock;
  EventLog& events;
  ReconcilerTimings timings;
  // What nodes are started with; the reconciler sets it.
  const ParameterPlan* parameters = nullptr;
};

}  // namespace mikura::control
