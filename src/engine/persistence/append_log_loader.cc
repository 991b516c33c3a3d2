// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_loader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/file_io.h"
#include "base/logging.h"
#include "engine/persistence/rdb_reader.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kRdbMagic = "REDIS";
constexpr size_t kReadBytes = 1 << 20;

Error At(const std::string& path, uint64_t offset, std::string_view what) {
  return Error{fmt::format("{} at byte {}: {}", path, offset, what)};
}

}  // namespace

Status AppendLogLoader::Load(const AppendLogManifest& manifest) {
  ASSIGN_OR_RETURN(const uint64_t bytes, folder_.Size(manifest));
  progress_.bytes_total.store(bytes, std::memory_order_relaxed);
  if (manifest.base) RETURN_IF_ERROR(LoadFile(*manifest.base, manifest.increments.empty()));
  for (const AppendLogManifest::File& file : manifest.increments) {
    RETURN_IF_ERROR(LoadFile(file, &file == &manifest.increments.back()));
  }
  return Ok();
}

Status AppendLogLoader::LoadFile(const AppendLogManifest::File& file, bool is_last) {
  ASSIGN_OR_RETURN(FileSource source, FileSource::Open(folder_.PathOf(file), &progress_));
  database_ = 0;
  std::string begin(kRdbMagic.size(), '\0');
  size_t filled = 0;
  while (filled < begin.size()) {
    ASSIGN_OR_RETURN(const size_t n, source.Read(begin.data() + filled, begin.size() - filled));
    if (n == 0) break;
    filled += n;
  }
  begin.resize(filled);
  if (begin != kRdbMagic) {
    AppendLogParser parser;
    parser.Append(begin);
    return LoadRecords(source, std::move(parser), is_last);
  }
  std::vector<std::string> libraries;
  // What has expired stays: a record behind may give it another deadline, or the DEL is there.
  KeyspaceLoader loader(keyspace_, 0);
  loader.SetLibraries([&libraries](std::string_view code) {
    libraries.emplace_back(code);
    return Ok();
  });
  RdbReader reader(source, loader, keyspace_.allocator().collections(), begin);
  const Status read = reader.Read();
  count_.keys += loader.count().keys;
  if (!read.ok()) return Error{fmt::format("{}: {}", source.path(), read.error().message)};
  if (!libraries.empty()) RETURN_IF_ERROR(executor_.replace_libraries(libraries));
  AppendLogParser parser(reader.offset());
  parser.Append(reader.rest());
  return LoadRecords(source, std::move(parser), is_last);
}

Status AppendLogLoader::LoadRecords(FileSource& source, AppendLogParser parser, bool is_last) {
  std::string bytes;
  while (true) {
    RETURN_IF_ERROR(RunWholeRecords(parser, source.path()));
    // A long record is parsed again each time: the more there is of it, the more is read.
    bytes.resize(std::max(kReadBytes, parser.incomplete_bytes()));
    ASSIGN_OR_RETURN(const size_t n, source.Read(bytes.data(), bytes.size()));
    if (n == 0) return EndFile(parser, source.path(), is_last);
    parser.Append(std::string_view(bytes).substr(0, n));
  }
}

Status AppendLogLoader::RunWholeRecords(AppendLogParser& parser, const std::string& path) {
  std::vector<AppendLogParser::Words> commands;
  while (true) {
    switch (parser.Next(commands)) {
      case AppendLogParser::Outcome::kIncomplete:
        return Ok();
      case AppendLogParser::Outcome::kMalformed:
        return At(path, parser.error_offset(), parser.error());
      case AppendLogParser::Outcome::kRecord:
        ++records_;
        if (commands.empty()) break;  // of MULTI EXEC
        const Status status = executor_.execute(commands, database_);
        if (!status.ok()) return At(path, parser.record_offset(), status.error().message);
        break;
    }
  }
}

Status AppendLogLoader::EndFile(const AppendLogParser& parser, const std::string& path,
                                bool is_last) {
  const size_t left = parser.incomplete_bytes();
  if (left == 0) return Ok();
  const std::string_view what = parser.is_in_transaction() ? "the file ends within a transaction"
                                                           : "the file ends within a command";
  if (!is_last) return At(path, parser.record_offset(), what);
  if (!cuts_tail_) {
    return At(path, parser.record_offset(),
              fmt::format("{}; it is cut there with 'aof-load-truncated yes'", what));
  }
  const auto end = static_cast<off_t>(parser.record_offset());
  if (truncate(path.c_str(), end) != 0) return FileError("cut", path);
  Log(LogLevel::kWarning, "append-log", "{} was cut at byte {}, {} bytes before its end: {}", path,
      parser.record_offset(), left, what);
  return Ok();
}

}  // namespace mikura::engine
