// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "engine/commands/access_control.h"
#include "engine/process/main.h"

namespace mikura::engine {

Status CheckAccessRules(std::string_view rules) {
  const CommandTable table;
  AccessControl control(table);
  std::vector<std::string_view> words;
  while (!rules.empty()) {
    const size_t end = std::min(rules.find(' '), rules.size());
    if (end > 0) words.push_back(rules.substr(0, end));
    rules.remove_prefix(std::min(end + 1, rules.size()));
  }
  access::AccessUser user(control.users().catalog(), "checked");
  return user.ApplyRules(words);
}

}  // namespace mikura::engine
