// SPDX-License-Identifier: Apache-2.0
// What requests say of the topic to which the events of a cache are published.
#pragma once

#include <optional>
#include <string>

#include "control/api/action.h"
#include "control/model/notification.h"

namespace mikura::control {

// Errors: kInvalidParameterValue when a topic is named and this service publishes nowhere.
ApiResult<AskedTopic> TopicOf(const ActionContext& context, const std::optional<std::string>& arn,
                              const std::optional<std::string>& status = std::nullopt);

}  // namespace mikura::control
