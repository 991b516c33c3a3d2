// SPDX-License-Identifier: Apache-2.0
// The listening sockets of endpoints. The agent keeps each one open beside the engine that accepts
// on it, so that connections wait in its backlog while no engine does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/result.h"
#include "control/agent/file_descriptor.h"
#include "control/model/endpoint.h"

namespace mikura::control {

// Thread-safe.
class EndpointSockets {
 public:
  // The socket listening at `endpoint`: the one kept, else a new one.
  // Errors: the address is not an IPv4 one, or somebody else listens there.
  Result<std::shared_ptr<FileDescriptor>> Acquire(const Endpoint& endpoint) EXCLUDES(mutex_);
  // Keeps a listening socket that came back from an engine, unless one is kept for its address.
  void Keep(FileDescriptor socket) EXCLUDES(mutex_);
  void Close(const Endpoint& endpoint) EXCLUDES(mutex_);

  static bool IsFree(const Endpoint& endpoint);

 private:
  using Place = std::pair<std::string, int64_t>;

  Mutex mutex_;
  // Shared with the call that is passing the descriptor to an engine right now.
  std::map<Place, std::shared_ptr<FileDescriptor>> sockets_ GUARDED_BY(mutex_);
};

}  // namespace mikura::control
