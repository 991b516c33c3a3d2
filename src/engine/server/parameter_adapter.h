// SPDX-License-Identifier: Apache-2.0
// CONFIG GET and SET on the parameters of this engine, and their effect on the node.
#pragma once

#include "engine/commands/services.h"
#include "engine/keyspace/keyspace.h"
#include "engine/messaging/client_tracking.h"
#include "engine/messaging/key_event_publisher.h"
#include "engine/persistence/append_log.h"
#include "engine/persistence/snapshot_saver.h"
#include "engine/server/node_state.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

class ParameterAdapter final : public Parameters {
 public:
  explicit ParameterAdapter(wire::ParameterSet& parameters) : parameters_(parameters) {}

  std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> patterns) override {
    return parameters_.Get(patterns);
  }
  Status Set(std::span<const std::pair<std::string_view, std::string_view>> changes) override {
    return parameters_.Set(changes);
  }

 private:
  wire::ParameterSet& parameters_;
};

// Errors: settings that cannot be together. Each may be right by itself.
Status CheckTogether(const wire::EngineParameters& parameters);

// Copies the settings that every request looks at into `node` and `services`, now and at each
// change. Refuses more clients than the process may have file descriptors for, and what cannot be
// together. The first of all bindings.
void BindNodeState(wire::ParameterSet& parameters, NodeState& node, Services& services);

// busy-reply-threshold, now and whenever it changes.
void BindScripts(wire::ParameterSet& parameters, ScriptState& state);

// Thresholds and sizes of the slow log and the latency monitor, now and whenever they change.
void BindObservation(wire::ParameterSet& parameters, Observation& observation);

// Gives the memory limit and the eviction settings to `keyspace`, now and at each change.
void BindEviction(wire::ParameterSet& parameters, Keyspace& keyspace);
// `save`, the file's name, what is in it, and what a failure leads to.
void BindSaving(wire::ParameterSet& parameters, SnapshotSlots& slots, SnapshotSaver& saver);
// Makes `appendonly` and all that concerns the append log act; at the start `appendonly` does not.
void BindAppendLog(wire::ParameterSet& parameters, AppendLog& append_log);
// Makes `tracking-table-max-keys` act.
void BindTracking(wire::ParameterSet& parameters, ClientTracking& tracking);
// Makes `notify-keyspace-events` act.
void BindKeyEvents(wire::ParameterSet& parameters, Keyspace& keyspace,
                   KeyEventPublisher& publisher);
// Makes `activedefrag` act.
void BindDefragmentation(wire::ParameterSet& parameters, Keyspace& keyspace);

}  // namespace mikura::engine
