// SPDX-License-Identifier: Apache-2.0
#include "control/api/codec/parameter_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/numbers.h"
#include "control/api/codec/iso_time.h"

namespace mikura::control {
namespace {

constexpr int kPartsMax = 12;  // the deepest parameter of any service has seven

DecodeError ErrorOf(DecodeError::Kind kind, std::string parameter) {
  return {.kind = kind, .parameter = std::move(parameter), .value = {}, .expected = {}};
}

// The position "1", "2", ... of a list element; nullopt for anything else.
std::optional<uint64_t> ParsePosition(std::string_view text) {
  if (text.empty() || text[0] == '0') return std::nullopt;
  return ParseUint64(text);
}

std::optional<DecodeError> FindUnread(const ParameterNode& node, const std::string& path) {
  if (node.value && !node.read) return ErrorOf(DecodeError::Kind::kUnknown, path);
  for (const auto& [name, child] : node.children) {
    auto unread = FindUnread(child, path.empty() ? name : path + "." + name);
    if (unread) return unread;
  }
  return std::nullopt;
}

}  // namespace

Result<ParameterNode, DecodeError> BuildParameterTree(const std::vector<FormField>& fields) {
  ParameterNode root;
  for (const FormField& field : fields) {
    ParameterNode* node = &root;
    std::string_view rest = field.name;
    for (int parts = 0;; ++parts) {
      const size_t dot = rest.find('.');
      const std::string_view part = rest.substr(0, dot);
      if (part.empty() || parts == kPartsMax) {
        return ErrorOf(DecodeError::Kind::kMalformed, field.name);
      }
      node = &node->children.try_emplace(std::string(part)).first->second;
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
    if (node->value) return ErrorOf(DecodeError::Kind::kDuplicate, field.name);
    node->value = field.value;
  }
  return root;
}

void ParameterReader::Value(std::string_view name, std::optional<std::string>& out) {
  if (const std::string* text = Take(name)) out = *text;
}

void ParameterReader::Value(std::string_view name, std::optional<int32_t>& out) {
  std::optional<int64_t> wide;
  Value(name, wide);
  if (!wide) return;
  if (*wide < std::numeric_limits<int32_t>::min() || *wide > std::numeric_limits<int32_t>::max()) {
    return Invalid(name, fmt::to_string(*wide), "a 32-bit integer");
  }
  out = static_cast<int32_t>(*wide);
}

void ParameterReader::Value(std::string_view name, std::optional<int64_t>& out) {
  const std::string* text = Take(name);
  if (text == nullptr) return;
  out = ParseInt64(*text);
  if (!out) Invalid(name, *text, "an integer");
}

void ParameterReader::Value(std::string_view name, std::optional<double>& out) {
  const std::string* text = Take(name);
  if (text == nullptr) return;
  out = ParseDouble(*text);
  if (!out) Invalid(name, *text, "a number");
}

void ParameterReader::Value(std::string_view name, std::optional<bool>& out) {
  const std::string* text = Take(name);
  if (text == nullptr) return;
  if (EqualsIgnoreCase(*text, "true")) {
    out = true;
  } else if (EqualsIgnoreCase(*text, "false")) {
    out = false;
  } else {
    Invalid(name, *text, "true or false");
  }
}

void ParameterReader::Timestamp(std::string_view name, std::optional<UnixMillis>& out) {
  const std::string* text = Take(name);
  if (text == nullptr) return;
  out = ParseIsoTime(*text);
  if (!out) Invalid(name, *text, "an ISO 8601 time");
}

void ParameterReader::Enum(std::string_view name, std::optional<std::string>& out,
                           std::initializer_list<std::string_view> allowed) {
  const std::string* text = Take(name);
  if (text == nullptr) return;
  if (std::find(allowed.begin(), allowed.end(), *text) == allowed.end()) {
    return Invalid(name, *text, fmt::format("one of: {}", fmt::join(allowed, ", ")));
  }
  out = *text;
}

void ParameterReader::EnumList(std::string_view name, std::string_view item,
                               std::vector<std::string>& out,
                               std::initializer_list<std::string_view> allowed) {
  List(name, item, out);
  for (const std::string& text : out) {
    if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) continue;
    return Invalid(name, text, fmt::format("one of: {}", fmt::join(allowed, ", ")));
  }
}

template <typename T>
void ParameterReader::Require(std::string_view name, T& out, std::optional<T> value) {
  if (value) {
    out = std::move(*value);
  } else {
    Missing(name);  // without effect when the value was there but wrong: the first error stays
  }
}

void ParameterReader::RequireValue(std::string_view name, std::string& out) {
  std::optional<std::string> value;
  Value(name, value);
  Require(name, out, std::move(value));
}

void ParameterReader::RequireValue(std::string_view name, int32_t& out) {
  std::optional<int32_t> value;
  Value(name, value);
  Require(name, out, value);
}

void ParameterReader::RequireValue(std::string_view name, int64_t& out) {
  std::optional<int64_t> value;
  Value(name, value);
  Require(name, out, value);
}

void ParameterReader::RequireValue(std::string_view name, double& out) {
  std::optional<double> value;
  Value(name, value);
  Require(name, out, value);
}

void ParameterReader::RequireValue(std::string_view name, bool& out) {
  std::optional<bool> value;
  Value(name, value);
  Require(name, out, value);
}

void ParameterReader::RequireTimestamp(std::string_view name, UnixMillis& out) {
  std::optional<UnixMillis> value;
  Timestamp(name, value);
  Require(name, out, value);
}

void ParameterReader::RequireEnum(std::string_view name, std::string& out,
                                  std::initializer_list<std::string_view> allowed) {
  std::optional<std::string> value;
  Enum(name, value, allowed);
  Require(name, out, std::move(value));
}

std::optional<DecodeError> ParameterReader::Finish() const {
  if (error_) return error_;
  return FindUnread(node_, path_);
}

void ParameterReader::Element(std::string& out) {
  if (!node_.value) return Fail(ErrorOf(DecodeError::Kind::kMissing, path_));
  node_.read = true;
  out = *node_.value;
}

std::string ParameterReader::PathOf(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

ParameterNode* ParameterReader::Child(std::string_view name) {
  const auto found = node_.children.find(name);
  return found == node_.children.end() ? nullptr : &found->second;
}

const std::string* ParameterReader::Take(std::string_view name) {
  ParameterNode* child = Child(name);
  if (child == nullptr || !child->value) return nullptr;
  child->read = true;
  return &*child->value;
}

std::vector<std::pair<std::string, ParameterNode*>> ParameterReader::Elements(
    std::string_view name, std::string_view item) {
  ParameterNode* list = Child(name);
  if (list == nullptr) return {};
  // A client sends an empty list as "Name=".
  if (list->value && list->value->empty()) list->read = true;
  std::string path = PathOf(name);
  if (spelling_ == ListSpelling::kNamed) {
    // Every query service also takes the plain spelling ".member.N".
    auto named = list->children.find(item);
    if (named == list->children.end()) named = list->children.find("member");
    if (named == list->children.end()) return {};
    path += "." + named->first;
    list = &named->second;
  }
  std::map<uint64_t, std::pair<std::string, ParameterNode*>> by_position;
  for (auto& [number, node] : list->children) {
    const auto position = ParsePosition(number);
    if (position) by_position.emplace(*position, std::pair(path + "." + number, &node));
  }
  std::vector<std::pair<std::string, ParameterNode*>> elements;
  for (auto& [position, element] : by_position) elements.push_back(std::move(element));
  return elements;
}

void ParameterReader::Missing(std::string_view name) {
  Fail(ErrorOf(DecodeError::Kind::kMissing, PathOf(name)));
}

void ParameterReader::Invalid(std::string_view name, const std::string& value,
                              std::string expected) {
  Fail({.kind = DecodeError::Kind::kInvalid,
        .parameter = PathOf(name),
        .value = value,
        .expected = std::move(expected)});
}

void ParameterReader::Fail(DecodeError error) {
  if (!error_) error_ = std::move(error);
}

}  // namespace mikura::control
