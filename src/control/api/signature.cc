// SPDX-License-Identifier: Apache-2.0
#include "control/api/signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/numbers.h"
#include "control/api/codec/iso_time.h"
#include "control/api/codec/query_form.h"

namespace mikura::control {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr UnixMillis kSkewMax = 15 * 60 * 1000;
constexpr int64_t kPresignedSecondsMax = 7 * 24 * 3600;
constexpr size_t kSignatureSize = 64;

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string Sha256(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return {reinterpret_cast<const char*>(digest), sizeof digest};
}

std::string HmacSha256(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  CHECK(done != nullptr);
  return {reinterpret_cast<const char*>(digest), size};
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The value without blanks at its ends, and one blank for several.
std::string CanonicalHeaderValue(std::string_view value) {
  std::string out;
  for (const char c : Trim(value)) {
    if (c == ' ' && !out.empty() && out.back() == ' ') continue;
    out.push_back(c);
  }
  return out;
}

std::string CanonicalHeaders(const HttpRequest& request, const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    std::string values;
    for (const HttpHeader& header : request.headers) {
      if (!EqualsIgnoreCase(header.name, name)) continue;
      if (!values.empty()) values.push_back(',');
      values += CanonicalHeaderValue(header.value);
    }
    out += name + ":" + values + "\n";
  }
  return out;
}

std::string_view PathOf(const HttpRequest& request) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  return path.empty() ? "/" : path;
}

std::string_view QueryOf(const HttpRequest& request) {
  const size_t mark = request.target.find('?');
  return mark == std::string::npos ? std::string_view()
                                   : std::string_view(request.target).substr(mark + 1);
}

// Each parameter encoded anew, sorted by name, then value; without the signature itself.
std::string CanonicalQuery(const HttpRequest& request) {
  const std::string_view query = QueryOf(request);
  if (query.empty()) return {};
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const std::string& parameter : Split(query, '&')) {
    if (parameter.empty()) continue;
    const size_t equals = parameter.find('=');
    const std::string_view raw_name = std::string_view(parameter).substr(0, equals);
    const std::string_view raw_value = equals == std::string::npos
                                           ? std::string_view()
                                           : std::string_view(parameter).substr(equals + 1);
    // What cannot be decoded stays as it is: the signature will not match, or the form is refused.
    const std::string name = PercentDecode(raw_name).value_or(std::string(raw_name));
    const std::string value = PercentDecode(raw_value).value_or(std::string(raw_value));
    if (name == "X-Amz-Signature") continue;
    parameters.emplace_back(PercentEncode(name, false), PercentEncode(value, false));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out.push_back('&');
    out += name + "=" + value;
  }
  return out;
}

SignatureError Incomplete(std::string message) {
  return {SignatureError::Kind::kIncomplete, std::move(message)};
}

SignatureError Mismatch(std::string message) {
  return {SignatureError::Kind::kMismatch, std::move(message)};
}

// "AKIA.../20260102/us-east-1/ec2/aws4_request". An access key id holds no slash.
Result<Unit, SignatureError> ReadCredential(const std::string& text, SignatureClaim& claim) {
  const std::vector<std::string> parts = Split(text, '/');
  const bool complete =
      parts.size() == 5 && parts[4] == "aws4_request" && parts[1].size() == 8 &&
      std::none_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); });
  if (!complete) {
    return Incomplete(
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/aws4_request, got '{}'",
                    text));
  }
  claim.access_key_id = parts[0];
  claim.date = parts[1];
  claim.region = parts[2];
  claim.service = parts[3];
  return Ok();
}

