// SPDX-License-Identifier: Apache-2.0
// Signs requests as an SDK does and hands them to an ApiServer: for tests only.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "control/api/api_server.h"
#include "control/api/codec/iso_time.h"
#include "control/api/codec/query_form.h"
#include "control/metadata/memory_store.h"

namespace mikura::control {

class ApiTestClient {
 public:
  ApiTestClient(std::string service, std::string version, std::vector<ApiService> services)
      : version_(std::move(version)), server_({}, store_, clock_, std::move(services)) {
    claim_.service = std::move(service);
    claim_.access_key_id = "test";
    claim_.region = "ap-northeast-1";
    claim_.signed_headers = {"host", "x-amz-date"};
    CHECK(server_.Start().ok());
  }

  // The signed request for an action with these parameters, "A=1&B=2" in form encoding.
  HttpRequest Sign(std::string_view action, std::string_view parameters = {}) {
    HttpRequest request{.method = "POST",
                        .target = "/",
                        .headers = {{"Host", "127.0.0.1"}},
                        .body = fmt::format("Action={}&Version={}", action, version_),
                        .peer_address = "127.0.0.1"};
    if (!parameters.empty()) request.body += fmt::format("&{}", parameters);
    std::string time;  // "2026-01-02T03:04:05.678Z" to "20260102T030405Z"
    for (const char c : FormatIsoTime(clock_.NowMillis()).substr(0, 19)) {
      if (c != '-' && c != ':') time.push_back(c);
    }
    claim_.time_text = time + "Z";
    claim_.date = time.substr(0, 8);
    request.headers.push_back({"X-Amz-Date", claim_.time_text});
    request.headers.push_back(
        {"Authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request, "
                                      "SignedHeaders=host;x-amz-date, Signature={}",
                                      claim_.access_key_id, claim_.date, claim_.region,
                                      claim_.service, ComputeSignature(request, claim_, secret_))});
    return request;
  }

  HttpResponse Call(std::string_view action, std::string_view parameters = {}) {
    return server_.Handle(Sign(action, parameters));
  }

  // The texts of all elements `name` in the answer, parted by blanks; what is nested stays as it
  // is.
  static std::string Texts(const HttpResponse& response, std::string_view name) {
    const std::string open = fmt::format("<{}>", name);
    const std::string close = fmt::format("</{}>", name);
    std::string texts;
    size_t at = 0;
    while ((at = response.body.find(open, at)) != std::string::npos) {
      at += open.size();
      const size_t end = response.body.find(close, at);
      if (!texts.empty()) texts.push_back(' ');
      texts += response.body.substr(at, end - at);
    }
    return texts;
  }

  // Status and error code, "400 InvalidParameterValue"; "200 " when it went well.
  static std::string CodeOf(const HttpResponse& response) {
    return fmt::format("{} {}", response.status, Texts(response, "Code"));
  }
  std::string Outcome(std::string_view action, std::string_view parameters = {}) {
    return CodeOf(Call(action, parameters));
  }
  // Texts() of what the action answers.
  std::string Text(std::string_view action, std::string_view parameters, std::string_view element) {
    return Texts(Call(action, parameters), element);
  }

  ApiServer& server() { return server_; }
  MemoryStore& store() { return store_; }
  ManualClock& clock() { return clock_; }
  SignatureClaim& claim() { return claim_; }
  void set_secret(std::string secret) { secret_ = std::move(secret); }

 private:
  std::string version_;
  std::string secret_ = "test";
  SignatureClaim claim_;
  MemoryStore store_;
  ManualClock clock_;
  ApiServer server_;
};

}  // namespace mikura::control
