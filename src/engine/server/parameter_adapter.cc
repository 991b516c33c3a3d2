// SPDX-License-Identifier: Apache-2.0
#include "engine/server/parameter_adapter.h"

#include "base/logging.h"

namespace mikura::engine {
namespace {

LogLevel LevelOf(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "verbose") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  return LogLevel::kNotice;
}

store::EvictionSettings EvictionSettingsOf(const wire::EngineParameters& current) {
  store::EvictionSettings settings;
  settings.policy =
      store::ParseEvictionPolicy(current.maxmemory_policy).value_or(store::EvictionPolicy{});
  settings.samples = static_cast<uint32_t>(current.maxmemory_samples);
  settings.tracking =
      store::TrackingFor(settings.policy, static_cast<uint32_t>(current.lfu_log_factor),
                         static_cast<uint32_t>(current.lfu_decay_time_minutes));
  return settings;
}

void Apply(const wire::EngineParameters& current, NodeState& node) {
  node.requires_auth.store(!current.requirepass.empty(), std::memory_order_relaxed);
  node.maxmemory_bytes.store(current.maxmemory_bytes, std::memory_order_relaxed);
  node.maxclients.store(static_cast<uint32_t>(current.maxclients), std::memory_order_relaxed);
  node.keepalive_seconds.store(static_cast<int>(current.tcp_keepalive_seconds),
                               std::memory_order_relaxed);
  node.idle_timeout_seconds.store(static_cast<int>(current.timeout_seconds),
                                  std::memory_order_relaxed);
  SetLogLevel(LevelOf(current.loglevel));
}

}  // namespace

void BindNodeState(wire::ParameterSet& parameters, NodeState& node) {
  Apply(*parameters.Current(), node);
  for (const std::string_view name :
       {"requirepass", "maxmemory", "maxclients", "tcp-keepalive", "timeout", "loglevel"}) {
    parameters.OnChange(
        name,
        [&node](const wire::EngineParameters&, const wire::EngineParameters& after) -> Status {
          Apply(after, node);
          return Ok();
        });
  }
}

void BindEviction(wire::ParameterSet& parameters, Keyspace& keyspace) {
  const auto apply = [&keyspace](const wire::EngineParameters& current) {
    keyspace.evictor().Configure(EvictionSettingsOf(current), current.maxmemory_bytes);
  };
  apply(*parameters.Current());
  for (const std::string_view name :
       {"maxmemory", "maxmemory-policy", "maxmemory-samples", "lfu-log-factor", "lfu-decay-time"}) {
    parameters.OnChange(
        name,
        [apply](const wire::EngineParameters&, const wire::EngineParameters& after) -> Status {
          apply(after);
          return Ok();
        });
  }
}

}  // namespace mikura::engine
