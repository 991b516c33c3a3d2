// SPDX-License-Identifier: Apache-2.0
#include "engine/server/client_registry.h"

#include <fmt/format.h>

#include "base/numbers.h"
#include "engine/commands/blocking.h"
#include "engine/commands/command_spec.h"
#include "engine/server/session.h"

namespace mikura::engine {
namespace {

constexpr size_t kClientBytes = sizeof(Session) + sizeof(ClientRecord);

std::string CommandName(const ClientRecord& record) {
  const CommandSpec* command = record.last_command.load(std::memory_order_relaxed);
  if (command == nullptr) return "NULL";
  std::string name = ToLower(command->name);
  const CommandSpec* subcommand = record.last_subcommand.load(std::memory_order_relaxed);
  if (subcommand != nullptr) name += "|" + ToLower(subcommand->name);
  return name;
}

bool Matches(const ClientFilter& filter, const ClientState& state) {
  if (filter.id && *filter.id != state.id) return false;
  if (filter.skip_id && *filter.skip_id == state.id) return false;
  if (filter.address && *filter.address != state.address) return false;
  if (filter.local_address && *filter.local_address != state.local_address) return false;
  if (filter.user && *filter.user != state.user) return false;
  if (filter.type && *filter.type != ClientTypeName(state)) return false;
  return true;
}

ClientInfo InfoOf(const ClientRecord& record, const ClientState& state) {
  ClientInfo info;
  info.state = state;
  info.fd = record.fd;
  info.is_amid_request = record.is_amid_request.load(std::memory_order_relaxed);
  info.queued_commands = record.queued_commands.load(std::memory_order_relaxed);
  info.is_blocked = record.is_blocked.load(std::memory_order_relaxed);
  info.last_active_at = record.last_active_at.load(std::memory_order_relaxed);
  info.last_command = CommandName(record);
  info.input_bytes = record.input_bytes.Get();
  info.output_bytes = record.output_bytes.Get();
  info.commands_total = record.commands.Get();
  info.held_input_bytes = record.held_input_bytes.load(std::memory_order_relaxed);
  info.held_output_bytes = record.held_output_bytes.load(std::memory_order_relaxed);
  info.queued_bytes = record.queued_bytes.load(std::memory_order_relaxed);
  return info;
}

}  // namespace

void ServerClientRegistry::Add(const std::shared_ptr<ClientRecord>& record) {
  MutexLock lock(mutex_);
  record->state.id = ++last_id_;
  record->published = record->state;
  clients_.emplace(last_id_, record);
}

void ServerClientRegistry::Remove(uint64_t id) {
  MutexLock lock(mutex_);
  clients_.erase(id);
}

std::optional<uint32_t> ServerClientRegistry::LoopOf(uint64_t id) const {
  MutexLock lock(mutex_);
  const auto found = clients_.find(id);
  if (found == clients_.end()) return std::nullopt;
  return found->second->loop;
}

std::vector<ClientInfo> ServerClientRegistry::List() {
  MutexLock lock(mutex_);
  std::vector<ClientInfo> list;
  list.reserve(clients_.size());
  for (const auto& [id, record] : clients_) {
    list.push_back(InfoOf(*record, record->published));
  }
  return list;
}

std::string ServerClientRegistry::Describe(const ClientInfo& info, UnixMillis now) {
  const ClientState& state = info.state;
  std::string flags;
  if (state.is_monitor) flags += 'O';
  if (state.is_replica) flags += 'S';
  if (state.is_subscriber) flags += 'P';
  if (info.queued_commands >= 0) flags += 'x';
  if (info.is_blocked) flags += 'b';
  if (state.tracking.on) flags += 't';
  if (state.tracking.broken_redirect) flags += 'R';
  if (state.tracking.broadcast) flags += 'B';
  if (state.no_evict) flags += 'e';
  if (state.no_touch) flags += 'T';
  if (flags.empty()) flags = "N";
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} "
      "multi={} qbuf={} qbuf-free=0 argv-mem={} multi-mem={} rbs=0 rbp=0 obl=0 oll={} omem={} "
      "tot-mem={} events={} cmd={} user={} redir={} resp={} lib-name={} lib-ver={} tot-net-in={} "
      "tot-net-out={} "
      "tot-cmds={}",
      state.id, state.address, state.local_address, info.fd, state.name,
      (now - state.connected_at) / 1000, std::max<UnixMillis>(0, now - info.last_active_at) / 1000,
      flags, state.database, state.channels, state.patterns, state.shard_channels,
      info.queued_commands, info.held_input_bytes, info.argument_bytes, info.queued_bytes,
      info.held_output_bytes > 0 ? 1 : 0, info.held_output_bytes,
      kClientBytes + info.held_input_bytes + info.argument_bytes + info.queued_bytes +
          info.held_output_bytes,
      info.held_output_bytes > 0 ? "rw" : "r", info.last_command, state.user,
      state.tracking.on ? static_cast<int64_t>(state.tracking.redirect) : -1, state.resp_version,
      state.library_name, state.library_version, info.input_bytes, info.output_bytes,
      info.commands_total);
}

std::string ServerClientRegistry::DescribeOwn(const ClientState& state, UnixMillis now) {
  std::optional<ClientInfo> info;
  {
    MutexLock lock(mutex_);
    const auto found = clients_.find(state.id);
    if (found != clients_.end()) info = InfoOf(*found->second, state);
  }
  return info ? Describe(*info, now) : std::string();
}

void ServerClientRegistry::Publish(const ClientState& state) {
  MutexLock lock(mutex_);
  const auto found = clients_.find(state.id);
  if (found != clients_.end()) found->second->published = state;
}

size_t ServerClientRegistry::Kill(const ClientFilter& filter) {
  std::vector<std::pair<uint32_t, uint64_t>> victims;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, record] : clients_) {
      if (Matches(filter, record->published)) victims.emplace_back(record->loop, id);
    }
  }
  for (const auto& [loop, id] : victims) kill_(loop, id);
  return victims.size();
}

void ServerClientRegistry::Answer(const std::shared_ptr<BlockedClient>& client) {
  // One that is gone needs no answer.
  if (const auto loop = LoopOf(client->client_id())) answer_(*loop, client);
}

bool ServerClientRegistry::Unblock(uint64_t id, bool with_error) {
  std::shared_ptr<BlockedClient> waiting;
  {
    MutexLock lock(mutex_);
    const auto found = clients_.find(id);
    if (found == clients_.end()) return false;
    waiting = found->second->waiting;
  }
  if (waiting == nullptr ||
      !waiting->End(with_error ? Waiter::State::kUnblockedWithError : Waiter::State::kUnblocked)) {
    return false;
  }
  Answer(waiting);
  return true;
}

void ServerClientRegistry::SetWaiting(uint64_t id, std::shared_ptr<BlockedClient> waiting) {
  MutexLock lock(mutex_);
  const auto found = clients_.find(id);
  if (found != clients_.end()) found->second->waiting.swap(waiting);
}

size_t ServerClientRegistry::KillByListener(const std::string& name) {
  std::vector<std::pair<uint32_t, uint64_t>> victims;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, record] : clients_) {
      if (record->listener == name) victims.emplace_back(record->loop, id);
    }
  }
  for (const auto& [loop, id] : victims) kill_(loop, id);
  return victims.size();
}

}  // namespace mikura::engine
