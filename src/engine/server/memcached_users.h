// SPDX-License-Identifier: Apache-2.0
// The users of memcached's protocols: a file of passwords, kept in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace mikura::engine {

class MemcachedUsers {
 public:
  enum class Form : uint8_t {
    // "user:password", where everything behind the first colon is the password; at most eight.
    kAuthFile,
    // "user:password", where a further colon ends the password.
    kSasl,
  };
  struct User {
    std::string name;
    std::string password;
  };
  static constexpr size_t kAuthFileUsersMax = 8;
  static constexpr size_t kLineMax = 255;
  static constexpr size_t kFileMax = size_t{1} << 20;

  // path: empty for none.
  MemcachedUsers(std::string path, Form form) : path_(std::move(path)), form_(form) {}

  bool has_file() const { return !path_.empty(); }

  // Reads the file; the users stay as they were on an error. Does nothing without a file.
  Status Load() EXCLUDES(mutex_);

  // Cost: a comparison with each user, found or not.
  bool IsPassword(std::string_view user, std::string_view password) const EXCLUDES(mutex_);

  // The users of a file's text. Errors: a line without a colon, or one that is too long.
  static Result<std::vector<User>> Parse(std::string_view text, Form form);

 private:
  const std::string path_;
  const Form form_;
  mutable Mutex mutex_;
  std::vector<User> users_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
