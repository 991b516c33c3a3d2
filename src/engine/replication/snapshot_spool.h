// SPDX-License-Identifier: Apache-2.0
// A snapshot on its way between two nodes, in a file without a name, which goes with its
// descriptor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/persistence/rdb_input.h"
#include "engine/persistence/snapshot.h"

namespace mikura::engine {

class SnapshotSpool final : public SnapshotSink, public ByteSource {
 public:
  explicit SnapshotSpool(const std::string& folder);
  // False: no file can be made there.
  bool valid() const { return fd_.valid(); }
  uint64_t size() const { return size_; }
  // Drops everything from there on.
  void TrimTo(uint64_t size) { size_ = size; }

  Status Write(std::string_view bytes) override;
  // From the beginning, each byte once.
  Result<size_t> Read(char* out, size_t size) override;
  Status CopyTo(SnapshotSink& sink);

 private:
  UniqueFd fd_;
  uint64_t size_ = 0;
  uint64_t read_ = 0;
};

}  // namespace mikura::engine
