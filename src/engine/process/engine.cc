// SPDX-License-Identifier: Apache-2.0
#include "engine/process/engine.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/logging.h"
#include "engine/commands/acl_files.h"
#include "engine/net/socket.h"
#include "engine/server/listening.h"
#include "engine/server/replication_binding.h"
#include "engine/server/tls_binding.h"

namespace mikura::engine {
namespace {

// Whether replies wait until the append log has what they tell of.
bool HoldsReplies(const wire::EngineParameters& parameters) {
  return parameters.appendonly && parameters.appendfsync == "always";
}

// Cores this process may run on.
uint32_t AvailableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&cores)));
}

}  // namespace

Engine::Engine(wire::ParameterSet& parameters, const std::string& config_file,
               const MemcachedSettings& memcached_settings, std::unique_ptr<Keyspace> keyspace,
               const std::function<void()>& stop)
    : parameters_(parameters),
      current_(parameters.Current()),
      has_snapshot_(memcached_settings.has_snapshot),
      keyspace_(std::move(keyspace)),
      control_(parameters, *keyspace_, node_, clock_, NewReplicationId(), config_file, stop),
      clients_([this](uint32_t loop, uint64_t id) { loops_->KillClient(loop, id); },
               [this](uint32_t loop, const std::shared_ptr<BlockedClient>& client) {
                 loops_->AnswerClient(loop, client);
               }),
      adapter_(parameters),
      deliveries_(ThreadCount(), [this](uint32_t loop) { loops_->Wake(loop); }),
      pubsub_(deliveries_, keyspace_->hasher()),
      tracking_(*keyspace_, deliveries_, [this](uint64_t id) { return clients_.LoopOf(id); }),
      services_{clients_, adapter_, control_,  access_,  observation_,
                scripts_, pubsub_,  tracking_, monitors_},
      dispatcher_(*keyspace_, table_, services_, node_),
      memcached_(*keyspace_, parameters, node_, clock_, memcached_settings, stop),
      udp_port_(memcached_settings.udp_port),
      udp_(*keyspace_, memcached_, deliveries_, clock_),
      saver_(*keyspace_, snapshot_slots_, clock_),
      asked_snapshot_(*keyspace_, snapshot_slots_, clock_),
      stream_executor_(*keyspace_, table_, services_),
      replication_(
          *keyspace_, snapshot_slots_, stream_executor_,
          [this] {
            ReplicationSettings settings = ReplicationSettingsOf(*parameters_.Current());
            settings.tls = tls_.Current();
            return settings;
          },
          SwitchRole(
              node_, *keyspace_, [this] { UnblockClients(); },
              [this](bool holds) { control_.HoldWrites(holds); })),
      horizon_(ThreadCount(), [this](uint32_t loop) { loops_->Wake(loop); }),
      append_log_(*keyspace_, snapshot_slots_, clock_, current_->appenddirname,
                  current_->appendfilename,
                  [this](const std::function<Status(int database)>& cut) {
                    return replication_.AtRest(cut);
                  }),
      context_{*keyspace_, dispatcher_, memcached_, clients_,  observation_, scripts_, node_,
               clock_,     deliveries_, pubsub_,    tracking_, monitors_,    tls_,     horizon_},
      computations_([this](uint64_t client) {
        if (const auto loop = clients_.LoopOf(client)) loops_->TellComputed(*loop, client);
      }) {
  NumberCommands(table_, observation_.numbers);
  BindNodeState(parameters_, node_, services_);
  BindObservation(parameters_, observation_);
  BindScripts(parameters_, scripts_.state);
  BindEviction(parameters_, *keyspace_);
  BindDefragmentation(parameters_, *keyspace_);
  snapshot_slots_.SetLibraries([this] { return scripts_.functions.DumpedCodes(); });
  BindAppendLog(parameters_, append_log_);
  snapshot_slots_.SetAtRest(
      [this](const SnapshotSlots::Cut& cut) { return replication_.AtRest(cut); });
  snapshot_slots_.backlog().SetListener([this](bool is_full) {
    node_.SetWriteWait(NodeState::kSnapshotIsCongested, is_full);
    keyspace_->set_held_up(is_full);
  });
  BindSaving(parameters_, snapshot_slots_, saver_);
  BindTracking(parameters_, tracking_);
  BindTls(parameters_, tls_);
  parameters_.OnChange("port-tls", [this](const auto&, const auto& after) -> Status {
    if (after.port_tls == "required") loops_->EndPlainClients();
    return Ok();
  });
  BindKeyEvents(parameters_, *keyspace_, key_events_);
  context_.protected_mode = [this] {
    const auto now = parameters_.Current();
    return now->protected_mode && !access_.RequiresAuthentication();
  };
  context_.adopt_replica = [this](ConnectedSocket socket, const ClientState& client,
                                  std::string received) {
    replication_.Adopt(std::move(socket), client.replica, std::move(received));
  };
  context_.ask_for_acks = [this](Lsn need) { return replication_.TryAskForAcks(need); };
  // In-sync replicas are to have it at the same time: the log's own threads see to both.
  context_.commits = [this] {
    return append_log_.CommitsHere() && !node_.is_sync.load(std::memory_order_relaxed);
  };
  context_.commit = [this] { return append_log_.CommitHere(); };
  const unsigned reasons = (current_->durability == "sync" ? ReplyGuard::kReplicas : 0U) |
                           (HoldsReplies(*current_) ? ReplyGuard::kLocalLog : 0U);
  context_.starts_guarded = reasons != 0;
  loops_ = std::make_unique<LoopGroup>(ThreadCount(), context_);
  guard_ = std::make_unique<ReplyGuard>(*loops_, node_, reasons);
  BindDurability(parameters_, *guard_, node_, horizon_, replication_);
  control_.SetLoops(*loops_);
  control_.SetObservation(observation_, table_);
  control_.SetReplication(replication_);
  replica_waits_.SetReplication(replication_);
  services_.replica_waits = &replica_waits_;
  control_.SetScripts(scripts_);
  control_.SetMessaging(pubsub_, tracking_);
  control_.SetSaver(saver_);
  ConnectAppendLog();
  services_.migrations = &migrations_;
  services_.computations = &computations_;
  services_.saver = &saver_;
  saver_.SetOnCannotSave(
      [this](bool cannot) { node_.cannot_save.store(cannot, std::memory_order_relaxed); });
  saver_.SetOnLast([this](bool begins) { replication_.PrepareToEnd(begins); });
  saver_.SetIsHeld([this] { return node_.loading.load(std::memory_order_relaxed); });
  control_.NoteStart();
  memcached_.SetLoops(*loops_, clients_);
  admin_ = std::make_unique<AdminServer>(AdminServer::Parts{
      control_, *loops_, clients_, memcached_, node_, *guard_, access_, tls_, adapter_,
      asked_snapshot_, replication_, observation_.slow_log, current_->node_id});
}

