// SPDX-License-Identifier: Apache-2.0
// A hostile RDB stream gives the same entries and the same error however it arrives, and no more
// bytes than it can hold. Input: one byte that says how to cut, then the stream.
#include <fmt/format.h>

#include "base/check.h"
#include "engine/persistence/persistence_test_support.h"
#include "engine/persistence/rdb_reader.h"
#include "tests/fuzz/fuzz_input.h"

namespace mikura::fuzz {
namespace {

class CutSource final : public engine::ByteSource {
 public:
  CutSource(std::string_view bytes, uint8_t seed, bool whole)
      : bytes_(bytes), pieces_(seed), whole_(whole) {}

  Result<size_t> Read(char* out, size_t size) override {
    const size_t wanted = whole_ ? size : std::min(size, pieces_.Next());
    const size_t count = std::min(wanted, bytes_.size());
    std::copy_n(bytes_.begin(), count, out);
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
  Pieces pieces_;
  bool whole_;
};

class Gather final : public engine::RdbHandler {
 public:
  Status OnEntry(const engine::RdbEntry& entry) override {
    bytes_ += entry.key.size() + entry.value.size();
    text_ += fmt::format("{} {} {} {} {} {}\n", entry.database, entry.key, entry.value,
                         entry.attributes.deadline, entry.attributes.has_memcached,
                         entry.attributes.cas);
    return Ok();
  }
  void OnAux(std::string_view name, std::string_view value) override {
    text_ += fmt::format("aux {} {}\n", name, value);
  }
  const std::string& text() const { return text_; }
  size_t bytes() const { return bytes_; }

 private:
  std::string text_;
  size_t bytes_ = 0;
};

std::string ReadAll(std::string_view input, uint8_t seed, bool whole) {
  CutSource source(input, seed, whole);
  Gather gather;
  engine::UncountedMemory memory;
  engine::RdbReader reader(source, gather, memory);
  const Status status = reader.Read();
  CHECK(reader.offset() <= input.size());
  // LZF expands three bytes to 264 at most; an integer of one byte to four digits.
  CHECK(gather.bytes() <= 100 * input.size() + 100);
  return gather.text() + (status.ok() ? "ok" : status.error().message);
}

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  const uint8_t seed = fuzz::TakeByte(input);
  CHECK(fuzz::ReadAll(input, seed, true) == fuzz::ReadAll(input, seed, false));
  return 0;
}
