// SPDX-License-Identifier: Apache-2.0
// The id of an entry of a stream: milliseconds and a number that tells entries of the same
// millisecond apart.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace mikura::engine::collections {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  static constexpr uint64_t kPartMax = std::numeric_limits<uint64_t>::max();

  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const StreamId&, const StreamId&) = default;
  bool is_zero() const { return ms == 0 && seq == 0; }
  // The id right after it; nullopt after the last one. Right before it; nullopt before the first.
  std::optional<StreamId> Next() const;
  std::optional<StreamId> Previous() const;
};

inline constexpr StreamId kFirstStreamId{};
inline constexpr StreamId kLastStreamId{StreamId::kPartMax, StreamId::kPartMax};

// ---- As the beginning of an element: 8 bytes of milliseconds, the number as a varint. Trees of
// such elements have the milliseconds as order.
void AppendStreamId(std::string& out, StreamId id);
// Takes one off the front, which must hold one.
StreamId TakeStreamId(std::string_view& bytes);
StreamId StreamIdOf(std::string_view element);
uint64_t StreamIdOrder(std::string_view element);

// A varint off the front, which must hold one.
uint64_t TakeNumber(std::string_view& bytes);
// A varint of a length, and as many bytes.
void AppendText(std::string& out, std::string_view text);
std::string_view TakeText(std::string_view& bytes);

}  // namespace mikura::engine::collections
