// SPDX-License-Identifier: Apache-2.0
#include "control/api/credentials.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "control/api/random_id.h"

namespace mikura::control {
namespace {

constexpr std::string_view kPrefix = "/ec/v1/credentials/";
constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string KeyOf(std::string_view access_key_id) {
  return fmt::format("{}{}", kPrefix, access_key_id);
}

std::string Encode(const Credential& credential) {
  boost::json::object object;
  object["secret"] = credential.secret;
  object["account"] = credential.account_id;
  object["created"] = credential.created;
  return boost::json::serialize(object);
}

Result<Credential> Decode(const KeyValue& kv) {
  boost::json::error_code error;
  const boost::json::value parsed = boost::json::parse(kv.value, error);
  const boost::json::object* object = error ? nullptr : parsed.if_object();
  const auto string_of = [object](const char* name) -> const boost::json::string* {
    const boost::json::value* value = object != nullptr ? object->if_contains(name) : nullptr;
    return value != nullptr ? value->if_string() : nullptr;
  };
  const auto* secret = string_of("secret");
  const auto* account = string_of("account");
  if (secret == nullptr || account == nullptr) {
    return Error{fmt::format("the credential record {} is damaged", kv.key)};
  }
  const boost::json::value* created = object->if_contains("created");
  const int64_t* created_millis = created != nullptr ? created->if_int64() : nullptr;
  return Credential{.access_key_id = kv.key.substr(kPrefix.size()),
                    .secret = std::string(secret->begin(), secret->end()),
                    .account_id = std::string(account->begin(), account->end()),
                    .created = created_millis != nullptr ? *created_millis : 0};
}

}  // namespace

Result<Credential> CreateCredential(MetadataStore& store, const Clock& clock,
                                    std::string_view account_id) {
  const bool digits = std::all_of(account_id.begin(), account_id.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (account_id.size() != 12 || !digits) {
    return Error{fmt::format("'{}' is not an account id: it needs twelve digits", account_id)};
  }
  for (;;) {
    const Credential credential{.access_key_id = "AKIA" + RandomText(16, kIdAlphabet),
                                .secret = RandomText(40, kSecretAlphabet),
                                .account_id = std::string(account_id),
                                .created = clock.NowMillis()};
    const std::string key = KeyOf(credential.access_key_id);
    ASSIGN_OR_RETURN(const auto revision,
                     store.Transact({Compare::Absent(key)}, {Write::Put(key, Encode(credential))}));
    if (revision) return credential;
  }
}

Result<std::vector<Credential>> ListCredentials(MetadataStore& store) {
  ASSIGN_OR_RETURN(const auto records, store.List(kPrefix));
  std::vector<Credential> credentials;
  for (const KeyValue& kv : records) {
    ASSIGN_OR_RETURN(Credential credential, Decode(kv));
    credentials.push_back(std::move(credential));
  }
  return credentials;
}

Result<std::optional<Credential>> FindCredential(MetadataStore& store,
                                                 std::string_view access_key_id) {
  ASSIGN_OR_RETURN(const auto kv, store.Get(KeyOf(access_key_id)));
  if (!kv) return std::optional<Credential>();
  ASSIGN_OR_RETURN(Credential credential, Decode(*kv));
  return std::optional<Credential>(std::move(credential));
}

Result<bool> DeleteCredential(MetadataStore& store, std::string_view access_key_id) {
  const std::string key = KeyOf(access_key_id);
  ASSIGN_OR_RETURN(const auto revision,
                   store.Transact({Compare::Present(key)}, {Write::Delete(key)}));
  return revision.has_value();
}

}  // namespace mikura::control
