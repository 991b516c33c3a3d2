// SPDX-License-Identifier: Apache-2.0
// Work that takes long, done on a thread of its own kind while event loops and shards are free for
// others (docs/adr/0021-long-work-on-held-values.md). It uses what it owns: values that are held
// (held_value.h), and words that were copied.
//
// A command that only reads answers with what a computation writes: its moment is when the values
// were taken. A command that changes something is prepared (preparation.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/commands/command_context.h"
#include "wire/output_buffer.h"
#include "wire/reply_source.h"
#include "wire/resp_writer.h"

namespace mikura::engine {

class Computation {
 public:
  virtual ~Computation() = default;
  // Once, on any thread.
  void Run() {
    if (!is_abandoned_.load(std::memory_order_relaxed)) Compute();
    is_done_.store(true, std::memory_order_release);
  }
  // Then its results may be read.
  bool is_done() const { return is_done_.load(std::memory_order_acquire); }
  // Nobody wants its result any more.
  void Abandon() { is_abandoned_.store(true, std::memory_order_relaxed); }

 protected:
  virtual void Compute() = 0;

 private:
  std::atomic<bool> is_done_{false};       // publishes the result to who reads it
  std::atomic<bool> is_abandoned_{false};  // publishes nothing but itself
};

// Writes a whole reply.
class ReplyComputation : public Computation {
 public:
  std::string_view reply() const { return reply_.view(); }
  // In the words of that RESP version. Set before it runs.
  void set_version(int version) { version_ = version; }

 protected:
  virtual void Write(wire::RespWriter& reply) = 0;

 private:
  void Compute() final {
    wire::RespWriter writer(reply_, version_);
    Write(writer);
  }

  int version_ = 2;
  wire::OutputBuffer reply_;
};

// What a function writes, which owns what it needs.
class FunctionReply final : public ReplyComputation {
 public:
  explicit FunctionReply(std::function<void(wire::RespWriter& reply)> write)
      : write_(std::move(write)) {}

 private:
  void Write(wire::RespWriter& reply) override { write_(reply); }

  const std::function<void(wire::RespWriter& reply)> write_;
};

// Whether this command may leave its reply to a computation: not inside a transaction or a script.
inline bool MayReplyLater(const CommandContext& ctx) {
  return ctx.may_wait && ctx.services.computations != nullptr && ctx.reply.out().takes_insertions();
}

// Replies, behind what the client got before and in front of what follows, with what `computation`
// writes: `bytes`, about.
void ReplyFrom(CommandContext& ctx, std::shared_ptr<ReplyComputation> computation, uint64_t bytes);
// The same when it is done.
void ReplyDone(CommandContext& ctx, std::shared_ptr<ReplyComputation> computation);

}  // namespace mikura::engine
