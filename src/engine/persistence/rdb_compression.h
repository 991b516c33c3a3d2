// SPDX-License-Identifier: Apache-2.0
// Compresses the long texts of RDB data that was written plain: under a shard's lock there is no
// time for it.
#pragma once

#include <string>
#include <string_view>

#include "engine/persistence/lzf.h"
#include "engine/persistence/rdb_output.h"

namespace mikura::engine {

class RdbCompressor {
 public:
  // Longer texts stay plain: the compressed form is gathered in memory before it is written.
  static constexpr size_t kTextBytesMax = 16 << 20;

  // Appends `data` with its texts, of which `texts` are the ascending places, compressed where that
  // makes them shorter.
  void AppendData(std::string& out, std::string_view data, const RdbPlainTexts& texts);
  // Appends one text in compressed form; false when that would not be shorter.
  bool AppendText(std::string& out, std::string_view text);

 private:
  LzfCompressor lzf_;
  std::string compressed_;
};

}  // namespace mikura::engine
