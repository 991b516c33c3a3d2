// SPDX-License-Identifier: Apache-2.0
#include "engine/server/memcached_users.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/constant_time.h"
#include "base/logging.h"

namespace mikura::engine {

Result<std::vector<MemcachedUsers::User>> MemcachedUsers::Parse(std::string_view text, Form form) {
  std::vector<User> users;
  size_t number = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
    line = line.substr(0, line.find('\r'));
    if (line.empty() && form == Form::kSasl) continue;
    const size_t colon = line.find(':');
    if (line.size() > kLineMax) return Error{fmt::format("line {} is too long", number)};
    if (colon == std::string_view::npos) {
      return Error{fmt::format("line {} is not user:password", number)};
    }
    std::string_view password = line.substr(colon + 1);
    if (form == Form::kSasl) password = password.substr(0, password.find(':'));
    users.push_back({std::string(line.substr(0, colon)), std::string(password)});
  }
  return users;
}

Status MemcachedUsers::Load() {
  if (path_.empty()) return Ok();
  std::ifstream file(path_, std::ios::binary);
  if (!file) {
    return Error{fmt::format("cannot read the passwords {}: {}", path_, std::strerror(errno))};
  }
  std::string text(kFileMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Error{fmt::format("cannot read the passwords {}", path_)};
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kFileMax) {
    return Error{fmt::format("the passwords {} exceed {} bytes", path_, kFileMax)};
  }
  Result<std::vector<User>> users = Parse(text, form_);
  if (!users.ok()) {
    return Error{fmt::format("the passwords {}: {}", path_, users.error().message)};
  }
  if (form_ == Form::kAuthFile && users->size() > kAuthFileUsersMax) {
    Log(LogLevel::kWarning, "server",
        "of the passwords {} only the first {} are used, as memcached does", path_,
        kAuthFileUsersMax);
    users->resize(kAuthFileUsersMax);
  }
  MutexLock lock(mutex_);
  users_ = std::move(users).value();
  return Ok();
}

bool MemcachedUsers::IsPassword(std::string_view user, std::string_view password) const {
  MutexLock lock(mutex_);
  bool found = false;
  for (const User& known : users_) {
    const bool is_user = EqualInConstantTime(user, known.name);
    const bool is_password = EqualInConstantTime(password, known.password);
    found = found || (is_user && is_password);
  }
  return found;
}

}  // namespace mikura::engine
