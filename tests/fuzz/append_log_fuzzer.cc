// SPDX-License-Identifier: Apache-2.0
// The records of an append log are the same however its bytes come, each begins where the one
// before ends, and what is refused is refused at the same place. A manifest that is accepted is
// accepted as it is written. Input: one byte that says how to cut, then the bytes.
#include <fmt/format.h>

#include "base/check.h"
#include "engine/persistence/append_log_manifest.h"
#include "engine/persistence/append_log_parser.h"
#include "tests/fuzz/fuzz_input.h"

namespace mikura::fuzz {
namespace {

using engine::AppendLogParser;

struct Outcome {
  std::string records;
  uint64_t last_offset = 0;
  bool failed = false;
  uint64_t error_offset = 0;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

void TakeAll(AppendLogParser& parser, Outcome& outcome) {
  std::vector<AppendLogParser::Words> commands;
  while (!outcome.failed) {
    switch (parser.Next(commands)) {
      case AppendLogParser::Outcome::kIncomplete:
        return;
      case AppendLogParser::Outcome::kMalformed:
        outcome.failed = true;
        outcome.error = parser.error();
        outcome.error_offset = parser.error_offset();
        return;
      case AppendLogParser::Outcome::kRecord:
        CHECK(outcome.records.empty() || parser.record_offset() > outcome.last_offset);
        outcome.last_offset = parser.record_offset();
        outcome.records += fmt::format("{}:", parser.record_offset());
        for (const AppendLogParser::Words words : commands) {
          CHECK(!words.empty());
          outcome.records += fmt::format("[{}]", fmt::join(words, "|"));
        }
    }
  }
}

void CheckManifest(std::string_view text) {
  const auto manifest = engine::AppendLogManifest::Parse(text, "m");
  if (!manifest.ok()) {
    CHECK(manifest.error().message.starts_with("m line "));
    return;
  }
  const std::string written = manifest->Text();
  const auto again = engine::AppendLogManifest::Parse(written, "m");
  CHECK(again.ok() && again->Text() == written);
}

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  fuzz::Pieces pieces(fuzz::TakeByte(input));
  fuzz::CheckManifest(input);
  fuzz::AppendLogParser at_once_parser;
  fuzz::Outcome at_once;
  at_once_parser.Append(input);
  fuzz::TakeAll(at_once_parser, at_once);
  CHECK(at_once == fuzz::ReadInPieces(input, pieces, fuzz::TakeAll));
  return 0;
}
