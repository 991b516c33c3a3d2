// SPDX-License-Identifier: Apache-2.0
#include "engine/server/admin_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/logging.h"
#include "base/numbers.h"
#include "engine/commands/slow_log_reply.h"
#include "engine/net/socket.h"
#include "wire/resp_parser.h"

namespace mikura::engine {
namespace {

constexpr size_t kRequestMax = 1 << 20;

// Sends all of `bytes`, with the descriptor `fd` when it is not -1. The peer is a local agent that
// reads its answers; one that does not within the socket's send timeout is dropped.
bool SendReply(int socket, std::string_view bytes, int fd) {
  while (!bytes.empty()) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    if (fd >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof(control);
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(header), &fd, sizeof(int));
    }
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
    fd = -1;
  }
  return true;
}

void WriteRole(const RoleInfo& role, wire::RespWriter& reply) {
  if (!role.is_primary) {
    reply.Array(5);
    reply.Bulk("slave");
    reply.Bulk(role.primary_host);
    reply.Integer(role.primary_port);
    reply.Bulk(role.link_state);
    reply.Integer(role.offset);
    return;
  }
  reply.Array(3);
  reply.Bulk("master");
  reply.Integer(role.offset);
  reply.Array(role.replicas.size());
  for (const RoleInfo::Replica& replica : role.replicas) {
    reply.Array(3);
    reply.Bulk(replica.host);
    reply.Bulk(std::to_string(replica.port));
    reply.Bulk(std::to_string(replica.offset));
  }
}

void WriteSnapshotStatus(const AskedSnapshot::Progress& status, wire::RespWriter& reply) {
  constexpr std::string_view kNames[] = {"none", "saving", "done", "failed"};
  reply.Array(3);
  reply.Bulk(kNames[static_cast<size_t>(status.state)]);
  reply.Bulk(status.path);
  reply.Bulk(status.error);
}

}  // namespace

AdminServer::~AdminServer() { Stop(); }

Status AdminServer::Start(const std::string& path) {
  ASSIGN_OR_RETURN(listener_, ListenUnix(path, 0600));
  stop_event_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  thread_ = std::thread([this] { Run(); });
  return Ok();
}

void AdminServer::Stop() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_event_.get(), 1);
  thread_.join();
}

void AdminServer::Run() {
  for (;;) {
    std::vector<pollfd> waiting = {{stop_event_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Connection& connection : connections_) {
      waiting.push_back({connection.fd.get(), POLLIN, 0});
    }
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
    if (waiting[0].revents != 0) return;
    // Backwards, so that erasing does not move connections that are still to be looked at.
    for (size_t i = waiting.size(); i-- > 2;) {
      if (waiting[i].revents == 0) continue;
      const size_t index = i - 2;
      if (!Serve(connections_[index])) {
        connections_.erase(connections_.begin() + static_cast<ptrdiff_t>(index));
      }
    }
    if (waiting[1].revents == 0) continue;
    UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd.valid()) continue;
    const timeval timeout{2, 0};  // a stuck agent must not stop the thread for long
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    connections_.push_back({std::move(fd), {}, {}});
  }
}

bool AdminServer::Receive(Connection& connection) {
  char buffer[16 << 10];
  iovec part{buffer, sizeof(buffer)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t received = recvmsg(connection.fd.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (received < 0) return errno == EAGAIN || errno == EINTR;
  if (received == 0) return false;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      connection.received.Reset(fd);  // only the last is kept, the others are closed
    }
  }
  connection.input.append(buffer, static_cast<size_t>(received));
  return connection.input.size() <= kRequestMax;
}

// False when the connection is to be closed.
bool AdminServer::Serve(Connection& connection) {
  if (!Receive(connection)) return false;
  for (;;) {
    Words words;
    std::vector<std::unique_ptr<std::string>> storage;
    const wire::RespResult result =
        wire::ParseResp(connection.input, wire::RespLimits{}, words, storage);
    if (result.status == wire::RespStatus::kIncomplete) return true;
    wire::OutputBuffer out;
    wire::RespWriter reply(out, 2);
    int send_fd = -1;
    if (result.status == wire::RespStatus::kError) reply.Error("ERR", result.error);
    if (result.status == wire::RespStatus::kRequest) Execute(words, connection, reply, &send_fd);
    if (!SendReply(connection.fd.get(), out.view(), send_fd)) return false;
    if (result.status == wire::RespStatus::kError) return false;
    connection.input.erase(0, result.consumed);
  }
}

