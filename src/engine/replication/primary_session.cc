// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/primary_session.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "base/logging.h"
#include "base/numbers.h"
#include "wire/resp_parser.h"

namespace mikura::engine {
namespace {

constexpr size_t kReadBytes = 1024 * 1024;  // taken from the backlog at once
constexpr size_t kSlicesPerSend = 64;
constexpr milliseconds kSlotPoll{200};
constexpr milliseconds kOnlinePoll{1000};
// A replica says little; more than this without an end is no replica.
constexpr size_t kInputMax = 64 * 1024;
constexpr std::string_view kTooFarBehind = "it is too far behind";

// Gives up when the changes that gather meanwhile are too many for the replica.
class SocketSink final : public SnapshotSink {
 public:
  SocketSink(LinkSocket& socket, milliseconds timeout, const Backlog& backlog,
             const Backlog::Cursor& cursor)
      : socket_(socket), timeout_(timeout), backlog_(backlog), cursor_(cursor) {}
  Status Write(std::string_view bytes) override {
    if (backlog_.IsCut(cursor_)) return Error{std::string(kTooFarBehind)};
    return socket_.SendAll(bytes, timeout_);
  }

 private:
  LinkSocket& socket_;
  const milliseconds timeout_;
  const Backlog& backlog_;
  const Backlog::Cursor& cursor_;
};

// A file without a name, which goes with its descriptor.
class SpoolSink final : public SnapshotSink {
 public:
  explicit SpoolSink(const std::string& folder)
      : fd_(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {}
  bool valid() const { return fd_.valid(); }
  uint64_t size() const { return size_; }

  Status Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Error{fmt::format("cannot write the spool: {}", std::strerror(errno))};
      bytes.remove_prefix(static_cast<size_t>(n));
      size_ += static_cast<uint64_t>(n);
    }
    return Ok();
  }
  Status CopyTo(SnapshotSink& sink) {
    std::string buffer(256 * 1024, '\0');
    for (uint64_t at = 0; at < size_;) {
      const ssize_t n = pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return Error{"cannot read the spool"};
      RETURN_IF_ERROR(sink.Write({buffer.data(), static_cast<size_t>(n)}));
      at += static_cast<uint64_t>(n);
    }
    return Ok();
  }

 private:
  UniqueFd fd_;
  uint64_t size_ = 0;
};

}  // namespace

PrimarySession::PrimarySession(PrimarySide& side, ConnectedSocket socket,
                               const ReplicaHandshake& handshake, std::string received)
    : side_(side),
      socket_(std::move(socket)),
      handshake_(handshake),
      host_(handshake.ip_address.empty() ? socket_.PeerHost() : handshake.ip_address),
      input_(std::move(received)) {
  acknowledged_at_.store(clock_.NowNanos(), std::memory_order_relaxed);
}

PrimarySession::~PrimarySession() {
  Interrupt();
  if (thread_.joinable()) thread_.join();
}

void PrimarySession::Start() {
  thread_ = std::thread([this] { Run(); });
}

