// SPDX-License-Identifier: Apache-2.0
#include "control/model/arn.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(Arns, AreWrittenAndReadBack) {
  const std::string text = ArnText({"000000000000", "ap-northeast-1", "replicationgroup", "demo"});
  EXPECT_EQ(text, "arn:aws:elasticache:ap-northeast-1:000000000000:replicationgroup:demo");
  const auto arn = ParseArn(text);
  ASSERT_TRUE(arn.ok());
  EXPECT_EQ(arn->account, "000000000000");
  EXPECT_EQ(arn->region, "ap-northeast-1");
  EXPECT_EQ(arn->type, "replicationgroup");
  EXPECT_EQ(arn->name, "demo");
}

TEST(Arns, OtherTextsAreRefusedAsInvalid) {
  for (const char* text : {"", "demo", "arn:aws:s3:::bucket", "arn:aws:elasticache:r:a:cluster",
                           "arn:aws:elasticache:r:a:cluster:", "arn:aws:elasticache:r::cluster:x",
                           "arn:aws:elasticache:r:a:cluster:x/../y"}) {
    const auto refused = ParseArn(text);
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_EQ(refused.error().code, ApiErrorCode::kInvalidARN) << text;
  }
}

}  // namespace
}  // namespace mikura::control
