// SPDX-License-Identifier: Apache-2.0
// Service and operation to action, and every outcome to the service's own form of XML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/api/action.h"
#include "control/api/codec/query_form.h"
#include "control/api/service.h"
#include "control/api/signature.h"
#include "control/http/http_server.h"

namespace mikura::control {

class ServiceRouter {
 public:
  explicit ServiceRouter(std::vector<ApiService> services) : services_(std::move(services)) {}

  // The service of that name in a credential scope; nullptr when it is not provided.
  const ApiService* Find(std::string_view service) const;
  // The service whose API version the parameters name, for errors before the scope is known; the
  // first service when none has it.
  const ApiService& Guess(const std::vector<FormField>& parameters) const;

  // Runs the action that the parameters name.
  HttpResponse Run(const ApiService& service, const std::vector<FormField>& parameters,
                   ActionContext& context) const;

 private:
  std::vector<ApiService> services_;  // not empty
};

// An error in the form of the service.
HttpResponse ErrorResponse(const ServiceDescription& service, const ApiError& error,
                           std::string_view request_id);

// The errors before and around an action, as this service words them.
ApiError DescribeDecodeError(const ServiceDescription& service, const DecodeError& error);
ApiError DescribeSignatureError(const ServiceDescription& service, const SignatureError& error);

}  // namespace mikura::control
