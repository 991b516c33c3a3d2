// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/replica_link.h"

#include <algorithm>

#include "base/logging.h"
#include "base/numbers.h"

namespace mikura::engine {
namespace {

constexpr milliseconds kConnectTimeout{5000};
constexpr milliseconds kAckPeriod{1000};
constexpr milliseconds kHeldUpPause{2};
// Pauses between attempts: short for a primary that restarts, longer when copying it fails again
// and again.
constexpr milliseconds kPatienceMin{100};
constexpr milliseconds kPatienceMax{1000};
constexpr milliseconds kPatienceAfterFailedCopies{10'000};

}  // namespace

ReplicaLink::ReplicaLink(Keyspace& keyspace, PrimarySide& side, RecordExecutor& executor,
                         const SettingsSource& settings, std::function<void(bool)> on_loading)
    : keyspace_(keyspace),
      side_(side),
      executor_(executor),
      settings_(settings),
      on_loading_(std::move(on_loading)),
      receive_buffer_(256 * 1024, '\0'),
      thread_([this] { Run(); }) {}

ReplicaLink::~ReplicaLink() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    if (current_ != nullptr) current_->Interrupt();
    changed_.NotifyAll();
  }
  thread_.join();
}

void ReplicaLink::Follow(const std::string& host, int port, const FollowTerms& terms) {
  MutexLock lock(mutex_);
  target_ = {host, port, target_.generation + 1, terms};
  idle_ = false;
  was_connected_.store(false, std::memory_order_relaxed);
  down_since_.store(clock_.NowNanos(), std::memory_order_relaxed);
  SetState(LinkState::kConnect);
  if (current_ != nullptr) current_->Interrupt();
  changed_.NotifyAll();
}

void ReplicaLink::Release() {
  MutexLock lock(mutex_);
  target_ = {"", 0, target_.generation + 1, {}};
  if (current_ != nullptr) current_->Interrupt();
  changed_.NotifyAll();
  while (!idle_) changed_.Wait(mutex_);
}

LinkStatus ReplicaLink::status() const {
  return {state_.load(std::memory_order_relaxed),
          last_io_.load(std::memory_order_relaxed),
          down_since_.load(std::memory_order_relaxed),
          was_connected_.load(std::memory_order_relaxed),
          sync_total_bytes_.load(std::memory_order_relaxed),
          sync_read_bytes_.load(std::memory_order_relaxed)};
}

bool ReplicaLink::AwaitTarget(milliseconds patience, Target& target) {
  MutexLock lock(mutex_);
  current_.reset();
  if (patience.count() > 0 && !stopping_ && target_.generation == generation_) {
    changed_.WaitFor(mutex_, patience);
  }
  while (!stopping_ && target_.host.empty()) {
    idle_ = true;
    SetState(LinkState::kNone);
    changed_.NotifyAll();
    changed_.Wait(mutex_);
  }
  if (stopping_) {
    idle_ = true;
    changed_.NotifyAll();
    return false;
  }
  idle_ = false;
  target = target_;
  current_ = std::make_shared<LinkSocket>();
  socket_ = current_;
  return true;
}

void ReplicaLink::Run() {
  Target target;
  milliseconds patience{0};
  while (AwaitTarget(patience, target)) {
    if (target.generation != generation_) {
      generation_ = target.generation;
      may_continue_ = target.terms.may_continue.value_or(may_continue_);
      // Of a former primary 0: its own log says for each record which database it is for.
      if (target.terms.may_continue) database_ = side_.stream_database();
      hands_over_ = target.terms.hands_over;
      patience = milliseconds{0};
    }
    connected_at_ = 0;
    SetState(LinkState::kConnecting);
    const Status status = FollowOnce(target);
    socket_->Close();
    if (connected_at_ != 0) down_since_.store(clock_.NowNanos(), std::memory_order_relaxed);
    SetState(LinkState::kConnect);
    if (socket_->interrupted()) continue;
    Log(LogLevel::kWarning, "replication", "link to primary {}:{}: {}", target.host, target.port,
        status.error().message);
    const bool copied_in_vain = !may_continue_ && keyspace_.change_log().head() != 0;
    const milliseconds longest = copied_in_vain ? kPatienceAfterFailedCopies : kPatienceMax;
    const bool was_fine = connected_at_ != 0 && may_continue_;
    patience = was_fine ? kPatienceMin : std::clamp(patience * 2, kPatienceMin, longest);
  }
}

