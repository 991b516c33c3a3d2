// SPDX-License-Identifier: Apache-2.0
// Lines of words: a line splits as an inline request does, and words that were quoted come back.
#include <fmt/format.h>

#include <string>

#include "base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "wire/parameter_set.h"
#include "wire/resp_parser.h"

namespace mikura::fuzz {
namespace {

std::string Quote(std::string_view word) {
  std::string text = "\"";
  for (const char c : word) text += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  return text + "\"";
}

void CheckRoundTrip(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += Quote(word) + "  ";
  const auto again = wire::SplitWords(line);
  CHECK(again.ok() && *again == words);
}

// An inline request is a line of words; one that begins with '*' is none.
void CheckInline(std::string_view line, const Result<std::vector<std::string>>& split) {
  if (line.starts_with('*') || line.find('\n') != std::string_view::npos) return;
  const std::string text = std::string(line) + "\r\n";
  std::vector<std::string_view> words;
  std::vector<std::unique_ptr<std::string>> storage;
  const wire::RespResult result = wire::ParseResp(text, {}, words, storage);
  CHECK((result.status == wire::RespStatus::kError) == !split.ok());
  if (!split.ok()) return;
  CHECK(std::vector<std::string>(words.begin(), words.end()) == *split);
}

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  const fuzz::ExactCopy line(fuzz::AsText(data, size));
  const auto split = wire::SplitWords(line.view());
  if (split.ok()) fuzz::CheckRoundTrip(*split);
  fuzz::CheckInline(line.view(), split);
  return 0;
}
