// SPDX-License-Identifier: Apache-2.0
// A dispatcher with all that it needs, and a client that may do everything.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "engine/commands/command_observer.h"
#include "engine/commands/command_test_support.h"
#include "engine/server/dispatcher.h"

namespace mikura::engine {

template <typename Clock>
class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    client_.authenticated = true;
    client_.is_unrestricted = true;
    statistics_.observer = &observer_;
  }

  Clock clock_;  // of the fence
  NodeState node_{clock_};
  FakeServices fakes_;
  DeliveryQueues queues_{1, [](uint32_t) {}};
  CommandTable table_;
  std::unique_ptr<Keyspace> keyspace_ = Keyspace::Create({}).value();
  ClientState client_;
  AccessControl access_{table_};
  Observation observation_;
  CommandObserver observer_{observation_};
  Scripts scripts_;
  PubSub pubsub_{queues_, keyspace_->hasher()};
  ClientTracking tracking_{*keyspace_, queues_, [](uint64_t) { return std::nullopt; }};
  Monitors monitors_{queues_};
  Services services_{fakes_,   fakes_,  fakes_,    access_,  observation_,
                     scripts_, pubsub_, tracking_, monitors_};
  LoopStatistics statistics_;
  Effects effects_;
  Dispatcher dispatcher_{*keyspace_, table_, services_, node_};
};

}  // namespace mikura::engine
