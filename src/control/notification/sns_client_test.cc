// SPDX-License-Identifier: Apache-2.0
#include "control/notification/sns_client.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/check.h"
#include "control/api/codec/query_form.h"
#include "control/api/signature.h"
#include "control/http/http_server.h"

namespace mikura::control {
namespace {

using std::chrono_literals::operator""ms;

constexpr char kTopic[] = "arn:aws:sns:ap-northeast-1:000000000000:topic";

// A server that keeps the last request that it got and answers with `status`.
class SnsServer : public ::testing::Test {
 protected:
  SnsServer()
      : server_(
            std::make_unique<HttpServer>(HttpServerOptions(), [this](const HttpRequest& request) {
              request_ = request;
              return HttpResponse{.status = status_, .body = "<ErrorResponse/>"};
            })) {
    CHECK(server_->Start().ok());
    client_ = std::make_unique<SnsClient>(
        SnsAccess{{"127.0.0.1", std::to_string(server_->port()), "/"}, "AKIDEXAMPLE", "secret"},
        clock_, 5000ms);
  }
  PublishOutcome Publish() {
    const Event event{.region = "ap-northeast-1",
                      .source_type = "cache-cluster",
                      .source_id = "demo-001",
                      .message = "Snapshot succeeded for snapshot with ID 'a & b'",
                      .at = clock_.NowMillis(),
                      .topic = kTopic};
    return client_->Publish(event, problem_);
  }

  // Written by a thread of the server before its answer, read after that.
  HttpRequest request_;
  int status_ = 200;
  ManualClock clock_;
  std::string problem_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<SnsClient> client_;
};

TEST_F(SnsServer, GetsASignedPublish) {
  ASSERT_EQ(Publish(), PublishOutcome::kPublished);
  const auto claim = ReadSignature(request_);
  ASSERT_TRUE(claim.ok()) << claim.error().message;
  EXPECT_EQ(claim->service, "sns");
  EXPECT_EQ(claim->region, "ap-northeast-1");
  EXPECT_EQ(claim->access_key_id, "AKIDEXAMPLE");
  EXPECT_TRUE(VerifySignature(request_, *claim, "secret", clock_.NowMillis()).ok());
  EXPECT_FALSE(VerifySignature(request_, *claim, "other", clock_.NowMillis()).ok());
  std::map<std::string, std::string> form;
  const auto fields = ParseForm(request_.body);
  ASSERT_TRUE(fields.has_value());
  for (const FormField& field : *fields) form[field.name] = field.value;
  EXPECT_EQ(form["Action"], "Publish");
  EXPECT_EQ(form["Version"], "2010-03-31");
  EXPECT_EQ(form["TopicArn"], kTopic);
  EXPECT_EQ(form["Message"], R"({"ElastiCache:SnapshotComplete":"demo-001"})");
  EXPECT_EQ(form["MessageAttributes.entry.1.Name"], "Event");
  EXPECT_EQ(form["MessageAttributes.entry.1.Value.StringValue"],
            "Snapshot succeeded for snapshot with ID 'a & b'");
  EXPECT_EQ(form["MessageAttributes.entry.2.Value.StringValue"], "cache-cluster");
}

TEST_F(SnsServer, SaysWhetherToTryAgain) {
  for (const int status : {400, 403, 404}) {
    status_ = status;
    EXPECT_EQ(Publish(), PublishOutcome::kRefused) << status;
  }
  for (const int status : {429, 500, 503}) {
    status_ = status;
    EXPECT_EQ(Publish(), PublishOutcome::kUnreachable) << status;
  }
  EXPECT_EQ(problem_, "HTTP status 503: <ErrorResponse/>");
  server_.reset();
  EXPECT_EQ(Publish(), PublishOutcome::kUnreachable);
}

}  // namespace
}  // namespace mikura::control
