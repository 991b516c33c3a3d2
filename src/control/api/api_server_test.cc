// SPDX-License-Identifier: Apache-2.0
#include "control/api/api_server.h"

#include <gtest/gtest.h>

#include "control/api/api_test_client.h"
#include "control/api/credentials.h"
#include "control/api/sts/sts_service.h"

namespace mikura::control {
namespace {

// A service in EC2's form with two operations, of which none is built.
constexpr OperationDescription kNetOperations[] = {{"CreateNet", false, ""}};
constexpr ServiceDescription kNet = {"net", Protocol::kEc2, "2000-01-01", "http://net/",
                                     kNetOperations};

class ApiServerTest : public testing::Test {
 protected:
  ApiTestClient sts_{"sts", "2011-06-15", {StsService(), {&kNet, {}}}};
  ApiTestClient net_{"net", "2000-01-01", {StsService(), {&kNet, {}}}};
};

TEST_F(ApiServerTest, AQueryAnswerHasResultAndMetadata) {
  const HttpResponse response = sts_.Call("GetCallerIdentity");
  EXPECT_EQ(response.status, 200);
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].name, "x-amzn-RequestId");
  EXPECT_EQ(response.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
            "<GetCallerIdentityResult><UserId>test</UserId><Account>000000000000</Account>"
            "<Arn>arn:aws:iam::000000000000:root</Arn></GetCallerIdentityResult>"
            "<ResponseMetadata><RequestId>" +
                response.headers[0].value +
                "</RequestId></ResponseMetadata></GetCallerIdentityResponse>");
}

TEST_F(ApiServerTest, AQueryErrorNamesItsSender) {
  const HttpResponse response = sts_.Call("GetCallerIdentity", "Foo=1");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
            "<Type>Sender</Type><Code>InvalidQueryParameter</Code>"
            "<Message>The parameter Foo is not recognized</Message></Error><RequestId>" +
                response.headers[0].value + "</RequestId></ErrorResponse>");
}

TEST_F(ApiServerTest, AnEc2ErrorHasEc2sForm) {
  const HttpResponse response = net_.Call("NoSuchThing");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Response><Errors><Error><Code>InvalidAction</Code><Message>The action NoSuchThing is "
            "not valid for this web service.</Message></Error></Errors><RequestID>" +
                response.headers[0].value + "</RequestID></Response>");
}

TEST_F(ApiServerTest, AnUnknownOperationOfAQueryServiceIsAnInvalidAction) {
  const HttpResponse response = sts_.Call("NoSuchThing");
  EXPECT_EQ(ApiTestClient::CodeOf(response), "400 InvalidAction");
  EXPECT_EQ(ApiTestClient::Texts(response, "Message"),
            "Could not find operation NoSuchThing for version 2011-06-15");
}

TEST_F(ApiServerTest, AnOperationThatIsNotBuiltSaysSoAndIsNotRetried) {
  const HttpResponse response = net_.Call("CreateNet", "Anything=1");
  EXPECT_EQ(ApiTestClient::CodeOf(response), "400 UnsupportedOperation");
  EXPECT_EQ(ApiTestClient::Texts(response, "Message"),
            "The operation CreateNet is not available yet.");
}

TEST_F(ApiServerTest, AServiceThatIsNotProvidedIsNamed) {
  sts_.claim().service = "s3";
  const HttpResponse response = sts_.Call("ListBuckets");
  EXPECT_EQ(ApiTestClient::CodeOf(response), "400 InvalidAction");
  EXPECT_EQ(ApiTestClient::Texts(response, "Message"), "The service s3 is not provided here.");
}

TEST_F(ApiServerTest, ARegionNameThatCannotBeOneIsRefused) {
  sts_.claim().region = "Tokyo!";
  EXPECT_EQ(ApiTestClient::CodeOf(sts_.Call("GetCallerIdentity")), "400 InvalidParameterValue");
}

TEST_F(ApiServerTest, ARequestWithoutActionIsMissingIt) {
  EXPECT_EQ(ApiTestClient::CodeOf(sts_.Call("")), "400 MissingAction");
}

