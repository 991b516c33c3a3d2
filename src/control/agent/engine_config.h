// SPDX-License-Identifier: Apache-2.0
// Where a node's files are, and the configuration file its engine is started with.
#pragma once

#include <string>
#include <string_view>

#include "control/model/node_runtime.h"

namespace mikura::control {

struct NodePaths {
  std::string directory;     // <data>/nodes/<node id>
  std::string config_file;   // in it
  std::string log_file;      // in it
  std::string lock_file;     // in it; held by the engine's process for as long as it lives
  std::string data_link;     // in it: to what it loads at its start
  std::string admin_socket;  // <data>/run/<hash of the id>: socket paths are short
};

NodePaths PathsOf(std::string_view data_dir, std::string_view node_id);

// The longest data directory whose admin sockets still have a valid path.
size_t DataDirBytesMax();

// As redis.conf wants it: quoted when a blank, quote or comment sign would end the word.
std::string QuotedForConfig(std::string_view value);

std::string EngineConfigText(const NodeLaunch& launch, const NodePaths& paths);

}  // namespace mikura::control
