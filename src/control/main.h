// SPDX-License-Identifier: Apache-2.0
// The control role: `mikura up` and `mikura credentials`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "control/model/user.h"

namespace mikura::control {

struct UpOptions {
  std::string bind = "127.0.0.1";
  uint16_t port = 4566;
  std::string data_dir;       // empty: DefaultDataDir()
  std::string engine_binary;  // empty: this program
  std::string bucket_dir;     // empty: no snapshot is exported or imported
  std::string sns_endpoint;   // URL of where topics are published to; empty: nowhere
  bool stop_caches_on_exit = false;
  double memory_scale = 1;  // part of a node type's memory that a node gets
};

// "$XDG_DATA_HOME/mikura", "~/.local/share/mikura", or "mikura-data" without a home.
std::string DefaultDataDir();

// The whole service on this machine, in the foreground, until SIGINT or SIGTERM. Caches go on
// running after it and are taken over by the next one, unless stop_caches_on_exit.
// Returns the exit status; what went wrong is said on standard error.
int RunUp(const UpOptions& options, AccessRuleCheck check);

// `arguments`: what stands behind `mikura up` and `mikura credentials`.
// check: how the engine sees access rules.
int UpMain(std::span<const std::string_view> arguments, AccessRuleCheck check);
int CredentialsMain(std::span<const std::string_view> arguments);

}  // namespace mikura::control
