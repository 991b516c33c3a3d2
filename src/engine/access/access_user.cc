// SPDX-License-Identifier: Apache-2.0
#include "engine/access/access_user.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.h"

namespace mikura::engine::access {
namespace {

constexpr size_t kHashDigits = 64;

bool IsHash(std::string_view text) {
  return text.size() == kHashDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// Compares all bytes whatever they are, so that time tells nothing of them.
bool EqualHashes(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char different = 0;
  for (size_t i = 0; i < a.size(); ++i) different |= static_cast<unsigned char>(a[i] ^ b[i]);
  return different == 0;
}

}  // namespace

Result<std::vector<std::string>> JoinSelectors(std::span<const std::string_view> words) {
  std::vector<std::string> rules;
  bool is_open = false;
  size_t opened_at = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (is_open) {
      rules.back() += ' ';
      rules.back() += word;
    } else {
      rules.emplace_back(word);
      if (!word.starts_with('(')) continue;
      opened_at = i;
    }
    is_open = !word.ends_with(')');
  }
  if (is_open) {
    return Error{
        fmt::format("Unmatched parenthesis in acl selector starting at '{}'.", words[opened_at])};
  }
  return rules;
}

Status AccessUser::ApplyRules(std::span<const std::string_view> rules) {
  ASSIGN_OR_RETURN(const std::vector<std::string> joined, JoinSelectors(rules));
  for (const std::string& rule : joined) {
    if (Status applied = ApplyRule(rule); !applied.ok()) {
      return Error{
          fmt::format("Error in ACL SETUSER modifier '{}': {}", rule, applied.error().message)};
    }
  }
  return Ok();
}

Status AccessUser::ApplyRule(std::string_view rule) {
  const auto is = [rule](std::string_view word) { return EqualsIgnoreCase(rule, word); };
  if (rule.empty()) return Ok();
  if (is("on") || is("off")) {
    is_enabled_ = is("on");
  } else if (is("nopass")) {
    no_password_ = true;
    password_hashes_.clear();
  } else if (is("resetpass")) {
    no_password_ = false;
    password_hashes_.clear();
  } else if (is("skip-sanitize-payload") || is("sanitize-payload")) {
    skips_sanitizing_ = is("skip-sanitize-payload");
  } else if (is("reset")) {
    Reset();
  } else if (is("clearselectors")) {
    selectors_.clear();
  } else if (rule[0] == '>') {
    return AddHash(HashPassword(rule.substr(1)));
  } else if (rule[0] == '#') {
    return AddHash(rule.substr(1));
  } else if (rule[0] == '<') {
    return RemoveHash(HashPassword(rule.substr(1)));
  } else if (rule[0] == '!') {
    return RemoveHash(rule.substr(1));
  } else if (rule.size() > 1 && rule[0] == '(' && rule.back() == ')') {
    return AddSelector(rule.substr(1, rule.size() - 2));
  } else {
    return root_.Apply(rule);
  }
  return Ok();
}

Status AccessUser::AddSelector(std::string_view rules) {
  AccessSelector selector(*catalog_);
  for (const std::string_view rule : Words(rules)) RETURN_IF_ERROR(selector.Apply(rule));
  selectors_.push_back(std::move(selector));
  return Ok();
}

Status AccessUser::AddHash(std::string_view hash) {
  if (!IsHash(hash)) {
    return Error{
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
        "characters"};
  }
  no_password_ = false;
  if (std::find(password_hashes_.begin(), password_hashes_.end(), hash) == password_hashes_.end()) {
    password_hashes_.emplace_back(hash);
  }
  return Ok();
}

Status AccessUser::RemoveHash(std::string_view hash) {
  if (!IsHash(hash)) {
    return Error{
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
        "characters"};
  }
  if (std::erase(password_hashes_, hash) == 0) {
    return Error{"The password you are trying to remove from the user does not exist"};
  }
  return Ok();
}

void AccessUser::Reset() { *this = AccessUser(*catalog_, std::move(name_)); }

bool AccessUser::AcceptsPassword(std::string_view password) const {
  if (!is_enabled_) return false;
  if (no_password_) return true;
  const std::string hash = HashPassword(password);
  bool accepted = false;
  for (const std::string& known : password_hashes_) accepted |= EqualHashes(known, hash);
  return accepted;
}

Verdict AccessUser::Check(const RequestUse& use) const {
  Verdict verdict = root_.Check(use);
  // The denial that is told is of the selector that came furthest.
  for (const AccessSelector& selector : selectors_) {
    if (verdict.allowed()) break;
    const Verdict other = selector.Check(use);
    if (other.allowed() || other.denial > verdict.denial) verdict = other;
  }
  return verdict;
}

bool AccessUser::AllowsReadingAllKeys(const RequestUse& use) const {
  const auto allows = [&](const AccessSelector& selector) {
    return selector.ReadsAllKeys() && selector.Check(use).allowed();
  };
  return allows(root_) || std::any_of(selectors_.begin(), selectors_.end(), allows);
}

bool AccessUser::AllowsCommand(CommandNumber command, std::string_view first_argument) const {
  return root_.AllowsCommand(command, first_argument) ||
         std::any_of(selectors_.begin(), selectors_.end(), [&](const AccessSelector& selector) {
           return selector.AllowsCommand(command, first_argument);
         });
}

std::vector<std::string_view> AccessUser::FlagNames() const {
  std::vector<std::string_view> names = {is_enabled_ ? "on" : "off"};
  if (no_password_) names.emplace_back("nopass");
  if (skips_sanitizing_) names.emplace_back("skip-sanitize-payload");
  return names;
}

std::string AccessUser::Text() const {
  std::string text = "user " + name_;
  for (const std::string_view flag : FlagNames()) text += fmt::format(" {}", flag);
  for (const std::string& hash : password_hashes_) text += " #" + hash;
  text += ' ' + root_.Text();
  for (const AccessSelector& selector : selectors_) text += " (" + selector.Text() + ')';
  return text;
}

}  // namespace mikura::engine::access
