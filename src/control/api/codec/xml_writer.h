// SPDX-License-Identifier: Apache-2.0
// Writes the elements of an XML answer. The generated encoders call it, member by member.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.h"

namespace mikura::control {

// Element names are trusted (they come from the service descriptions); texts are escaped, and
// characters that XML 1.0 cannot hold, or bytes that are not UTF-8, become U+FFFD.
class XmlWriter {
 public:
  void Open(std::string_view name);
  // The root element with its namespace.
  void OpenRoot(std::string_view name, std::string_view xml_namespace);
  void Close(std::string_view name);
  void Text(std::string_view name, std::string_view text);
  // Already encoded elements.
  void Raw(std::string_view xml) { out_.append(xml); }

  // Absent values write nothing.
  void Value(std::string_view name, const std::optional<std::string>& value);
  void Value(std::string_view name, const std::optional<int32_t>& value);
  void Value(std::string_view name, const std::optional<int64_t>& value);
  void Value(std::string_view name, const std::optional<double>& value);
  void Value(std::string_view name, const std::optional<bool>& value);
  void Timestamp(std::string_view name, const std::optional<UnixMillis>& value);

  template <typename T>
  void Struct(std::string_view name, const std::optional<T>& value) {
    if (value) Item(name, *value);
  }

  // An empty list is an empty element: clients then see a list of nothing instead of no list.
  template <typename T>
  void List(std::string_view name, std::string_view item, const std::vector<T>& values) {
    Open(name);
    for (const T& value : values) Item(item, value);
    Close(name);
  }

  // The same for lists that AWS leaves out when they are empty.
  template <typename T>
  void ListUnlessEmpty(std::string_view name, std::string_view item, const std::vector<T>& values) {
    if (!values.empty()) List(name, item, values);
  }

  const std::string& text() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  template <typename T>
  void Item(std::string_view name, const T& value) {
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      Text(name, value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      Value(name, std::optional<T>(value));
    } else {
      Open(name);
      WriteXml(*this, value);  // the generated encoder, found by its argument
      Close(name);
    }
  }

  std::string out_;
};

}  // namespace mikura::control
