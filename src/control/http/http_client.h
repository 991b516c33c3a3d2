// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 request at a time, without TLS, with a bound on its time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/http/http_server.h"

namespace mikura::control {

struct HttpUrl {
  std::string host;  // a name or an IP address
  std::string port;  // "80" when the text names none
  std::string path;  // "/" at least

  // As the Host header has it.
  std::string Authority() const { return port == "80" ? host : host + ":" + port; }
};

// "http://host[:port][/path]". Errors: it is something else.
Result<HttpUrl> ParseHttpUrl(std::string_view text);

// Connects, sends the request with its headers (and Content-Length), and reads the answer.
// Blocks for `timeout` at most. Errors: nobody is there, no answer in time, or none of HTTP.
Result<HttpResponse> SendHttp(const HttpUrl& url, const HttpRequest& request,
                              std::chrono::milliseconds timeout);

}  // namespace mikura::control
