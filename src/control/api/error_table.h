// SPDX-License-Identifier: Apache-2.0
// What the client sees of an ApiErrorCode; generated from the errors.tsv files.
#pragma once

#include <span>
#include <string_view>

#include "control/model/api_error.h"

namespace mikura::control {

struct ErrorRow {
  std::string_view code;  // on the wire
  int http_status = 0;
  std::string_view words;  // when the action gave none
};

const ErrorRow& RowOf(ApiErrorCode code);
std::span<const ErrorRow> AllErrorRows();

}  // namespace mikura::control
