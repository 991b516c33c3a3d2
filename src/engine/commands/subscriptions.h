// SPDX-License-Identifier: Apache-2.0
// The subscriptions of a client, in the numbers that CLIENT LIST shows.
#pragma once

#include "engine/commands/client_state.h"
#include "engine/messaging/receiver.h"

namespace mikura::engine {

// After they have changed.
inline void CountSubscriptions(ClientState& client) {
  const ClientSubscriptions& held = client.receiver->subscriptions;
  const auto count = [&](SubscriptionKind kind) { return static_cast<uint32_t>(held.count(kind)); };
  client.channels = count(SubscriptionKind::kChannel);
  client.patterns = count(SubscriptionKind::kPattern);
  client.shard_channels = count(SubscriptionKind::kShardChannel);
  client.is_subscriber = !held.empty();
}

}  // namespace mikura::engine
