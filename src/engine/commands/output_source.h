// SPDX-License-Identifier: Apache-2.0
// Output of a connection that is made piece by piece, as fast as the client takes it.
#pragma once

#include <cstddef>
#include <string>

namespace mikura::engine {

// Owned by a session and called on its thread only.
class OutputSource {
 public:
  virtual ~OutputSource() = default;
  // Appends about `bytes` at most. False: that was the last piece. Nothing appended and true: there
  // is nothing now, and the source will wake its session.
  virtual bool Produce(size_t bytes, std::string& out) = 0;
  // Whether requests of the connection wait until the source has ended.
  virtual bool holds_requests() const = 0;
};

}  // namespace mikura::engine
