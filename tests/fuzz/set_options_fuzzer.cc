// SPDX-License-Identifier: Apache-2.0
// The options of SET and GETEX: no two that contradict each other are ever accepted.
// Input: words, zero bytes between them.
#include "base/check.h"
#include "engine/commands/set_options.h"
#include "tests/fuzz/fuzz_input.h"

namespace mikura::fuzz {
namespace {

void CheckOptions(const engine::SetOptions& options, std::span<const std::string_view> words) {
  // An option that needs a word behind it took one that the client sent.
  const auto is_a_word = [&](std::string_view text) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return word.data() == text.data(); });
  };
  if (options.form) CHECK(is_a_word(options.expire_text));
  if (options.condition == engine::SetCondition::kByValue) {
    CHECK(is_a_word(options.by_value.operand));
  }
  CHECK(static_cast<int>(options.form.has_value()) + static_cast<int>(options.keep_deadline) +
            static_cast<int>(options.persist) <=
        1);
}

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  std::vector<fuzz::ExactCopy> copies;
  while (!input.empty()) {
    const size_t end = std::min(input.find('\0'), input.size());
    copies.emplace_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  std::vector<std::string_view> words;
  words.reserve(copies.size());
  for (const fuzz::ExactCopy& copy : copies) words.push_back(copy.view());
  const auto set = engine::ParseSetOptions(words);
  if (set.ok()) {
    fuzz::CheckOptions(*set, words);
    CHECK(!set->persist);
  }
  const auto getex = engine::ParseGetExOptions(words);
  if (getex.ok()) {
    fuzz::CheckOptions(*getex, words);
    CHECK(!getex->keep_deadline && !getex->get);
    CHECK(getex->condition == engine::SetCondition::kAlways);
  }
  return 0;
}
