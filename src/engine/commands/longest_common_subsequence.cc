// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/longest_common_subsequence.h"

#include <algorithm>

namespace mikura::engine {

size_t LcsTableBytes(size_t a_bytes, size_t b_bytes) {
  size_t cells = 0;
  size_t bytes = 0;
  if (__builtin_mul_overflow(a_bytes + 1, b_bytes + 1, &cells) ||
      __builtin_mul_overflow(cells, sizeof(uint32_t), &bytes)) {
    return SIZE_MAX;
  }
  return bytes;
}

LcsResult LongestCommonSubsequence(std::string_view a, std::string_view b) {
  // best[i][j]: the length for the first i bytes of a and the first j of b.
  const size_t width = b.size() + 1;
  std::vector<uint32_t> best((a.size() + 1) * width, 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      best[i * width + j] = a[i - 1] == b[j - 1]
                                ? best[(i - 1) * width + j - 1] + 1
                                : std::max(best[(i - 1) * width + j], best[i * width + j - 1]);
    }
  }
  LcsResult result;
  size_t i = a.size();
  size_t j = b.size();
  LcsMatch run;
  const auto end_run = [&] {
    if (run.length > 0) result.matches.push_back(run);
    run = {};
  };
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      result.common += a[i - 1];
      --i;
      --j;
      run = {i, j, run.length + 1};
      continue;
    }
    end_run();
    if (best[(i - 1) * width + j] > best[i * width + j - 1]) {
      --i;
    } else {
      --j;
    }
  }
  end_run();
  std::reverse(result.common.begin(), result.common.end());
  return result;
}

}  // namespace mikura::engine
