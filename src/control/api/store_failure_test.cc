// SPDX-License-Identifier: Apache-2.0
#include "control/api/store_failure.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(StoreFailure, TellsWhatIsInTheWay) {
  const ApiError error = StoreFailure({"no space left on the disk of /d/metadata.sqlite"});
  EXPECT_EQ(error.code, ApiErrorCode::kServiceUnavailable);
  EXPECT_EQ(error.message,
            "Nothing was changed: no space left on the disk of /d/metadata.sqlite. Try again.");
}

}  // namespace
}  // namespace mikura::control
