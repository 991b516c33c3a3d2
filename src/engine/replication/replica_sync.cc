// SPDX-License-Identifier: Apache-2.0
// The part of ReplicaLink between connecting and following: handshake and full sync.
#include <charconv>

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
  LinkSource(LinkSocket& socket, milliseconds timeout, std::function<void()> note_io)
      : socket_(socket), timeout_(timeout), note_io_(std::move(note_io)) {}
  Result<size_t> Read(char* out, size_t size) override {
    ASSIGN_OR_RETURN(const size_t received, socket_.Receive(out, size, timeout_));
    note_io_();
    return received;
  }

 private:
  LinkSocket& socket_;
  const milliseconds timeout_;
  const std::function<void()> note_io_;
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
  ASSIGN_OR_RETURN(const std::string reply, Ask({"PSYNC", wanted_id, std::to_string(wanted)}));
  const std::vector<std::string_view> words = SplitWords(reply);
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
  SetState(LinkState::kSync);
  // Until the snapshot comes, the old data goes on being served.
  ASSIGN_OR_RETURN(const std::string announcement, ReadLine(settings_().timeout));
  may_continue_ = false;
  on_loading_(true);
  side_.Suspend();
  Effects effects;
  keyspace_.FlushAll(effects);
  Status loaded = Load(announcement);
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

Status ReplicaLink::Load(const std::string& announcement) {
  const bool until_mark =
      announcement.starts_with(kEofPrefix) && announcement.size() == kEofPrefix.size() + kMarkBytes;
  const std::optional<uint64_t> length =
      until_mark ? std::nullopt : ParseUint64(std::string_view(announcement).substr(1));
  if (!announcement.starts_with('$') || (!until_mark && !length.has_value())) {
    return Error{"the primary announces no snapshot: " + announcement};
  }
  LinkSource source(*socket_, settings_().timeout, [this] { NoteIo(); });
  SyncLoader loader(keyspace_);
  loader.SetForm([this](collections::Collection& value, uint8_t rdb_type) {
    executor_.GiveForm(value, rdb_type);
  });
  RdbReader rdb(source, loader, keyspace_.allocator().collections(), input_);
  RETURN_IF_ERROR(rdb.Read());
  input_ = rdb.rest();
  if (length.has_value() && *length != rdb.offset())
    return Error{"the snapshot has another length"};
  if (until_mark) RETURN_IF_ERROR(ExpectMark(announcement.substr(kEofPrefix.size())));
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
