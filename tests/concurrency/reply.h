// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mikura::concurrency {

using Words = std::vector<std::string>;

// One reply of a server. `kind` is its first byte in RESP; '_' for every form of null.
struct Reply {
  char kind = '_';
  std::string text;  // of simple strings, errors, numbers and bulk strings
  std::vector<Reply> parts;

  bool is_null() const { return kind == '_'; }
  bool is_error() const { return kind == '-'; }
  bool is_error(std::string_view code) const { return is_error() && text.starts_with(code); }

  // "+OK", "$value", ":1", "-ERR ...", "_", "*[$a $b]". Maps and sets look like arrays.
  std::string Text() const;
};

std::string Join(const Words& words);

}  // namespace mikura::concurrency
