// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server with bounds on everything: bytes of a header and a body, connections, time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mikura::control {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;  // "POST"
  std::string target;  // "/path?query", as it was sent
  std::vector<HttpHeader> headers;
  std::string body;
  std::string peer_address;  // "127.0.0.1"

  // The value of the first header `name`, in any case of letters; nullptr when there is none.
  const std::string* FindHeader(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain";
  std::vector<HttpHeader> headers;
  std::string body;
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // an IP address, not a name
  uint16_t port = 0;                  // 0: a free one
  size_t threads = 4;
  size_t connections_max = 1024;  // further ones are closed at once
  size_t body_bytes_max = 1 << 20;
  size_t header_bytes_max = 32 << 10;
  // For a whole request, a whole answer, and the silence between two requests.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

// Runs on several threads at once; it may block as long as an answer may take.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

class HttpServer {
 public:
  HttpServer(HttpServerOptions options, HttpHandler handler);
  ~HttpServer();  // Stop()

  // Listens and starts the threads. Errors: the address is not an IP address of this machine, the
  // port is taken or not allowed. Called once.
  Status Start();

  // Closes every connection and waits for running handlers. Idempotent; not from a handler.
  void Stop();

  // After a successful Start().
  uint16_t port() const;
  bool listens_on_loopback_only() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mikura::control
