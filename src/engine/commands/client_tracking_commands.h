// SPDX-License-Identifier: Apache-2.0
// The subcommands of CLIENT about client-side caching; their rows are in client_commands.cc.
#pragma once

#include "engine/commands/command_context.h"
#include "engine/messaging/client_tracking.h"

namespace mikura::engine {

FaultOr<> ClientTrackingSwitch(CommandContext& ctx);  // CLIENT TRACKING
FaultOr<> ClientTrackingInfo(CommandContext& ctx);
FaultOr<> ClientCaching(CommandContext& ctx);
FaultOr<> ClientGetRedir(CommandContext& ctx);

// After `spec` has run, with the shards of `keys` locked still: remembers them for a client that
// wants to hear of their changes, when it has read them.
inline void RememberReads(CommandContext& ctx, const CommandSpec& spec, std::span<const Key> keys) {
  if (!ctx.client.tracking.on) [[likely]]
    return;
  if ((spec.flags & (kReadOnly | kLocksItself)) != kReadOnly || !ctx.client.tracking.remembers())
    return;
  ctx.services.tracking.Remember(*ctx.client.receiver, keys);
}

// Says, while it lives, whose command runs on this thread.
class TrackedWriter {
 public:
  TrackedWriter(ClientTracking& tracking, uint64_t client)
      : tracking_(tracking.is_active() ? &tracking : nullptr) {
    if (tracking_ != nullptr) [[unlikely]] {
      before_ = tracking_->writer();
      tracking_->SetWriter(client);
    }
  }
  ~TrackedWriter() {
    if (tracking_ != nullptr) [[unlikely]]
      tracking_->SetWriter(before_);
  }
  TrackedWriter(const TrackedWriter&) = delete;
  TrackedWriter& operator=(const TrackedWriter&) = delete;

 private:
  ClientTracking* const tracking_;
  uint64_t before_ = 0;  // whose command this one runs inside of
};

}  // namespace mikura::engine