void Engine::ConnectAppendLog() {
  control_.SetAppendLog(append_log_);
  services_.append_log = &append_log_;
  replica_waits_.SetAppendLog(append_log_);
  append_log_.SetDurableListener([this] {
    horizon_.Publish(DurableHorizon::Source::kLocalLog, append_log_.reply_lsn());
    replica_waits_.EndReady();
  });
  for (const std::string_view name : {"appendonly", "appendfsync"}) {
    parameters_.OnChange(name, [this](const auto&, const auto& after) -> Status {
      guard_->Set(ReplyGuard::kLocalLog, HoldsReplies(after));
      return Ok();
    });
  }
  append_log_.SetHealthListener([this](AppendLogWriter::Health health) {
    node_.log_error.store(health.error, std::memory_order_relaxed);
    // While it fails writes are refused, they need not wait.
    node_.SetWriteWait(NodeState::kLogIsCongested, health.is_congested && health.error == 0);
  });
  replication_.SetReloadListener([this](bool begins) {
    if (begins) {
      append_log_.Suspend();
    } else {
      append_log_.Resume();
    }
  });
  replication_.SetDiskPosition([this]() -> std::optional<Lsn> {
    if (!append_log_.is_established()) return std::nullopt;
    return append_log_.durable_lsn();
  });
}

// When all shards were free for a moment, no command goes on that was let in by a primary: whoever
// waits for keys does so already, and is found.
void Engine::UnblockClients() {
  if (loops_ == nullptr) return;
  loops_->loops()[0]->Post([this] {
    // In a turn that a script takes, the gate would wait for that script.
    if (keyspace_->script_token().is_mine()) return UnblockClients();
    keyspace_->WithGate({}, [] {});
    loops_->UnblockAll([this] { replication_.EndHeldReplies(); });
  });
}

Status Engine::Start(const std::vector<std::shared_ptr<Listener>>& listeners) {
  if (!table_.not_found().empty()) {
    return Error{fmt::format("restricted-commands: there is no command {}", table_.not_found()[0])};
  }
  RETURN_IF_ERROR(CheckTogether(*current_));
  RETURN_IF_ERROR(memcached_.LoadUsers());
  if (!current_->aclfile.empty()) {
    ASSIGN_OR_RETURN(const std::string users, ReadAclFile(current_->aclfile));
    RETURN_IF_ERROR(access_.users().Load(users, current_->aclfile));
    admin_->NoteUsers(users, access_.users().version());
  }
  RETURN_IF_ERROR(ConfigureTls(*current_, tls_));
  const bool has_log = current_->appendonly;
  const bool loads =
      has_log || (has_snapshot_ && ::access(current_->dbfilename.c_str(), F_OK) == 0);
  if (loads) {
    // Clients are told so meanwhile: they and the agent are served before the data are there.
    node_.loading.store(true, std::memory_order_relaxed);
  } else {
    append_log_.Start();
    // Before clients: a replica must not take a write while it finds its primary.
    RETURN_IF_ERROR(FollowConfiguredPrimary(*current_, replication_));
  }
  if (udp_port_ != 0) {
    std::istringstream addresses(current_->bind);
    std::string first;
    addresses >> first;
    RETURN_IF_ERROR(udp_.Start(first, std::max(udp_port_, 0)));
    memcached_.SetUdp(udp_);
  }
  loops_->Start();
  for (const auto& listener : listeners) loops_->StartListening(listener);
  if (!current_->admin_socket.empty()) {
    RETURN_IF_ERROR(admin_->Start(current_->admin_socket));
  }
  if (loads) {
    // As in Redis: with the log on, the snapshot is not looked at.
    // Nothing expires until it is known whose data these are.
    keyspace_->set_loading(true);
    RETURN_IF_ERROR(has_log ? LoadAppendLog() : LoadSnapshot());
    append_log_.Start();
    RETURN_IF_ERROR(FollowConfiguredPrimary(*current_, replication_));
    keyspace_->set_loading(false);
    if (current_->replicaof.empty()) node_.loading.store(false, std::memory_order_relaxed);
  }
  saver_.Start();
  Log(LogLevel::kNotice, "server", "ready: {} threads, port {}, memcached port {}, pid {}",
      ThreadCount(), current_->port, current_->memcached_port, getpid());
  return Ok();
}

