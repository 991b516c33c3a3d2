// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_test_support.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/numbers.h"
#include "engine/commands/command_keys.h"
#include "engine/commands/fault_replies.h"

namespace mikura::engine {
namespace {

std::vector<std::string> SplitLine(std::string_view line) {
  Result<std::vector<std::string>> words = wire::SplitWords(line);
  CHECK(words.ok());
  return *words;
}

// "SET k v; DEL x" of a record of whole commands in RESP.
std::string Readable(std::string_view record) {
  std::string text;
  const auto number = [&] {
    const size_t end = record.find("\r\n");
    const auto value = ParseUint64(record.substr(1, end - 1));
    CHECK(value.has_value());
    record.remove_prefix(end + 2);
    return *value;
  };
  while (!record.empty()) {
    if (!text.empty()) text += "; ";
    const uint64_t words = number();
    for (uint64_t i = 0; i < words; ++i) {
      const uint64_t size = number();
      text += fmt::format("{}{}", i == 0 ? "" : " ", record.substr(0, size));
      record.remove_prefix(size + 2);
    }
  }
  return text;
}

std::string OnOneLine(std::string_view reply) {
  std::string text;
  for (size_t i = 0; i < reply.size(); ++i) {
    if (reply[i] == '\r' && i + 1 < reply.size() && reply[i + 1] == '\n') {
      text += ' ';
      ++i;
    } else {
      text += reply[i];
    }
  }
  return text;
}

}  // namespace

std::string FakeServices::Describe(const ClientInfo& info, UnixMillis) {
  return fmt::format("id={} name={} cmd={}", info.state.id, info.state.name, info.last_command);
}

size_t FakeServices::Kill(const ClientFilter& filter) {
  last_kill = filter;
  return 0;
}

std::vector<std::pair<std::string, std::string>> FakeServices::Get(
    std::span<const std::string_view> patterns) {
  return parameters.Get(patterns);
}

Status FakeServices::Set(std::span<const std::pair<std::string_view, std::string_view>> changes) {
  return parameters.Set(changes);
}

std::string FakeServices::Info(std::span<const std::string_view> sections) {
  std::string text = "# ";
  for (const std::string_view section : sections) text += fmt::format("{} ", section);
  return text;
}

Status FakeServices::ReplicaOf(std::string_view host, int port) {
  replica_of = fmt::format("{}:{}", host, port);
  return Ok();
}

Status FakeServices::Failover(const FailoverRequest& request) {
  failover =
      fmt::format("{}:{} {} {}", request.host, request.port, request.is_forced ? "force" : "-",
                  request.timeout.value_or(std::chrono::milliseconds(-1)).count());
  return Ok();
}

Status FakeServices::AbortFailover() { return Error{"No failover in progress."}; }

Status FakeServices::TakeOver(std::string_view) {
  return Error{"PSYNC FAILOVER can't be sent to a master."};
}

bool FakeServices::Unblock(uint64_t id, bool with_error) {
  unblocked = fmt::format("{} {}", id, with_error ? "error" : "timeout");
  return id == 8;
}

void FakeServices::Pause(UnixMillis now, UnixMillis end, bool all) {
  pause = fmt::format("{} {}", end - now, all ? "all" : "writes");
}

std::string FakeServices::DescribeOwn(const ClientState& state, UnixMillis) {
  return "id=" + std::to_string(state.id);
}

CommandRunner::CommandRunner() {
  client_.id = 7;
  client_.authenticated = true;
}

std::string CommandRunner::Run(std::string_view line) { return Run(SplitLine(line)); }

std::string CommandRunner::Run(const std::vector<std::string>& words) NO_THREAD_SAFETY_ANALYSIS {
  const std::vector<std::string_view> args(words.begin(), words.end());
  const CommandSpec* spec = table_.Find(args[0]);
  CHECK(spec != nullptr);
  if (!spec->subcommands.empty() && args.size() > 1) {
    spec = table_.FindSubcommand(*spec, args[1]);
  }
  CHECK(spec != nullptr && spec->arity.Accepts(args.size()));
  std::vector<Key> keys;
  std::vector<KeyPlace> places;
  FindKeys(*spec, args, keyspace_->hasher(), places, keys);
  ShardSet shards;
  for (const Key& key : keys) shards.set(key.shard());
  wire::OutputBuffer out;
  wire::RespWriter reply(out, client_.resp_version);
  keyspace_->LockShards(shards);
  effects_.Begin(true);
  KeyAccess access(*keyspace_, effects_, client_.database, keyspace_->AccessAt(clock_.NowMillis()));
  CommandContext context{args, keys, access, reply, client_, *keyspace_, services_, table_, *spec};
  const FaultOr<> outcome = spec->handler(context);
  effects_text_ = effects_.empty() ? "" : Readable(effects_.Record().bytes);
  effects_database_ = effects_.empty() ? -1 : effects_.Record().first_database;
  keyspace_->UnlockShards(shards);
  if (!outcome.ok()) {
    CHECK(out.size() == 0);
    reply.Error(ReplyFor(outcome.error()).code, ReplyFor(outcome.error()).message);
  }
  if (context.outcome == RunOutcome::kPreparing) return "(preparing)";
  return OnOneLine(out.view());
}

store::Attributes CommandRunner::AttributesOf(std::string_view key) NO_THREAD_SAFETY_ANALYSIS {
  const Key hashed = keyspace_->hasher()(key);
  ShardGuard guard(keyspace_->lock(hashed.shard()));
  const store::Found found =
      keyspace_->LockedShard(hashed.shard())
          .Peek(client_.database, hashed, keyspace_->AccessAt(clock_.NowMillis()));
  CHECK(found);
  return found.entry.attributes();
}

void CommandRunner::SetAttributes(std::string_view key,
                                  const store::Attributes& attributes) NO_THREAD_SAFETY_ANALYSIS {
  const Key hashed = keyspace_->hasher()(key);
  ShardGuard guard(keyspace_->lock(hashed.shard()));
  store::Shard& shard = keyspace_->LockedShard(hashed.shard());
  store::Found found =
      shard.Peek(client_.database, hashed, keyspace_->AccessAt(clock_.NowMillis()));
  CHECK(found);
  const FaultOr<> set = shard.SetAttributes(found, hashed, attributes);
  CHECK(set.ok());
}

}  // namespace mikura::engine
