// SPDX-License-Identifier: Apache-2.0
// The settings of cjson, which each run begins with anew.
#pragma once

#include <cstdint>

namespace mikura::engine::scripting {

enum class InvalidNumbers : uint8_t { kRefused, kAccepted, kNull };

struct JsonSettings {
  bool sparse_convert = false;
  int sparse_ratio = 2;
  int sparse_safe = 10;
  int encode_depth_max = 1'000;
  int decode_depth_max = 1'000;
  int number_digits = 14;
  bool keep_buffer = true;  // without effect: the buffer is bounded
  InvalidNumbers encode_invalid = InvalidNumbers::kRefused;
  InvalidNumbers decode_invalid = InvalidNumbers::kAccepted;
};

}  // namespace mikura::engine::scripting
