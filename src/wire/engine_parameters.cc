// SPDX-License-Identifier: Apache-2.0
#include "wire/engine_parameters.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "base/check.h"
#include "base/numbers.h"
#include "wire/event_letters.h"

namespace mikura::wire {
namespace {

// Calls `visit` with each part of `text` between separators; stops when it returns true.
template <typename Visit>
bool AnyPart(std::string_view text, char separator, Visit visit) {
  while (true) {
    const size_t end = text.find(separator);
    if (visit(text.substr(0, end))) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
}

bool IsOneOf(std::string_view choices, std::string_view text) {
  return AnyPart(choices, '|',
                 [&](std::string_view choice) { return EqualsIgnoreCase(choice, text); });
}

std::vector<std::string_view> BlankSeparated(std::string_view text) {
  std::vector<std::string_view> words;
  AnyPart(text, ' ', [&](std::string_view word) {
    if (!word.empty()) words.push_back(word);
    return false;
  });
  return words;
}

Error NotBuilt(const ParameterSpec& spec) {
  return {fmt::format("not available in this version: only '{}' is accepted", spec.fixed_value)};
}

Status SetInteger(const ParameterSpec& spec, std::string_view text, int64_t& field) {
  const std::optional<int64_t> value = ParseInt64(text);
  if (!value) return Error{"argument couldn't be parsed into an integer"};
  if (*value < spec.minimum || *value > spec.maximum) {
    return Error{
        fmt::format("argument must be between {} and {} inclusive", spec.minimum, spec.maximum)};
  }
  field = *value;
  return Ok();
}

Status SetBytes(const ParameterSpec& spec, std::string_view text, uint64_t& field) {
  const std::optional<uint64_t> value = ParseByteCount(text);
  if (!value) return Error{"argument must be a memory value"};
  if (*value < static_cast<uint64_t>(spec.minimum) ||
      *value > static_cast<uint64_t>(spec.maximum)) {
    return Error{
        fmt::format("argument must be between {} and {} inclusive", spec.minimum, spec.maximum)};
  }
  field = *value;
  return Ok();
}

// The names stand in the log's manifest, without quotes.
Status CheckLogName(const ParameterSpec& spec, std::string_view text) {
  if (text.empty()) return Error{fmt::format("{} can't be empty", spec.name)};
  if (text.find('/') != std::string_view::npos) {
    return Error{fmt::format("{} can't be a path, just a {}", spec.name,
                             spec.name == "appenddirname" ? "dirname" : "filename")};
  }
  if (text.find_first_of(" \t\r\n\"'\\") != std::string_view::npos) {
    return Error{fmt::format("{} can't have blanks or quotes in this version", spec.name)};
  }
  return Ok();
}

Status SetText(const ParameterSpec& spec, std::string_view text, EngineParameters& parameters,
               std::string& field) {
  if (spec.kind == ParameterKind::kChoice) {
    if (!IsOneOf(spec.choices, text)) {
      std::string list;
      AnyPart(spec.choices, '|', [&](std::string_view choice) {
        list += fmt::format("{}{}", list.empty() ? "" : ", ", choice);
        return false;
      });
      return Error{"argument(s) must be one of the following: " + list};
    }
    field = ToLower(text);
    return Ok();
  }
  if (spec.field == ParameterField(&EngineParameters::client_output_buffer_limit)) {
    ASSIGN_OR_RETURN(const OutputLimits current,
                     ParseOutputLimits(parameters.client_output_buffer_limit));
    ASSIGN_OR_RETURN(const OutputLimits limits, ParseOutputLimits(text, current));
    field = OutputLimitsText(limits);
    return Ok();
  }
  if (spec.field == ParameterField(&EngineParameters::notify_keyspace_events)) {
    ASSIGN_OR_RETURN(const uint32_t bits, ParseEventLetters(text));
    field = EventLetters(bits);
    return Ok();
  }
  if (spec.field == ParameterField(&EngineParameters::save)) {
    ASSIGN_OR_RETURN(const std::vector<SavePoint> points, ParseSavePoints(text));
    field.clear();
    for (const SavePoint& point : points) {
      field += fmt::format("{}{} {}", field.empty() ? "" : " ", point.seconds, point.changes);
    }
    return Ok();
  }
  if (spec.field == ParameterField(&EngineParameters::dbfilename)) {
    if (text.empty() || text.find('/') != std::string_view::npos) {
      return Error{"dbfilename can't be a path, just a filename"};
    }
  }
  if (spec.field == ParameterField(&EngineParameters::appendfilename) ||
      spec.field == ParameterField(&EngineParameters::appenddirname)) {
    RETURN_IF_ERROR(CheckLogName(spec, text));
  }
  if (spec.field == ParameterField(&EngineParameters::replicaof)) {
    const std::vector<std::string_view> words = BlankSeparated(text);
    if (words.empty() || (words.size() == 2 && EqualsIgnoreCase(words[0], "no") &&
                          EqualsIgnoreCase(words[1], "one"))) {
      field.clear();
      return Ok();
    }
    const auto port = words.size() == 2 ? ParseInt64(words[1]) : std::nullopt;
    if (!port || *port < 1 || *port > 65535) {
      return Error{"Invalid master port or wrong number of arguments"};
    }
  }
  field = std::string(text);
  return Ok();
}

}  // namespace

const ParameterSpec* FindParameter(std::string_view name) {
  for (const ParameterSpec& spec : AllParameters()) {
    if (EqualsIgnoreCase(spec.name, name)) return &spec;
    if (!spec.alias.empty() && EqualsIgnoreCase(spec.alias, name)) return &spec;
  }
  return nullptr;
}

Status SetParameter(const ParameterSpec& spec, std::string_view text,
                    EngineParameters& parameters) {
  if (!spec.supported()) {
    if (EqualsIgnoreCase(text, spec.fixed_value)) return Ok();
    if (!spec.also_accepted.empty() && IsOneOf(spec.also_accepted, text)) return Ok();
    if (spec.name == "maxmemory-clients" && text.ends_with('%')) {
      const auto percent = ParseInt64(text.substr(0, text.size() - 1));
      if (percent && *percent > 100) {
        return Error{"percentage argument must be less or equal to 100"};
      }
    }
    return NotBuilt(spec);
  }
  if (const auto* flag = std::get_if<bool EngineParameters::*>(&spec.field)) {
    const bool yes = EqualsIgnoreCase(text, "yes");
    if (!yes && !EqualsIgnoreCase(text, "no")) return Error{"argument must be 'yes' or 'no'"};
    parameters.*(*flag) = yes;
    return Ok();
  }
  if (const auto* number = std::get_if<int64_t EngineParameters::*>(&spec.field)) {
    return SetInteger(spec, text, parameters.*(*number));
  }
  if (const auto* bytes = std::get_if<uint64_t EngineParameters::*>(&spec.field)) {
    return SetBytes(spec, text, parameters.*(*bytes));
  }
  const auto* words = std::get_if<std::string EngineParameters::*>(&spec.field);
  CHECK(words != nullptr);
  return SetText(spec, text, parameters, parameters.*(*words));
}

std::string ParameterText(const ParameterSpec& spec, const EngineParameters& parameters) {
  if (const auto* flag = std::get_if<bool EngineParameters::*>(&spec.field)) {
    return parameters.*(*flag) ? "yes" : "no";
  }
  if (const auto* number = std::get_if<int64_t EngineParameters::*>(&spec.field)) {
    return fmt::format("{}", parameters.*(*number));
  }
  if (const auto* bytes = std::get_if<uint64_t EngineParameters::*>(&spec.field)) {
    return fmt::format("{}", parameters.*(*bytes));
  }
  if (const auto* words = std::get_if<std::string EngineParameters::*>(&spec.field)) {
    return parameters.*(*words);
  }
  return std::string(spec.fixed_value);
}

Result<OutputLimits> ParseOutputLimits(std::string_view text, const OutputLimits& current) {
  const std::vector<std::string_view> words = BlankSeparated(text);
  if (words.empty() || words.size() % 4 != 0) {
    return Error{"Wrong number of arguments in buffer limit configuration."};
  }
  OutputLimits limits = current;
  for (size_t i = 0; i < words.size(); i += 4) {
    OutputLimit* limit = nullptr;
    if (EqualsIgnoreCase(words[i], "normal")) limit = &limits.normal;
    if (EqualsIgnoreCase(words[i], "slave") || EqualsIgnoreCase(words[i], "replica")) {
      limit = &limits.replica;
    }
    if (EqualsIgnoreCase(words[i], "pubsub")) limit = &limits.pubsub;
    if (limit == nullptr)
      return Error{"Invalid client class specified in buffer limit configuration."};
    const auto hard = ParseByteCount(words[i + 1]);
    const auto soft = ParseByteCount(words[i + 2]);
    const auto seconds = ParseInt64(words[i + 3]);
    if (!hard || !soft || !seconds || *seconds < 0) {
      return Error{"Error in hard, soft or soft_seconds setting in buffer limit configuration."};
    }
    *limit = {*hard, *soft, *seconds};
  }
  return limits;
}

Result<std::vector<SavePoint>> ParseSavePoints(std::string_view text) {
  const std::vector<std::string_view> words = BlankSeparated(text);
  std::vector<SavePoint> points;
  for (size_t i = 0; i < words.size(); i += 2) {
    const auto seconds = ParseInt64(words[i]);
    const auto changes = i + 1 < words.size() ? ParseInt64(words[i + 1]) : std::nullopt;
    if (!seconds || *seconds < 1 || !changes || *changes < 0) {
      return Error{"Invalid save parameters"};
    }
    points.push_back({*seconds, *changes});
  }
  return points;
}

std::string OutputLimitsText(const OutputLimits& limits) {
  return fmt::format("normal {} {} {} slave {} {} {} pubsub {} {} {}", limits.normal.hard_bytes,
                     limits.normal.soft_bytes, limits.normal.soft_seconds,
                     limits.replica.hard_bytes, limits.replica.soft_bytes,
                     limits.replica.soft_seconds, limits.pubsub.hard_bytes,
                     limits.pubsub.soft_bytes, limits.pubsub.soft_seconds);
}

}  // namespace mikura::wire
