// SPDX-License-Identifier: Apache-2.0
#include "control/api/api_server.h"

#include <fmt/format.h>

#include "base/logging.h"
#include "control/api/random_id.h"
#include "control/model/zones.h"

namespace mikura::control {
namespace {

// The fields of the query and of the form, or nullopt when one of them is malformed.
std::optional<std::vector<FormField>> ParametersOf(const HttpRequest& request) {
  const size_t mark = request.target.find('?');
  auto fields =
      ParseForm(mark == std::string::npos ? std::string_view()
                                          : std::string_view(request.target).substr(mark + 1));
  auto body = ParseForm(request.body);
  if (!fields || !body) return std::nullopt;
  for (FormField& field : *body) fields->push_back(std::move(field));
  return fields;
}

std::string CallerArn(const Credential& credential) {
  return fmt::format("arn:aws:iam::{}:root", credential.account_id);
}

}  // namespace

ApiServer::ApiServer(HttpServerOptions options, MetadataStore& store, const Clock& clock,
                     std::vector<ApiService> services)
    : store_(store),
      clock_(clock),
      router_(std::move(services)),
      http_(std::move(options), [this](const HttpRequest& request) { return Handle(request); }) {}

HttpResponse ApiServer::Handle(const HttpRequest& request) {
  if (request.method == "GET" && request.target == "/health") return {.body = "ok\n"};
  const auto parameters = ParametersOf(request);
  if (parameters) return Serve(request, *parameters);
  return ErrorResponse(*router_.Guess({}).description, {ApiErrorCode::kMalformedQueryString, {}},
                       NewRequestId());
}

Result<Credential, ApiError> ApiServer::SecretOf(const SignatureClaim& claim,
                                                 const ServiceDescription& service) {
  if (claim.access_key_id == kLocalAccessKeyId && http_.listens_on_loopback_only()) {
    return Credential{.access_key_id = claim.access_key_id,
                      .secret = std::string(kLocalSecret),
                      .account_id = std::string(kDefaultAccountId),
                      .created = 0};
  }
  auto stored = FindCredential(store_, claim.access_key_id);
  if (!stored.ok()) {
    Log(LogLevel::kError, "api", "cannot read credentials: {}", stored.error().message);
    return ApiError{ApiErrorCode::kServiceUnavailable, {}};
  }
  if (!*stored) {
    return DescribeSignatureError(service, {SignatureError::Kind::kUnknownKey, {}});
  }
  return std::move(**stored);
}

HttpResponse ApiServer::Serve(const HttpRequest& request,
                              const std::vector<FormField>& parameters) {
  const std::string request_id = NewRequestId();
  const auto claim = ReadSignature(request);
  if (!claim.ok()) {
    const ServiceDescription& guess = *router_.Guess(parameters).description;
    return ErrorResponse(guess, DescribeSignatureError(guess, claim.error()), request_id);
  }
  const ApiService* service = router_.Find(claim->service);
  const ServiceDescription& description =
      *(service != nullptr ? *service : router_.Guess(parameters)).description;
  const auto credential = SecretOf(*claim, description);
  if (!credential.ok()) return ErrorResponse(description, credential.error(), request_id);
  const auto verified = VerifySignature(request, *claim, credential->secret, clock_.NowMillis());
  if (!verified.ok()) {
    return ErrorResponse(description, DescribeSignatureError(description, verified.error()),
                         request_id);
  }
  if (!IsRegionName(claim->region)) {
    return ErrorResponse(description,
                         {ApiErrorCode::kInvalidParameterValue,
                          fmt::format("'{}' is not a valid region name.", claim->region)},
                         request_id);
  }
  if (service == nullptr) {
    return ErrorResponse(description,
                         {ApiErrorCode::kInvalidAction,
                          fmt::format("The service {} is not provided here.", claim->service)},
                         request_id);
  }
  ActionContext context{.store = store_,
                        .clock = clock_,
                        .account_id = credential->account_id,
                        .region = claim->region,
                        .access_key_id = credential->access_key_id,
                        .caller_arn = CallerArn(*credential),
                        .request_id = request_id,
                        .access_rules = &access_rules_};
  return router_.Run(*service, parameters, context);
}

}  // namespace mikura::control
