// SPDX-License-Identifier: Apache-2.0
// The access keys that the API accepts, kept in the metadata store.
//
// Signatures are verified with the secret itself, so the store holds it as it is; whoever can read
// the store's file can sign as anybody.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/metadata/metadata_store.h"

namespace mikura::control {

struct Credential {
  std::string access_key_id;  // 20 characters, "AKIA..."
  std::string secret;         // 40 characters
  std::string account_id;     // 12 digits
  UnixMillis created = 0;
};

// The pair test/test: for the first steps on one machine, never for others.
inline constexpr std::string_view kLocalAccessKeyId = "test";
inline constexpr std::string_view kLocalSecret = "test";
inline constexpr std::string_view kDefaultAccountId = "000000000000";

// Makes and stores a new pair. Errors: the account is not twelve digits; the store's.
Result<Credential> CreateCredential(MetadataStore& store, const Clock& clock,
                                    std::string_view account_id = kDefaultAccountId);

// All stored pairs, by access key id. Errors: the store's; a damaged record.
Result<std::vector<Credential>> ListCredentials(MetadataStore& store);

// nullopt when there is none.
Result<std::optional<Credential>> FindCredential(MetadataStore& store,
                                                 std::string_view access_key_id);

// Returns: false when there was none.
Result<bool> DeleteCredential(MetadataStore& store, std::string_view access_key_id);

}  // namespace mikura::control
