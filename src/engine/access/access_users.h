// SPDX-License-Identifier: Apache-2.0
// All users of a node. A user that was published never changes: whoever changes one publishes
// another. Clients keep the one they have until version() tells that there may be a newer one.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/access/access_log.h"
#include "engine/access/access_user.h"

namespace mikura::engine::access {

using SharedUser = std::shared_ptr<const AccessUser>;

// Thread-safe. Its mutex is a leaf.
class AccessUsers {
 public:
  // With the user "default", who may do everything without a password.
  explicit AccessUsers(AccessCatalog catalog);

  const AccessCatalog& catalog() const { return catalog_; }
  // Rises with every change. Relaxed: a client sees a change with one of its next requests.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Null when there is none.
  SharedUser Find(std::string_view name) const;
  std::vector<SharedUser> All() const;  // by name

  // Creates or changes a user: all rules or none. Errors: the text behind "ERR ".
  Status Set(std::string_view name, std::span<const std::string_view> rules);
  // False when there is none. "default" is not to be removed.
  bool Remove(std::string_view name);
  // requirepass: the password of the user "default"; empty for none.
  void SetDefaultPassword(std::string_view password);

  // Replaces all users by those of the text (lines "user NAME rules ..."), or none of them. Without
  // a line for it the user "default" stays as it is when new. Returns the names of those that are
  // gone or have changed. Errors: all lines that are wrong, `origin` in front.
  Result<std::vector<std::string>> Load(std::string_view text, std::string_view origin);
  // The text for Load().
  std::string Text() const;

  AccessLog& log() { return log_; }

 private:
  SharedUser NewDefault() const;
  void Publish() { version_.fetch_add(1, std::memory_order_release); }

  const AccessCatalog catalog_;
  mutable Mutex mutex_;
  std::map<std::string, SharedUser, std::less<>> users_ GUARDED_BY(mutex_);
  // Publishes users_ to clients that compare it with what they have seen.
  std::atomic<uint64_t> version_{1};
  AccessLog log_;
};

// Names are shown between blanks.
bool IsUserName(std::string_view name);

}  // namespace mikura::engine::access
