// SPDX-License-Identifier: Apache-2.0
// Runs command lines against a keyspace of its own, in process, without a server: for tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/commands/command_context.h"
#include "engine/commands/command_table.h"
#include "engine/commands/computation.h"
#include "engine/messaging/client_tracking.h"
#include "engine/messaging/monitors.h"
#include "engine/messaging/pubsub.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

// Services that remember what they were asked.
class FakeServices final : public ClientRegistry, public Parameters, public ServerControl {
 public:
  std::vector<ClientInfo> List() override { return clients; }
  std::string Describe(const ClientInfo& info, UnixMillis now) override;
  std::string DescribeOwn(const ClientState& state, UnixMillis now) override;
  void Publish(const ClientState& state) override { published = state; }
  std::optional<uint32_t> LoopOf(uint64_t) const override { return std::nullopt; }
  size_t Kill(const ClientFilter& filter) override;
  void Answer(const std::shared_ptr<BlockedClient>& client) override { answered = client; }
  bool Unblock(uint64_t id, bool with_error) override;
  std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> patterns) override;
  Status Set(std::span<const std::pair<std::string_view, std::string_view>> changes) override;
  std::string Info(std::span<const std::string_view> sections) override;
  MemoryReport Memory() override { return memory; }
  RoleInfo Role() override { return role; }
  ShownVersion Version() override { return {"redis", "7.0.15"}; }
  bool IsPrimary() override { return role.is_primary; }
  Status ReplicaOf(std::string_view host, int port) override;
  Status Failover(const FailoverRequest& request) override;
  Status AbortFailover() override;
  Status TakeOver(std::string_view id) override;
  int64_t HoldWritesFor(std::chrono::milliseconds) override { return role.offset; }
  Status StepDown(std::string_view host, int port, int64_t) override {
    return ReplicaOf(host, port);
  }
  void Stop() override { is_stopped = true; }
  void ResetStatistics() override { ++resets; }
  bool HasRoom(UnixMillis) override { return true; }
  bool IsReadOnly() override { return false; }
  bool LacksReplicas() override { return false; }
  bool CannotSave() override { return cannot_save; }
  bool RefusesStale() override { return false; }
  void Pause(UnixMillis now, UnixMillis end, bool all) override;
  void Unpause() override { pause = "none"; }
  bool DebugAllowed(const ClientState&) override { return debug_allowed; }

  std::vector<ClientInfo> clients;
  ClientState published;
  ClientFilter last_kill;
  wire::ParameterSet parameters;
  MemoryReport memory;
  RoleInfo role;
  std::string replica_of = "not asked";
  std::string failover = "not asked";
  bool is_stopped = false;
  bool cannot_save = false;
  std::shared_ptr<BlockedClient> answered;
  std::string unblocked = "not asked";
  std::string pause = "none";
  int resets = 0;
  bool debug_allowed = true;
};

// Computes when it is told to, not before.
class ManualComputations final : public Computations {
 public:
  void Start(std::shared_ptr<Computation> computation, uint64_t) override {
    waiting_.push_back(std::move(computation));
  }
  size_t waiting() const { return waiting_.size(); }
  void RunAll() {
    for (const auto& computation : std::exchange(waiting_, {})) computation->Run();
  }

 private:
  std::vector<std::shared_ptr<Computation>> waiting_;  // owned with the client that waits
};

class CommandRunner {
 public:
  CommandRunner();

  // Runs words separated by blanks and returns the reply as it goes over the wire, with "\r\n"
  // shown as a blank: "$1 v "; "(preparing)" when it is to run again. An unknown or wrong command
  // line ends the test program.
  std::string Run(std::string_view line);
  std::string Run(const std::vector<std::string>& words);
  // What the last command gave to the change log: "SET k v; DEL x", or "" when nothing.
  const std::string& effects() const { return effects_text_; }
  int effects_database() const { return effects_database_; }

  ManualClock& clock() { return clock_; }
  FakeServices& fakes() { return fakes_; }
  AccessControl& access() { return access_; }
  ClientState& client() { return client_; }
  Keyspace& keyspace() { return *keyspace_; }
  const CommandTable& table() const { return table_; }
  // Null, as at first: commands compute at once.
  void set_computations(Computations* computations) { services_.computations = computations; }
  EncodingLimits& encoding_limits() { return services_.encoding_limits; }
  void set_string_bytes_max(uint64_t bytes) { services_.string_bytes_max = bytes; }
  // The entry of a key in the client's database, as attributes; for what no reply shows.
  store::Attributes AttributesOf(std::string_view key);
  void SetAttributes(std::string_view key, const store::Attributes& attributes);

 private:
  ManualClock clock_;
  FakeServices fakes_;
  DeliveryQueues queues_{1, [](uint32_t) {}};
  CommandTable table_;
  std::unique_ptr<Keyspace> keyspace_ = Keyspace::Create({}).value();
  ClientState client_;  // may hold values of the keyspace
  AccessControl access_{table_};
  Observation observation_;
  Scripts scripts_;
  PubSub pubsub_{queues_, keyspace_->hasher()};
  ClientTracking tracking_{*keyspace_, queues_, [](uint64_t) { return std::nullopt; }};
  Monitors monitors_{queues_};
  Services services_{fakes_,   fakes_,  fakes_,    access_,  observation_,
                     scripts_, pubsub_, tracking_, monitors_};
  Effects effects_;
  std::string effects_text_;
  int effects_database_ = -1;
};

}  // namespace mikura::engine
