// SPDX-License-Identifier: Apache-2.0
#include "control/http/http_client.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>

namespace mikura::control {
namespace {

using std::chrono_literals::operator""ms;

HttpUrl UrlOf(const HttpServer& server) {
  return {"127.0.0.1", std::to_string(server.port()), "/"};
}

TEST(HttpUrls, AreReadInTheirParts) {
  const auto url = ParseHttpUrl("http://sns.example:4575/a/b");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->host, "sns.example");
  EXPECT_EQ(url->port, "4575");
  EXPECT_EQ(url->path, "/a/b");
  EXPECT_EQ(url->Authority(), "sns.example:4575");
  const auto bare = ParseHttpUrl("http://localhost");
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(bare->port, "80");
  EXPECT_EQ(bare->path, "/");
  EXPECT_EQ(bare->Authority(), "localhost");
  for (const char* text : {"", "localhost:80", "https://a", "http://", "http://:80", "http://a:",
                           "http://a:0", "http://a:65536", "http://a b", "http://a/?b"}) {
    EXPECT_FALSE(ParseHttpUrl(text).ok()) << text;
  }
}

TEST(HttpClient, SendsARequestAndReadsItsAnswer) {
  HttpServer server({}, [](const HttpRequest& request) {
    const std::string* header = request.FindHeader("x-test");
    return HttpResponse{.status = 418,
                        .body = request.method + " " + request.target + " " +
                                (header != nullptr ? *header : "") + " " + request.body};
  });
  ASSERT_TRUE(server.Start().ok());
  const HttpRequest request{.method = "POST",
                            .target = "/here",
                            .headers = {{"Host", "127.0.0.1"}, {"X-Test", "v"}},
                            .body = "a=b"};
  const auto answer = SendHttp(UrlOf(server), request, 5000ms);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->status, 418);
  EXPECT_EQ(answer->body, "POST /here v a=b");
}

TEST(HttpClient, GivesUpWhenNobodyIsThereOrAnswers) {
  std::promise<void> end;
  auto server = std::make_unique<HttpServer>(
      HttpServerOptions(), [ended = end.get_future().share()](const HttpRequest&) {
        ended.wait();
        return HttpResponse{};
      });
  ASSERT_TRUE(server->Start().ok());
  const HttpUrl url = UrlOf(*server);
  const HttpRequest request{.method = "POST", .target = "/"};
  EXPECT_FALSE(SendHttp(url, request, 50ms).ok());
  end.set_value();
  server.reset();
  EXPECT_FALSE(SendHttp(url, request, 5000ms).ok());
}

}  // namespace
}  // namespace mikura::control
