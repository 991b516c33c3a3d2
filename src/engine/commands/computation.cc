// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/computation.h"

#include <algorithm>
#include <utility>

#include "engine/commands/long_reply.h"

namespace mikura::engine {
namespace {

// The reply without its last two bytes, which are left to who adds the source to a buffer.
class ComputedReply final : public wire::ReplySource {
 public:
  ComputedReply(std::shared_ptr<ReplyComputation> computation, uint64_t bytes)
      : computation_(std::move(computation)), expected_(bytes) {}
  ~ComputedReply() override { computation_->Abandon(); }

  Outcome Produce(wire::OutputBuffer& out) override {
    if (!computation_->is_done()) return Outcome::kLater;
    const std::string_view left = Left();
    const size_t size = std::min(left.size(), kPieceBytes);
    out.Append(left.substr(0, size));
    sent_ += size;
    return size == left.size() ? Outcome::kLast : Outcome::kMore;
  }
  uint64_t bytes_left() const override {
    return computation_->is_done() ? Left().size() : expected_;
  }

 private:
  std::string_view Left() const {
    std::string_view left = computation_->reply().substr(sent_);
    left.remove_suffix(2);
    return left;
  }

  const std::shared_ptr<ReplyComputation> computation_;  // owned here and by who runs it
  const uint64_t expected_;
  size_t sent_ = 0;
};

void AddSource(wire::RespWriter& reply, std::shared_ptr<ReplyComputation> computation,
               uint64_t bytes) {
  reply.out().AppendShared(
      wire::ShareSource(std::make_unique<ComputedReply>(std::move(computation), bytes)));
  reply.out().Append("\r\n");
}

}  // namespace

void ReplyFrom(CommandContext& ctx, std::shared_ptr<ReplyComputation> computation, uint64_t bytes) {
  computation->set_version(ctx.reply.version());
  AddSource(ctx.reply, computation, bytes);
  ctx.services.computations->Start(std::move(computation), ctx.client.id);
}

void ReplyDone(CommandContext& ctx, std::shared_ptr<ReplyComputation> computation) {
  const uint64_t bytes = computation->reply().size();
  if (bytes < kLongReplyBytes || !ctx.reply.out().takes_insertions()) {
    return ctx.reply.out().Append(computation->reply());
  }
  AddSource(ctx.reply, std::move(computation), bytes);
}

}  // namespace mikura::engine
