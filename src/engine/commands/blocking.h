// SPDX-License-Identifier: Apache-2.0
// How a command waits for keys (BLPOP, BZPOPMIN, XREAD BLOCK).
//
// The command is an object that can say whether a key has what it wants, and take it. Its handler
// makes one and calls ServeOrWait(), which asks for each key in turn, and when none is ready lets
// the client wait, up to its time. The object is asked again, by whoever changes one of the keys,
// under that one's locks: so it owns what it needs (words of the request are gone by then), and
// knows no client.
//
//   class PopWait final : public BlockedCommand {
//    public:
//     FaultOr<bool> IsReady(KeyAccess& keys, const Key& key) override {
//       ASSIGN_OR_RETURN(const auto list, keys.View<ListValue>(key));
//       return static_cast<bool>(list);
//     }
//     FaultOr<> Serve(const ServeContext& ctx, const Key& key) override { ... pop, effect, reply
//     ... }
//   };
//
//   FaultOr<> BlPop(CommandContext& ctx) {
//     const std::optional<UnixMillis> timeout = WaitSeconds(ctx, ctx.args.back());
//     if (!timeout) return Ok();  // it has been answered
//     return ServeOrWait(ctx, ctx.key_list, *timeout, std::make_unique<PopWait>());
//   }
//
// Its row has kBlocking. Inside MULTI and scripts it never waits: ReplyNothing() is its answer.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engine/commands/command_context.h"
#include "engine/keyspace/waiter_table.h"
#include "wire/output_buffer.h"

namespace mikura::engine {

// What a service may use. The effects of what it takes go to keys.effects(), as in a handler.
struct ServeContext {
  KeyAccess& keys;
  wire::RespWriter& reply;  // in the RESP version of the client that waits
  Services& services;
  const Key* target;  // the other key, when there is one
};

class BlockedCommand {
 public:
  virtual ~BlockedCommand() = default;
  // Whether `key` has what the command wants. Changes nothing. Errors: what the handler answers;
  // for a client that waits already, a key with an error is one that is not ready.
  virtual FaultOr<bool> IsReady(KeyAccess& keys, const Key& key) = 0;
  // Takes it, adds the effects, and writes the one reply; right after IsReady() said so. An error
  // is the reply then.
  virtual FaultOr<> Serve(const ServeContext& ctx, const Key& key) = 0;
  // The reply when time is up; `waited`: false inside a transaction or script.
  virtual void ReplyNothing(wire::RespWriter& reply, bool waited);
  // Whether IsReady() may say so of a key that is absent (to answer that a stream is gone).
  virtual bool heeds_absence() const { return false; }
};

// A client that waits. Ended by whoever changes its state (Waiter::End), answered on its own
// thread.
class BlockedClient final : public Waiter {
 public:
  BlockedClient(const CommandContext& ctx, std::span<const Key> keys, const Key* target,
                UnixMillis deadline, std::unique_ptr<BlockedCommand> command);

  uint64_t client_id() const { return client_id_; }
  UnixMillis deadline() const { return deadline_; }  // kNoDeadline: it waits for ever
  // Ends the waiting with a reply that was made elsewhere, on any thread, with nothing locked.
  // Once.
  void Finish(std::string_view reply);
  // After it has ended: its reply.
  void WriteReply(wire::RespWriter& reply);

  bool IsReady(KeyAccess& keys, const Key& key) override;
  void Serve(KeyAccess& keys, const Key& key) override;
  bool heeds_absence() const override { return command_->heeds_absence(); }
  void Deliver() override;

 private:
  const uint64_t client_id_;
  const int resp_version_;
  const UnixMillis deadline_;
  const std::unique_ptr<BlockedCommand> command_;
  Services& services_;
  wire::OutputBuffer reply_;  // of a client that was served
};

// Serves the first key that is ready, or lets the client wait for `keys` (all of them keys of the
// row) in that order.
//
// timeout: milliseconds; 0: for ever.
// target:  the other key that a service changes (BLMOVE), of the row too; null: none.
FaultOr<> ServeOrWait(CommandContext& ctx, std::span<const Key> keys, UnixMillis timeout,
                      std::unique_ptr<BlockedCommand> command, const Key* target = nullptr);

// Lets the client wait for `keys` until the timeout, without asking whether one is ready. With no
// keys, whoever is given the client ends its wait (Waiter::End) and delivers it.
std::shared_ptr<BlockedClient> LetWait(CommandContext& ctx, std::span<const Key> keys,
                                       UnixMillis timeout, std::unique_ptr<BlockedCommand> command,
                                       const Key* target = nullptr);

// Lets the client wait for no key, but for what another thread does and tells it (Finish).
// unblocked: what an impatient CLIENT UNBLOCK is answered ("ERR ...").
std::shared_ptr<BlockedClient> WaitForJob(CommandContext& ctx, std::string_view unblocked);

// The milliseconds that a timeout means: seconds as a decimal number, rounded up, or milliseconds
// as an integer. Nullopt after an error reply.
std::optional<UnixMillis> WaitSeconds(CommandContext& ctx, std::string_view text);
std::optional<UnixMillis> WaitMillis(CommandContext& ctx, std::string_view text);

}  // namespace mikura::engine
