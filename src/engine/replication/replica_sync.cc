// SPDX-License-Identifier: Apache-2.0
// The part of ReplicaLink between connecting and following: handshake and full sync.
#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "base/numbers.h"
#include "engine/persistence/rdb_file.h"
#include "engine/replication/replica_link.h"

namespace mikura::engine {
namespace {

constexpr size_t kLineBytesMax = 16 * 1024;
constexpr std::string_view kEofPrefix = "$EOF:";
constexpr size_t kMarkBytes = 40;

// Reads the snapshot from the link, noting that the primary is alive.
class LinkSource final : public ByteSource {
 public:
  LinkSource(LinkSocket& socket, milliseconds timeout, std::function<void(size_t)> note_io)
      : socket_(socket), timeout_(timeout), note_io_(std::move(note_io)) {}
  Result<size_t> Read(char* out, size_t size) override {
    ASSIGN_OR_RETURN(const size_t received, socket_.Receive(out, size, timeout_));
    note_io_(received);
    return received;
  }

 private:
  LinkSocket& socket_;
  const milliseconds timeout_;
  const std::function<void(size_t)> note_io_;
};

// Reads a snapshot that was received, and tells the primary meanwhile that this node is alive.
class LivelySource final : public ByteSource {
 public:
  LivelySource(SnapshotSpool* spool, LinkSocket& socket) : spool_(spool), socket_(socket) {}
  Result<size_t> Read(char* out, size_t size) override {
    const MonotonicNanos now = clock_.NowNanos();
    if (now - told_at_ > kLifeSign) {
      told_at_ = now;
      // When it cannot be sent, whatever comes next will say so.
      const iovec line{const_cast<char*>("\n"), 1};
      [[maybe_unused]] const ssize_t sent = socket_.TrySend({&line, 1});
    }
    if (socket_.interrupted()) return Error{"interrupted"};
    return spool_->Read(out, size);
  }

 private:
  static constexpr MonotonicNanos kLifeSign = 1'000'000'000;
  SnapshotSpool* const spool_;
  LinkSocket& socket_;
  SystemClock clock_;
  MonotonicNanos told_at_ = 0;
};

// Also learns which database the stream behind the snapshot begins in, and which libraries of
// functions the primary has.
class SyncLoader final : public KeyspaceLoader {
 public:
  explicit SyncLoader(Keyspace& keyspace) : KeyspaceLoader(keyspace, 0) {
    SetLibraries([this](std::string_view code) {
      libraries_.emplace_back(code);
      return Ok();
    });
  }
  void OnAux(std::string_view name, std::string_view value) override {
    if (name == "repl-stream-db") stream_database_ = ParseInt64(value).value_or(0);
  }
  int64_t stream_database() const { return stream_database_; }
  std::span<const std::string> libraries() const { return libraries_; }

 private:
  std::vector<std::string> libraries_;
  int64_t stream_database_ = 0;
};

std::vector<std::string_view> SplitWords(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t blank = line.find(' ');
    if (blank != 0) words.push_back(line.substr(0, blank));
    line = blank == std::string_view::npos ? std::string_view{} : line.substr(blank + 1);
  }
  return words;
}

}  // namespace

Result<std::string> ReplicaLink::ReadLine(milliseconds timeout) {
  while (true) {
    const size_t end = input_.find('\n');
    if (end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty()) return line;  // an empty one only says that the primary is alive
      continue;
    }
    if (input_.size() > kLineBytesMax) return Error{"the primary sends a line without end"};
    char bytes[4096];
    ASSIGN_OR_RETURN(const size_t received, socket_->Receive(bytes, sizeof(bytes), timeout));
    NoteIo();
    input_.append(bytes, received);
  }
}

Result<std::string> ReplicaLink::Ask(std::initializer_list<std::string_view> words) {
  std::string request = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) {
    request += fmt::format("${}\r\n", word.size());
    request.append(word).append("\r\n");
  }
  const milliseconds timeout = settings_().timeout;
  RETURN_IF_ERROR(socket_->SendAll(request, timeout));
  return ReadLine(timeout);
}

Status ReplicaLink::Authenticate(const ReplicationSettings& settings) {
  if (settings.primary_password.empty()) return Ok();
  auto reply = settings.primary_user.empty()
                   ? Ask({"AUTH", settings.primary_password})
                   : Ask({"AUTH", settings.primary_user, settings.primary_password});
  if (!reply.ok()) return std::move(reply).error();
  if (!reply.value().starts_with('+')) return Error{"AUTH: " + reply.value()};
  return Ok();
}

