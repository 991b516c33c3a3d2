// SPDX-License-Identifier: Apache-2.0
// What one command changed, as the commands that repeat it on a replica: gathered while the command
// runs, appended to the change log before its shards are unlocked.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "engine/keyspace/log_chunk.h"
#include "engine/keyspace/log_record.h"

namespace mikura::engine {

// ---- A command as the log has it: the header with the number of its words, then each word.
void AppendCommandHeader(std::string& out, size_t words);
void AppendCommandWord(std::string& out, std::string_view word);

// Somebody for whom it matters whether what a command does is in the log already. On the command's
// thread.
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  virtual void BeforeCommand() = 0;
  // Under the command's locks: what it has changed, if anything, is in the log.
  virtual void OnLogged() = 0;
  // It was logged, or does not come to that.
  virtual void AfterCommand() = 0;
};

// One per event loop, reused. Not thread-safe.
class Effects {
 public:
  Effects() = default;
  // Never active: what a replica executes is in the log already, in its primary's words.
  struct Muted {};
  explicit Effects(Muted) : muted_(true) {}

  // False when nobody reads the log: then Add does nothing, and a command need not build arguments.
  bool active() const { return active_ && !paused_; }
  // While paused nothing is added (redis.set_repl).
  void set_paused(bool value) { paused_ = value; }
  void Begin(bool active) {
    active_ = active && !muted_;
    paused_ = false;
    if (count_ == 0) return;
    count_ = 0;
    bytes_.clear();
  }

  // One effect in database `database`, in the form replicas execute it: absolute times, results
  // instead of intentions ("SET k v PXAT t", "DEL k").
  void Add(int database, std::initializer_list<std::string_view> words) {
    Add(database, std::span<const std::string_view>(words.begin(), words.size()));
  }
  void Add(int database, std::span<const std::string_view> words);

  // The same for one that was encoded before.
  void AddEncoded(int database, std::string_view command);

  // Whether the log was read when the command began: then it may have effects, and has seen some.
  bool is_logged() const { return active_; }
  // ---- The position behind the last change in the shards that commands have seen since this was
  // last asked. Only while the log is read.
  void NoteSeen(Lsn lsn) { seen_ = std::max(seen_, lsn); }
  Lsn TakeSeen() { return std::exchange(seen_, 0); }

  // Null: there is none. It outlives this.
  CommitListener* listener() const { return listener_; }
  void set_listener(CommitListener* listener) { listener_ = listener; }

  bool empty() const { return count_ == 0; }
  // The record: one command as it is, several inside MULTI ... EXEC, with a SELECT where the
  // database changes between them. Valid until the next call.
  LogRecord Record();

 private:
  void BeginCommand(int database);

  const bool muted_ = false;
  bool active_ = false;
  bool paused_ = false;
  int count_ = 0;
  int first_database_ = 0;
  int current_database_ = 0;
  Lsn seen_ = 0;
  CommitListener* listener_ = nullptr;
  std::string bytes_;
  std::string record_;
};

}  // namespace mikura::engine