Result<SignatureClaim, SignatureError> Finish(SignatureClaim claim, const std::string& headers) {
  claim.signed_headers = Split(ToLower(headers), ';');
  if (std::find(claim.signed_headers.begin(), claim.signed_headers.end(), "host") ==
      claim.signed_headers.end()) {
    return Mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  const auto time = ParseBasicIsoTime(claim.time_text);
  if (!time)
    return Incomplete("Date must be in ISO-8601 'basic format'. Got '" + claim.time_text + "'");
  claim.time = *time;
  return claim;
}

Result<SignatureClaim, SignatureError> ReadAuthorization(const HttpRequest& request,
                                                         std::string_view text) {
  if (text.substr(0, kAlgorithm.size()) != kAlgorithm) {
    return Incomplete("Unsupported AWS 'algorithm' in the Authorization header.");
  }
  std::map<std::string, std::string, std::less<>> parts;
  for (const std::string& part : Split(text.substr(kAlgorithm.size()), ',')) {
    const std::string_view trimmed = Trim(part);
    const size_t equals = trimmed.find('=');
    if (equals == std::string_view::npos) continue;
    parts.emplace(trimmed.substr(0, equals), trimmed.substr(equals + 1));
  }
  std::string missing;
  for (const std::string_view name : {"Credential", "Signature", "SignedHeaders"}) {
    if (parts.find(name) == parts.end()) {
      missing += fmt::format("Authorization header requires '{}' parameter. ", name);
    }
  }
  const std::string* date = request.FindHeader("x-amz-date");
  if (date == nullptr)
    missing += "Authorization header requires existence of a 'X-Amz-Date' header. ";
  if (!missing.empty()) return Incomplete(missing + "Authorization=" + std::string(text));
  SignatureClaim claim;
  RETURN_IF_ERROR(ReadCredential(parts.find("Credential")->second, claim));
  claim.signature = parts.find("Signature")->second;
  claim.time_text = Trim(*date);
  return Finish(std::move(claim), parts.find("SignedHeaders")->second);
}

Result<SignatureClaim, SignatureError> ReadPresigned(const std::vector<FormField>& query) {
  const auto find = [&query](std::string_view name) {
    for (const FormField& field : query) {
      if (field.name == name) return field.value;
    }
    return std::string();
  };
  if (find("X-Amz-Algorithm") != kAlgorithm) {
    return Incomplete("AWS query-string parameters must include 'X-Amz-Algorithm'.");
  }
  SignatureClaim claim;
  RETURN_IF_ERROR(ReadCredential(find("X-Amz-Credential"), claim));
  claim.signature = find("X-Amz-Signature");
  claim.time_text = find("X-Amz-Date");
  claim.expires_seconds = ParseInt64(find("X-Amz-Expires"));
  if (!claim.expires_seconds || *claim.expires_seconds < 0 ||
      *claim.expires_seconds > kPresignedSecondsMax) {
    return Incomplete("'X-Amz-Expires' must be a number of seconds up to 604800.");
  }
  return Finish(std::move(claim), find("X-Amz-SignedHeaders"));
}

Result<Unit, SignatureError> CheckTime(const SignatureClaim& claim, UnixMillis now) {
  if (claim.time_text.substr(0, 8) != claim.date) {
    return Mismatch(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                    "date from HTTP: '{}' != '{}', from '{}'.",
                    claim.date, claim.time_text.substr(0, 8), claim.time_text));
  }
  const UnixMillis lifetime = claim.expires_seconds ? *claim.expires_seconds * 1000 : kSkewMax;
  if (now > claim.time + lifetime) {
    return SignatureError{SignatureError::Kind::kExpired,
                          fmt::format("Signature expired: {} is now earlier than {}",
                                      claim.time_text, FormatIsoTime(now - lifetime))};
  }
  if (claim.time > now + kSkewMax) {
    return SignatureError{SignatureError::Kind::kExpired,
                          fmt::format("Signature not yet current: {} is still later than {}",
                                      claim.time_text, FormatIsoTime(now + kSkewMax))};
  }
  return Ok();
}

}  // namespace

Result<SignatureClaim, SignatureError> ReadSignature(const HttpRequest& request) {
  if (const std::string* text = request.FindHeader("authorization")) {
    return ReadAuthorization(request, *text);
  }
  const auto query = ParseForm(QueryOf(request));
  const auto is_signature = [](const auto& field) { return field.name == "X-Amz-Signature"; };
  if (query && std::any_of(query->begin(), query->end(), is_signature)) {
    return ReadPresigned(*query);
  }
  return SignatureError{SignatureError::Kind::kMissing, "Request is missing Authentication Token"};
}

std::string ComputeSignature(const HttpRequest& request, const SignatureClaim& claim,
                             const std::string& secret) {
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, PercentEncode(PathOf(request), true),
                  CanonicalQuery(request), CanonicalHeaders(request, claim.signed_headers),
                  fmt::join(claim.signed_headers, ";"), Hex(Sha256(request.body)));
  const std::string scope =
      fmt::format("{}/{}/{}/aws4_request", claim.date, claim.region, claim.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, claim.time_text, scope, Hex(Sha256(canonical)));
  std::string key = HmacSha256("AWS4" + secret, claim.date);
  for (const std::string_view part :
       {std::string_view(claim.region), std::string_view(claim.service),
        std::string_view("aws4_request")}) {
    key = HmacSha256(key, part);
  }
  return Hex(HmacSha256(key, to_sign));
}

Result<Unit, SignatureError> VerifySignature(const HttpRequest& request,
                                             const SignatureClaim& claim, const std::string& secret,
                                             UnixMillis now) {
  const std::string wanted = ComputeSignature(request, claim, secret);
  DCHECK(wanted.size() == kSignatureSize);
  if (claim.signature.size() != kSignatureSize ||
      CRYPTO_memcmp(wanted.data(), claim.signature.data(), kSignatureSize) != 0) {
    return Mismatch(
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details.");
  }
  return CheckTime(claim, now);
}

}  // namespace mikura::control
