// SPDX-License-Identifier: Apache-2.0
#include "control/api/store_failure.h"

#include <fmt/format.h>

#include "base/logging.h"

namespace mikura::control {

ApiError StoreFailure(const Error& error) {
  Log(LogLevel::kError, "api", "metadata store: {}", error.message);
  return {ApiErrorCode::kServiceUnavailable,
          fmt::format("Nothing was changed: {}. Try again.", error.message)};
}

}  // namespace mikura::control
