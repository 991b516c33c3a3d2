// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_compression.h"

#include "engine/persistence/rdb_format.h"

namespace mikura::engine {
namespace {

// What two lengths and an encoding may take more than one length.
constexpr size_t kSavedMin = 4;

size_t LengthBytes(size_t length) {
  if (length < 1u << 6) return 1;
  if (length < 1u << 14) return 2;
  return length <= UINT32_MAX ? 5 : 9;
}

}  // namespace

void RdbCompressor::AppendData(std::string& out, std::string_view data,
                               const RdbPlainTexts& texts) {
  size_t done = 0;
  for (const RdbPlainText& text : texts) {
    out.append(data.substr(done, text.at - done));
    done = text.at;
    const size_t begin = text.at + LengthBytes(text.size);
    if (AppendText(out, data.substr(begin, text.size))) done = begin + text.size;
  }
  out.append(data.substr(done));
}

bool RdbCompressor::AppendText(std::string& out, std::string_view text) {
  if (text.size() < kRdbCompressedMin || text.size() > kTextBytesMax) return false;
  compressed_.clear();
  if (!lzf_.Append(compressed_, text, kSavedMin)) return false;
  out.push_back(static_cast<char>(kRdbEncoded << 6 | kRdbLzf));
  AppendRdbLength(out, compressed_.size());
  AppendRdbLength(out, text.size());
  out.append(compressed_);
  return true;
}

}  // namespace mikura::engine
