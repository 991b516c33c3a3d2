// SPDX-License-Identifier: Apache-2.0
// The requests of one turn: parsed, hashed and prefetched together, run in order, answered into one
// buffer. Words are views into the loop's receive memory, which outlives the batch.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/command_observer.h"
#include "engine/keyspace/effects.h"
#include "engine/server/dispatcher.h"
#include "engine/server/memcached_backend.h"
#include "engine/server/push_port.h"
#include "engine/server/session.h"
#include "wire/memcached_parser.h"
#include "wire/output_buffer.h"
#include "wire/resp_parser.h"

namespace mikura::engine {

class RequestBatch {
 public:
  RequestBatch(Keyspace& keyspace, Dispatcher& dispatcher, MemcachedBackend& memcached,
               PushPort& pushes, LoopStatistics& statistics, CommandObserver& observer);

  static constexpr size_t kRequestsMax = 32;
  bool full() const { return requests_.size() >= kRequestsMax; }
  bool empty() const { return requests_.empty(); }
  // True when the last request may change how the bytes behind it are to be read: run it first.
  bool must_run() const { return must_run_; }
  // True when a script is among the requests: while it runs, only its own client may wait behind
  // it, so the batch is run before another client's requests are added.
  bool has_script() const { return (flags_seen_ & kLocksItself) != 0; }

  // Parses one request of `session` at the start of `input` and adds it; returns what the parser
  // said. A protocol error is added as a request of its own that answers it and dooms the session.
  // `limits`: of a client that has logged in.
  wire::RespResult AddResp(Session& session, std::string_view input,
                           const wire::RespLimits& limits);
  // AddResp() for what ParseCompactResp() takes: the bytes used, or 0 when nothing was added.
  size_t AddCompactResp(Session& session, std::string_view input);
  // The same for a memcached client. kClose is added as a request that ends the session.
  wire::MemcachedParseStatus AddMemcached(Session& session, std::string_view input,
                                          size_t* consumed);

  // Prefetches, runs all requests in order, and forgets them; replies gather in output(). A request
  // that is put aside suspends its session, which then keeps the bytes of it and of those behind.
  void Run(UnixMillis now);
  // The sessions that the last Run() suspended.
  std::vector<Session*>& suspended() { return suspended_; }
  // Whose request is running.
  Session* runner() const { return runner_; }

  // Scratch for work between batches.
  Effects& effects() { return effects_; }

  // Where the replies of each session are in output(), in order.
  struct Range {
    Session* session;
    size_t begin;
    size_t end;
  };
  const std::vector<Range>& ranges() const { return ranges_; }
  // Guarded: the node promises something of its replies. Then each range has a Told.
  void set_guarded(bool value, CommitListener* listener) {
    is_guarded_ = value;
    effects_.set_listener(value ? listener : nullptr);
  }
  struct Told {
    Lsn lsn = 0;             // the last change that the range's replies may tell of
    bool is_change = false;  // one of its requests may have changed something
    bool is_state = false;   // or tells of what is in the shards
  };
  // Of ranges()[index].
  Told ToldIn(size_t index) const;
  // What was pushed into the range of the client whose request runs tells of all up to `lsn`.
  void NoteTold(Lsn lsn) { effects_.NoteSeen(lsn); }
  std::string_view Bytes(const Range& range) const {
    return output_.view().substr(range.begin, range.end - range.begin);
  }
  // What is pushed to the client whose request is running.
  void AppendPush(std::string_view bytes) { output_.Append(bytes); }
  size_t output_bytes() const { return output_.size_with_insertions(); }
  // Large values that belong into output(), in its order; whoever sends them takes them.
  std::vector<wire::OutputBuffer::Insertion>& insertions() { return output_.insertions(); }
  // Forgets the replies, after they were sent.
  void ClearOutput();
  // The same while a request runs: what it has written stays.
  void ForgetSent();

 private:
  struct Item {
    Session* session = nullptr;
    std::string_view bytes;  // as received; of a RESP client
    const CommandSpec* command = nullptr;
    const CommandSpec* subcommand = nullptr;
    bool is_checked = false;  // command is the row to run, and fits the number of words
    uint32_t words_begin = 0;
    uint32_t words_count = 0;
    uint32_t keys_begin = 0;
    uint32_t keys_count = 0;
    int memcached = -1;  // index into memcached_requests_, or -1
    int error = -1;      // index into errors_: answer it (if it has words) and close; or -1
  };

  void AddRequest(Session& session, std::string_view bytes, uint32_t words_begin);
  void PrefetchShards(size_t first) const;
  void Prefetch();
  void PrefetchCollections();
  bool IsUsual(const Item& item) const;
  void RunUsual(const Item& item, UnixMillis now);
  void RunOne(const Item& item, UnixMillis now);
  bool NoteErrors(size_t begin);
  void ExtendRange(Session& session, size_t begin);
  void RunGuarded(UnixMillis now);
  void NoteTold(const Item& item, bool was_fenced);
  void Observe(const Item& item, RunOutcome outcome, size_t begin, size_t bytes_before);
  RunOutcome RunResp(const Item& item, UnixMillis now);
  Request RequestOf(const Item& item) const;
  bool Settle(const Item& item, RunOutcome outcome, size_t begin, bool skips_reply);
  size_t PlacePushes(const Item& item, size_t reply_begin);
  void Suspend(const Item& item, RunOutcome outcome, size_t output_begin);

  Keyspace& keyspace_;
  Dispatcher& dispatcher_;
  MemcachedBackend& memcached_;
  PushPort& pushes_;
  LoopStatistics& statistics_;
  CommandObserver& observer_;
  Session* runner_ = nullptr;
  bool has_lost_time_ = false;  // something else than a RESP command has run since the last one
  Effects effects_;
  wire::OutputBuffer output_;
  std::vector<Item> requests_;
  std::vector<std::string_view> words_;
  std::vector<std::unique_ptr<std::string>> storage_;
  std::vector<KeyPlace> places_;  // scratch
  std::vector<Key> keys_;
  std::vector<const Key*> large_;  // scratch: keys that seem to hold large collections
  std::vector<std::string> errors_;
  std::unique_ptr<wire::MemcachedRequest[]>
      memcached_requests_;  // kRequestsMax, made when first used
  int memcached_count_ = 0;
  std::vector<Range> ranges_;
  std::vector<Told> told_;  // of ranges_, as far as guarded requests wrote them
  bool is_guarded_ = false;
  std::vector<Session*> suspended_;
  CommandTable::Memory last_command_;
  uint32_t flags_seen_ = 0;  // of all rows
  uint32_t acl_seen_ = 0;
  bool must_run_ = false;
};

}  // namespace mikura::engine