void AdminServer::Execute(const Words& words, Connection& connection, wire::RespWriter& reply,
                          int* send_fd) {
  const std::string name = ToUpper(words[0]);
  if (name == "PING") {
    reply.Simple("PONG");
  } else if (name == "INFO") {
    std::vector<std::string_view> sections(words.begin() + 1, words.end());
    reply.Bulk(parts_.control.Info(sections));
  } else if (name == "ROLE") {
    WriteRole(parts_.control.Role(), reply);
  } else if (name == "SHUTDOWN") {
    parts_.control.Stop();
    reply.Ok();
  } else if (name == "CONFIG" && words.size() >= 3) {
    Configure(words, reply);
  } else if (name == "SLOWLOG" && words.size() == 3) {
    TellSlowLog(words, reply);
  } else if (name == "MIKURA" && words.size() >= 2) {
    ExecuteNode(words, connection, reply, send_fd);
  } else {
    reply.Error("ERR", "unknown admin command");
  }
}

void AdminServer::ExecuteNode(const Words& words, Connection& connection, wire::RespWriter& reply,
                              int* send_fd) {
  const std::string verb = ToUpper(words[1]);
  if (verb == "NODE" && words.size() == 2) {
    reply.Bulk(parts_.node_id);
  } else if ((verb == "PROMOTE" && words.size() == 3) || (verb == "FOLLOW" && words.size() == 5) ||
             (verb == "STEPDOWN" && words.size() == 6)) {
    ChangeRole(words, reply);
  } else if (verb == "HOLD" && words.size() == 3) {
    Hold(words, reply);
  } else if (verb == "FENCE" && words.size() == 4) {
    SetFence(words, reply);
  } else if (verb == "INSYNC" && words.size() == 2) {
    TellInSync(reply);
  } else if (verb == "INSYNC" && words.size() >= 4) {
    AgreeInSync(words, reply);
  } else if (verb == "ACCESS" && words.size() == 2) {
    TellAccess(reply);
  } else if (verb == "USERS" && words.size() == 3) {
    SetUsers(words[2], reply);
  } else if (verb == "SNAPSHOT" && words.size() == 3) {
    BeginSnapshot(std::string(words[2]), reply);
  } else if (verb == "SNAPSHOTSTATUS" && words.size() == 2) {
    WriteSnapshotStatus(parts_.snapshot.progress(), reply);
  } else if (verb == "LISTEN" && words.size() == 4) {
    Listen(words, connection, reply);
  } else if (verb == "UNLISTEN" && words.size() == 3) {
    parts_.loops.StopListening(std::string(words[2]));
    parts_.clients.KillByListener(std::string(words[2]));
    reply.Ok();
  } else if (verb == "LISTENERS" && words.size() == 2) {
    const std::vector<std::string> names = parts_.loops.ListenerNames();
    reply.Array(names.size());
    for (const std::string& name : names) reply.Bulk(name);
  } else if (verb == "LISTENER" && words.size() == 3) {
    const auto listener = parts_.loops.FindListener(std::string(words[2]));
    if (listener == nullptr) {
      reply.Error("ERR", "no such listener");
      return;
    }
    *send_fd = fcntl(listener->fd.get(), F_DUPFD_CLOEXEC, 0);
    connection.received.Reset(*send_fd);  // closes the copy later, whatever happens
    reply.Ok();
  } else if (verb == "CLUSTERCONFIG" && words.size() == 4) {
    const auto version = ParseUint64(words[2]);
    if (!version) {
      reply.Error("ERR", "the version is not a number");
      return;
    }
    parts_.memcached.SetClusterConfiguration(*version, std::string(words[3]));
    reply.Ok();
  } else {
    reply.Error("ERR", "unknown or malformed MIKURA command");
  }
}

// SLOWLOG GET count.
void AdminServer::TellSlowLog(const Words& words, wire::RespWriter& reply) const {
  const std::optional<int64_t> count = ParseInt64(words[2]);
  if (ToUpper(words[1]) != "GET" || !count || *count < -1) {
    reply.Error("ERR", "unknown or malformed SLOWLOG command");
    return;
  }
  ReplyNewest(reply, parts_.slow_log, *count == -1 ? SIZE_MAX : static_cast<size_t>(*count));
}

// As for clients, but whatever clients may do: the service sets parameters while it allows nobody
// else to.
void AdminServer::Configure(const Words& words, wire::RespWriter& reply) {
  const std::string verb = ToUpper(words[1]);
  const std::span<const std::string_view> arguments(words.begin() + 2, words.end());
  if (verb == "GET") {
    const auto found = parts_.parameters.Get(arguments);
    reply.Array(found.size() * 2);
    for (const auto& [name, value] : found) {
      reply.Bulk(name);
      reply.Bulk(value);
    }
    return;
  }
  if (verb != "SET" || arguments.size() % 2 != 0) {
    reply.Error("ERR", "unknown or malformed CONFIG command");
    return;
  }
  std::vector<std::pair<std::string_view, std::string_view>> changes;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    changes.emplace_back(arguments[i], arguments[i + 1]);
  }
  const Status status = parts_.parameters.Set(changes);
  if (status.ok()) {
    reply.Ok();
  } else {
    reply.Error("ERR", status.error().message);
  }
}

