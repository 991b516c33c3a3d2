// SPDX-License-Identifier: Apache-2.0
// The control process is killed before its first effect, before its second, and so on; the next
// process must finish what was begun, whatever it was.
#pragma once

#include <gtest/gtest.h>

#include <chrono>

#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {

// A whole story is a function of the effect at which the kill strikes, which returns whether it
// did; each telling gets a fixture of its own, so the loop goes over instances.
class CrashStory : public ReconcilerFixture {
 public:
  void TestBody() override {}

 protected:
  // Runs steps until the kill strikes, or to rest. Returns false when it never struck.
  bool RunKilledBefore(int effect) {
    crash_.CrashBefore(effect);
    for (int i = 0; i < 40 && !crash_.crashed(); ++i) {
      if (Step()) break;
      clock_.Advance(std::chrono::milliseconds(20));
    }
    // Some more steps of a process that can do nothing, then its successor.
    const bool struck = crash_.crashed();
    crash_.Never();
    Restart();
    return struck;
  }
};

// Returns how many effects the story has: all were tried as the moment of the kill.
template <typename Story>
int TellWithAKillAtEachEffect(bool (Story::*story)(int effect)) {
  for (int effect = 0; effect < 200; ++effect) {
    Story instance;
    if (!(instance.*story)(effect)) return effect;
  }
  ADD_FAILURE() << "the story has no end";
  return 0;
}

}  // namespace mikura::control
