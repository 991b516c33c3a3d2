// SPDX-License-Identifier: Apache-2.0
// Reads an append log into the keyspace: the base, then each increment, record by record.
//
// What is malformed is refused with its file and offset. What only ends too early, as after a crash
// in the last file, is cut off behind its last whole record, or refused, as the caller wants.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/keyspace/keyspace.h"
#include "engine/persistence/append_log_folder.h"
#include "engine/persistence/append_log_parser.h"
#include "engine/persistence/file_source.h"
#include "engine/persistence/rdb_file.h"

namespace mikura::engine {

// Who runs the commands; a higher layer does.
struct LogExecutor {
  // One record as one step; see RecordExecutor.
  std::function<Status(std::span<const AppendLogParser::Words> commands, int& database)> execute;
  // The libraries of functions in the base (source texts), instead of those that are there.
  std::function<Status(std::span<const std::string> codes)> replace_libraries;
};

class AppendLogLoader {
 public:
  // cuts_tail: the setting aof-load-truncated.
  AppendLogLoader(Keyspace& keyspace, const AppendLogFolder& folder, LogExecutor executor,
                  bool cuts_tail, LoadProgress& progress)
      : keyspace_(keyspace),
        folder_(folder),
        executor_(std::move(executor)),
        cuts_tail_(cuts_tail),
        progress_(progress) {}

  // Errors leave what was loaded before.
  Status Load(const AppendLogManifest& manifest);
  // Keys of the base, and records behind it.
  const LoadedCount& count() const { return count_; }
  uint64_t records() const { return records_; }

 private:
  Status LoadFile(const AppendLogManifest::File& file, bool is_last);
  // A whole file, or what is left behind its RDB data.
  Status LoadRecords(FileSource& source, AppendLogParser parser, bool is_last);
  Status RunWholeRecords(AppendLogParser& parser, const std::string& path);
  Status EndFile(const AppendLogParser& parser, const std::string& path, bool is_last);

  Keyspace& keyspace_;
  const AppendLogFolder& folder_;
  const LogExecutor executor_;
  const bool cuts_tail_;
  LoadProgress& progress_;
  int database_ = 0;  // selected at this place of the file
  LoadedCount count_;
  uint64_t records_ = 0;
};

}  // namespace mikura::engine
