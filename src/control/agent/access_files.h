// SPDX-License-Identifier: Apache-2.0
// Who may use a node, as files in its directory: `users.acl`, `access.conf` (settings of the
// engine), and `tls.crt` with `tls.key`. Each start of the node reads them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "control/agent/engine_config.h"
#include "control/model/node_access.h"

namespace mikura::control {

struct AccessFiles {
  std::string users;  // text of the ACL file
  std::vector<std::pair<std::string, std::string>> settings;
  bool has_tls = false;
  std::string cert_file;
  std::string key_file;
};

// What the node's files are to hold. link_key: with which the secret of NodeAccess::link is made.
AccessFiles AccessFilesOf(const NodeAccess& access, const NodePaths& paths,
                          std::string_view link_key, const std::string& authority_file);

// Writes what differs. Errors: the directory cannot be written.
Status WriteAccessFiles(const AccessFiles& files, const NodePaths& paths);

// The lines for the engine's configuration; empty when the node was never given access.
Result<std::string> AccessConfigText(const NodePaths& paths);

// The key in the file, which nobody else may read; made when there is none.
Result<std::string> LoadLinkKey(const std::string& path);

}  // namespace mikura::control
