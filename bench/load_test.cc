// SPDX-License-Identifier: Apache-2.0
#include "bench/load.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

#include "base/check.h"

namespace mikura::bench {
namespace {

// Serves one connection: for each chunk that arrives, one reply for every "\r\nGET\r\n" in it,
// and closes when it has received `requests_max` of them.
class OneClientServer {
 public:
  OneClientServer(std::string reply, int requests_max) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK(listen(listener_, 1) == 0);
    CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
    thread_ =
        std::thread([this, reply = std::move(reply), requests_max] { Serve(reply, requests_max); });
  }
  ~OneClientServer() {
    thread_.join();
    close(listener_);
  }
  uint16_t port() const { return port_; }

 private:
  void Serve(const std::string& reply, int requests_max) const {
    const int fd = accept(listener_, nullptr, nullptr);
    std::string input;
    char buffer[4096];
    for (int requests = 0; requests < requests_max;) {
      const ssize_t received = recv(fd, buffer, sizeof(buffer), 0);
      if (received <= 0) break;
      input.append(buffer, static_cast<size_t>(received));
      for (size_t at = 0; (at = input.find("\r\nGET\r\n")) != std::string::npos; ++requests) {
        input.erase(0, at + 7);
        if (send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
      }
    }
    close(fd);
  }

  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

LoadOptions Gets(const OneClientServer& server) {
  LoadOptions options;
  options.port = server.port();
  options.shape.value_bytes = 16;
  options.connections = 1;
  options.pipeline = 4;
  options.keys = 1;
  options.warm_up_seconds = 0;
  options.seconds = 0.05;
  options.verify_every = 1;
  return options;
}

TEST(Load, CountsRightValuesAsHits) {
  const OneClientServer server("$16\r\n0000000000000000\r\n", 1 << 30);
  const auto result = RunLoad(Gets(server));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_GT(result->requests, 0u);
  EXPECT_EQ(result->hits, result->requests);
  EXPECT_EQ(result->verified, result->requests);
  EXPECT_EQ(result->wrong, 0u);
  EXPECT_EQ(result->latency.count(), result->requests / 4 * 4);
}

TEST(Load, NoticesAValueOfAnotherKey) {
  const OneClientServer server("$16\r\n0000000000000001\r\n", 1 << 30);
  const auto result = RunLoad(Gets(server));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_GT(result->wrong, 0u);
  EXPECT_EQ(result->wrong, result->verified);
}

TEST(Load, CountsAndKeepsErrorReplies) {
  const OneClientServer server("-LOADING not yet\r\n", 1 << 30);
  const auto result = RunLoad(Gets(server));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->errors, result->requests);
  EXPECT_NE(result->first_error.find("LOADING"), std::string::npos);
}

TEST(Load, SaysThatTheServerWentAway) {
  const OneClientServer server("$-1\r\n", 8);
  LoadOptions options = Gets(server);
  options.seconds = 60;
  const auto result = RunLoad(options);
  ASSERT_FALSE(result.ok());
}

TEST(Load, AFixedRateIsKeptWhenTheServerIsFaster) {
  const OneClientServer server("$-1\r\n", 1 << 30);
  LoadOptions options = Gets(server);
  options.rate = 400;
  options.seconds = 0.5;
  const auto result = RunLoad(options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_LE(result->requests, 204u);  // half a second at 400, and the batch on its border
  EXPECT_GT(result->misses, 0u);
}

TEST(Load, SaysThatNobodyListens) {
  LoadOptions options;
  options.port = 1;
  const auto result = RunLoad(options);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("connect"), std::string::npos);
}

}  // namespace
}  // namespace mikura::bench
