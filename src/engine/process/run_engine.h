// SPDX-License-Identifier: Apache-2.0
// The life of an engine's process: from its parameters to the signal that ends it.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/server/memcached_backend.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

// Sockets of `mikura memcached` that parameters do not name.
struct MemcachedSockets {
  std::string unix_path;  // -s; empty: none
  unsigned unix_mode = 0700;
  bool any_port = false;     // -p -1
  bool may_be_none = false;  // memcached runs without any, as -p 0 asks
};

// Says on standard error why the process cannot do what it was started for; returns its exit
// status.
int Fail(const Error& error);

// Runs an engine until a signal, or a client, ends the process. Returns its exit status.
int RunEngine(wire::ParameterSet& parameters, const std::string& config_file,
              const MemcachedSettings& memcached_settings, const MemcachedSockets& sockets = {});

}  // namespace mikura::engine
