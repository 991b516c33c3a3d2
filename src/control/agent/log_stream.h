// SPDX-License-Identifier: Apache-2.0
// A stream of delivered log entries: a file that others read, older ones beside it ("slow-log.1"
// and so on), and a cursor ("slow-log.cursor") that says how far each node's log has come.
//
// The cursor names the length of the file with all entries that it counts. A length above that is
// of entries that were about to be counted when the process was killed: they are cut off, and come
// again. So an entry is there once. A file that is shorter was changed by somebody else, who keeps
// what he made of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"

namespace mikura::control {

class LogStream {
 public:
  // A file above this size becomes the first of the older ones, of which the last one goes.
  static constexpr int64_t kFileBytesMax = 8 << 20;
  static constexpr int kOlderFiles = 4;

  // path: of the file; its folders are made.
  explicit LogStream(std::string path, int64_t file_bytes_max = kFileBytesMax)
      : path_(std::move(path)), file_bytes_max_(file_bytes_max) {}

  // Reads the cursor, repairs and makes the file. Errors: the disk's.
  Status Open();
  // How far the node's log has come, in the words of Append(); empty: nowhere. After Open().
  std::string PositionOf(const std::string& node_id) const;
  // Adds whole lines, and notes the position behind them: both or nothing. After Open().
  Status Append(const std::string& lines, const std::string& node_id, const std::string& position);
  // Forgets the position of a node that is no more.
  Status Drop(const std::string& node_id);

 private:
  std::string CursorPath() const { return path_ + ".cursor"; }
  Status StoreCursor();
  Status Rotate();

  const std::string path_;
  const int64_t file_bytes_max_;
  int64_t counted_bytes_ = 0;
  std::map<std::string, std::string> positions_;  // by node id
};

}  // namespace mikura::control
