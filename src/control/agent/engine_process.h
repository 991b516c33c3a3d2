// SPDX-License-Identifier: Apache-2.0
// Starts the process of an engine.
#pragma once

#include <string>

#include "base/result.h"
#include "control/agent/engine_config.h"
#include "control/agent/process_table.h"
#include "control/model/node_runtime.h"

namespace mikura::control {

// launch.data_source is a path here. Writes the config file and starts "<binary> engine <config
// file>" in a session of its own, with its output in the log file; the process outlives ours. It
// holds the lock file, so that no second process of the node can be started while it lives, not
// even by an agent that has just begun and knows nothing of it. Errors: the directory cannot be
// written, another process holds the lock, the binary is missing.
Result<ProcessHandle> StartEngine(const std::string& binary, const NodeLaunch& launch,
                                  const NodePaths& paths);

}  // namespace mikura::control