void AdminServer::ChangeRole(const Words& words, wire::RespWriter& reply) {
  const auto epoch = ParseInt64(words[2]);
  const bool promote = words.size() == 3;
  const auto port = promote ? std::optional<int64_t>(0) : ParseInt64(words[4]);
  const bool steps_down = words.size() == 6;
  const auto end = steps_down ? ParseInt64(words[5]) : std::optional<int64_t>(0);
  if (!epoch || *epoch < 0 || !port || *port < 0 || *port > 65535 || !end) {
    reply.Error("ERR", "the epoch, the port or the position is not a number in range");
    return;
  }
  if (IsStale(*epoch, reply)) return;
  const std::string_view host = promote ? std::string_view() : words[3];
  const Status status = steps_down ? parts_.control.StepDown(host, static_cast<int>(*port), *end)
                                   : parts_.control.ReplicaOf(host, static_cast<int>(*port));
  if (!status.ok()) {
    reply.Error("ERR", status.error().message);
    return;
  }
  epoch_ = *epoch;
  reply.Ok();
}

void AdminServer::Hold(const Words& words, wire::RespWriter& reply) {
  constexpr int64_t kHoldMillisMax = 60'000;
  const auto millis = ParseInt64(words[2]);
  if (!millis || *millis < 0 || *millis > kHoldMillisMax) {
    reply.Error("ERR", "the time is not a number of milliseconds from 0 to 60000");
    return;
  }
  reply.Integer(parts_.control.HoldWritesFor(std::chrono::milliseconds(*millis)));
}

bool AdminServer::IsStale(int64_t epoch, wire::RespWriter& reply) const {
  if (epoch >= epoch_) return false;
  reply.Error("STALEEPOCH",
              "epoch " + std::to_string(epoch) + " is older than " + std::to_string(epoch_));
  return true;
}

void AdminServer::SetFence(const Words& words, wire::RespWriter& reply) {
  const auto epoch = ParseInt64(words[2]);
  const bool ends = ToLower(words[3]) == "none";
  const auto deadline = ends ? std::optional<int64_t>(Fence::kNever) : ParseInt64(words[3]);
  if (!epoch || *epoch < 0 || !deadline || *deadline < 0) {
    reply.Error("ERR", "the epoch or the deadline is not a number in range");
    return;
  }
  if (IsStale(*epoch, reply)) return;
  epoch_ = *epoch;
  parts_.node.fence.Set(*epoch, *deadline);
  if (!ends) parts_.memcached.BeginFence();
  parts_.guard.Set(ReplyGuard::kFence, !ends);
  reply.Ok();
}

void AdminServer::BeginSnapshot(const std::string& path, wire::RespWriter& reply) {
  if (path.empty() || path.front() != '/') {
    reply.Error("ERR", "the path is not absolute");
    return;
  }
  // What it holds is not whole yet.
  if (parts_.node.loading.load(std::memory_order_relaxed)) {
    reply.Error("LOADING", "the node is loading its data");
    return;
  }
  const Status begun = parts_.snapshot.Begin(path);
  if (!begun.ok()) {
    reply.Error("BUSY", begun.error().message);
    return;
  }
  reply.Ok();
}

void AdminServer::Listen(const Words& words, Connection& connection, wire::RespWriter& reply) {
  const std::string kind = ToLower(words[3]);
  if (kind != "resp" && kind != "memcached" && kind != "memcached-tls") {
    reply.Error("ERR", "the protocol is none of resp, memcached and memcached-tls");
    return;
  }
  int accepts = 0;
  socklen_t size = sizeof(accepts);
  const int fd = connection.received.get();
  if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) != 0 || accepts == 0) {
    reply.Error("ERR", "no listening socket came with the request");
    return;
  }
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  auto listener = std::make_shared<Listener>();
  listener->fd = std::move(connection.received);
  listener->protocol = kind == "resp" ? Protocol::kResp : Protocol::kMemcached;
  listener->is_tls = kind == "memcached-tls";
  listener->name = std::string(words[2]);
  parts_.loops.StartListening(std::move(listener));
  reply.Ok();
}

}  // namespace mikura::engine
