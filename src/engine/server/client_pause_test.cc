// SPDX-License-Identifier: Apache-2.0
#include "engine/server/client_pause.h"

#include <gtest/gtest.h>

namespace mikura::engine {
namespace {

const SystemFenceClock kClock;

TEST(ClientPause, TheLaterEndAndTheStricterKindHold) {
  NodeState node(kClock);
  ClientPause pause(node);
  pause.Begin(100, 200, true);
  pause.Begin(150, 180, false);
  EXPECT_TRUE(node.IsPaused(kReadOnly, 190));
  EXPECT_FALSE(node.IsPaused(kReadOnly, 200));
  pause.Begin(300, 400, false);
  EXPECT_FALSE(node.IsPaused(kReadOnly, 350));
  EXPECT_TRUE(node.IsPaused(kWrite, 350));
}

TEST(ClientPause, AHoldEndsAtItsMomentOrWhenItIsTakenBack) {
  NodeState node(kClock);
  ClientPause pause(node);
  pause.Begin(100, 200, true);
  pause.HoldWritesUntil(400);
  EXPECT_TRUE(node.IsPaused(kWrite, 350));
  EXPECT_FALSE(node.IsPaused(kReadOnly, 350));
  EXPECT_FALSE(node.IsPaused(kWrite, 400));
  pause.HoldWritesUntil(0);
  EXPECT_TRUE(node.IsPaused(kWrite, 150));
  EXPECT_FALSE(node.IsPaused(kWrite, 250));
}

TEST(ClientPause, HeldWritesOutliveThePauseOfAClient) {
  NodeState node(kClock);
  ClientPause pause(node);
  pause.Begin(100, 200, true);
  EXPECT_TRUE(pause.HoldWrites(true));
  EXPECT_FALSE(pause.HoldWrites(true));
  EXPECT_TRUE(node.IsPaused(kReadOnly, 150));
  EXPECT_FALSE(node.IsPaused(kReadOnly, 250));
  EXPECT_TRUE(node.IsPaused(kWrite, 250));
  pause.End();
  EXPECT_TRUE(node.IsPaused(kWrite, 150));
  EXPECT_TRUE(pause.HoldWrites(false));
  EXPECT_FALSE(pause.is_active(150));
}

TEST(ClientPause, ThePauseOfAClientOutlivesHeldWrites) {
  NodeState node(kClock);
  ClientPause pause(node);
  pause.HoldWrites(true);
  pause.Begin(100, 200, false);
  pause.HoldWrites(false);
  EXPECT_TRUE(node.IsPaused(kWrite, 150));
}

}  // namespace
}  // namespace mikura::engine