Status ReplicaLink::FollowOnce(const Target& target) {
  input_.clear();
  const ReplicationSettings settings = settings_();
  RETURN_IF_ERROR(
      socket_->Connect(target.host, target.port, settings.source_address, kConnectTimeout));
  if (settings.uses_tls) {
    if (settings.tls == nullptr) return Error{"TLS is not configured"};
    RETURN_IF_ERROR(socket_->StartTls(*settings.tls, kConnectTimeout));
  }
  NoteIo();
  SetState(LinkState::kHandshake);
  RETURN_IF_ERROR(Handshake());
  RETURN_IF_ERROR(Synchronize());
  connected_at_ = clock_.NowNanos();
  down_since_.store(0, std::memory_order_relaxed);
  was_connected_.store(true, std::memory_order_relaxed);
  SetState(LinkState::kConnected);
  Log(LogLevel::kNotice, "replication", "following {}:{} from offset {}", target.host, target.port,
      keyspace_.change_log().head());
  return StreamLoop();
}

Status ReplicaLink::StreamLoop() {
  const MonotonicNanos limit = std::chrono::nanoseconds(settings_().timeout).count();
  RETURN_IF_ERROR(SendAck());
  while (true) {
    ASSIGN_OR_RETURN(const bool is_all_executed, ExecuteReceived(true));
    if (socket_->interrupted()) {
      FinishReceived();
      return Error{"interrupted"};
    }
    const MonotonicNanos now = clock_.NowNanos();
    if (now >= next_ack_) {
      RETURN_IF_ERROR(SendAck());
      if (settings_().uses_tls != socket_->is_tls()) return Error{"tls-replication has changed"};
    }
    if (!is_all_executed) {
      // What the primary sends meanwhile waits in the socket, and then with the primary.
      NoteIo();
      std::this_thread::sleep_for(kHeldUpPause);
      continue;
    }
    if (now - last_io_.load(std::memory_order_relaxed) > limit) {
      return Error{"the primary has been silent for too long"};
    }
    const auto wait = milliseconds{std::max<MonotonicNanos>(1, (next_ack_ - now) / 1'000'000)};
    if (!socket_->Wait(false, -1, wait).readable) continue;
    const ssize_t n = socket_->TryReceive(receive_buffer_.data(), receive_buffer_.size());
    if (n == LinkSocket::kGone) return Error{"the primary closed the connection"};
    if (n == LinkSocket::kBlocked) continue;
    NoteIo();
    reader_->Append({receive_buffer_.data(), static_cast<size_t>(n)});
  }
}

void ReplicaLink::FinishReceived() {
  while (true) {
    const auto executed = ExecuteReceived(false);
    if (!executed.ok()) {
      Log(LogLevel::kWarning, "replication", "the end of the stream: {}", executed.error().message);
      return;
    }
    const ssize_t n = socket_->TryReceive(receive_buffer_.data(), receive_buffer_.size());
    if (n <= 0) return;
    reader_->Append({receive_buffer_.data(), static_cast<size_t>(n)});
  }
}

// False: the rest is left for later, which it may be if `may_pause`.
Result<bool> ReplicaLink::ExecuteReceived(bool may_pause) {
  RecordReader::Record record;
  while (!may_pause || !side_.SnapshotsAreFull()) {
    auto more = reader_->Next(record);
    if (more.ok() && !more.value()) return true;
    const Status status = more.ok() ? ExecuteRecord(record) : Status(std::move(more).error());
    if (!status.ok()) {
      may_continue_ = false;  // F2: the same record would fail again
      side_.NoteDivergence();
      return status.error();
    }
  }
  return false;
}

Status ReplicaLink::ExecuteRecord(const RecordReader::Record& record) {
  for (const CommandWords words : record.commands) {
    if (words.size() > 1 && EqualsIgnoreCase(words[0], "REPLCONF") &&
        EqualsIgnoreCase(words[1], "GETACK")) {
      RETURN_IF_ERROR(SendAck());
    }
  }
  MutexLock apply(side_.apply_mutex());
  RETURN_IF_ERROR(executor_.Execute(record.commands, database_));
  side_.set_stream_database(database_);
  side_.AppendReceived(record.bytes);
  return Ok();
}

Status ReplicaLink::SendAck() {
  next_ack_ = clock_.NowNanos() + std::chrono::nanoseconds(kAckPeriod).count();
  const std::string offset = std::to_string(keyspace_.change_log().head());
  const std::optional<Lsn> on_disk = side_.DiskPosition();
  std::string ack = fmt::format("*{}\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n${}\r\n{}\r\n",
                                on_disk ? 5 : 3, offset.size(), offset);
  if (on_disk) {
    const std::string position = std::to_string(*on_disk);
    ack += fmt::format("$4\r\nFACK\r\n${}\r\n{}\r\n", position.size(), position);
  }
  return socket_->SendAll(ack, settings_().timeout);
}

}  // namespace mikura::engine