// The data of the file, and where they stand in a replication stream: this node continues there as
// a replica, and those of before continue with it. A replica keeps what has expired: only its
// primary deletes.
Status Engine::LoadSnapshot() {
  const std::string& path = current_->dbfilename;
  const UnixMillis begin = clock_.NowMillis();
  std::vector<std::string> libraries;
  const UnixMillis drop_expired_at = current_->replicaof.empty() ? begin : 0;
  RdbStreamPosition position;
  control_.NoteLoading();
  auto loaded = LoadRdb(*keyspace_, path, drop_expired_at,
                        {.libraries = &libraries,
                         .position = &position,
                         .progress = &control_.load_progress(),
                         .form = [this](collections::Collection& value, uint8_t rdb_type) {
                           stream_executor_.GiveForm(value, rdb_type);
                         }});
  if (!loaded.ok()) return Error{fmt::format("cannot load {}", loaded.error().message)};
  RETURN_IF_ERROR(stream_executor_.ReplaceLibraries(libraries));
  if (position.is_known()) replication_.Restore(position.id, position.offset, position.database);
  control_.NoteLoaded(*loaded);
  Log(LogLevel::kNotice, "persistence", "loaded {}: {} keys, {} had expired, {} ms", path,
      loaded->keys, loaded->expired, clock_.NowMillis() - begin);
  return Ok();
}

Status Engine::LoadAppendLog() {
  control_.NoteLoading();
  Status status = append_log_.Open(
      {.execute = [this](std::span<const CommandWords> commands,
                         int& database) { return stream_executor_.Execute(commands, database); },
       .replace_libraries =
           [this](std::span<const std::string> codes) {
             return stream_executor_.ReplaceLibraries(codes);
           }},
      control_.load_progress());
  control_.NoteLoaded(append_log_.loaded());
  return status;
}

bool Engine::SaveAtEnd() {
  // As Redis: what is there of a copy must not replace the file.
  if (!saver_.has_points() || node_.loading.load(std::memory_order_relaxed)) return true;
  constexpr UnixMillis kDay = 24LL * 3600 * 1000;
  const UnixMillis now = clock_.NowMillis();
  control_.Pause(now, now + kDay, false);
  const bool is_saved = saver_.SaveInstead().ok();
  if (!is_saved) control_.Unpause();
  return is_saved;
}

void Engine::ReloadPasswords() {
  const Status status = memcached_.LoadUsers();
  if (!status.ok()) {
    Log(LogLevel::kWarning, "server", "the passwords stay as they were: {}",
        status.error().message);
  }
}

Status Engine::WritePortFile(const std::vector<std::shared_ptr<Listener>>& listeners) const {
  const char* name = std::getenv("MEMCACHED_PORT_FILENAME");
  if (name == nullptr || *name == '\0') return Ok();
  std::string text;
  for (const auto& listener : listeners) {
    const int port = LocalPort(listener->fd.get());
    if (listener->protocol != Protocol::kMemcached || port == 0) continue;
    const bool is_v6 = LocalAddress(listener->fd.get()).starts_with("[");
    text += fmt::format("TCP INET{}: {}\n", is_v6 ? "6" : "", port);
  }
  if (udp_port_ != 0) text += fmt::format("UDP INET: {}\n", LocalPort(udp_.fd()));
  // Complete before it has its name: whoever waits for the file may read it at once.
  const std::string temporary = std::string(name) + ".lck";
  std::ofstream file(temporary);
  file << text;
  file.close();
  if (!file || std::rename(temporary.c_str(), name) != 0) {
    return Error{fmt::format("cannot write the port file {}", name)};
  }
  return Ok();
}

void Engine::Stop() {
  admin_->Stop();
  saver_.Stop();
  asked_snapshot_.Stop();
  migrations_.Stop();
  computations_.Stop();
  scripts_.state.EndAll();
  loops_->Stop();
  udp_.Stop();
  replication_.Stop();
  append_log_.Stop();
}

uint32_t Engine::ThreadCount() const {
  return current_->threads > 0 ? static_cast<uint32_t>(current_->threads) : AvailableCores();
}

}  // namespace mikura::engine
