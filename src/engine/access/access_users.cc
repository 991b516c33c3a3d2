// SPDX-License-Identifier: Apache-2.0
#include "engine/access/access_users.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace mikura::engine::access {
namespace {

constexpr std::string_view kDefault = "default";

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t i = 0; i < line.size();) {
    if (IsBlank(line[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < line.size() && !IsBlank(line[end])) ++end;
    words.push_back(line.substr(i, end - i));
    i = end;
  }
  return words;
}

}  // namespace

bool IsUserName(std::string_view name) {
  return std::none_of(name.begin(), name.end(), [](char c) { return IsBlank(c) || c == '\0'; });
}

AccessUsers::AccessUsers(AccessCatalog catalog) : catalog_(std::move(catalog)) {
  MutexLock lock(mutex_);
  users_.emplace(kDefault, NewDefault());
}

SharedUser AccessUsers::NewDefault() const {
  AccessUser user(catalog_, std::string(kDefault));
  constexpr std::string_view kRules[] = {"on", "nopass", "allkeys", "allchannels", "allcommands"};
  CHECK(user.ApplyRules(kRules).ok());
  return std::make_shared<const AccessUser>(std::move(user));
}

SharedUser AccessUsers::Find(std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : found->second;
}

std::vector<SharedUser> AccessUsers::All() const {
  MutexLock lock(mutex_);
  std::vector<SharedUser> all;
  for (const auto& [name, user] : users_) all.push_back(user);
  return all;
}

Status AccessUsers::Set(std::string_view name, std::span<const std::string_view> rules) {
  MutexLock lock(mutex_);
  const auto found = users_.find(name);
  AccessUser user =
      found == users_.end() ? AccessUser(catalog_, std::string(name)) : *found->second;
  RETURN_IF_ERROR(user.ApplyRules(rules));
  users_.insert_or_assign(std::string(name), std::make_shared<const AccessUser>(std::move(user)));
  Publish();
  return Ok();
}

bool AccessUsers::Remove(std::string_view name) {
  MutexLock lock(mutex_);
  const auto found = users_.find(name);
  if (found == users_.end()) return false;
  users_.erase(found);
  Publish();
  return true;
}

void AccessUsers::SetDefaultPassword(std::string_view password) {
  const std::string add = ">" + std::string(password);
  const std::string_view rules[] = {"resetpass",
                                    password.empty() ? "nopass" : std::string_view(add)};
  CHECK(Set(kDefault, rules).ok());
}

Result<std::vector<std::string>> AccessUsers::Load(std::string_view text, std::string_view origin) {
  std::map<std::string, SharedUser, std::less<>> loaded;
  std::string errors;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string_view> words = Words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (words.empty() || words[0].starts_with('#')) continue;
    if (words[0] != "user" || words.size() < 2) {
      errors += fmt::format("{}:{}: line should start with user keyword followed by the username. ",
                            origin, number);
      continue;
    }
    if (loaded.contains(words[1])) {
      errors +=
          fmt::format("WARNING: {}:{}: duplicate user '{}' found. ", origin, number, words[1]);
      continue;
    }
    AccessUser user(catalog_, std::string(words[1]));
    if (Status applied = user.ApplyRules(std::span(words).subspan(2)); !applied.ok()) {
      errors += fmt::format("{}:{}: {}. ", origin, number, applied.error().message);
      continue;
    }
    loaded.emplace(words[1], std::make_shared<const AccessUser>(std::move(user)));
  }
  if (!errors.empty()) return Error{std::move(errors)};
  if (!loaded.contains(kDefault)) loaded.emplace(kDefault, NewDefault());
  MutexLock lock(mutex_);
  std::vector<std::string> changed;
  for (const auto& [name, user] : users_) {
    const auto found = loaded.find(name);
    if (found == loaded.end() || found->second->Text() != user->Text()) changed.push_back(name);
  }
  users_ = std::move(loaded);
  Publish();
  return changed;
}

std::string AccessUsers::Text() const {
  std::string text;
  for (const SharedUser& user : All()) text += user->Text() + '\n';
  return text;
}

}  // namespace mikura::engine::access
