// SPDX-License-Identifier: Apache-2.0
#include "control/model/user.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.h"
#include "control/model/arn.h"
#include "control/model/identifiers.h"
#include "control/model/record_json.h"
#include "control/model/secret_hash.h"

namespace mikura::control {
namespace {

constexpr size_t kUserNameMax = 128;
constexpr size_t kAccessStringMax = 4096;
constexpr size_t kPasswordsMax = 2;
constexpr size_t kPasswordMin = 16;
constexpr size_t kPasswordMax = 128;

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiError Combination(std::string message) {
  return {ApiErrorCode::kInvalidParameterCombination, std::move(message)};
}

bool IsPrintable(char c) { return c > ' ' && c <= '~'; }

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// Passwords are given apart from the access string, and a rule that takes them away or forgets all
// rules before it would make something else of the user than what is shown.
bool ChangesPasswords(std::string_view rule) {
  if (rule[0] == '>' || rule[0] == '<' || rule[0] == '#' || rule[0] == '!') return true;
  for (const std::string_view word : {"nopass", "resetpass", "reset"}) {
    if (EqualsIgnoreCase(rule, word)) return true;
  }
  return false;
}

ApiResult<std::vector<std::string>> HashesOf(const std::vector<std::string>& passwords) {
  if (passwords.size() > kPasswordsMax) {
    return Value(fmt::format("A user has at most {} passwords.", kPasswordsMax));
  }
  std::vector<std::string> hashes;
  for (const std::string& password : passwords) {
    const bool spelled = password.size() >= kPasswordMin && password.size() <= kPasswordMax &&
                         std::all_of(password.begin(), password.end(), IsPrintable);
    if (!spelled) {
      return Value(fmt::format("Passwords must have {} to {} printable characters.", kPasswordMin,
                               kPasswordMax));
    }
    std::string hash = HashSecret(password);
    if (std::find(hashes.begin(), hashes.end(), hash) == hashes.end()) {
      hashes.push_back(std::move(hash));
    }
  }
  return hashes;
}

// "password", "no-password-required" or "iam", as the parameters together say.
ApiResult<std::string> TypeOf(const AskedAuthentication& asked) {
  if (!asked.type.empty() || !asked.mode_passwords.empty()) {
    if (!asked.passwords.empty() || asked.no_password_required) {
      return Combination("AuthenticationMode excludes Passwords and NoPasswordRequired.");
    }
    if (asked.type.empty()) return Combination("AuthenticationMode needs a Type.");
    return asked.type;
  }
  if (!asked.no_password_required.value_or(false)) return std::string("password");
  if (!asked.passwords.empty()) {
    return Combination("Passwords cannot be given together with NoPasswordRequired.");
  }
  return std::string("no-password-required");
}

}  // namespace

template <typename Visitor>
void VisitFields(Visitor& visit, User& user) {
  visit("id", user.id);
  visit("account", user.account);
  visit("region", user.region);
  visit("name", user.name);
  visit("engine", user.engine);
  visit("status", user.status);
  visit("access_string", user.access_string);
  visit("no_password", user.no_password);
  visit("password_hashes", user.password_hashes);
  visit("tags", user.tags);
}

std::string User::ArnOf() const { return ArnText({account, region, "user", id}); }

User BuiltInDefaultUser(std::string account, std::string region) {
  User user;
  user.id = kDefaultUser;
  user.account = std::move(account);
  user.region = std::move(region);
  user.name = kDefaultUser;
  user.engine = "redis";
  user.status = kStatusActive;
  user.access_string = "on ~* &* +@all";
  user.no_password = true;
  return user;
}

ApiResult<std::string> UserIdOf(std::string_view text) { return AccessIdOf("UserId", text); }

ApiResult<> CheckUserName(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.@+=:").find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.size() <= kUserNameMax && std::all_of(text.begin(), text.end(), fits)) {
    return Ok();
  }
  return Value(fmt::format("UserName must have 1 to {} letters, digits or characters of -_.@+=:",
                           kUserNameMax));
}

ApiResult<std::string> AccessEngineOf(std::string_view text) {
  std::string engine = ToLower(text);
  if (engine == "redis" || engine == "valkey") return engine;
  return Value(fmt::format("Engine must be redis or valkey, not {}.", text));
}

ApiResult<> CheckAccessString(std::string_view text, const AccessRuleCheck* check) {
  if (text.size() > kAccessStringMax) {
    return Value(fmt::format("AccessString is longer than {} characters.", kAccessStringMax));
  }
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c == ' ' || IsPrintable(c); })) {
    return Value("AccessString must consist of printable characters.");
  }
  const std::vector<std::string_view> words = Words(text);
  if (words.empty()) return Value("AccessString must not be empty.");
  for (const std::string_view word : words) {
    if (!ChangesPasswords(word)) continue;
    return Value(fmt::format("AccessString must not say '{}': passwords are given by Passwords.",
                             word[0] == '>' || word[0] == '<' ? word.substr(0, 1) : word));
  }
  if (check == nullptr || !*check) return Ok();
  const Status checked = (*check)(text);
  if (checked.ok()) return Ok();
  return Value(fmt::format("AccessString is not valid: {}", checked.error().message));
}

ApiResult<> SetAuthentication(User& user, const AskedAuthentication& asked) {
  ASSIGN_OR_RETURN(const std::string type, TypeOf(asked));
  const std::vector<std::string>& passwords =
      asked.mode_passwords.empty() ? asked.passwords : asked.mode_passwords;
  if (type == "iam") {
    return Value(
        "Authentication with IAM is not available: there is no IAM here that could sign tokens. "
        "Use a password.");
  }
  if (type == "no-password-required") {
    if (!passwords.empty()) {
      return Combination("Passwords cannot be given with the type no-password-required.");
    }
    user.no_password = true;
    user.password_hashes.clear();
    return Ok();
  }
  if (passwords.empty()) {
    return Value(
        "No password was provided. If you want to create or update the user without a password, "
        "use NoPasswordRequired.");
  }
  ASSIGN_OR_RETURN(user.password_hashes, HashesOf(passwords));
  user.no_password = false;
  return Ok();
}

std::string AccessLineOf(const User& user) {
  std::string line = "user " + user.name;
  for (const std::string_view word : Words(user.access_string)) line += fmt::format(" {}", word);
  if (user.no_password) line += " nopass";
  for (const std::string& hash : user.password_hashes) line += " #" + hash;
  return line;
}

std::string ToJson(const User& user) { return RecordToJson(user); }

Result<User> UserFromJson(std::string_view text) { return RecordFromJson<User>("user", text); }

}  // namespace mikura::control
