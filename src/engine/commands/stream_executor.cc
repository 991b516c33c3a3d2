// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/stream_executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.h"
#include "engine/commands/command_keys.h"
#include "engine/commands/fault_replies.h"
#include "engine/commands/library_loading.h"
#include "engine/commands/restored_form.h"
#include "engine/messaging/pubsub.h"

namespace mikura::engine {
namespace {

// Part of the stream, but nothing to do for the data.
bool IsIgnored(std::string_view name) {
  constexpr std::string_view kIgnored[] = {"PING", "REPLCONF"};
  return std::any_of(std::begin(kIgnored), std::end(kIgnored),
                     [name](std::string_view ignored) { return EqualsIgnoreCase(name, ignored); });
}

}  // namespace

Status StreamExecutor::Execute(std::span<const CommandWords> commands, int& database) {
  steps_.clear();
  keys_.clear();
  for (const CommandWords words : commands) RETURN_IF_ERROR(Resolve(words));
  ShardSet shards;
  for (const Step& step : steps_) {
    // FLUSHALL and its like visit all shards.
    if (step.spec != nullptr && step.key_count == 0 && (step.spec->flags & kPublishes) == 0) {
      shards.set();
    }
    for (size_t i = 0; i < step.key_count; ++i) shards.set(keys_[step.first_key + i].shard());
  }
  Status status = keyspace_.RunLocked(shards, keys_, 0, effects_, [&]() -> Status {
    for (const Step& step : steps_) RETURN_IF_ERROR(Run(step, HeldShards(shards), database));
    return Ok();
  });
  script_thread_.reset();
  services_.pubsub.WakePosted();
  return status;
}

Status StreamExecutor::ReplaceLibraries(std::span<const std::string> codes) {
  return engine::ReplaceLibraries(services_.scripts, codes);
}

void StreamExecutor::GiveForm(collections::Collection& value, uint8_t rdb_type) {
  ApplyRestoredForm(value, rdb_type, services_.encoding_limits);
}

ScriptThread* StreamExecutor::ScriptThreadFor(const CommandSpec& spec) {
  if ((spec.flags & kTakesToken) == 0) return nullptr;
  if (script_thread_ == nullptr) {
    script_thread_ = std::make_unique<ScriptThread>(services_.scripts, WithoutTimeLimit());
  }
  return script_thread_.get();
}

Status StreamExecutor::Resolve(CommandWords words) {
  Step step{.words = words};
  if (IsIgnored(words[0]) || EqualsIgnoreCase(words[0], "SELECT")) {
    steps_.push_back(step);
    return Ok();
  }
  step.spec = table_.Find(words[0]);
  if (step.spec != nullptr && !step.spec->subcommands.empty() && words.size() > 1) {
    step.spec = table_.FindSubcommand(*step.spec, words[1]);
  }
  if (step.spec == nullptr || step.spec->handler == nullptr) {
    return Error{fmt::format("the stream has '{}', which this node does not know", words[0])};
  }
  if (!step.spec->arity.Accepts(words.size())) {
    return Error{fmt::format("the stream has '{}' with {} words", words[0], words.size())};
  }
  step.first_key = keys_.size();
  FindKeys(*step.spec, words, keyspace_.hasher(), places_, keys_);
  step.key_count = keys_.size() - step.first_key;
  steps_.push_back(step);
  return Ok();
}

Status StreamExecutor::Run(const Step& step, HeldShards held, int& database) {
  if (step.spec == nullptr) {
    if (!EqualsIgnoreCase(step.words[0], "SELECT")) return Ok();
    const auto number = step.words.size() == 2 ? ParseInt64(step.words[1]) : std::nullopt;
    if (!number || *number < 0 || *number >= keyspace_.database_count()) {
      return Error{"the stream selects a database that this node does not have"};
    }
    database = static_cast<int>(*number);
    return Ok();
  }
  client_.database = database;
  client_.authenticated = true;
  output_.Clear();
  wire::RespWriter reply(output_, 2);
  KeyAccess keys(keyspace_, effects_, database, {0, false}, held);
  CommandContext context{
      .args = step.words,
      .key_list = std::span<const Key>(keys_).subspan(step.first_key, step.key_count),
      .keys = keys,
      .reply = reply,
      .client = client_,
      .keyspace = keyspace_,
      .services = services_,
      .table = table_,
      .spec = *step.spec,
      .script_thread = ScriptThreadFor(*step.spec),
      .may_wait = false};
  const FaultOr<> outcome = step.spec->handler(context);
  if (!outcome.ok()) {
    return Error{fmt::format("'{}' of the stream failed here: {}", step.words[0],
                             ReplyFor(outcome.error()).message)};
  }
  if (output_.view().starts_with('-')) {
    return Error{fmt::format("'{}' of the stream failed here: {}", step.words[0],
                             output_.view().substr(1, output_.size() - 3))};
  }
  return Ok();
}

}  // namespace mikura::engine
