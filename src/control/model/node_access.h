// SPDX-License-Identifier: Apache-2.0
// Who may use a node, as the reconciler wants it of the host.
#pragma once

#include <string>
#include <vector>

namespace mikura::control {

struct NodeAccess {
  std::string users;                   // the text of an ACL file
  std::string link;                    // nodes that have it in common log in at each other
  std::string tls_mode;                // empty: no TLS; kTlsPreferred, kTlsRequired
  std::vector<std::string> addresses;  // of the certificate, when there is TLS

  bool operator==(const NodeAccess&) const = default;
};

}  // namespace mikura::control
