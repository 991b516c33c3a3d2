// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/log_record.h"

#include "base/numbers.h"

namespace mikura::engine {

void AppendSelect(std::string& out, int database) {
  char digits[24];
  const size_t length = FormatInt64(database, digits);
  out.append("*2\r\n$6\r\nSELECT\r\n$");
  char size[24];
  out.append(size, FormatInt64(static_cast<int64_t>(length), size));
  out.append("\r\n").append(digits, length).append("\r\n");
}

}  // namespace mikura::engine
