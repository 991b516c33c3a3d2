// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/topic_requests.h"

#include "control/api/store_failure.h"
#include "control/metadata/metadata_keys.h"

namespace mikura::control {

ApiResult<AskedTopic> TopicOf(const ActionContext& context, const std::optional<std::string>& arn,
                              const std::optional<std::string>& status) {
  const AskedTopic asked{arn.value_or(""), status.value_or("")};
  if (asked.arn.empty()) return asked;
  const auto endpoint = context.store.Get(kSnsEndpointKey);
  if (!endpoint.ok()) return StoreFailure(endpoint.error());
  if (endpoint->has_value()) return asked;
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  "NotificationTopicArn needs a server that topics are published to: start mikura "
                  "up with --sns-endpoint URL."};
}

}  // namespace mikura::control
