// SPDX-License-Identifier: Apache-2.0
// The folder in which the append log lies, and its manifest on disk.
//
// D1. A manifest names only files that are there, whole, and on disk: whoever stores one has synced
//     what it names. So the folder can be loaded whenever the node ends.
// D2. A manifest is replaced as a whole: written to another name, synced, renamed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/persistence/append_log_manifest.h"

namespace mikura::engine {

class AppendLogFolder {
 public:
  // folder: the setting appenddirname; name: appendfilename.
  AppendLogFolder(std::string folder, std::string name)
      : folder_(std::move(folder)), name_(std::move(name)) {}

  const std::string& folder() const { return folder_; }
  const std::string& name() const { return name_; }
  std::string PathOf(const std::string& file) const { return folder_ + "/" + file; }
  std::string PathOf(const AppendLogManifest::File& file) const { return PathOf(file.name); }
  // Of an increment whose base is being written.
  std::string TemporaryIncrement() const { return PathOf("temp-" + name_ + ".incr"); }

  // Makes the folder when it is not there.
  Status Create() const;
  // The manifest; an empty one when there is none. Errors: it cannot be read, or is malformed.
  Result<AppendLogManifest> Read() const;
  Status Store(const AppendLogManifest& manifest) const;
  // Makes what was created or renamed in the folder last.
  Status Sync() const;
  // Deletes what the manifest calls history, and stores it without. What cannot be deleted is tried
  // again at the next start.
  Status DeleteHistory(AppendLogManifest& manifest) const;
  // Deletes what an interrupted rewrite left. No rewrite runs.
  void DeleteLeftovers() const;
  // The single file of Redis before 7.0, beside the folder, becomes the base in it, when there is
  // nothing else.
  Status AdoptSingleFile(AppendLogManifest& manifest) const;
  // Bytes of all files that count. Errors: one of them is not there.
  Result<uint64_t> Size(const AppendLogManifest& manifest) const;

 private:
  std::string ManifestPath() const { return PathOf(name_ + ".manifest"); }

  const std::string folder_;
  const std::string name_;
};

}  // namespace mikura::engine
