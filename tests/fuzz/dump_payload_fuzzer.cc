// SPDX-License-Identifier: Apache-2.0
// A hostile value for RESTORE, behind a footer that is right, is refused or becomes a value that
// can be dumped: what that gives, restored, gives the same bytes again. The same for the libraries
// of FUNCTION RESTORE. Input: one byte that says which of the two, then the bytes in front of the
// footer.
#include "base/check.h"
#include "engine/persistence/dump_payload.h"
#include "engine/persistence/function_payload.h"
#include "engine/persistence/persistence_test_support.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_output.h"
#include "engine/persistence/rdb_value_writer.h"
#include "tests/fuzz/fuzz_input.h"

namespace mikura::fuzz {
namespace {

std::string BodyOf(const engine::RdbValue& value) {
  std::string out;
  if (value.collection.get() == nullptr) {
    out.push_back(static_cast<char>(engine::kRdbTypeString));
    engine::AppendRdbText(out, value.text);
  } else {
    out.push_back(static_cast<char>(engine::RdbTypeOf(*value.collection)));
    const auto keep_all = [](std::string&) { return Status(); };
    CHECK(engine::AppendRdbCollection(out, *value.collection, keep_all).ok());
  }
  return out;
}

void RestoreValue(std::string_view body) {
  engine::UncountedMemory memory;
  const auto value = engine::ReadDumpPayload(body, memory);
  if (!value.ok()) return;
  const std::string first = BodyOf(*value);
  const auto again = engine::ReadDumpPayload(first, memory);
  CHECK(again.ok());
  CHECK(BodyOf(*again) == first);
}

void RestoreLibraries(std::string_view body) {
  std::string payload(body);
  engine::AppendDumpFooter(payload);
  const auto codes = engine::ReadFunctionDump(payload);
  if (!codes.ok()) return;
  size_t bytes = 0;
  for (const std::string& code : *codes) bytes += code.size();
  CHECK(bytes <= 100 * body.size());
  const auto again = engine::ReadFunctionDump(engine::DumpFunctions(*codes));
  CHECK(again.ok() && *again == *codes);
}

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  const uint8_t kind = fuzz::TakeByte(input);
  const fuzz::ExactCopy body(input);
  if ((kind & 1) != 0) {
    fuzz::RestoreLibraries(body.view());
  } else {
    fuzz::RestoreValue(body.view());
  }
  // As it comes, with whatever footer it has.
  if (const auto checked = engine::CheckDumpFooter(input)) fuzz::RestoreValue(*checked);
  return 0;
}
