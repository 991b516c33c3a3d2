// SPDX-License-Identifier: Apache-2.0
#include "control/http/http_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "base/numbers.h"

namespace mikura::control {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr std::string_view kScheme = "http://";
constexpr size_t kAnswerBytesMax = 1 << 20;

// The request and its answer; the steps follow each other while the context runs.
class Exchange {
 public:
  Exchange(const HttpRequest& request, std::chrono::milliseconds timeout) : stream_(context_) {
    message_.version(11);
    message_.method_string(request.method);
    message_.target(request.target);
    for (const HttpHeader& header : request.headers) message_.insert(header.name, header.value);
    message_.body() = request.body;
    message_.keep_alive(false);
    message_.prepare_payload();
    parser_.body_limit(kAnswerBytesMax);
    stream_.expires_after(timeout);
  }

  Result<HttpResponse> Run(const HttpUrl& url) {
    Tcp::resolver resolver(context_);
    resolver.async_resolve(url.host, url.port, [this](auto failure, const auto& found) {
      if (Goes(failure)) Connect(found);
    });
    context_.run();
    if (failure_) return Error{failure_.message()};
    http::response<http::string_body> answer = parser_.release();
    return HttpResponse{.status = static_cast<int>(answer.result_int()),
                        .content_type = std::string(answer[http::field::content_type]),
                        .headers = {},
                        .body = std::move(answer.body())};
  }

 private:
  bool Goes(const beast::error_code& failure) {
    failure_ = failure;
    return !failure;
  }
  void Connect(const Tcp::resolver::results_type& endpoints) {
    stream_.async_connect(endpoints, [this](auto failure, const auto&) {
      if (Goes(failure)) Write();
    });
  }
  void Write() {
    http::async_write(stream_, message_, [this](auto failure, size_t) {
      if (Goes(failure)) Read();
    });
  }
  void Read() {
    http::async_read(stream_, buffer_, parser_, [this](auto failure, size_t) { Goes(failure); });
  }

  asio::io_context context_;
  beast::tcp_stream stream_;
  http::request<http::string_body> message_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  beast::error_code failure_;
};

}  // namespace

Result<HttpUrl> ParseHttpUrl(std::string_view text) {
  const Error refused{"not a URL of the form http://host:port/path"};
  if (text.substr(0, kScheme.size()) != kScheme) return refused;
  text.remove_prefix(kScheme.size());
  const size_t slash = text.find('/');
  HttpUrl url;
  url.path = slash == text.npos ? "/" : text.substr(slash);
  const std::string_view authority = text.substr(0, slash);
  const size_t colon = authority.find(':');
  url.host = authority.substr(0, colon);
  url.port = colon == authority.npos ? "80" : authority.substr(colon + 1);
  const auto port = ParseInt64(url.port);
  if (url.host.empty() || !port || *port < 1 || *port > 65535) return refused;
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '@' || c == '?' || c == '#') return refused;
  }
  return url;
}

Result<HttpResponse> SendHttp(const HttpUrl& url, const HttpRequest& request,
                              std::chrono::milliseconds timeout) {
  return Exchange(request, timeout).Run(url);
}

}  // namespace mikura::control
