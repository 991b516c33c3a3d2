// SPDX-License-Identifier: Apache-2.0
// The AWS-compatible endpoint: HTTP in, signature, service, action, XML out.
//
// Thread-safe: requests run on the threads of the HTTP server; they share the store alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/api/credentials.h"
#include "control/api/service.h"
#include "control/api/service_router.h"
#include "control/http/http_server.h"
#include "control/metadata/metadata_store.h"
#include "control/model/user.h"

namespace mikura::control {

class ApiServer {
 public:
  // services: at least one, in no special order. The store and the clock outlive the server.
  ApiServer(HttpServerOptions options, MetadataStore& store, const Clock& clock,
            std::vector<ApiService> services);

  // How access rules of users are checked. Before Start().
  void SetAccessRuleCheck(AccessRuleCheck check) { access_rules_ = std::move(check); }

  // Listens. Errors: as HttpServer::Start().
  Status Start() { return http_.Start(); }
  void Stop() { http_.Stop(); }

  // After Start().
  uint16_t port() const { return http_.port(); }

  // One request, as the HTTP server hands it over; also without a socket.
  HttpResponse Handle(const HttpRequest& request);

 private:
  // Errors: nobody has the key; the store cannot be read.
  Result<Credential, ApiError> SecretOf(const SignatureClaim& claim,
                                        const ServiceDescription& service);
  HttpResponse Serve(const HttpRequest& request, const std::vector<FormField>& parameters);

  MetadataStore& store_;
  const Clock& clock_;
  AccessRuleCheck access_rules_;
  ServiceRouter router_;
  HttpServer http_;
};

}  // namespace mikura::control
