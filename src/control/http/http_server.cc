// SPDX-License-Identifier: Apache-2.0
#include "control/http/http_server.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "base/logging.h"
#include "base/numbers.h"

namespace mikura::control {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

std::string_view ViewOf(beast::string_view text) { return {text.data(), text.size()}; }

HttpRequest Convert(http::request<http::string_body>&& message, const std::string& peer) {
  HttpRequest request;
  request.method = ViewOf(message.method_string());
  request.target = ViewOf(message.target());
  request.peer_address = peer;
  for (const auto& field : message) {
    request.headers.push_back(
        {std::string(ViewOf(field.name_string())), std::string(ViewOf(field.value()))});
  }
  request.body = std::move(message.body());
  return request;
}

// What the whole server shares with its sessions; lives until the threads have ended.
struct Shared {
  HttpServerOptions options;
  HttpHandler handler;
  // Open connections: counted by the sessions, read by the acceptor. Only a bound, so relaxed.
  std::atomic<size_t> connections{0};
};

// One connection. Its handlers run one after another on its strand; each pending operation holds
// the shared_ptr, so the session dies with the last of them.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
    beast::error_code error;
    const auto peer = stream_.socket().remote_endpoint(error);
    if (!error) peer_ = peer.address().to_string(error);
    stream_.socket().set_option(Tcp::no_delay(true), error);
  }
  ~Session() { shared_.connections.fetch_sub(1, std::memory_order_relaxed); }

  void Run() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->ReadHeader(); });
  }

 private:
  void ReadHeader() {
    parser_.emplace();
    parser_->body_limit(shared_.options.body_bytes_max);
    parser_->header_limit(static_cast<uint32_t>(shared_.options.header_bytes_max));
    stream_.expires_after(shared_.options.timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->OnHeader(error); });
  }

  void OnHeader(beast::error_code error) {
    if (error) return Refuse(error);
    if (EqualsIgnoreCase(ViewOf(parser_->get()[http::field::expect]), "100-continue")) {
      return SendContinue();
    }
    ReadBody();
  }

  void SendContinue() {
    continue_.emplace(http::status::continue_, parser_->get().version());
    http::async_write(stream_, *continue_,
                      [self = shared_from_this()](beast::error_code error, size_t) {
                        if (!error) self->ReadBody();
                      });
  }

  void ReadBody() {
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->OnRequest(error); });
  }

  void OnRequest(beast::error_code error) {
    if (error) return Refuse(error);
    http::request<http::string_body> message = parser_->release();
    const bool keep_alive = message.keep_alive();
    const unsigned version = message.version();
    Send(shared_.handler(Convert(std::move(message), peer_)), version, keep_alive);
  }

  // Ends the connection, with an answer when the client can understand one.
  void Refuse(beast::error_code error) {
    HttpResponse response;
    if (error == http::error::body_limit) {
      response.status = 413;
    } else if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      response.status = 431;
    } else if (error.category() == make_error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
      response.status = 400;
    } else {
      return Close();
    }
    response.body = error.message();
    Send(std::move(response), 11, false);
  }

  void Send(HttpResponse&& response, unsigned version, bool keep_alive) {
    answer_.emplace();
    answer_->version(version);
    answer_->result(static_cast<unsigned>(response.status));
    for (const HttpHeader& header : response.headers) answer_->set(header.name, header.value);
    answer_->set(http::field::content_type, response.content_type);
    answer_->keep_alive(keep_alive);
    answer_->body() = std::move(response.body);
    answer_->prepare_payload();
    stream_.expires_after(shared_.options.timeout);
    http::async_write(stream_, *answer_,
                      [self = shared_from_this(), keep_alive](beast::error_code error, size_t) {
                        if (error || !keep_alive) return self->Close();
                        self->ReadHeader();
                      });
  }

  void Close() {
    beast::error_code ignored;  // the client may be gone already
    stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  std::string peer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::empty_body>> continue_;
  std::optional<http::response<http::string_body>> answer_;
};

Error ListenError(const HttpServerOptions& options, const beast::error_code& error) {
  std::string why = error.message();
  if (error == asio::error::address_in_use) why = "the port is taken by another process";
  if (error == asio::error::access_denied) why = "this user may not use the port";
  if (error == boost::system::errc::address_not_available) why = "no interface has the address";
  return {fmt::format("cannot listen on {}:{}: {}", options.address, options.port, why)};
}

}  // namespace

struct HttpServer::Impl {
  Impl(HttpServerOptions options, HttpHandler handler)
      : shared{std::move(options), std::move(handler)} {}

  Status Listen() {
    beast::error_code error;
    const auto address = asio::ip::make_address(shared.options.address, error);
    if (error) {
      return Error{fmt::format("cannot listen on '{}': not an IP address", shared.options.address)};
    }
    loopback_only = address.is_loopback();
    const Tcp::endpoint endpoint(address, shared.options.port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port = acceptor.local_endpoint(error).port();
    if (error) return ListenError(shared.options, error);
    return Ok();
  }

  void Accept() {
    acceptor.async_accept(asio::make_strand(io),
                          [this](beast::error_code error, Tcp::socket socket) {
                            OnAccept(error, std::move(socket));
                          });
  }

  void OnAccept(beast::error_code error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) {  // mostly too many open files: other connections have to end first
      Log(LogLevel::kWarning, "http", "cannot accept a connection: {}", error.message());
      retry.expires_after(std::chrono::milliseconds(100));
      retry.async_wait([this](beast::error_code stopped) {
        if (!stopped) Accept();
      });
      return;
    }
    if (shared.connections.load(std::memory_order_relaxed) < shared.options.connections_max) {
      std::make_shared<Session>(std::move(socket), shared)->Run();
    }
    Accept();
  }

  Shared shared;  // before io: the sessions die with io and refer to it
  asio::io_context io;
  Tcp::acceptor acceptor{io};
  asio::steady_timer retry{io};
  std::vector<std::thread> threads;
  uint16_t port = 0;
  bool loopback_only = false;
};

const std::string* HttpRequest::FindHeader(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (EqualsIgnoreCase(header.name, name)) return &header.value;
  }
  return nullptr;
}

HttpServer::HttpServer(HttpServerOptions options, HttpHandler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() { Stop(); }

Status HttpServer::Start() {
  RETURN_IF_ERROR(impl_->Listen());
  impl_->Accept();
  for (size_t i = 0; i < std::max<size_t>(impl_->shared.options.threads, 1); ++i) {
    impl_->threads.emplace_back([io = &impl_->io] { io->run(); });
  }
  return Ok();
}

void HttpServer::Stop() {
  impl_->io.stop();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

uint16_t HttpServer::port() const { return impl_->port; }

bool HttpServer::listens_on_loopback_only() const { return impl_->loopback_only; }

}  // namespace mikura::control
