// SPDX-License-Identifier: Apache-2.0
// The wanted signatures come from AWS's published examples and from botocore.
#include "control/api/signature.h"

#include <gtest/gtest.h>

#include "control/api/codec/iso_time.h"

namespace mikura::control {
namespace {

constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr char kEc2Authorization[] =
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/ap-northeast-1/ec2/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-note, "
    "Signature=3580cad9840e9038170f1dd2ecc71490926379073bfd12608211dcd56f02aa56";

HttpRequest Ec2Request() {
  return {.method = "POST",
          .target = "/",
          .headers = {{"HOST", "127.0.0.1:4566"},
                      {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                      {"X-Amz-Note", "  two   blanks "},
                      {"X-Amz-Date", "20260102T030405Z"},
                      {"Authorization", kEc2Authorization}},
          .body = "Action=DescribeVpcs&Version=2016-11-15",
          .peer_address = ""};
}

const UnixMillis kNow = *ParseBasicIsoTime("20260102T030405Z");

Result<Unit, SignatureError> Verify(const HttpRequest& request, UnixMillis now = kNow,
                                    const std::string& secret = kSecret) {
  ASSIGN_OR_RETURN(const SignatureClaim claim, ReadSignature(request));
  return VerifySignature(request, claim, secret, now);
}

SignatureError::Kind KindOf(const HttpRequest& request, UnixMillis now = kNow,
                            const std::string& secret = kSecret) {
  const auto verified = Verify(request, now, secret);
  EXPECT_FALSE(verified.ok());
  return verified.ok() ? SignatureError::Kind::kMissing : verified.error().kind;
}

TEST(Signature, AwsExampleOfAPlainGet) {
  const HttpRequest request{
      .method = "GET",
      .target = "/",
      .headers = {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
      .body = "",
      .peer_address = ""};
  const SignatureClaim claim{.access_key_id = "AKIDEXAMPLE",
                             .date = "20150830",
                             .region = "us-east-1",
                             .service = "service",
                             .signed_headers = {"host", "x-amz-date"},
                             .signature = "",
                             .time_text = "20150830T123600Z",
                             .time = 0,
                             .expires_seconds = std::nullopt};
  EXPECT_EQ(ComputeSignature(request, claim, kSecret),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(Signature, TheScopeNamesKeyRegionAndService) {
  const auto claim = ReadSignature(Ec2Request());
  ASSERT_TRUE(claim.ok());
  EXPECT_EQ(claim->access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(claim->region, "ap-northeast-1");
  EXPECT_EQ(claim->service, "ec2");
}

TEST(Signature, AGenuineRequestIsAccepted) { EXPECT_TRUE(Verify(Ec2Request()).ok()); }

TEST(Signature, PathAndQueryAreSignedInCanonicalForm) {
  HttpRequest request{.method = "GET",
                      .target = "/a%20b/c?b=2&a=1",
                      .headers = {{"Host", "127.0.0.1:4566"}, {"X-Amz-Date", "20260102T030405Z"}},
                      .body = "",
                      .peer_address = ""};
  request.headers.push_back(
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/sts/aws4_request, "
       "SignedHeaders=host;x-amz-date, "
       "Signature=50c0f26c161c4a601840f517f2c05d6f634117f74dec605c7679530c96b23f2f"});
  EXPECT_TRUE(Verify(request).ok());
}

TEST(Signature, APresignedQueryIsAcceptedUntilItExpires) {
  const HttpRequest request{
      .method = "GET",
      .target =
          "/?Action=GetCallerIdentity&Version=2011-06-15&Name=a%20b%2Fc"
          "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2F"
          "us-east-1%2Fsts%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60"
          "&X-Amz-SignedHeaders=host&X-Amz-Signature="
          "71ac1ed3a1587f0af12f5b2a5c367f66d74a7c674d35b4e416eedf555838b736",
      .headers = {{"Host", "127.0.0.1:4566"}},
      .body = "",
      .peer_address = ""};
  EXPECT_TRUE(Verify(request, kNow + 60'000).ok());
  EXPECT_EQ(KindOf(request, kNow + 60'001), SignatureError::Kind::kExpired);
}

TEST(Signature, AnyChangeOfWhatIsSignedIsAMismatch) {
  HttpRequest body = Ec2Request();
  body.body += "&VpcId.1=vpc-1";
  HttpRequest method = Ec2Request();
  method.method = "PUT";
  HttpRequest path = Ec2Request();
  path.target = "/x";
  HttpRequest query = Ec2Request();
  query.target = "/?a=b";
  HttpRequest host = Ec2Request();
  host.headers[0].value = "other";
  for (const HttpRequest& request : {body, method, path, query, host}) {
    EXPECT_EQ(KindOf(request), SignatureError::Kind::kMismatch);
  }
  EXPECT_EQ(KindOf(Ec2Request(), kNow, "wrong"), SignatureError::Kind::kMismatch);
}

TEST(Signature, AClaimedHashOfTheBodyIsNotBelieved) {
  HttpRequest request = Ec2Request();
  request.body = "Action=DeleteVpc";
  request.headers.push_back({"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"});
  EXPECT_EQ(KindOf(request), SignatureError::Kind::kMismatch);
}

TEST(Signature, TheTimeMayDifferByFifteenMinutes) {
  constexpr UnixMillis kQuarter = 15 * 60 * 1000;
  EXPECT_TRUE(Verify(Ec2Request(), kNow + kQuarter).ok());
  EXPECT_TRUE(Verify(Ec2Request(), kNow - kQuarter).ok());
  EXPECT_EQ(KindOf(Ec2Request(), kNow + kQuarter + 1), SignatureError::Kind::kExpired);
  EXPECT_EQ(KindOf(Ec2Request(), kNow - kQuarter - 1), SignatureError::Kind::kExpired);
}

TEST(Signature, ARequestWithoutSignatureIsMissingIt) {
  HttpRequest request = Ec2Request();
  request.headers.pop_back();
  EXPECT_EQ(KindOf(request), SignatureError::Kind::kMissing);
}

TEST(Signature, EachMissingPartIsNamed) {
  HttpRequest request = Ec2Request();
  request.headers.back().value =
      "AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/ec2/aws4_request";
  const auto claim = ReadSignature(request);
  ASSERT_FALSE(claim.ok());
  EXPECT_EQ(claim.error().kind, SignatureError::Kind::kIncomplete);
  EXPECT_NE(claim.error().message.find("requires 'Signature'"), std::string::npos);
  EXPECT_NE(claim.error().message.find("requires 'SignedHeaders'"), std::string::npos);
}

TEST(Signature, MalformedPartsAreIncomplete) {
  for (const char* text :
       {"Bearer x", "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=A/b, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=A/20260102//ec2/aws4_request, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=A/20260102/r/ec2/aws4_reques, SignedHeaders=x, Signature=x"}) {
    HttpRequest request = Ec2Request();
    request.headers.back().value = text;
    EXPECT_EQ(KindOf(request), SignatureError::Kind::kIncomplete) << text;
  }
}

TEST(Signature, TheHostMustBeSigned) {
  HttpRequest request = Ec2Request();
  request.headers.back().value =
      "AWS4-HMAC-SHA256 Credential=A/20260102/r/ec2/aws4_request, SignedHeaders=x-amz-date, "
      "Signature=x";
  EXPECT_EQ(KindOf(request), SignatureError::Kind::kMismatch);
}

}  // namespace
}  // namespace mikura::control
