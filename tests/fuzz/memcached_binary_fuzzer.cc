// SPDX-License-Identifier: Apache-2.0
// The packets in a run of bytes are the same however the bytes arrive, what is asked for is never
// less than has come, and a login is read without looking behind its bytes.
// Input: one byte that says how to cut, one of options, then the bytes.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "wire/memcached_login.h"
#include "wire/memcached_parser.h"

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

class Reader {
 public:
  Reader(std::string_view whole, uint8_t options)
      : whole_(whole), logs_in_((options & 4) != 0), parser_(OptionsOf(options)) {}

  void Arrive(size_t arrived) {
    while (!closed_ && arrived > consumed_ && arrived - consumed_ >= wanted_) {
      const ExactCopy input(whole_.substr(consumed_, arrived - consumed_));
      if (!ParseOne(input)) return;
    }
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
      Take();
      wanted_ = 1;
      return !closed_;
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

  void Take() {
    requests_.push_back(Describe(request_));
    CHECK(!request_.has_key() || request_.key.size() <= wire::kMemcachedKeyMax);
    closed_ = request_.close;
    if (request_.command != wire::MemcachedCommand::kAuthenticate) return;
    const ExactCopy message(request_.data);
    const wire::MemcachedLogin login = request_.is_binary
                                           ? wire::SplitSaslPlain(message.view())
                                           : wire::SplitMemcachedLogin(message.view());
    CHECK(login.user.size() + login.password.size() <= message.view().size());
    if (logs_in_) parser_.set_authenticated(true);
  }

  const std::string_view whole_;
  const bool logs_in_;
  wire::MemcachedParser parser_;
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
  const uint8_t options = fuzz::TakeByte(input);
  fuzz::Reader at_once(input, options);
  at_once.Arrive(input.size());

  fuzz::Reader in_pieces(input, options);
  for (size_t arrived = 0; arrived < input.size();) {
    arrived = std::min(input.size(), arrived + pieces.Next());
    in_pieces.Arrive(arrived);
  }
  CHECK(at_once.requests() == in_pieces.requests());
  CHECK(at_once.closed() == in_pieces.closed());
  return 0;
}
