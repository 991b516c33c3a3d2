// SPDX-License-Identifier: Apache-2.0
#include "engine/server/request_batch.h"

#include <utility>

#include "engine/commands/transaction.h"
#include "wire/resp_compact.h"

namespace mikura::engine {
namespace {

// Nearly all requests are for database 0; a wrong hint costs a wasted prefetch.
constexpr int kHintDatabase = 0;
constexpr size_t kOutputKept = 1 << 20;  // a larger buffer is given back after use
constexpr uint32_t kAclCollections =
    kAclSet | kAclSortedSet | kAclList | kAclHash | kAclGeo | kAclStream;
constexpr size_t kWordsKept = 1 << 14;  // the same, of words and of keys

template <typename Item>
void ClearAndShrink(std::vector<Item>& items) {
  items.clear();
  if (items.capacity() > kWordsKept) std::vector<Item>().swap(items);
}

// Whether nothing is pushed to the client before the reply: the replies of a transaction are one,
// and what a client begins to listen to comes behind the reply that says so.
bool TakesPushesBehind(const CommandSpec& row) {
  return (row.flags & kRunsQueue) != 0 || row.name == "MONITOR" || row.name == "SUBSCRIBE" ||
         row.name == "PSUBSCRIBE" || row.name == "SSUBSCRIBE";
}

Suspension SuspensionAfter(RunOutcome outcome) {
  if (outcome == RunOutcome::kPaused) return Suspension::kPaused;
  return outcome == RunOutcome::kPreparing ? Suspension::kPreparing : Suspension::kPutAside;
}

}  // namespace

RequestBatch::RequestBatch(Keyspace& keyspace, Dispatcher& dispatcher, MemcachedBackend& memcached,
                           PushPort& pushes, LoopStatistics& statistics, CommandObserver& observer)
    : keyspace_(keyspace),
      dispatcher_(dispatcher),
      memcached_(memcached),
      pushes_(pushes),
      statistics_(statistics),
      observer_(observer) {
  output_.set_takes_insertions(true);
  requests_.reserve(kRequestsMax);
  words_.reserve(kRequestsMax * 8);
  keys_.reserve(kRequestsMax);
}

size_t RequestBatch::AddCompactResp(Session& session, std::string_view input) {
  const auto words_begin = static_cast<uint32_t>(words_.size());
  const size_t size = wire::ParseCompactResp(input, words_);
  if (size != 0) AddRequest(session, input.substr(0, size), words_begin);
  return size;
}

wire::RespResult RequestBatch::AddResp(Session& session, std::string_view input,
                                       const wire::RespLimits& limits) {
  const auto words_begin = static_cast<uint32_t>(words_.size());
  wire::RespResult result = wire::ParseResp(
      input, session.state().authenticated ? limits : wire::RespLimits::Unauthenticated(), words_,
      storage_);
  if (result.status == wire::RespStatus::kError) {
    Item item;
    item.session = &session;
    item.bytes = input;  // nothing behind it is parsed
    item.error = static_cast<int>(errors_.size());
    errors_.push_back(result.error);
    requests_.push_back(item);
  }
  if (result.status == wire::RespStatus::kRequest) {
    AddRequest(session, input.substr(0, result.consumed), words_begin);
  }
  return result;
}

// Adds the request whose words begin at words_[words_begin]: finds its row and hashes its keys.
void RequestBatch::AddRequest(Session& session, std::string_view bytes, uint32_t words_begin) {
  Item& item = requests_.emplace_back();
  item.session = &session;
  item.bytes = bytes;
  item.words_begin = words_begin;
  item.words_count = static_cast<uint32_t>(words_.size()) - words_begin;
  item.keys_begin = static_cast<uint32_t>(keys_.size());
  Request request;
  request.args = {words_.data() + words_begin, item.words_count};
  item.is_checked = dispatcher_.ResolveOneKey(request, keys_, last_command_);
  if (!item.is_checked) dispatcher_.Resolve(request, places_, keys_);
  item.command = request.command;
  item.subcommand = request.subcommand;
  item.keys_count = static_cast<uint32_t>(keys_.size()) - item.keys_begin;
  PrefetchShards(item.keys_begin);
  // Limits depend on AUTH, PSYNC ends the client: rows without keys that change the connection.
  // What stands behind a command that blocks is better not parsed yet.
  const CommandSpec* row = request.command;
  uint32_t flags = row != nullptr ? row->flags : 0;
  const ClientState& client = session.state();
  if ((flags & kRunsQueue) != 0 && client.in_multi) flags |= client.transaction->FlagsWith(flags);
  has_collections_ = has_collections_ || (row != nullptr && (row->acl & kAclCollections) != 0);
  must_run_ = (flags & (kNoAuthNeeded | kAdmin | kBlocking | kMayWait)) != 0;
  has_script_ = has_script_ || (flags & kLocksItself) != 0;
}

wire::MemcachedParseStatus RequestBatch::AddMemcached(Session& session, std::string_view input,
                                                      size_t* consumed) {
  if (memcached_requests_ == nullptr) {
    memcached_requests_ = std::make_unique<wire::MemcachedRequest[]>(kRequestsMax);
  }
  wire::MemcachedRequest& request = memcached_requests_[static_cast<size_t>(memcached_count_)];
  wire::MemcachedParser& parser = session.memcached_parser();
  if (parser.must_authenticate()) parser.set_authenticated(session.state().authenticated);
  const wire::MemcachedParseStatus status = parser.Parse(input, &request, consumed);
  if (status == wire::MemcachedParseStatus::kNeedMore) return status;
  Item item;
  item.session = &session;
  if (status == wire::MemcachedParseStatus::kClose) {
    item.error = static_cast<int>(errors_.size());
    errors_.emplace_back();
    requests_.push_back(item);
    return status;
  }
  item.memcached = memcached_count_++;
  item.keys_begin = static_cast<uint32_t>(keys_.size());
  if (request.has_key()) {
    keys_.push_back(keyspace_.hasher()(request.key));
    item.keys_count = 1;
    PrefetchShards(item.keys_begin);
  }
  // These may take over the connection's output, or change how the bytes behind are read.
  must_run_ = request.command == wire::MemcachedCommand::kLruCrawler ||
              request.command == wire::MemcachedCommand::kWatch ||
              request.command == wire::MemcachedCommand::kAuthenticate;
  requests_.push_back(item);
  return status;
}

// What the keys from keys_[first] on need first. It is loaded while other requests are received and
// parsed.
void RequestBatch::PrefetchShards(size_t first) const {
  for (size_t i = first; i < keys_.size(); ++i) {
    keyspace_.PrefetchShard(keys_[i].shard(), kHintDatabase);
  }
}

// Short loops, so that the misses of many requests overlap: buckets, then entries, then what
// collections hold.
void RequestBatch::Prefetch() {
  if (keys_.size() < 2) return;
  for (const Key& key : keys_) {
    keyspace_.UnlockedShard(key.shard()).PrefetchBucket(kHintDatabase, key);
  }
  for (const Key& key : keys_) {
    keyspace_.UnlockedShard(key.shard()).PrefetchEntry(kHintDatabase, key);
  }
  if (has_collections_) PrefetchCollections();
}

// An object is looked into under its shard's lock, if that is free; a batch has none of its own
// yet.
void RequestBatch::PrefetchCollections() {
  large_.clear();
  for (const Key& key : keys_) {
    const store::Shard& shard = keyspace_.UnlockedShard(key.shard());
    if (shard.PrefetchCollection(kHintDatabase, key)) large_.push_back(&key);
  }
  for (const Key* key : large_) {
    ShardLock& lock = keyspace_.lock(key->shard());
    if (!lock.TryLock()) continue;
    keyspace_.LockedShard(key->shard()).PrefetchInside(kHintDatabase, *key);
    lock.Unlock();
  }
}

RunOutcome RequestBatch::RunResp(const Item& item, UnixMillis now) {
  Session& session = *item.session;
  ClientState& state = session.state();
  wire::RespWriter reply(output_, state.resp_version);
  if (item.error >= 0) {
    const std::string& words = errors_[static_cast<size_t>(item.error)];
    if (!words.empty()) reply.Error("ERR", words);
    session.end_reason = "error";
    state.close_after_reply = true;
    return RunOutcome::kDone;
  }
  Request request;
  request.args = {words_.data() + item.words_begin, item.words_count};
  request.keys = {keys_.data() + item.keys_begin, item.keys_count};
  request.command = item.command;
  request.subcommand = item.subcommand;
  const RunOutcome outcome =
      item.is_checked && !state.in_multi
          ? dispatcher_.RunOneKey(request, state, now, effects_, reply, statistics_)
          : dispatcher_.Run(request, state, now, effects_, reply, statistics_);
  session.NoteCommand(item.command, item.subcommand);
  if (state.transaction || session.had_transaction()) [[unlikely]]
    session.NoteTransaction();
  return outcome;
}

// After the item's request was not answered.
void RequestBatch::Suspend(const Item& item, RunOutcome outcome, size_t output_begin) {
  Session& session = *item.session;
  suspended_.push_back(&session);
  if (outcome == RunOutcome::kBlocked) return session.set_suspension(Suspension::kBlocked);
  output_.Truncate(output_begin);
  session.Keep(item.bytes);
  session.set_suspension(SuspensionAfter(outcome));
}

// begin: where the request's reply is in output_. bytes_before: what output_ held before it.
void RequestBatch::Observe(const Item& item, RunOutcome outcome, size_t begin,
                           size_t bytes_before) {
  const bool failed = output_.size() > begin && output_.data()[begin] == '-';
  if (failed) [[unlikely]]
    observer_.NoteError(output_.view().substr(begin));
  if (const uint64_t errors = observer_.TakeErrorCount(); errors != 0) [[unlikely]]
    statistics_.error_replies.Add(errors);
  if (item.command == nullptr) return;
  const CommandSpec& row = item.subcommand != nullptr ? *item.subcommand : *item.command;
  const ClientState& client = item.session->state();
  if (outcome == RunOutcome::kRefused) [[unlikely]] {
    observer_.NoteRejected(row);
  } else if (outcome == RunOutcome::kBlocked) [[unlikely]] {
    const auto words = std::span(words_).subspan(item.words_begin, item.words_count);
    item.session->set_waiting_request({.row = &row,
                                       .words = {words.begin(), words.end()},
                                       .bytes = item.bytes.size(),
                                       .ticks = observer_.NoteWaiting(row)});
  } else if (client.in_multi && (row.flags & kRunsInMulti) == 0) {
    has_lost_time_ = true;  // it was queued only
  } else {
    observer_.NoteRun(row, {words_.data() + item.words_begin, item.words_count}, client, failed);
    observer_.NoteSizes(row, {words_.data() + item.words_begin, item.words_count}, client,
                        item.bytes.size(), output_bytes() - bytes_before);
  }
}

// After a request of a client that others, or the request itself, may have sent something: hands it
// out around the reply that begins at `reply_begin`. Returns where the output of the request
// begins.
size_t RequestBatch::PlacePushes(const Item& item, size_t reply_begin) {
  if (!pushes_.HasWaiting() || item.command == nullptr) return reply_begin;
  const auto& inserted = output_.insertions();
  if (!inserted.empty() && inserted.back().offset >= reply_begin) return reply_begin;
  const std::string reply(output_.view().substr(reply_begin));
  output_.Truncate(reply_begin);
  pushes_.SendReplies();
  const std::string behind = pushes_.DeliverAround(*item.session, TakesPushesBehind(*item.command));
  output_.Append(reply);
  output_.Append(behind);
  return 0;
}

void RequestBatch::RunOne(const Item& item, UnixMillis now) {
  Session& session = *item.session;
  ClientState& state = session.state();
  if (session.doomed || state.close_after_reply || state.is_replica) return;
  if (session.is_suspended()) [[unlikely]] {
    session.Keep(item.bytes);
    return;
  }
  // UNSUBSCRIBE and RESET have delivered, inside of them, what was published before.
  const bool delivers = state.is_subscriber && item.command != nullptr &&
                        (item.command->flags & (kPubSub | kNoAuthNeeded)) != 0;
  if (delivers) [[unlikely]]
    pushes_.BeginInside(session);
  size_t begin = output_.size();
  const size_t bytes_before = output_bytes();
  const bool skip = std::exchange(state.skip_next_reply, false);
  if (item.memcached >= 0) {
    const Key* key = item.keys_count > 0 ? &keys_[item.keys_begin] : nullptr;
    // What its requests before this one answered is in the last range.
    const bool has_unsent = !ranges_.empty() && ranges_.back().session == &session &&
                            ranges_.back().begin < ranges_.back().end;
    MemcachedConnectionAccess connection{state.close_after_reply, session.source(), state.id,
                                         session.fd(), has_unsent};
    memcached_.Run(memcached_requests_[static_cast<size_t>(item.memcached)], key, state, connection,
                   now, effects_, output_);
    has_lost_time_ = true;
  } else {
    if (has_lost_time_) [[unlikely]]
      observer_.Restart();
    has_lost_time_ = false;
    const RunOutcome outcome = RunResp(item, now);
    if (Suspends(outcome)) [[unlikely]] {
      Suspend(item, outcome, begin);
      if (RunsAgain(outcome)) {
        state.skip_next_reply = skip;
        return pushes_.EndInside();
      }
      session.set_drops_reply(state.replies_off || skip);
    }
    Observe(item, outcome, begin, bytes_before);
  }
  if (delivers) [[unlikely]]
    pushes_.EndInside();
  statistics_.commands.Add(1);
  if ((state.replies_off || skip) && !state.reply_is_push) output_.Truncate(begin);
  state.reply_is_push = false;
  if (state.is_subscriber || state.is_monitor || state.tracking.on) [[unlikely]] {
    begin = PlacePushes(item, begin);
    // CLIENT CACHING was about this request, or those of this transaction.
    const bool is_about_client = item.command != nullptr && item.command->name == "CLIENT";
    if (!is_about_client && !state.in_multi) state.tracking.caching = false;
  }
  if (!ranges_.empty() && ranges_.back().session == &session) {
    ranges_.back().end = output_.size();
  } else {
    ranges_.push_back({&session, begin, output_.size()});
  }
}

void RequestBatch::Run(UnixMillis now) {
  suspended_.clear();
  Prefetch();
  has_lost_time_ = true;
  if (is_guarded_) [[unlikely]] {
    RunGuarded(now);
  } else {
    for (const Item& item : requests_) {
      runner_ = item.session;
      RunOne(item, now);
    }
  }
  runner_ = nullptr;
  requests_.clear();
  ClearAndShrink(words_);
  storage_.clear();
  ClearAndShrink(keys_);
  errors_.clear();
  memcached_count_ = 0;
  must_run_ = false;
  has_script_ = false;
  has_collections_ = false;
}

void RequestBatch::ForgetSent() {
  output_.ForgetInsertions();
  ranges_.clear();
  told_.clear();
}

void RequestBatch::ClearOutput() {
  output_.Clear();
  output_.ShrinkTo(kOutputKept);
  ranges_.clear();
  told_.clear();
}

}  // namespace mikura::engine