TEST_F(ApiServerTest, AnUnsignedRequestIsAnsweredInTheFormOfItsVersion) {
  HttpRequest request = net_.Sign("CreateNet");
  request.headers.pop_back();
  const HttpResponse response = net_.server().Handle(request);
  EXPECT_EQ(ApiTestClient::CodeOf(response), "403 MissingAuthenticationToken");
  EXPECT_NE(response.body.find("<Response><Errors>"), std::string::npos);
}

TEST_F(ApiServerTest, AnUnknownKeyIsRefusedInTheServicesWords) {
  sts_.claim().access_key_id = "AKIAUNKNOWN";
  net_.claim().access_key_id = "AKIAUNKNOWN";
  EXPECT_EQ(ApiTestClient::CodeOf(sts_.Call("GetCallerIdentity")), "403 InvalidClientTokenId");
  EXPECT_EQ(ApiTestClient::CodeOf(net_.Call("CreateNet")), "401 AuthFailure");
}

TEST_F(ApiServerTest, AWrongSecretIsRefusedInTheServicesWords) {
  sts_.set_secret("wrong");
  net_.set_secret("wrong");
  EXPECT_EQ(ApiTestClient::CodeOf(sts_.Call("GetCallerIdentity")), "403 SignatureDoesNotMatch");
  EXPECT_EQ(ApiTestClient::CodeOf(net_.Call("CreateNet")), "401 AuthFailure");
}

TEST_F(ApiServerTest, AnOldRequestIsRefusedInTheServicesWords) {
  const HttpRequest sts = sts_.Sign("GetCallerIdentity");
  const HttpRequest net = net_.Sign("CreateNet");
  sts_.clock().Advance(std::chrono::minutes(16));
  net_.clock().Advance(std::chrono::minutes(16));
  EXPECT_EQ(ApiTestClient::CodeOf(sts_.server().Handle(sts)), "403 SignatureDoesNotMatch");
  EXPECT_EQ(ApiTestClient::CodeOf(net_.server().Handle(net)), "400 RequestExpired");
}

TEST_F(ApiServerTest, AStoredCredentialActsForItsAccount) {
  const auto credential = CreateCredential(sts_.store(), sts_.clock(), "123456789012");
  sts_.claim().access_key_id = credential->access_key_id;
  sts_.set_secret(credential->secret);
  EXPECT_EQ(ApiTestClient::Texts(sts_.Call("GetCallerIdentity"), "Account"), "123456789012");
}

TEST_F(ApiServerTest, TheLocalPairIsRefusedOnceOthersCanReachTheServer) {
  ApiServer open({.address = "0.0.0.0"}, sts_.store(), sts_.clock(), {StsService()});
  ASSERT_TRUE(open.Start().ok());
  EXPECT_EQ(ApiTestClient::CodeOf(open.Handle(sts_.Sign("GetCallerIdentity"))),
            "403 InvalidClientTokenId");
}

TEST_F(ApiServerTest, AMalformedFormIsRefused) {
  HttpRequest request = sts_.Sign("GetCallerIdentity");
  request.body += "&a=%zz";
  EXPECT_EQ(ApiTestClient::CodeOf(sts_.server().Handle(request)), "400 MalformedQueryString");
}

TEST_F(ApiServerTest, ParametersMayComeInTheQueryOfTheUrl) {
  HttpRequest request = sts_.Sign("X");
  request.target = "/?Action=GetCallerIdentity&Version=2011-06-15";
  request.body = "";
  SignatureClaim claim = sts_.claim();
  request.headers.back().value.replace(request.headers.back().value.size() - 64, 64,
                                       ComputeSignature(request, claim, "test"));
  EXPECT_EQ(sts_.server().Handle(request).status, 200);
}

TEST_F(ApiServerTest, HealthNeedsNoSignature) {
  EXPECT_EQ(sts_.server().Handle({.method = "GET", .target = "/health"}).body, "ok\n");
}

}  // namespace
}  // namespace mikura::control
