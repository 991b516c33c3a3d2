// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mikura::engine {

// A run of bytes that both strings share within their longest common subsequence.
struct LcsMatch {
  size_t first_a = 0;
  size_t first_b = 0;
  size_t length = 0;
};

struct LcsResult {
  std::string common;
  std::vector<LcsMatch> matches;  // from the ends of the strings to their beginnings
};

// Bytes of memory that LongestCommonSubsequence() needs while it runs; SIZE_MAX when that
// overflows.
size_t LcsTableBytes(size_t a_bytes, size_t b_bytes);

// Cost: O(a * b) time, LcsTableBytes() of memory.
LcsResult LongestCommonSubsequence(std::string_view a, std::string_view b);

}  // namespace mikura::engine
