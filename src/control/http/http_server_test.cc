// SPDX-License-Identifier: Apache-2.0
#include "control/http/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/check.h"

namespace mikura::control {
namespace {

// A connection to 127.0.0.1 that gives up after ten seconds of silence.
class TestClient {
 public:
  explicit TestClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~TestClient() { ::close(socket_); }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server closed early, which some tests want
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  // Reads until `end` has arrived or the server has closed.
  std::string ReadUntil(std::string_view end) {
    std::string text;
    char bytes[4096];
    while (text.find(end) == std::string::npos) {
      const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
      if (got <= 0) break;
      text.append(bytes, static_cast<size_t>(got));
    }
    return text;
  }
  std::string ReadToEnd() { return ReadUntil(std::string_view("\0\0\0never", 8)); }

 private:
  int socket_;
};

HttpResponse Echo(const HttpRequest& request) {
  const std::string* header = request.FindHeader("x-test");
  return {.status = 201,
          .content_type = "text/xml",
          .headers = {{"x-amzn-RequestId", "r-1"}},
          .body = request.method + " " + request.target + " " + (header ? *header : "-") + " " +
                  request.body + " " + request.peer_address + ";"};
}

class HttpServerTest : public testing::Test {
 protected:
  void Start(const HttpServerOptions& options = {}) {
    server_ = std::make_unique<HttpServer>(options, Echo);
    ASSERT_TRUE(server_->Start().ok());
  }
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, TheHandlerSeesTheRequestAndItsAnswerIsSent) {
  Start();
  TestClient client(server_->port());
  client.Send("POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-TEST: t\r\nContent-Length: 4\r\n\r\nbody");
  const std::string answer = client.ReadUntil(";");
  EXPECT_NE(answer.find("HTTP/1.1 201"), std::string::npos);
  EXPECT_NE(answer.find("x-amzn-RequestId: r-1\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Content-Type: text/xml\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\n\r\nPOST /a?b=c t body 127.0.0.1;"), std::string::npos);
}

TEST_F(HttpServerTest, AConnectionServesOneRequestAfterAnother) {
  Start();
  TestClient client(server_->port());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(client.ReadUntil(";").find("GET /" + std::to_string(i)), std::string::npos);
  }
}

TEST_F(HttpServerTest, TheConnectionEndsWhenTheClientAsksForIt) {
  Start();
  TestClient client(server_->port());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client.ReadToEnd().find("GET / - "), std::string::npos);
}

TEST_F(HttpServerTest, AClientThatWaitsForContinueIsTold) {
  Start();
  TestClient client(server_->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("100"), std::string::npos);
  client.Send("ok");
  EXPECT_NE(client.ReadUntil(";").find("POST / - ok"), std::string::npos);
}

TEST_F(HttpServerTest, ABodyOverTheLimitIsRefusedWithoutReadingIt) {
  Start({.body_bytes_max = 10});
  TestClient client(server_->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
  EXPECT_NE(client.ReadToEnd().find("HTTP/1.1 413"), std::string::npos);
}

TEST_F(HttpServerTest, AHeaderOverTheLimitIsRefused) {
  Start({.header_bytes_max = 256});
  TestClient client(server_->port());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(300, 'x') + "\r\n\r\n");
  EXPECT_NE(client.ReadToEnd().find("HTTP/1.1 431"), std::string::npos);
}

TEST_F(HttpServerTest, WhatIsNotHttpIsABadRequest) {
  Start();
  TestClient client(server_->port());
  client.Send("nonsense\r\n\r\n");
  EXPECT_NE(client.ReadToEnd().find("HTTP/1.1 400"), std::string::npos);
}

TEST_F(HttpServerTest, ASilentConnectionIsClosedAfterTheTimeout) {
  Start({.timeout = std::chrono::milliseconds(50)});
  TestClient client(server_->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(HttpServerTest, ConnectionsOverTheLimitAreClosedAtOnce) {
  Start({.connections_max = 1});
  TestClient first(server_->port());
  first.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_NE(first.ReadUntil(";"), "");
  TestClient second(server_->port());
  EXPECT_EQ(second.ReadToEnd(), "");
}

TEST_F(HttpServerTest, ATakenPortIsAnErrorThatNamesIt) {
  Start();
  HttpServer other({.port = server_->port()}, Echo);
  const Status status = other.Start();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(server_->port()) +
                ": the port is taken by another process");
}

TEST_F(HttpServerTest, ANameOrAForeignAddressIsAnError) {
  EXPECT_EQ(HttpServer({.address = "localhost"}, Echo).Start().error().message,
            "cannot listen on 'localhost': not an IP address");
  EXPECT_EQ(HttpServer({.address = "192.0.2.1", .port = 1}, Echo).Start().error().message,
            "cannot listen on 192.0.2.1:1: no interface has the address");
}

TEST_F(HttpServerTest, ItKnowsWhetherOnlyThisMachineCanReachIt) {
  Start();
  EXPECT_TRUE(server_->listens_on_loopback_only());
  Start({.address = "0.0.0.0"});
  EXPECT_FALSE(server_->listens_on_loopback_only());
}

}  // namespace
}  // namespace mikura::control
