// SPDX-License-Identifier: Apache-2.0
// The packets in a run of bytes are the same however the bytes arrive, what is asked for is never
// less than has come, and a login is read without looking behind its bytes.
// Input: one byte that says how to cut, one of options, then the bytes.
#include <fmt/format.h>

#include <string>

#include "base/check.h"
#include "tests/fuzz/memcached_arrivals.h"
#include "wire/memcached_login.h"

namespace mikura::fuzz {
namespace {

constexpr size_t kItemSizeMax = 1200;

std::string Describe(const wire::MemcachedRequest& request) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} [{}] [{}] [{}]",
                     static_cast<int>(request.command), request.is_binary, request.opcode,
                     request.opaque, request.noreply, request.with_key, request.client_flags,
                     request.exptime, request.vivify_ttl, request.cas, request.number,
                     static_cast<int>(request.status), request.key, request.data, request.reply);
}

wire::MemcachedParserOptions OptionsOf(uint8_t byte) {
  wire::MemcachedParserOptions options;
  options.item_size_max = kItemSizeMax;
  options.must_authenticate = (byte & 1) != 0;
  options.protocol =
      (byte & 2) != 0 ? wire::MemcachedProtocol::kAuto : wire::MemcachedProtocol::kBinary;
  return options;
}

class Reader final : public MemcachedArrivals {
 public:
  Reader(std::string_view whole, uint8_t options)
      : MemcachedArrivals(whole, OptionsOf(options)), logs_in_((options & 4) != 0) {}

 private:
  std::string Take(const wire::MemcachedRequest& request) override {
    if (request.command == wire::MemcachedCommand::kAuthenticate) {
      const ExactCopy message(request.data);
      const wire::MemcachedLogin login = request.is_binary
                                             ? wire::SplitSaslPlain(message.view())
                                             : wire::SplitMemcachedLogin(message.view());
      CHECK(login.user.size() + login.password.size() <= message.view().size());
      if (logs_in_) parser().set_authenticated(true);
    }
    return Describe(request);
  }

  const bool logs_in_;
};

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  const fuzz::Pieces pieces(fuzz::TakeByte(input));
  const uint8_t options = fuzz::TakeByte(input);
  fuzz::CheckThatPiecesAreLikeTheWhole(input, pieces, fuzz::Reader(input, options),
                                       fuzz::Reader(input, options));
  return 0;
}
