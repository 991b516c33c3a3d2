// SPDX-License-Identifier: Apache-2.0
// What an action answers when the metadata store cannot be read or written: a full disk, mostly.
#pragma once

#include "base/result.h"
#include "control/model/api_error.h"

namespace mikura::control {

// Logs the reason and tells it to the caller, who has changed nothing and may try again.
ApiError StoreFailure(const Error& error);

}  // namespace mikura::control