Status ReplicaLink::Handshake() {
  const ReplicationSettings settings = settings_();
  ASSIGN_OR_RETURN(const std::string pong, Ask({"PING"}));
  // A primary that wants a password first is alive too.
  if (!pong.starts_with('+') && !pong.starts_with("-NOAUTH") && !pong.starts_with("-NOPERM")) {
    return Error{"PING: " + pong};
  }
  RETURN_IF_ERROR(Authenticate(settings));
  const int port = settings.announce_port != 0 ? settings.announce_port : settings.listening_port;
  // Old primaries refuse options they do not know; that is no reason to give up.
  RETURN_IF_ERROR(Ask({"REPLCONF", "listening-port", std::to_string(port)}));
  if (!settings.announce_ip.empty()) {
    RETURN_IF_ERROR(Ask({"REPLCONF", "ip-address", settings.announce_ip}));
  }
  RETURN_IF_ERROR(Ask({"REPLCONF", "capa", "eof", "capa", "psync2"}));
  return Ok();
}

Status ReplicaLink::Synchronize() {
  const ReplicationIds ids = side_.ids();
  const std::string wanted_id = may_continue_ ? ids.current : "?";
  const Lsn wanted = may_continue_ ? keyspace_.change_log().head() + 1 : -1;
  // Only what it has written itself can a primary hand over.
  auto answer = hands_over_ ? Ask({"PSYNC", ids.current, std::to_string(wanted), "FAILOVER"})
                            : Ask({"PSYNC", wanted_id, std::to_string(wanted)});
  if (!answer.ok()) return std::move(answer).error();
  const std::string reply = std::move(answer).value();
  const std::vector<std::string_view> words = SplitWords(reply);
  const bool is_served = words[0] == "+CONTINUE" || words[0] == "+FULLRESYNC";
  if (hands_over_) {
    hands_over_ = !is_served;
    on_handover_(is_served);
  }
  if (words[0] == "+CONTINUE" && may_continue_) {
    if (words.size() > 1) side_.FollowNewId(std::string(words[1]));
    reader_ = std::make_unique<RecordReader>();
    reader_->Append(input_);
    input_.clear();
    return Ok();
  }
  if (words[0] != "+FULLRESYNC" || words.size() < 3) return Error{"PSYNC: " + reply};
  const std::optional<int64_t> lsn = ParseInt64(words[2]);
  if (!lsn.has_value() || *lsn < 0) return Error{"PSYNC: " + reply};
  return FullSync(std::string(words[1]), *lsn);
}

Status ReplicaLink::FullSync(const std::string& id, Lsn lsn) {
  sync_total_bytes_.store(-1, std::memory_order_relaxed);
  sync_read_bytes_.store(0, std::memory_order_relaxed);
  SetState(LinkState::kSync);
  // Until the snapshot is there, the old data goes on being served.
  ASSIGN_OR_RETURN(const std::string line, ReadLine(settings_().timeout));
  ASSIGN_OR_RETURN(const Announcement announcement, ParseAnnouncement(line));
  sync_total_bytes_.store(static_cast<int64_t>(announcement.length.value_or(0)),
                          std::memory_order_relaxed);
  std::optional<SnapshotSpool> spool;
  if (MustReceiveFirst()) {
    const std::string folder = settings_().folder;
    spool.emplace(folder);
    if (!spool->valid()) return Error{"cannot make a spool in " + folder};
    RETURN_IF_ERROR(ReceiveInto(announcement, *spool));
  }
  may_continue_ = false;
  on_loading_(true);
  side_.Suspend();
  Effects effects;
  keyspace_.FlushAll(effects);
  Status loaded = Load(announcement, spool ? &*spool : nullptr);
  if (!loaded.ok()) {
    // Half a copy is worse than none.
    keyspace_.FlushAll(effects);
    RETURN_IF_ERROR(executor_.ReplaceLibraries({}));
    on_loading_(false);
    return loaded;
  }
  side_.set_stream_database(database_);
  side_.Resume(id, lsn);
  on_loading_(false);
  may_continue_ = true;
  return Ok();
}

bool ReplicaLink::MustReceiveFirst() const {
  if (!settings_().loads_directly_when_empty) return true;
  for (int database = 0; database < keyspace_.database_count(); ++database) {
    if (keyspace_.KeyCount(database) > 0) return true;
  }
  return false;
}

