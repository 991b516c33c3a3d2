// SPDX-License-Identifier: Apache-2.0
// For tests: a value in each of the encodings that an RDB file may have, made byte by byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/persistence/rdb_reader.h"

namespace mikura::engine {

struct RdbSample {
  std::string_view name;
  uint8_t type;
  std::string payload;
  std::string wanted;  // what Describe() says of it
};

std::vector<RdbSample> RdbSamples();

// All that a value holds, as text: "hash a=1 b=2@100".
std::string Describe(const RdbEntry& entry);

// A whole file with all samples and everything that stands between keys.
std::string RdbFileOfSamples();
// The header, the bytes, and the end with its checksum.
std::string RdbFileOf(std::string_view body, std::string_view version = "0012");

}  // namespace mikura::engine