ReplicaStatus PrimarySession::status() const {
  constexpr const char* kStates[] = {"wait_bgsave", "send_bulk", "online"};
  const MonotonicNanos silence =
      clock_.NowNanos() - acknowledged_at_.load(std::memory_order_relaxed);
  return {host_,
          handshake_.listening_port,
          kStates[static_cast<int>(state_.load(std::memory_order_relaxed))],
          acknowledged_.load(std::memory_order_relaxed),
          acknowledged_on_disk_.load(std::memory_order_relaxed),
          sent_.load(std::memory_order_relaxed),
          silence / 1'000'000'000};
}

void PrimarySession::Run() {
  const Status status = Serve();
  side_.in_sync().Remove(this, clock_.NowNanos());
  if (attached_) side_.backlog().Detach(cursor_);
  pending_.clear();
  if (!status.ok() && !socket_.interrupted()) {
    Log(LogLevel::kNotice, "replication", "replica {}:{} left: {}", host_,
        handshake_.listening_port, status.error().message);
  }
  // The peer learns it now, not when this object is reaped.
  socket_.Close();
  ended_.store(true, std::memory_order_release);
}

Status PrimarySession::Serve() {
  const milliseconds timeout = side_.settings()().timeout;
  if (!handshake_.is_sync && handshake_.wanted_offset > 0) {
    const Result<std::string> id = side_.BeginPartialSync(handshake_, cursor_);
    if (id.ok()) {
      attached_ = true;
      side_.NotePartialSync(true);
      const std::string reply = handshake_.understands_psync2
                                    ? fmt::format("+CONTINUE {}\r\n", id.value())
                                    : std::string("+CONTINUE\r\n");
      RETURN_IF_ERROR(socket_.SendAll(reply, timeout));
      Log(LogLevel::kNotice, "replication", "replica {}:{} continues from offset {}", host_,
          handshake_.listening_port, handshake_.wanted_offset);
      return StreamLog();
    }
    side_.NotePartialSync(false);
    Log(LogLevel::kNotice, "replication", "replica {}:{} needs a full sync: {}", host_,
        handshake_.listening_port, id.error().message);
  }
  RETURN_IF_ERROR(FullSync());
  return StreamLog();
}

Status PrimarySession::FullSync() {
  ASSIGN_OR_RETURN(PrimarySide::FullSync sync, BeginFullSync());
  attached_ = true;
  const milliseconds timeout = side_.settings()().timeout;
  if (!handshake_.is_sync) {
    RETURN_IF_ERROR(socket_.SendAll(
        fmt::format("+FULLRESYNC {} {}\r\n", sync.id, sync.snapshot->lsn()), timeout));
  }
  state_.store(State::kSending, std::memory_order_relaxed);
  Log(LogLevel::kNotice, "replication", "full sync of replica {}:{} from offset {}", host_,
      handshake_.listening_port, sync.snapshot->lsn());
  RETURN_IF_ERROR(SendSnapshot(sync));
  sync.snapshot.reset();
  return handshake_.understands_eof ? AwaitFirstAck() : Ok();
}

Result<PrimarySide::FullSync> PrimarySession::BeginFullSync() {
  const milliseconds timeout = side_.settings()().timeout;
  while (true) {
    if (side_.is_suspended()) {
      RETURN_IF_ERROR(socket_.SendAll(
          "-NOMASTERLINK Can't SYNC while not connected with my master\r\n", timeout));
      return Error{"this node has no data of its own primary yet"};
    }
    auto sync = side_.BeginFullSync(cursor_);
    if (sync.ok()) return sync;
    // Keeps the replica from giving up while it waits for one of the walks to be free.
    RETURN_IF_ERROR(socket_.SendAll("\n", timeout));
    socket_.Pause(kSlotPoll);
    if (socket_.interrupted()) return Error{"interrupted"};
  }
}

Status PrimarySession::SendSnapshot(PrimarySide::FullSync& sync) {
  Snapshot::AuxFields aux = {
      {"repl-stream-db", std::to_string(sync.stream_database)},
      {"repl-id", sync.id},
      {"repl-offset", std::to_string(sync.snapshot->lsn())},
  };
  if (!handshake_.understands_eof) return SendSpooled(sync, aux);
  SocketSink sink(socket_, side_.settings()().timeout, side_.backlog(), cursor_);
  const std::string mark = NewReplicationId();
  RETURN_IF_ERROR(sink.Write(fmt::format("$EOF:{}\r\n", mark)));
  RETURN_IF_ERROR(sync.snapshot->WriteRdb(sink, aux));
  return sink.Write(mark);
}

Status PrimarySession::SendSpooled(PrimarySide::FullSync& sync, const Snapshot::AuxFields& aux) {
  const ReplicationSettings settings = side_.settings()();
  SpoolSink spool(settings.folder);
  if (!spool.valid()) return Error{"cannot make a spool in " + settings.folder};
  RETURN_IF_ERROR(sync.snapshot->WriteRdb(spool, aux));
  SocketSink sink(socket_, settings.timeout, side_.backlog(), cursor_);
  RETURN_IF_ERROR(sink.Write(fmt::format("${}\r\n", spool.size())));
  return spool.CopyTo(sink);
}

Status PrimarySession::AwaitFirstAck() {
  const Lsn none = acknowledged_.load(std::memory_order_relaxed);
  const MonotonicNanos limit = std::chrono::nanoseconds(side_.settings()().timeout).count();
  const MonotonicNanos start = clock_.NowNanos();
  const MonotonicNanos before = acknowledged_at_.load(std::memory_order_relaxed);
  while (acknowledged_at_.load(std::memory_order_relaxed) == before &&
         acknowledged_.load(std::memory_order_relaxed) == none) {
    if (socket_.interrupted()) return Error{"interrupted"};
    if (clock_.NowNanos() - start > limit) return Error{"it does not say that it has loaded"};
    if (socket_.Wait(false, -1, kOnlinePoll).readable) RETURN_IF_ERROR(ReceiveSome());
  }
  return Ok();
}

Status PrimarySession::StreamLog() {
  state_.store(State::kOnline, std::memory_order_relaxed);
  acknowledged_at_.store(clock_.NowNanos(), std::memory_order_relaxed);
  Log(LogLevel::kNotice, "replication", "replica {}:{} is online", host_,
      handshake_.listening_port);
  side_.in_sync().Add(this, fmt::format("{}:{}", host_, handshake_.listening_port),
                      acknowledged_.load(std::memory_order_relaxed), clock_.NowNanos());
  while (true) {
    RETURN_IF_ERROR(SendSome());
    const bool blocked = pending_first_ < pending_.size();
    const bool idle = !blocked && side_.backlog().Await(cursor_);
    if (!blocked && !idle) continue;
    if (socket_.Wait(blocked, blocked ? -1 : cursor_.event_fd(), kOnlinePoll).readable) {
      RETURN_IF_ERROR(ReceiveSome());
    }
    if (socket_.interrupted()) return Error{"interrupted"};
    // One that takes nothing at all never comes to ask the backlog again.
    if (blocked && side_.backlog().IsCut(cursor_)) return Error{std::string(kTooFarBehind)};
    const MonotonicNanos silence =
        clock_.NowNanos() - acknowledged_at_.load(std::memory_order_relaxed);
    if (silence > std::chrono::nanoseconds(side_.settings()().timeout).count()) {
      return Error{"it has been silent for too long"};
    }
  }
}

Status PrimarySession::SendSome() {
  while (!socket_.interrupted()) {
    if (pending_first_ == pending_.size()) {
      pending_.clear();
      pending_first_ = 0;
      if (!side_.backlog().Read(cursor_, kReadBytes, pending_)) {
        return Error{std::string(kTooFarBehind)};
      }
      if (pending_.empty()) return Ok();
    }
    iovec parts[kSlicesPerSend];
    size_t count = 0;
    for (size_t i = pending_first_; i < pending_.size() && count < kSlicesPerSend; ++i, ++count) {
      const std::string_view bytes = pending_[i].bytes();
      parts[count] = {const_cast<char*>(bytes.data()), bytes.size()};
    }
    const ssize_t sent = socket_.TrySend({parts, count});
    if (sent == LinkSocket::kBlocked) return Ok();
    if (sent == LinkSocket::kGone) return Error{"the peer closed the connection"};
    for (auto left = static_cast<size_t>(sent); left > 0;) {
      LogSlice& slice = pending_[pending_first_];
      const size_t taken = std::min(left, slice.bytes().size());
      slice.TrimBefore(slice.begin() + static_cast<Lsn>(taken));
      sent_.store(slice.begin(), std::memory_order_relaxed);
      if (slice.bytes().empty()) ++pending_first_;
      left -= taken;
    }
  }
  return Error{"interrupted"};
}

Status PrimarySession::ReceiveSome() {
  char bytes[4096];
  const ssize_t n = socket_.TryReceive(bytes, sizeof(bytes));
  if (n == LinkSocket::kGone) return Error{"the peer closed the connection"};
  if (n > 0) input_.append(bytes, static_cast<size_t>(n));
  std::vector<std::string_view> words;
  std::vector<std::unique_ptr<std::string>> storage;
  size_t used = 0;
  while (used < input_.size()) {
    words.clear();
    const wire::RespResult result =
        wire::ParseResp(std::string_view(input_).substr(used), {}, words, storage);
    if (result.status == wire::RespStatus::kError) return Error{"it sent " + result.error};
    if (result.status == wire::RespStatus::kIncomplete) break;
    if (result.status == wire::RespStatus::kRequest) Interpret(words);
    used += result.consumed;
  }
  input_.erase(0, used);
  return input_.size() > kInputMax ? Status(Error{"it sends something endless"}) : Ok();
}

void PrimarySession::Interpret(std::span<const std::string_view> words) {
  // REPLCONF ACK <offset> [FACK <offset>]; anything else a replica sends needs no answer.
  if (words.size() < 3 || !EqualsIgnoreCase(words[0], "REPLCONF") ||
      !EqualsIgnoreCase(words[1], "ACK")) {
    return;
  }
  const std::optional<int64_t> offset = ParseInt64(words[2]);
  if (!offset.has_value()) return;
  acknowledged_.store(*offset, std::memory_order_relaxed);
  if (words.size() >= 5 && EqualsIgnoreCase(words[3], "FACK")) {
    if (const std::optional<int64_t> on_disk = ParseInt64(words[4])) {
      acknowledged_on_disk_.store(*on_disk, std::memory_order_relaxed);
    }
  }
  const MonotonicNanos now = clock_.NowNanos();
  acknowledged_at_.store(now, std::memory_order_relaxed);
  side_.in_sync().Acknowledge(this, *offset, now);
  side_.NoteAck();
}

}  // namespace mikura::engine
