// SPDX-License-Identifier: Apache-2.0
// A user: whether and with which passwords one may become it, and its rights. A value: registries
// publish copies that never change (access_users.h).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/access/access_selector.h"

namespace mikura::engine::access {

// SHA-256 in lower-case hexadecimal digits: how passwords are kept and shown.
std::string HashPassword(std::string_view password);

class AccessUser {
 public:
  // Off, without passwords and rights.
  AccessUser(const AccessCatalog& catalog, std::string name)
      : name_(std::move(name)), catalog_(&catalog), root_(catalog) {}

  const std::string& name() const { return name_; }
  bool is_enabled() const { return is_enabled_; }
  bool has_no_password() const { return no_password_; }
  std::span<const std::string> password_hashes() const { return password_hashes_; }

  // Applies rules in order, "(...)" among them as one selector each. The error is the text behind
  // "ERR " with which ACL SETUSER answers; the user is to be thrown away then.
  Status ApplyRules(std::span<const std::string_view> rules);

  bool AcceptsPassword(std::string_view password) const;
  Verdict Check(const RequestUse& use) const;
  // The same, and whether a selector that allows it also allows to read all keys.
  bool AllowsReadingAllKeys(const RequestUse& use) const;
  // Some selector allows the command whatever its keys.
  bool AllowsCommand(CommandNumber command, std::string_view first_argument) const;
  bool is_unrestricted() const { return root_.is_unrestricted(); }

  const AccessSelector& root() const { return root_; }
  std::span<const AccessSelector> selectors() const { return selectors_; }
  // "on", "nopass" ...
  std::vector<std::string_view> FlagNames() const;
  // The line of ACL LIST and of ACL files.
  std::string Text() const;

 private:
  Status ApplyRule(std::string_view rule);
  Status AddSelector(std::string_view rules);
  Status AddHash(std::string_view hash);
  Status RemoveHash(std::string_view hash);
  void Reset();

  std::string name_;
  const AccessCatalog* catalog_;
  bool is_enabled_ = false;
  bool no_password_ = false;
  bool skips_sanitizing_ = false;  // shown only: payloads are always checked
  std::vector<std::string> password_hashes_;
  AccessSelector root_;
  std::vector<AccessSelector> selectors_;
};

// Joins words that belong to one "(...)", as ACL SETUSER takes them. The error names the beginning
// of what is not closed.
Result<std::vector<std::string>> JoinSelectors(std::span<const std::string_view> words);

}  // namespace mikura::engine::access
