// SPDX-License-Identifier: Apache-2.0
// The files of snapshots on this host: <data>/snapshots/<incarnation>/0001.rdb, which is there when
// it is whole and is never changed; and the folder whose folders are the buckets that snapshots are
// exported to and imported from.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/mutex.h"
#include "base/result.h"
#include "control/model/node_runtime.h"

namespace mikura::control {

class SnapshotFolder {
 public:
  // bucket_folder: absolute; empty: there are no buckets.
  SnapshotFolder(const std::string& data_dir, std::string bucket_folder)
      : root_(data_dir + "/snapshots"), bucket_folder_(std::move(bucket_folder)) {}
  // Waits for exports that are under way.
  ~SnapshotFolder();
  SnapshotFolder(const SnapshotFolder&) = delete;
  SnapshotFolder& operator=(const SnapshotFolder&) = delete;

  // The file if it is whole.
  std::optional<SnapshotFile> Find(const std::string& snapshot) const;
  // The file that an engine is to write in this attempt; its folder is made.
  Result<std::string> PathForAttempt(const std::string& snapshot, int64_t attempt) const;
  // Makes that file, which is whole, the snapshot's, and removes what else lies beside it.
  SnapshotFile Accept(const std::string& snapshot, int64_t attempt) const;

  SnapshotFile Copy(const std::string& from, const std::string& to) const;
  // Copies on a thread of its own.
  SnapshotFile Export(const std::string& snapshot, const std::string& key);
  Status Remove(const std::string& snapshot) const;

  // The file of NodeLaunch::data_source. Errors: it is not there, or outside the buckets.
  Result<std::string> FileOf(std::string_view data_source) const;

 private:
  struct Sending {
    std::thread thread;
    Mutex mutex;
    SnapshotFile progress GUARDED_BY(mutex);
  };

  std::string FolderOf(const std::string& snapshot) const { return root_ + "/" + snapshot; }
  std::string PathOf(const std::string& snapshot) const { return FolderOf(snapshot) + "/0001.rdb"; }
  // Where the key is in the buckets. Errors: outside.
  Result<std::string> InBuckets(std::string_view key) const;

  const std::string root_;
  const std::string bucket_folder_;
  std::map<std::string, std::unique_ptr<Sending>> exports_;  // by snapshot and key
};

}  // namespace mikura::control
