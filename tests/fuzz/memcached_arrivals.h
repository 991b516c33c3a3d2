// SPDX-License-Identifier: Apache-2.0
// What the fuzzers of memcached's protocols share: a connection whose bytes arrive in any pieces,
// and the check that the pieces make no difference.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "wire/memcached_parser.h"

namespace mikura::fuzz {

class MemcachedArrivals {
 public:
  MemcachedArrivals(std::string_view whole, const wire::MemcachedParserOptions& options)
      : whole_(whole), parser_(options) {}
  virtual ~MemcachedArrivals() = default;

  // The first `arrived` bytes are there.
  void Arrive(size_t arrived) {
    while (!closed_ && arrived > consumed_ && arrived - consumed_ >= wanted_) {
      const ExactCopy input(whole_.substr(consumed_, arrived - consumed_));
      if (!ParseOne(input)) break;
    }
    if (!closed_) CheckWanted(wanted_);
  }
  const std::vector<std::string>& requests() const { return requests_; }
  bool closed() const { return closed_; }

 protected:
  // Everything that `request` says, after checks of its own.
  virtual std::string Take(const wire::MemcachedRequest& request) = 0;
  // What is waited for: at least so many bytes.
  virtual void CheckWanted(size_t) {}
  wire::MemcachedParser& parser() { return parser_; }

 private:
  bool ParseOne(const ExactCopy& input) {
    size_t used = 0;
    const auto status = parser_.Parse(input.view(), &request_, &used);
    CHECK(used <= input.view().size());
    consumed_ += used;
    if (status == wire::MemcachedParseStatus::kComplete) {
      CHECK(!request_.has_key() || request_.key.size() <= wire::kMemcachedKeyMax);
      requests_.push_back(Take(request_));
      wanted_ = 1;
      closed_ = request_.close;
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

  const std::string_view whole_;
  wire::MemcachedParser parser_;
  wire::MemcachedRequest request_;
  std::vector<std::string> requests_;
  size_t consumed_ = 0;
  size_t wanted_ = 1;
  bool closed_ = false;
};

// Both are of the same `input`, and nothing has arrived at either.
inline void CheckThatPiecesAreLikeTheWhole(std::string_view input, Pieces pieces,
                                           MemcachedArrivals&& at_once,
                                           MemcachedArrivals&& in_pieces) {
  at_once.Arrive(input.size());
  for (size_t arrived = 0; arrived < input.size();) {
    arrived = std::min(input.size(), arrived + pieces.Next());
    in_pieces.Arrive(arrived);
  }
  CHECK(at_once.requests() == in_pieces.requests());
  CHECK(at_once.closed() == in_pieces.closed());
}

}  // namespace mikura::fuzz
