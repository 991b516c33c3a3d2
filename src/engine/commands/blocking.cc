// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/blocking.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/numbers.h"
#include "engine/commands/fault_replies.h"

namespace mikura::engine {
namespace {

void WriteFault(wire::RespWriter& reply, Fault fault) {
  const FaultReply& words = ReplyFor(fault);
  reply.Error(words.code, words.message);
}

// As strtold reads the whole text; no blanks.
std::optional<long double> ParseSeconds(std::string_view text) {
  constexpr size_t kLengthMax = 255;
  if (text.empty() || text.size() > kLengthMax ||
      std::isspace(static_cast<unsigned char>(text[0]))) {
    return std::nullopt;
  }
  const std::string copy(text);  // with an end
  char* end = nullptr;
  const long double seconds = std::strtold(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size() || std::isnan(seconds)) return std::nullopt;
  return seconds;
}

UnixMillis DeadlineAfter(UnixMillis now, UnixMillis timeout) {
  UnixMillis deadline = 0;
  if (timeout == 0 || __builtin_add_overflow(now, timeout, &deadline)) return store::kNoDeadline;
  return deadline;
}

}  // namespace

void BlockedCommand::ReplyNothing(wire::RespWriter& reply, bool /*waited*/) { reply.NullArray(); }

BlockedClient::BlockedClient(const CommandContext& ctx, std::span<const Key> keys,
                             const Key* target, UnixMillis deadline,
                             std::unique_ptr<BlockedCommand> command)
    : Waiter(ctx.keys.database(), keys, target),
      client_id_(ctx.client.id),
      resp_version_(ctx.client.resp_version),
      deadline_(deadline),
      command_(std::move(command)),
      services_(ctx.services) {}

bool BlockedClient::IsReady(KeyAccess& keys, const Key& key) {
  const FaultOr<bool> ready = command_->IsReady(keys, key);
  return ready.ok() && *ready;
}

void BlockedClient::Serve(KeyAccess& keys, const Key& key) {
  wire::RespWriter reply(reply_, resp_version_);
  const FaultOr<> served =
      command_->Serve({keys, reply, services_, target() ? &*target() : nullptr}, key);
  if (!served.ok()) WriteFault(reply, served.error());
}

void BlockedClient::Deliver() {
  services_.clients.Answer(std::static_pointer_cast<BlockedClient>(shared_from_this()));
}

void BlockedClient::Finish(std::string_view reply) {
  // Nobody reads it unless End() succeeds.
  reply_.Append(reply);
  if (End(State::kServed)) Deliver();
}

void BlockedClient::WriteReply(wire::RespWriter& reply) {
  switch (state()) {
    case State::kServed:
      return reply.out().Append(reply_.view());
    case State::kTimedOut:
    case State::kUnblocked:
      return command_->ReplyNothing(reply, true);
    case State::kUnblockedWithError:
      return reply.Error("UNBLOCKED", "client unblocked via CLIENT UNBLOCK");
    case State::kRoleChanged:
      return reply.Error("UNBLOCKED",
                         "force unblock from blocking operation, instance state changed (master -> "
                         "replica?)");
    case State::kWaiting:
    case State::kGone:
      return;
  }
}

FaultOr<> ServeOrWait(CommandContext& ctx, std::span<const Key> keys, UnixMillis timeout,
                      std::unique_ptr<BlockedCommand> command, const Key* target) {
  for (const Key& key : keys) {
    ASSIGN_OR_RETURN(const bool ready, command->IsReady(ctx.keys, key));
    if (ready) return command->Serve({ctx.keys, ctx.reply, ctx.services, target}, key);
  }
  if (!ctx.may_wait) {
    command->ReplyNothing(ctx.reply, false);
    return Ok();
  }
  ctx.keyspace.waiters().Add(LetWait(ctx, keys, timeout, std::move(command), target));
  return Ok();
}

std::shared_ptr<BlockedClient> LetWait(CommandContext& ctx, std::span<const Key> keys,
                                       UnixMillis timeout, std::unique_ptr<BlockedCommand> command,
                                       const Key* target) {
  auto client = std::make_shared<BlockedClient>(
      ctx, keys, target, DeadlineAfter(ctx.now(), timeout), std::move(command));
  ctx.client.waiting.set(client);
  ctx.outcome = RunOutcome::kBlocked;
  return client;
}

std::shared_ptr<BlockedClient> WaitForJob(CommandContext& ctx, std::string_view unblocked) {
  class JobWait final : public BlockedCommand {
   public:
    explicit JobWait(std::string_view unblocked) : unblocked_(unblocked) {}
    FaultOr<bool> IsReady(KeyAccess&, const Key&) override { return false; }
    FaultOr<> Serve(const ServeContext&, const Key&) override { return Ok(); }
    void ReplyNothing(wire::RespWriter& reply, bool) override { reply.Error("ERR", unblocked_); }

   private:
    const std::string unblocked_;
  };
  return LetWait(ctx, {}, 0, std::make_unique<JobWait>(unblocked));
}

std::optional<UnixMillis> WaitSeconds(CommandContext& ctx, std::string_view text) {
  const std::optional<long double> seconds = ParseSeconds(text);
  if (!seconds) {
    ctx.reply.Error("ERR", "timeout is not a float or out of range");
    return std::nullopt;
  }
  const long double millis = std::ceil(*seconds * 1000);
  // What is beyond 64 bits counts as negative, as in Redis.
  if (!(millis >= 0) || millis >= 0x1p63L) {
    ctx.reply.Error("ERR", "timeout is negative");
    return std::nullopt;
  }
  return static_cast<UnixMillis>(millis);
}

std::optional<UnixMillis> WaitMillis(CommandContext& ctx, std::string_view text) {
  const std::optional<int64_t> millis = ParseInt64(text);
  if (!millis) {
    ctx.reply.Error("ERR", "timeout is not an integer or out of range");
    return std::nullopt;
  }
  if (*millis < 0) {
    ctx.reply.Error("ERR", "timeout is negative");
    return std::nullopt;
  }
  return *millis;
}

}  // namespace mikura::engine
