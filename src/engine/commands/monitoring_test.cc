// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/monitoring.h"

#include <gtest/gtest.h>

namespace mikura::engine {
namespace {

std::string Line(std::vector<std::string_view> words) {
  return MonitorLine(words, 3, "127.0.0.1:7", 1'700'000'000'000'042);
}

TEST(MonitorLine, HasTimeDatabaseAddressAndWords) {
  EXPECT_EQ(Line({"SET", "k", ""}), "+1700000000.000042 [3 127.0.0.1:7] \"SET\" \"k\" \"\"\r\n");
}

TEST(MonitorLine, NeverBreaks) {
  using namespace std::string_view_literals;
  EXPECT_EQ(Line({"a\"b\\c\n\r\t\a\b\0\x7f\xe9 ~"sv}),
            "+1700000000.000042 [3 127.0.0.1:7] "
            "\"a\\\"b\\\\c\\n\\r\\t\\a\\b\\x00\\x7f\\xe9 ~\"\r\n");
}

}  // namespace
}  // namespace mikura::engine
