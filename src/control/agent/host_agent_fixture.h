// SPDX-License-Identifier: Apache-2.0
// An agent with a folder of its own and one node "a", which is a stand-in for the engine.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "control/agent/host_agent.h"

namespace mikura::control {

class HostAgentFixture : public ::testing::Test {
 protected:
  HostAgentFixture();
  ~HostAgentFixture() override;

  // Another agent takes over from the one before.
  void Open(const AgentTimings& timings);
  // Fast ones.
  static AgentTimings Timings();
  void Start();
  void StopNode();
  static void Await(const std::function<bool()>& condition);
  // In the folder.
  std::string Path(const std::string& name) const { return data_dir_ + "/" + name; }
  std::string Text(const std::string& name) const;

  std::string data_dir_;
  std::string address_;
  std::unique_ptr<HostAgent> agent_;
};

}  // namespace mikura::control