Result<ReplicaLink::Announcement> ReplicaLink::ParseAnnouncement(const std::string& line) {
  Announcement announcement;
  if (line.starts_with(kEofPrefix) && line.size() == kEofPrefix.size() + kMarkBytes) {
    announcement.mark = line.substr(kEofPrefix.size());
    return announcement;
  }
  if (line.starts_with('$')) announcement.length = ParseUint64(std::string_view(line).substr(1));
  if (!announcement.length) return Error{"the primary announces no snapshot: " + line};
  return announcement;
}

// Behind a mark nothing comes before this node has answered; so what ends in the mark is complete.
Status ReplicaLink::ReceiveInto(const Announcement& announcement, SnapshotSpool& spool) {
  LinkSource source(*socket_, settings_().timeout, [this](size_t) { NoteIo(); });
  std::string piece = std::exchange(input_, {});
  std::string tail;
  while (true) {
    const uint64_t left = announcement.length ? *announcement.length - spool.size() : UINT64_MAX;
    if (piece.size() > left) {
      input_ = piece.substr(left);
      piece.resize(left);
    }
    RETURN_IF_ERROR(spool.Write(piece));
    sync_read_bytes_.store(static_cast<int64_t>(spool.size()), std::memory_order_relaxed);
    if (announcement.length && spool.size() == *announcement.length) return Ok();
    tail.append(piece, piece.size() - std::min(piece.size(), kMarkBytes));
    tail.erase(0, tail.size() - std::min(tail.size(), kMarkBytes));
    if (!announcement.length && tail == announcement.mark) {
      spool.TrimTo(spool.size() - kMarkBytes);
      return Ok();
    }
    piece.resize(receive_buffer_.size());
    ASSIGN_OR_RETURN(const size_t received, source.Read(piece.data(), piece.size()));
    piece.resize(received);
  }
}

Status ReplicaLink::Load(const Announcement& announcement, SnapshotSpool* spool) {
  SyncLoader loader(keyspace_);
  loader.SetForm([this](collections::Collection& value, uint8_t rdb_type) {
    executor_.GiveForm(value, rdb_type);
  });
  // What a client wrote meanwhile, whose request had been let in before.
  loader.set_replaces(!settings_().is_read_only);
  LinkSource link(*socket_, settings_().timeout, [this](size_t received) {
    NoteIo();
    sync_read_bytes_.fetch_add(static_cast<int64_t>(received), std::memory_order_relaxed);
  });
  LivelySource file(spool, *socket_);
  ByteSource& source = spool != nullptr ? static_cast<ByteSource&>(file) : link;
  RdbReader rdb(source, loader, keyspace_.allocator().collections(),
                spool != nullptr ? std::string_view() : std::string_view(input_));
  RETURN_IF_ERROR(rdb.Read());
  const std::optional<uint64_t> length = spool != nullptr ? spool->size() : announcement.length;
  if (length && *length != rdb.offset()) return Error{"the snapshot has another length"};
  if (spool == nullptr) {
    input_ = rdb.rest();
    if (!announcement.length) RETURN_IF_ERROR(ExpectMark(announcement.mark));
  }
  if (loader.stream_database() < 0 || loader.stream_database() >= keyspace_.database_count()) {
    return Error{"the primary's stream is in a database that this node does not have"};
  }
  RETURN_IF_ERROR(executor_.ReplaceLibraries(loader.libraries()));
  database_ = static_cast<int>(loader.stream_database());
  reader_ = std::make_unique<RecordReader>();
  reader_->Append(input_);
  input_.clear();
  Log(LogLevel::kNotice, "replication", "loaded {} keys, {} bytes", loader.count().keys,
      rdb.offset());
  return Ok();
}

Status ReplicaLink::ExpectMark(const std::string& mark) {
  while (input_.size() < kMarkBytes) {
    char bytes[kMarkBytes];
    ASSIGN_OR_RETURN(const size_t received,
                     socket_->Receive(bytes, kMarkBytes - input_.size(), settings_().timeout));
    input_.append(bytes, received);
  }
  if (std::string_view(input_).substr(0, kMarkBytes) != mark) {
    return Error{"the snapshot is not followed by its mark"};
  }
  input_.erase(0, kMarkBytes);
  return Ok();
}

}  // namespace mikura::engine
