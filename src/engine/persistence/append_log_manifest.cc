// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/numbers.h"

namespace mikura::engine {
namespace {

constexpr size_t kLineBytesMax = 1024;

std::vector<std::string_view> SplitAtBlanks(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t blank = std::min(line.find_first_of(" \t\r"), line.size());
    if (blank != 0) words.push_back(line.substr(0, blank));
    line.remove_prefix(std::min(blank + 1, line.size()));
  }
  return words;
}

// One line, without its end.
struct Line {
  AppendLogManifest::File file;
  char type = 0;
};

Result<Line> ParseLine(std::string_view text) {
  if (text.size() >= kLineBytesMax) return Error{"it is too long"};
  const std::vector<std::string_view> words = SplitAtBlanks(text);
  if (words.size() < 6 || words.size() % 2 != 0) {
    return Error{"it is not of the form 'file NAME seq NUMBER type b|h|i'"};
  }
  Line line;
  for (size_t i = 0; i < words.size(); i += 2) {
    const std::string_view value = words[i + 1];
    if (EqualsIgnoreCase(words[i], "file")) {
      if (!IsPlainFileName(value)) return Error{"the file has no plain name"};
      line.file.name = value;
    } else if (EqualsIgnoreCase(words[i], "seq")) {
      const auto number = ParseInt64(value);
      if (!number || *number <= 0) return Error{"the number behind 'seq' is not positive"};
      line.file.sequence = *number;
    } else if (EqualsIgnoreCase(words[i], "type")) {
      if (value.size() != 1 || std::string_view("bhi").find(value[0]) == std::string_view::npos) {
        return Error{"the type is none of b, h, i"};
      }
      line.type = value[0];
    }
  }
  if (line.file.name.empty() || line.file.sequence == 0 || line.type == 0) {
    return Error{"it lacks 'file', 'seq' or 'type'"};
  }
  return line;
}

Status AddLine(AppendLogManifest& manifest, Line line) {
  switch (line.type) {
    case 'b':
      if (manifest.base) return Error{"a second base"};
      manifest.last_base = line.file.sequence;
      manifest.base = std::move(line.file);
      break;
    case 'h':
      manifest.history.push_back(std::move(line.file));
      break;
    default:
      if (line.file.sequence <= manifest.last_increment) {
        return Error{"the numbers of increments do not rise"};
      }
      manifest.last_increment = line.file.sequence;
      manifest.increments.push_back(std::move(line.file));
  }
  return Ok();
}

}  // namespace

bool IsPlainFileName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return c > ' ' && c != 0x7f && c != '/' && c != '"' && c != '\'' && c != '\\';
         });
}

Result<AppendLogManifest> AppendLogManifest::Parse(std::string_view text,
                                                   const std::string& source) {
  AppendLogManifest manifest;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const auto refuse = [&](std::string_view why) {
      return Error{fmt::format("{} line {}: {}", source, number, why)};
    };
    if (end == std::string_view::npos) return refuse("its end is missing");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.starts_with('#')) continue;
    auto parsed = ParseLine(line);
    if (!parsed.ok()) return refuse(parsed.error().message);
    const Status added = AddLine(manifest, std::move(parsed).value());
    if (!added.ok()) return refuse(added.error().message);
  }
  return manifest;
}

std::string AppendLogManifest::Text() const {
  std::string text;
  const auto line = [&text](const File& file, char type) {
    fmt::format_to(std::back_inserter(text), "file {} seq {} type {}\n", file.name, file.sequence,
                   type);
  };
  if (base) line(*base, 'b');
  for (const File& file : history) line(file, 'h');
  for (const File& file : increments) line(file, 'i');
  return text;
}

AppendLogManifest::File AppendLogManifest::NextBase(const std::string& name, bool is_rdb) const {
  return {fmt::format("{}.{}.base.{}", name, last_base + 1, is_rdb ? "rdb" : "aof"), last_base + 1};
}

AppendLogManifest::File AppendLogManifest::NextIncrement(const std::string& name) const {
  return {fmt::format("{}.{}.incr.aof", name, last_increment + 1), last_increment + 1};
}

void AppendLogManifest::ReplaceBase(File file, int64_t first_increment) {
  if (base) history.push_back(std::move(*base));
  last_base = file.sequence;
  base = std::move(file);
  const auto kept = std::find_if(
      increments.begin(), increments.end(),
      [first_increment](const File& increment) { return increment.sequence >= first_increment; });
  std::move(increments.begin(), kept, std::back_inserter(history));
  increments.erase(increments.begin(), kept);
}

void AppendLogManifest::AddIncrement(File file) {
  last_increment = file.sequence;
  increments.push_back(std::move(file));
}

}  // namespace mikura::engine
