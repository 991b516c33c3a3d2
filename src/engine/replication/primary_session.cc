// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/primary_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/logging.h"
#include "base/numbers.h"
#include "engine/replication/snapshot_spool.h"
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

// Gives up when what gathers meanwhile is too much: changes in the backlog, or values that writers
// handed over to the snapshot. Looks often, also while the replica takes nothing.
class SocketSink final : public SnapshotSink {
 public:
  // snapshot: the one that is being written; null: it is complete.
  SocketSink(LinkSocket& socket, const ReplicationSettings& settings, const Backlog& backlog,
             const Backlog::Cursor& cursor, const Snapshot* snapshot)
      : socket_(socket),
        timeout_(settings.timeout),
        gathered_max_(settings.lag_limits.hard_bytes),
        backlog_(backlog),
        cursor_(cursor),
        snapshot_(snapshot) {}

  Status Write(std::string_view bytes) override {
    milliseconds waited{0};
    while (!bytes.empty()) {
      if (socket_.interrupted()) return Error{"interrupted"};
      if (IsTooMuch()) return Error{std::string(kTooFarBehind)};
      const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
      const ssize_t n = socket_.TrySend({&part, 1});
      if (n == LinkSocket::kGone) return Error{"the peer closed the connection"};
      if (n > 0) {
        bytes.remove_prefix(static_cast<size_t>(n));
        waited = milliseconds{0};
      } else if (!socket_.AwaitWritable(kSlotPoll)) {
        waited += kSlotPoll;
        if (waited >= timeout_) return Error{"the peer does not take any data"};
      }
    }
    return Ok();
  }

 private:
  bool IsTooMuch() const {
    if (backlog_.IsCut(cursor_)) return true;
    return snapshot_ != nullptr && gathered_max_ > 0 && snapshot_->gathered_bytes() > gathered_max_;
  }

  LinkSocket& socket_;
  const milliseconds timeout_;
  const uint64_t gathered_max_;
  const Backlog& backlog_;
  const Backlog::Cursor& cursor_;
  const Snapshot* const snapshot_;
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
  if (side_.hands_over()) {
    RETURN_IF_ERROR(socket_.SendAll("-NOMASTERLINK Can't SYNC while failing over\r\n", timeout));
    return Error{"this node hands over its role"};
  }
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
  const bool marks_end = SendsDirectly();
  RETURN_IF_ERROR(SendSnapshot(sync, marks_end));
  sync.snapshot.reset();
  if (handshake_.wants_only_snapshot) return Error{"it has the snapshot that it wanted"};
  return marks_end ? AwaitFirstAck() : Ok();
}

Result<PrimarySide::FullSync> PrimarySession::BeginFullSync() {
  const milliseconds timeout = side_.settings()().timeout;
  // A replica that takes its snapshot too slowly is cut off; a slow disk makes clients wait.
  const auto waiter = SendsDirectly() ? Snapshot::Waiter::kNobody : Snapshot::Waiter::kWriters;
  while (true) {
    if (side_.is_suspended()) {
      RETURN_IF_ERROR(socket_.SendAll(
          "-NOMASTERLINK Can't SYNC while not connected with my master\r\n", timeout));
      return Error{"this node has no data of its own primary yet"};
    }
    auto sync = side_.BeginFullSync(cursor_, waiter);
    if (sync.ok()) return sync;
    // Keeps the replica from giving up while it waits for one of the walks to be free.
    RETURN_IF_ERROR(socket_.SendAll("\n", timeout));
    socket_.Pause(kSlotPoll);
    if (socket_.interrupted()) return Error{"interrupted"};
  }
}

Status PrimarySession::SendSnapshot(PrimarySide::FullSync& sync, bool marks_end) {
  Snapshot::AuxFields aux = {
      {"repl-stream-db", std::to_string(sync.stream_database)},
      {"repl-id", sync.id},
      {"repl-offset", std::to_string(sync.snapshot->lsn())},
  };
  sync.snapshot->LeaveOut(!handshake_.wants_data, !handshake_.wants_functions);
  if (!marks_end) return SendSpooled(sync, aux);
  SocketSink sink(socket_, side_.settings()(), side_.backlog(), cursor_, sync.snapshot.get());
  const std::string mark = NewReplicationId();
  RETURN_IF_ERROR(sink.Write(fmt::format("$EOF:{}\r\n", mark)));
  RETURN_IF_ERROR(sync.snapshot->WriteRdb(sink, aux));
  return sink.Write(mark);
}

bool PrimarySession::SendsDirectly() const {
  return handshake_.understands_eof && side_.settings()().sends_directly;
}

Status PrimarySession::SendSpooled(PrimarySide::FullSync& sync, const Snapshot::AuxFields& aux) {
  const ReplicationSettings settings = side_.settings()();
  SnapshotSpool spool(settings.folder);
  if (!spool.valid()) return Error{"cannot make a spool in " + settings.folder};
  RETURN_IF_ERROR(sync.snapshot->WriteRdb(spool, aux));
  SocketSink sink(socket_, settings, side_.backlog(), cursor_, nullptr);
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
    if (side_.backlog().IsCut(cursor_)) return Error{std::string(kTooFarBehind)};
    // One that loads says so by empty lines.
    if (clock_.NowNanos() - std::max(start, heard_at_) > limit) {
      return Error{"it does not say that it has loaded"};
    }
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
        clock_.NowNanos() - std::max(heard_at_, acknowledged_at_.load(std::memory_order_relaxed));
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
  if (n > 0) heard_at_ = clock_.NowNanos();
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
