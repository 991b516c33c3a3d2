// SPDX-License-Identifier: Apache-2.0
// What goes on beside each scenario: somebody always looks at the whole keyspace, at the node, at
// the stream of commands, and changes settings.
#pragma once

#include <atomic>

#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {

class Background {
 public:
  Background(const Settings& settings, Report& report);
  ~Background();

 private:
  void Scan();
  void ListKeys();
  void Look();
  void Watch();

  // The keys that an iteration from its start to its end must have seen, once or more.
  void ScanOnce(Connection& connection, const std::string& count);
  // Null when a script that does not end is in the way.
  Reply Ask(Connection& connection, const Words& words);

  Scenario scenario_;
  std::atomic<bool> ended_ = false;
  Crew crew_;
};

}  // namespace mikura::concurrency
