// SPDX-License-Identifier: Apache-2.0
// The records of a replication stream are the same however the stream is cut, and together they are
// its bytes. Input: one byte that says how to cut, then the stream.
#include <fmt/format.h>

#include "base/check.h"
#include "engine/replication/record_reader.h"
#include "tests/fuzz/fuzz_input.h"

namespace mikura::fuzz {
namespace {

struct Outcome {
  std::string commands;
  std::string bytes;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

void TakeAll(engine::RecordReader& reader, Outcome& outcome) {
  engine::RecordReader::Record record;
  while (!outcome.failed) {
    const auto more = reader.Next(record);
    outcome.failed = !more.ok();
    if (outcome.failed || !more.value()) return;
    outcome.bytes += record.bytes;
    for (const engine::CommandWords words : record.commands) {
      CHECK(!words.empty());
      outcome.commands += fmt::format("[{}]", fmt::join(words, "|"));
    }
    outcome.commands += "\n";
  }
}

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  fuzz::Pieces pieces(fuzz::TakeByte(input));
  engine::RecordReader at_once_reader;
  fuzz::Outcome at_once;
  at_once_reader.Append(input);
  fuzz::TakeAll(at_once_reader, at_once);
  CHECK(input.starts_with(at_once.bytes));
  CHECK(at_once == fuzz::ReadInPieces(input, pieces, fuzz::TakeAll));
  return 0;
}
