// SPDX-License-Identifier: Apache-2.0
// GlobMatch against a second matcher of another construction: a table over all pairs of positions.
// Input: pattern, a zero byte, text.
#include <bitset>

#include "base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "wire/glob.h"

namespace mikura::fuzz {
namespace {

struct Element {
  bool is_star = false;
  std::bitset<256> bytes;  // what it takes, when it is no star
};

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

// The class behind an opening bracket; moves `pattern` behind it.
std::bitset<256> ReadClass(std::string_view& pattern) {
  std::bitset<256> bytes;
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  while (!pattern.empty() && pattern[0] != ']') {
    if (pattern[0] == '\\' && pattern.size() >= 2) {
      bytes.set(Byte(pattern[1]));
      pattern.remove_prefix(2);
    } else if (pattern.size() >= 3 && pattern[1] == '-') {
      const auto [low, high] = std::minmax({Byte(pattern[0]), Byte(pattern[2])});
      for (int c = low; c <= high; ++c) bytes.set(static_cast<size_t>(c));
      pattern.remove_prefix(3);
    } else {
      bytes.set(Byte(pattern[0]));
      pattern.remove_prefix(1);
    }
  }
  if (!pattern.empty()) pattern.remove_prefix(1);
  return negated ? ~bytes : bytes;
}

std::vector<Element> Compile(std::string_view pattern) {
  std::vector<Element> elements;
  while (!pattern.empty()) {
    Element element;
    const char c = pattern[0];
    pattern.remove_prefix(1);
    if (c == '*') {
      element.is_star = true;
    } else if (c == '?') {
      element.bytes.set();
    } else if (c == '[') {
      element.bytes = ReadClass(pattern);
    } else if (c == '\\' && !pattern.empty()) {
      element.bytes.set(Byte(pattern[0]));
      pattern.remove_prefix(1);
    } else {
      element.bytes.set(Byte(c));
    }
    elements.push_back(element);
  }
  return elements;
}

bool TableMatch(std::string_view pattern, std::string_view text) {
  // reached[t]: the elements so far can take exactly the first t characters.
  std::vector<char> reached(text.size() + 1, 0);
  reached[0] = 1;
  for (const Element& element : Compile(pattern)) {
    std::vector<char> next(text.size() + 1, 0);
    for (size_t t = 0; t <= text.size(); ++t) {
      if (element.is_star) {
        next[t] = static_cast<char>(reached[t] != 0 || (t > 0 && next[t - 1] != 0));
      } else if (t > 0) {
        next[t] = static_cast<char>(reached[t - 1] != 0 && element.bytes.test(Byte(text[t - 1])));
      }
    }
    reached = std::move(next);
  }
  return reached[text.size()] != 0;
}

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  const std::string_view input = fuzz::AsText(data, size);
  const size_t cut = std::min(input.find('\0'), input.size());
  const fuzz::ExactCopy pattern(input.substr(0, cut));
  const fuzz::ExactCopy text(cut < input.size() ? input.substr(cut + 1) : std::string_view());
  const bool matches = wire::GlobMatch(pattern.view(), text.view());
  CHECK(matches == fuzz::TableMatch(pattern.view(), text.view()));
  // Folding can only add matches for patterns without classes that name what is left out.
  const bool folded = wire::GlobMatch(pattern.view(), text.view(), wire::GlobCase::kInsensitive);
  if (matches && pattern.view().find('[') == std::string_view::npos) CHECK(folded);
  return 0;
}
