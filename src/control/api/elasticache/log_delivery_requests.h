// SPDX-License-Identifier: Apache-2.0
// LogDeliveryConfigurations of requests and answers.
#pragma once

#include <vector>

#include "control/api/elasticache/elasticache_api.h"
#include "control/model/log_delivery.h"

namespace mikura::control {

std::vector<AskedLogDelivery> AskedLogs(
    const std::vector<elasticache::LogDeliveryConfigurationRequest>& request);

std::vector<elasticache::LogDeliveryConfiguration> ShownLogs(
    const std::vector<LogDelivery>& deliveries);
// Those that nodes are still to be told of.
std::vector<elasticache::PendingLogDeliveryConfiguration> PendingLogs(
    const std::vector<LogDelivery>& deliveries);

}  // namespace mikura::control
