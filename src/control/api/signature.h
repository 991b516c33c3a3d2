// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4: who signed a request, and whether it is genuine.
//
// Both forms are read: the Authorization header, and the presigned query (X-Amz-Signature). The
// hash of the body is always computed here, never taken from a header.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/http/http_server.h"

namespace mikura::control {

struct SignatureError {
  enum class Kind {
    kMissing,     // the request is not signed
    kIncomplete,  // a part of the signature is missing or malformed
    kUnknownKey,  // nobody has this access key
    kMismatch,    // the signature does not belong to this request and secret
    kExpired,     // its time is not within 15 minutes of ours
  };
  Kind kind = Kind::kMissing;
  std::string message;
};

// What the request says about its signature; nothing of it is verified.
struct SignatureClaim {
  std::string access_key_id;
  std::string date;  // of the credential scope: "20260102"
  std::string region;
  std::string service;
  std::vector<std::string> signed_headers;  // lower case
  std::string signature;                    // 64 hexadecimal digits
  std::string time_text;                    // "20260102T030405Z"
  UnixMillis time = 0;
  std::optional<int64_t> expires_seconds;  // presigned only
};

// Errors: kMissing, kIncomplete.
Result<SignatureClaim, SignatureError> ReadSignature(const HttpRequest& request);

// Errors: kMismatch, kExpired. Cost: two hashes of the body; compares in constant time.
Result<Unit, SignatureError> VerifySignature(const HttpRequest& request,
                                             const SignatureClaim& claim, const std::string& secret,
                                             UnixMillis now);

// The signature that `request` would need: for clients and tests.
std::string ComputeSignature(const HttpRequest& request, const SignatureClaim& claim,
                             const std::string& secret);

}  // namespace mikura::control
