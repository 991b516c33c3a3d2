// SPDX-License-Identifier: Apache-2.0
// One blocking connection to a server that speaks RESP. Used by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "tests/concurrency/reply.h"

namespace mikura::concurrency {

class Connection {
 public:
  // A server that does not answer for this long has lost the request: a failure, not a slow reply.
  static constexpr std::chrono::seconds kPatience{60};

  Connection(const std::string& host, int port);

  // Nothing when the connection has ended (or could not be made).
  std::optional<Reply> Call(const Words& words);

  bool Send(const Words& words);
  bool Send(const std::vector<Words>& requests);
  // The next reply; messages pushed in between (RESP3) go to pushes().
  std::optional<Reply> Read();
  // The next reply or message, whichever comes first.
  std::optional<Reply> ReadAny() { return ReadOne(); }

  std::deque<Reply>& pushes() { return pushes_; }
  bool is_open() const { return socket_.valid(); }
  // Nothing more is sent; what the server still sends can be read.
  void FinishSending();
  void Close() { socket_ = UniqueFd(); }

 private:
  bool SendBytes(const std::string& bytes);
  std::optional<Reply> ReadOne();
  bool ReadLine(std::string& line);
  bool ReadBytes(size_t count, std::string& bytes);
  bool Receive();

  UniqueFd socket_;
  std::string input_;
  size_t at_ = 0;  // what of input_ has been read
  std::deque<Reply> pushes_;
};

}  // namespace mikura::concurrency
