// SPDX-License-Identifier: Apache-2.0
// The memcached requests in a run of bytes are the same however the bytes arrive, and what waits
// unconsumed stays bounded. Input: one byte that says how to cut, then the bytes.
#include <fmt/format.h>

#include <string>

#include "base/check.h"
#include "tests/fuzz/memcached_arrivals.h"

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

class Reader final : public MemcachedArrivals {
 public:
  explicit Reader(std::string_view whole)
      : MemcachedArrivals(
            whole, {.item_size_max = kItemSizeMax, .protocol = wire::MemcachedProtocol::kAscii}) {}

 private:
  std::string Take(const wire::MemcachedRequest& request) override {
    CHECK(request.data.size() <= std::max(kItemSizeMax, wire::MemcachedParser::kLineMax));
    CHECK(!request.close);  // only binary requests have it
    return Describe(request);
  }
  void CheckWanted(size_t wanted) override {
    CHECK(wanted <= wire::MemcachedParser::kRetrievalLineMax + kItemSizeMax);
  }
};

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  const fuzz::Pieces pieces(fuzz::TakeByte(input));
  fuzz::CheckThatPiecesAreLikeTheWhole(input, pieces, fuzz::Reader(input), fuzz::Reader(input));
  return 0;
}
