// SPDX-License-Identifier: Apache-2.0
// The requests a load is made of and the replies it expects, in each protocol.
//
// A key is "key:" and its number in decimal, padded with zeros to key_bytes. A value begins with
// the same number in 16 hexadecimal digits, so a reply can be held against the key that was asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mikura::bench {

enum class Protocol { kResp, kMemcachedText, kMemcachedMeta, kMemcachedBinary };

// "resp", "text", "meta" or "mcbin".
std::optional<Protocol> ParseProtocol(std::string_view name);

struct Shape {
  Protocol protocol = Protocol::kResp;
  uint32_t key_bytes = 32;
  uint32_t value_bytes = 64;
  uint64_t ttl_seconds = 0;  // 0: no expiry
};

enum class ReplyKind { kIncomplete, kHit, kMiss, kStored, kError };

struct Reply {
  ReplyKind kind = ReplyKind::kIncomplete;
  size_t bytes = 0;        // of the whole reply; 0 when incomplete
  std::string_view value;  // kHit: the value; kError: the line. A view into the input.
};

// Builds requests by patching the key's digits into templates made once.
class RequestWriter {
 public:
  static constexpr uint32_t kKeyBytesMin = 16;

  // `shape.key_bytes` must be at least kKeyBytesMin.
  explicit RequestWriter(const Shape& shape);

  size_t get_bytes() const { return get_.size(); }
  size_t set_bytes() const { return set_.size(); }

  // Append one request to `out`, which must have room; return the end.
  char* Get(uint64_t key, char* out) const;
  char* Set(uint64_t key, char* out) const;

  // The value that Set() stores under `key`.
  std::string ValueOf(uint64_t key) const;
  bool IsValueOf(uint64_t key, std::string_view value) const;

  // What a right server answers to Get() of a present key and to Set(), letter by letter; but for
  // the CAS of a binary reply, which is left 0.
  std::string HitReply(uint64_t key) const;
  std::string StoredReply() const;

 private:
  Shape shape_;
  std::string filler_;
  std::string get_;
  std::string set_;
  size_t get_key_end_ = 0;
  size_t set_key_end_ = 0;
  size_t set_value_begin_ = 0;
};

// Reads one reply from the front of `input`. Anything that is not a reply to a get or a set of
// this protocol is kError: its first line, or the words of its packet.
Reply ReadReply(Protocol protocol, std::string_view input);

}  // namespace mikura::bench
