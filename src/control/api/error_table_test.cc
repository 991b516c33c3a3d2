// SPDX-License-Identifier: Apache-2.0
#include "control/api/error_table.h"

#include <gtest/gtest.h>

#include <set>

namespace mikura::control {
namespace {

TEST(ErrorTable, CodesAreSpelledAsAwsSpellsThem) {
  EXPECT_EQ(RowOf(ApiErrorCode::kCacheClusterNotFound).code, "CacheClusterNotFound");
  EXPECT_EQ(RowOf(ApiErrorCode::kReplicationGroupNotFoundFault).code,
            "ReplicationGroupNotFoundFault");
  EXPECT_EQ(RowOf(ApiErrorCode::kQuotaExceededCacheSecurityGroup).code,
            "QuotaExceeded.CacheSecurityGroup");
  EXPECT_EQ(RowOf(ApiErrorCode::kInvalidVpcIDNotFound).code, "InvalidVpcID.NotFound");
}

TEST(ErrorTable, AMissingSubnetGroupIs400AndAMissingClusterIs404) {
  EXPECT_EQ(RowOf(ApiErrorCode::kCacheSubnetGroupNotFoundFault).http_status, 400);
  EXPECT_EQ(RowOf(ApiErrorCode::kCacheClusterNotFound).http_status, 404);
}

TEST(ErrorTable, TheLastEnumeratorHasTheLastRow) {
  EXPECT_EQ(&RowOf(ApiErrorCode::kUserQuotaExceeded), &AllErrorRows().back());
}

TEST(ErrorTable, NoTwoCodesAreTheSame) {
  std::set<std::string_view> codes;
  for (const ErrorRow& row : AllErrorRows()) {
    EXPECT_TRUE(codes.insert(row.code).second) << row.code;
    EXPECT_FALSE(row.words.empty()) << row.code;
  }
}

}  // namespace
}  // namespace mikura::control
