// SPDX-License-Identifier: Apache-2.0
// Speaks to one engine over its admin socket (docs/formats/admin-socket.md).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/agent/admin_reply.h"
#include "control/agent/file_descriptor.h"

namespace mikura::control {

class AdminClient {
 public:
  // Errors: nobody listens there, or does not accept within `timeout`; the path is too long.
  static Result<AdminClient> Connect(const std::string& path, std::chrono::milliseconds timeout);

  // Sends one request, with `passed` beside it unless that is -1, and waits for the answer; each
  // blocks at most the timeout given to Connect(). After an error the client is of no more use.
  // Errors: no answer in time, the connection broke, an error reply (its words).
  Result<AdminReply> Call(const std::vector<std::string>& arguments, int passed = -1);

  // The descriptor that came with the latest answer, if any.
  FileDescriptor TakeDescriptor() { return std::move(received_); }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  AdminClient(FileDescriptor socket, std::chrono::milliseconds timeout)
      : socket_(std::move(socket)), timeout_(timeout) {}
  Status Send(const std::string& request, int passed, Deadline deadline);
  Result<AdminReply> Receive(Deadline deadline);
  Status WaitFor(short events, Deadline deadline) const;

  FileDescriptor socket_;
  std::chrono::milliseconds timeout_;
  FileDescriptor received_;
};

}  // namespace mikura::control
