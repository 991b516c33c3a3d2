// SPDX-License-Identifier: Apache-2.0
#include "control/agent/log_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

#include "control/agent/file_descriptor.h"
#include "control/agent/whole_file.h"

namespace mikura::control {
namespace {

Error Failed(const std::string& what) {
  return Error{fmt::format("{}: {}", what, std::strerror(errno))};
}

Result<int64_t> SizeOf(const FileDescriptor& file, const std::string& path) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return Failed("cannot read " + path);
  return static_cast<int64_t>(status.st_size);
}

FileDescriptor OpenToAppend(const std::string& path) {
  return FileDescriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
}

bool WriteAll(const FileDescriptor& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

Status LogStream::Open() {
  std::error_code failure;
  const std::string folder = std::filesystem::path(path_).parent_path();
  std::filesystem::create_directories(folder, failure);
  if (failure) return Error{fmt::format("cannot create {}: {}", folder, failure.message())};
  counted_bytes_ = 0;
  positions_.clear();
  ASSIGN_OR_RETURN(const std::optional<std::string> cursor, ReadWholeFile(CursorPath()));
  const FileDescriptor file = OpenToAppend(path_);
  if (!file.valid()) return Failed("cannot write " + path_);
  ASSIGN_OR_RETURN(const int64_t size, SizeOf(file, path_));
  if (!cursor) {
    // Before the first entry: what is there without a cursor would be counted.
    counted_bytes_ = size;
    return StoreCursor();
  }
  std::istringstream lines(*cursor);
  lines >> counted_bytes_ >> std::ws;
  for (std::string line; std::getline(lines, line);) {
    const size_t blank = line.find(' ');
    if (blank != line.npos) positions_[line.substr(0, blank)] = line.substr(blank + 1);
  }
  if (size > counted_bytes_ && ftruncate(file.get(), counted_bytes_) != 0) {
    return Failed("cannot write " + path_);
  }
  if (size < counted_bytes_) counted_bytes_ = size;
  return Ok();
}

std::string LogStream::PositionOf(const std::string& node_id) const {
  const auto found = positions_.find(node_id);
  return found == positions_.end() ? std::string() : found->second;
}

Status LogStream::Append(const std::string& lines, const std::string& node_id,
                         const std::string& position) {
  const auto added = static_cast<int64_t>(lines.size());
  if (counted_bytes_ > 0 && counted_bytes_ + added > file_bytes_max_) RETURN_IF_ERROR(Rotate());
  const FileDescriptor file = OpenToAppend(path_);
  if (!file.valid()) return Failed("cannot write " + path_);
  ASSIGN_OR_RETURN(int64_t before, SizeOf(file, path_));
  if (before > counted_bytes_) {
    if (ftruncate(file.get(), counted_bytes_) != 0) return Failed("cannot write " + path_);
    before = counted_bytes_;
  }
  const std::string old_position = PositionOf(node_id);
  const auto take_back = [&] {
    // Should this fail too, Open() does it: the cursor does not count these bytes.
    [[maybe_unused]] const int ignored = ftruncate(file.get(), before);
    counted_bytes_ = before;
    positions_[node_id] = old_position;
  };
  if (!WriteAll(file, lines)) {
    const Error failure = Failed("cannot write " + path_);
    take_back();
    return failure;
  }
  counted_bytes_ = before + added;
  positions_[node_id] = position;
  Status stored = StoreCursor();
  if (!stored.ok()) take_back();
  return stored;
}

Status LogStream::Drop(const std::string& node_id) {
  if (positions_.erase(node_id) == 0) return Ok();
  return StoreCursor();
}

Status LogStream::StoreCursor() {
  std::string text = fmt::format("{}\n", counted_bytes_);
  for (const auto& [node_id, position] : positions_) {
    if (!position.empty()) text += fmt::format("{} {}\n", node_id, position);
  }
  return WriteWholeFile(CursorPath(), text);
}

// Each step may be the last one of this process: what it leaves is a shorter file, or none.
Status LogStream::Rotate() {
  for (int number = kOlderFiles - 1; number >= 1; --number) {
    const std::string from = fmt::format("{}.{}", path_, number);
    const std::string to = fmt::format("{}.{}", path_, number + 1);
    if (rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT)
      return Failed("cannot move " + from);
  }
  const std::string first = path_ + ".1";
  if (rename(path_.c_str(), first.c_str()) != 0 && errno != ENOENT) {
    return Failed("cannot move " + path_);
  }
  counted_bytes_ = 0;
  return StoreCursor();
}

}  // namespace mikura::control
