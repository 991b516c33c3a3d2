// SPDX-License-Identifier: Apache-2.0
// The requests in a run of bytes are the same however the bytes arrive.
// Input: one byte that says how to cut (its top bit: limits before the login), then the bytes.
#include <string>

#include "base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "wire/resp_compact.h"
#include "wire/resp_parser.h"

namespace mikura::fuzz {
namespace {

struct Outcome {
  std::vector<std::vector<std::string>> requests;
  std::string error;
  size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

// As a session does it: asks again only when as many bytes have come as the parser wants.
class Reader {
 public:
  Reader(std::string_view whole, const wire::RespLimits& limits) : whole_(whole), limits_(limits) {}

  // Parses what can be parsed when the first `arrived` bytes are there.
  void Arrive(size_t arrived) {
    while (outcome_.error.empty() && arrived > outcome_.consumed &&
           arrived - outcome_.consumed >= needed_) {
      if (!ParseOne(ExactCopy(whole_.substr(outcome_.consumed, arrived - outcome_.consumed))))
        return;
    }
  }
  const Outcome& outcome() const { return outcome_; }

 private:
  // What the short way takes, ParseResp() takes with the same words.
  static void CheckCompact(std::string_view input, const wire::RespResult& result,
                           const std::vector<std::string_view>& words) {
    std::vector<std::string_view> compact;
    const size_t size = wire::ParseCompactResp(input, compact);
    CHECK(size != 0 || compact.empty());
    if (size == 0) return;
    CHECK(result.status == wire::RespStatus::kRequest);
    CHECK(result.consumed == size);
    CHECK(words == compact);
  }

  bool ParseOne(const ExactCopy& input) {
    std::vector<std::string_view> words;
    std::vector<std::unique_ptr<std::string>> storage;
    const wire::RespResult result = wire::ParseResp(input.view(), limits_, words, storage);
    CheckCompact(input.view(), result, words);
    switch (result.status) {
      case wire::RespStatus::kRequest:
        CHECK(!words.empty());
        outcome_.requests.emplace_back(words.begin(), words.end());
        break;
      case wire::RespStatus::kEmpty:
        CHECK(words.empty());
        break;
      case wire::RespStatus::kIncomplete:
        CHECK(words.empty());
        CHECK(result.bytes_needed > input.view().size());
        needed_ = result.bytes_needed;
        return false;
      case wire::RespStatus::kError:
        CHECK(!result.error.empty());
        outcome_.error = result.error;
        return false;
    }
    CHECK(result.consumed > 0 && result.consumed <= input.view().size());
    outcome_.consumed += result.consumed;
    needed_ = 0;
    return true;
  }

  const std::string_view whole_;
  const wire::RespLimits limits_;
  Outcome outcome_;
  size_t needed_ = 0;
};

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  const uint8_t first = fuzz::TakeByte(input);
  const wire::RespLimits limits =
      (first & 0x80) != 0 ? wire::RespLimits::Unauthenticated() : wire::RespLimits{};
  fuzz::Reader at_once(input, limits);
  at_once.Arrive(input.size());

  fuzz::Reader in_pieces(input, limits);
  fuzz::Pieces pieces(first);
  for (size_t arrived = 0; arrived < input.size();) {
    arrived = std::min(input.size(), arrived + pieces.Next());
    in_pieces.Arrive(arrived);
  }
  CHECK(at_once.outcome() == in_pieces.outcome());
  return 0;
}
