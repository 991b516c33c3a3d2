// SPDX-License-Identifier: Apache-2.0
#include "engine/server/request_batch.h"

#include <utility>

#include "engine/commands/transaction.h"
#include "wire/resp_compact.h"

namespace mikura::engine {
namespace {

constexpr size_t kOutputKept = 1 << 20;  // a larger buffer is given back after use
constexpr size_t kWordsKept = 1 << 14;   // the same, of words and of keys

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
  if (size != 0) AddRequest(session, {input.data(), size}, words_begin);
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
  must_run_ = (flags & (kNoAuthNeeded | kAdmin | kBlocking | kMayWait)) != 0;
  flags_seen_ |= flags;
  acl_seen_ |= row != nullptr ? row->acl : 0;
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

Request RequestBatch::RequestOf(const Item& item) const {
  Request request;
  request.args = {words_.data() + item.words_begin, item.words_count};
  request.keys = {keys_.data() + item.keys_begin, item.keys_count};
  request.command = item.command;
  request.subcommand = item.subcommand;
  return request;
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
  const Request request = RequestOf(item);
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
  const bool failed = NoteErrors(begin);
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
    observer_.NoteRun(row, {words_.data() + item.words_begin, item.words_count}, client, failed,
                      {item.bytes.size(), output_bytes() - bytes_before});
  }
}

// Whether the reply that begins at `begin` is an error. Notes it, and errors inside of others.
inline bool RequestBatch::NoteErrors(size_t begin) {
  const bool failed = output_.size() > begin && output_.data()[begin] == '-';
  if (failed) [[unlikely]]
    observer_.NoteError(output_.view().substr(begin));
  if (const uint64_t errors = observer_.TakeErrorCount(); errors != 0) [[unlikely]]
    statistics_.error_replies.Add(errors);
  return failed;
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

// After a request came to another end than usual. False: nothing more is to be done for it now.
bool RequestBatch::Settle(const Item& item, RunOutcome outcome, size_t begin, bool skips_reply) {
  if (!Suspends(outcome)) return true;
  Session& session = *item.session;
  Suspend(item, outcome, begin);
  if (RunsAgain(outcome)) {
    session.state().skip_next_reply = skips_reply;
    pushes_.EndInside();
    return false;
  }
  session.set_drops_reply(session.state().replies_off || skips_reply);
  return true;
}

// The reply of the session's request ends here, and begins at `begin` unless it is behind another
// one.
inline void RequestBatch::ExtendRange(Session& session, size_t begin) {
  if (!ranges_.empty() && ranges_.back().session == &session) {
    ranges_.back().end = output_.size();
  } else {
    ranges_.push_back({&session, begin, output_.size()});
  }
}

// Whether RunUsual() will do: for a client that asked for nothing special, and a row with one key.
inline bool RequestBatch::IsUsual(const Item& item) const {
  const Session& session = *item.session;
  const ClientState& state = session.state();
  return item.is_checked && state.has_none() && !state.tracking.on && !state.transaction &&
         !session.had_transaction() && !session.doomed && !session.is_suspended();
}

// What is left of RunOne() then: nearly every request comes here.
void RequestBatch::RunUsual(const Item& item, UnixMillis now) {
  Session& session = *item.session;
  ClientState& state = session.state();
  const size_t begin = output_.size();
  const size_t bytes_before = output_bytes();
  if (has_lost_time_) [[unlikely]]
    observer_.Restart();
  has_lost_time_ = false;
  wire::RespWriter reply(output_, state.resp_version);
  const RunOutcome outcome =
      dispatcher_.RunOneKey(RequestOf(item), state, now, effects_, reply, statistics_);
  session.NoteCommand(item.command, nullptr);
  if (outcome == RunOutcome::kDone) [[likely]] {
    const bool failed = NoteErrors(begin);
    observer_.NoteRun(*item.command, {words_.data() + item.words_begin, item.words_count}, state,
                      failed, {item.bytes.size(), output_bytes() - bytes_before});
  } else {
    if (!Settle(item, outcome, begin, false)) return;
    Observe(item, outcome, begin, bytes_before);
  }
  statistics_.commands.Add(1);
  ExtendRange(session, begin);
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
    if (!Settle(item, outcome, begin, skip)) return;
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
  ExtendRange(session, begin);
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
      if (IsUsual(item)) [[likely]] {
        RunUsual(item, now);
      } else {
        RunOne(item, now);
      }
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
  flags_seen_ = 0;
  acl_seen_ = 0;
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
