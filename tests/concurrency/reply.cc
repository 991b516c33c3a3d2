// SPDX-License-Identifier: Apache-2.0
#include "tests/concurrency/reply.h"

namespace mikura::concurrency {

std::string Reply::Text() const {
  if (is_null()) return "_";
  if (kind != '*') return kind + text;
  std::string out = "*[";
  for (const Reply& part : parts) {
    if (out.size() > 2) out += ' ';
    out += part.Text();
  }
  return out + "]";
}

std::string Join(const Words& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

}  // namespace mikura::concurrency
