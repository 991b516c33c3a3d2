// SPDX-License-Identifier: Apache-2.0
// The memcached requests in a run of bytes are the same however the bytes arrive, and what waits
// unconsumed stays bounded. Input: one byte that says how to cut, then the bytes.
#include <fmt/format.h>

#include <string>

#include "base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "wire/memcached_parser.h"

namespace mikura::fuzz {
namespace {

constexpr size_t kItemSizeMax = 1200;

std::string Describe(const wire::MemcachedRequest& request) {
  std::string meta;
  for (wire::MetaFlagReader flags(request.meta_flags); flags.Next();) {
    meta += fmt::format("{}={},", flags.letter(), flags.argument());
  }
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} [{}] [{}] [{}] [{}]",
                     static_cast<int>(request.command), request.noreply, request.last_key,
                     request.with_cas_ids, request.key_is_binary, request.mode,
                     request.client_flags, request.exptime, request.vivify_ttl, request.recache_ttl,
                     request.cas, request.explicit_cas, request.number, request.initial,
                     request.key, request.data, meta, request.reply);
}

class Reader {
 public:
  explicit Reader(std::string_view whole) : whole_(whole) {}

  void Arrive(size_t arrived) {
    while (!closed_ && arrived > consumed_ && arrived - consumed_ >= wanted_) {
      const ExactCopy input(whole_.substr(consumed_, arrived - consumed_));
      if (!ParseOne(input)) return;
    }
    CHECK(closed_ || wanted_ <= wire::MemcachedParser::kRetrievalLineMax + kItemSizeMax);
  }
  const std::vector<std::string>& requests() const { return requests_; }
  bool closed() const { return closed_; }

 private:
  bool ParseOne(const ExactCopy& input) {
    size_t used = 0;
    const auto status = parser_.Parse(input.view(), &request_, &used);
    CHECK(used <= input.view().size());
    consumed_ += used;
    if (status == wire::MemcachedParseStatus::kComplete) {
      requests_.push_back(Describe(request_));
      CHECK(!request_.has_key() || request_.key.size() <= wire::kMemcachedKeyMax);
      CHECK(request_.data.size() <= std::max(kItemSizeMax, wire::MemcachedParser::kLineMax));
      wanted_ = 1;
      return true;
    }
    closed_ = status == wire::MemcachedParseStatus::kClose;
    if (closed_) {
      CHECK(!parser_.close_reason().empty());
      return false;
    }
    wanted_ = parser_.wanted();
    CHECK(wanted_ > input.view().size() - used);
    return false;
  }

  const std::string_view whole_;
  wire::MemcachedParser parser_{
      {.item_size_max = kItemSizeMax, .protocol = wire::MemcachedProtocol::kAscii}};
  wire::MemcachedRequest request_;
  std::vector<std::string> requests_;
  size_t consumed_ = 0;
  size_t wanted_ = 1;
  bool closed_ = false;
};

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  fuzz::Pieces pieces(fuzz::TakeByte(input));
  fuzz::Reader at_once(input);
  at_once.Arrive(input.size());

  fuzz::Reader in_pieces(input);
  for (size_t arrived = 0; arrived < input.size();) {
    arrived = std::min(input.size(), arrived + pieces.Next());
    in_pieces.Arrive(arrived);
  }
  CHECK(at_once.requests() == in_pieces.requests());
  CHECK(at_once.closed() == in_pieces.closed());
  return 0;
}
