// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/log_delivery_requests.h"

#include <utility>

namespace mikura::control {
namespace {

// What both kinds of answers have.
template <typename Wire>
Wire WireOf(const LogDelivery& delivery) {
  Wire wire;
  wire.log_type = delivery.log_type;
  wire.destination_type = "cloudwatch-logs";
  elasticache::DestinationDetails details;
  details.cloud_watch_logs_details =
      elasticache::CloudWatchLogsDestinationDetails{delivery.log_group};
  wire.destination_details = std::move(details);
  wire.log_format = delivery.format;
  return wire;
}

}  // namespace

std::vector<AskedLogDelivery> AskedLogs(
    const std::vector<elasticache::LogDeliveryConfigurationRequest>& request) {
  std::vector<AskedLogDelivery> asked;
  for (const auto& each : request) {
    AskedLogDelivery delivery;
    delivery.log_type = each.log_type;
    delivery.destination_type = each.destination_type;
    delivery.format = each.log_format;
    delivery.enabled = each.enabled.value_or(true);
    if (each.destination_details) {
      const auto& logs = each.destination_details->cloud_watch_logs_details;
      const auto& firehose = each.destination_details->kinesis_firehose_details;
      if (logs) delivery.log_group = logs->log_group;
      if (firehose) delivery.delivery_stream = firehose->delivery_stream;
    }
    asked.push_back(std::move(delivery));
  }
  return asked;
}

std::vector<elasticache::LogDeliveryConfiguration> ShownLogs(
    const std::vector<LogDelivery>& deliveries) {
  std::vector<elasticache::LogDeliveryConfiguration> shown;
  for (const LogDelivery& delivery : deliveries) {
    shown.push_back(WireOf<elasticache::LogDeliveryConfiguration>(delivery));
    shown.back().status = delivery.status;
    if (!delivery.message.empty()) shown.back().message = delivery.message;
  }
  return shown;
}

std::vector<elasticache::PendingLogDeliveryConfiguration> PendingLogs(
    const std::vector<LogDelivery>& deliveries) {
  std::vector<elasticache::PendingLogDeliveryConfiguration> pending;
  for (const LogDelivery& delivery : deliveries) {
    if (!delivery.IsPending()) continue;
    pending.push_back(WireOf<elasticache::PendingLogDeliveryConfiguration>(delivery));
  }
  return pending;
}

}  // namespace mikura::control
