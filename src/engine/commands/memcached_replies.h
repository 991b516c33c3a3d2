// SPDX-License-Identifier: Apache-2.0
// Pieces of memcached replies, written without allocation.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/commands/memcached_services.h"
#include "wire/memcached_request.h"

namespace mikura::engine {

inline constexpr std::string_view kMemcachedNotFound = "NOT_FOUND\r\n";
inline constexpr std::string_view kMemcachedEnd = "END\r\n";
inline constexpr std::string_view kMemcachedOk = "OK\r\n";
inline constexpr std::string_view kMemcachedOtherType =
    "SERVER_ERROR the key holds a value of another type\r\n";

// How a request without a value in its reply ended; each protocol has its words for it.
enum class MemcachedOutcome : uint8_t {
  kStored,
  kNotStored,
  kExists,
  kNotFound,
  kDeleted,
  kOk,
  kNotNumeric,
  kOtherType,  // the key holds something else than a string
  kOutOfMemory,
};

// The text protocol's line for an outcome.
std::string_view OutcomeLine(MemcachedOutcome outcome);
// Answers with an outcome in the request's protocol, or not at all where the client wants none:
// text with noreply is silent, a quiet binary request answers failures. `cas`: of the entry after a
// success.
void ReplyOutcome(MemcachedContext& ctx, const wire::MemcachedRequest& request,
                  MemcachedOutcome outcome, uint64_t cas = 0);

// A retrieval that found nothing.
inline void CountGetMiss(MemcachedContext& ctx) {
  ctx.counters.get_misses.Add();
  if (ctx.services.ExpiredKeys().Take(ctx.key->hash)) ctx.counters.get_expired.Add();
  if (ctx.services.FlushedKeys().Take(ctx.key->hash)) ctx.counters.get_flushed.Add();
}

// A one-line reply of the text protocol, dropped when the client wants none.
inline void ReplyLine(MemcachedContext& ctx, const wire::MemcachedRequest& request,
                      std::string_view line) {
  if (!request.noreply) ctx.out.Append(line);
}

// Writes the pieces of a reply into room that was reserved for all of them.
class ReservedReply {
 public:
  static constexpr size_t kNumberMax = 20;

  // bytes: at least as many as will be put.
  ReservedReply(wire::OutputBuffer& out, size_t bytes)
      : out_(out), begin_(out.Reserve(bytes)), at_(begin_) {}
  void Put(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void PutNumber(uint64_t number) { at_ = std::to_chars(at_, at_ + kNumberMax, number).ptr; }
  // Makes what was put part of the output; the last call.
  void Finish() { out_.Advance(static_cast<size_t>(at_ - begin_)); }

 private:
  wire::OutputBuffer& out_;
  char* const begin_;
  char* at_;
};

// "STAT <name> <value>".
template <typename T>
void AppendStat(MemcachedContext& ctx, std::string_view name, const T& value) {
  ctx.out.Append(fmt::format("STAT {} {}\r\n", name, value));
}

// Decimal digits.
void AppendNumber(wire::OutputBuffer& out, uint64_t value);
// " " and `letter`, then what the flag answers.
void AppendFlag(wire::OutputBuffer& out, char letter);
void AppendNumberFlag(wire::OutputBuffer& out, char letter, uint64_t value);
// " k<key>", or " k<base64> b" for a binary key.
void AppendKeyFlag(wire::OutputBuffer& out, std::string_view key, bool is_binary);
// " t<seconds left>", -1 when it never expires.
void AppendTtlFlag(wire::OutputBuffer& out, UnixMillis deadline, UnixMillis now);
// The flags O and k of the request, in its order: what misses and refusals answer.
void AppendEchoFlags(wire::OutputBuffer& out, const wire::MemcachedRequest& request);
// A two-letter code, the echoed flags and a line end.
void AppendMetaStatus(wire::OutputBuffer& out, std::string_view code,
                      const wire::MemcachedRequest& request);

}  // namespace mikura::engine
