// SPDX-License-Identifier: Apache-2.0
// The requests of one RESP command over many keys, as the load generator sends them beyond GET and
// SET.
//
// A key is "key:" and its number in decimal, padded with zeros to key_bytes. A collection holds
// elements that are named by their number; filling a key gives it the first `elements` of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/protocol.h"

namespace mikura::bench {

struct CommandShape {
  uint32_t key_bytes = 32;
  uint32_t value_bytes = 64;
  uint32_t elements = 20;  // of each collection when it was filled
};

// What a command sends and what comes back. Words with a meaning: {key}, {value}, {element} (of a
// filled key), {any} (every second one is new to a filled key) and {score}.
struct CommandForm {
  std::string_view name;
  std::vector<std::string_view> request;
  std::vector<std::string_view> fill;   // begins the request that fills a key
  std::vector<std::string_view> group;  // follows it once for each element
  std::string_view reply;               // how a right reply begins; {value} is the value's length
};

// The form of "lpush", "zrange10", "eval", ...; null when there is none of that name.
const CommandForm* FindCommandForm(std::string_view name);
std::vector<std::string_view> CommandFormNames();

// Builds requests by patching digits into templates made once.
class CommandWriter {
 public:
  // `shape.key_bytes` must be at least RequestWriter::kKeyBytesMin, `shape.elements` at least 1.
  CommandWriter(const CommandForm& form, const CommandShape& shape);

  size_t request_bytes() const { return request_.bytes.size(); }
  size_t fill_bytes() const { return fill_.bytes.size(); }
  size_t reply_bytes_max() const { return reply_bytes_max_; }

  // Append one request to `out`, which must have room; return the end. `random` chooses the element
  // and the score.
  char* Request(uint64_t key, uint64_t random, char* out) const;
  char* Fill(uint64_t key, char* out) const;

  // Reads one reply from the front of `input`: kHit when it begins as a right one does, kMiss when
  // it is null, kError otherwise. To a fill, everything but an error is kHit.
  Reply ReadReply(std::string_view input, bool is_fill) const;

 private:
  enum class SlotKind { kKey, kElement, kAny, kScore };
  struct Slot {
    SlotKind kind;
    size_t end;  // of its digits
  };
  struct Template {
    std::string bytes;
    std::vector<Slot> slots;  // of a fill only the key's
  };

  void AddWord(std::string_view word, Template& to) const;
  void AddFilling(const CommandForm& form, Template& to) const;

  CommandShape shape_;
  std::string value_;
  std::string right_reply_;
  size_t reply_bytes_max_;
  Template request_;
  Template fill_;
};

// The bytes of the RESP reply at the front of `input`, arrays with all they hold; 0 while it is
// incomplete. Null when it is no reply.
std::optional<size_t> RespReplyBytes(std::string_view input);

}  // namespace mikura::bench
