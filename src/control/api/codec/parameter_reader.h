// SPDX-License-Identifier: Apache-2.0
// Turns flat parameters ("Filter.1.Value.2=x") into typed values. The generated decoders call it,
// member by member; it keeps the first error, so that a decoder is a plain list of members.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/api/codec/query_form.h"

namespace mikura::control {

// How a service spells lists: "Tags.Tag.1" or, flat, "Tag.1".
enum class ListSpelling { kNamed, kFlat };

struct DecodeError {
  enum class Kind { kMissing, kInvalid, kUnknown, kDuplicate, kMalformed };
  Kind kind = Kind::kMalformed;
  std::string parameter;  // as it was, or should have been, sent
  std::string value;      // kInvalid only
  std::string expected;   // kInvalid only: "an integer", "one of: a, b"
};

// One parameter, its parts by name, or both.
struct ParameterNode {
  std::optional<std::string> value;
  std::map<std::string, ParameterNode, std::less<>> children;
  bool read = false;  // a member of the request took the value
};

// Errors: kDuplicate; kMalformed for an empty part of a name, or more than 12 parts.
// Cost:   O(n log n) in the number of fields.
Result<ParameterNode, DecodeError> BuildParameterTree(const std::vector<FormField>& fields);

class ParameterReader {
 public:
  ParameterReader(ParameterNode& node, ListSpelling spelling)
      : node_(node), spelling_(spelling), error_(own_error_) {}
  ParameterReader(const ParameterReader&) = delete;
  ParameterReader& operator=(const ParameterReader&) = delete;

  // A member that may be absent.
  void Value(std::string_view name, std::optional<std::string>& out);
  void Value(std::string_view name, std::optional<int32_t>& out);
  void Value(std::string_view name, std::optional<int64_t>& out);
  void Value(std::string_view name, std::optional<double>& out);
  void Value(std::string_view name, std::optional<bool>& out);
  void Timestamp(std::string_view name, std::optional<UnixMillis>& out);
  void Enum(std::string_view name, std::optional<std::string>& out,
            std::initializer_list<std::string_view> allowed);

  template <typename T>
  void Struct(std::string_view name, std::optional<T>& out) {
    ParameterNode* child = Child(name);
    if (child == nullptr) return;
    ParameterReader reader(*child, PathOf(name), *this);
    ReadParameters(reader, out.emplace());  // the generated decoder, found by its argument
  }

  // `item` is the word between the name and the number in the named spelling.
  template <typename T>
  void List(std::string_view name, std::string_view item, std::vector<T>& out) {
    for (auto& [path, node] : Elements(name, item)) {
      ParameterReader reader(*node, std::move(path), *this);
      reader.Element(out.emplace_back());
    }
  }

  void EnumList(std::string_view name, std::string_view item, std::vector<std::string>& out,
                std::initializer_list<std::string_view> allowed);

  // A member that must be there: absence is kMissing.
  void RequireValue(std::string_view name, std::string& out);
  void RequireValue(std::string_view name, int32_t& out);
  void RequireValue(std::string_view name, int64_t& out);
  void RequireValue(std::string_view name, double& out);
  void RequireValue(std::string_view name, bool& out);
  void RequireTimestamp(std::string_view name, UnixMillis& out);
  void RequireEnum(std::string_view name, std::string& out,
                   std::initializer_list<std::string_view> allowed);

  template <typename T>
  void RequireStruct(std::string_view name, T& out) {
    std::optional<T> value;
    Struct(name, value);
    value ? void(out = std::move(*value)) : Missing(name);
  }

  // An empty list counts as absent.
  template <typename T>
  void RequireList(std::string_view name, std::string_view item, std::vector<T>& out) {
    List(name, item, out);
    if (out.empty()) Missing(name);
  }

  // The first error; else kUnknown for a parameter that nobody read; else nullopt.
  std::optional<DecodeError> Finish() const;

 private:
  ParameterReader(ParameterNode& node, std::string path, ParameterReader& parent)
      : node_(node), spelling_(parent.spelling_), path_(std::move(path)), error_(parent.error_) {}

  void Element(std::string& out);
  template <typename T>
  void Element(T& out) {
    ReadParameters(*this, out);
  }

  std::string PathOf(std::string_view name) const;
  ParameterNode* Child(std::string_view name);
  // The value of `name`, marked as read; nullptr when it is absent.
  const std::string* Take(std::string_view name);
  std::vector<std::pair<std::string, ParameterNode*>> Elements(std::string_view name,
                                                               std::string_view item);
  void Missing(std::string_view name);
  void Invalid(std::string_view name, const std::string& value, std::string expected);
  void Fail(DecodeError error);
  template <typename T>
  void Require(std::string_view name, T& out, std::optional<T> value);

  ParameterNode& node_;
  ListSpelling spelling_;
  std::string path_;
  std::optional<DecodeError> own_error_;  // of the outermost reader
  std::optional<DecodeError>& error_;
};

}  // namespace mikura::control
