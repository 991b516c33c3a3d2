// SPDX-License-Identifier: Apache-2.0
#include "control/model/log_delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include "control/model/node.h"
#include "control/model/secret_hash.h"

namespace mikura::control {
namespace {

constexpr size_t kLogGroupBytesMax = 512;
constexpr size_t kFolderBytesMax = 200;
constexpr size_t kHashDigits = 16;

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiError Combination(std::string message) {
  return {ApiErrorCode::kInvalidParameterCombination, std::move(message)};
}

// As CloudWatch Logs has it.
bool IsLogGroupName(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/#").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kLogGroupBytesMax &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

LogDelivery* Find(std::vector<LogDelivery>& deliveries, std::string_view log_type) {
  for (LogDelivery& delivery : deliveries) {
    if (delivery.log_type == log_type) return &delivery;
  }
  return nullptr;
}

ApiResult<> CheckDestination(const AskedLogDelivery& asked) {
  if (asked.destination_type == "kinesis-firehose") {
    return Value(
        "DestinationType kinesis-firehose is not available here: logs are delivered to files, as "
        "DestinationType cloudwatch-logs.");
  }
  if (asked.destination_type && *asked.destination_type != "cloudwatch-logs") {
    return Value(
        fmt::format("DestinationType must be cloudwatch-logs, not {}.", *asked.destination_type));
  }
  if (asked.delivery_stream) {
    return Combination("KinesisFirehoseDetails needs the DestinationType kinesis-firehose.");
  }
  if (asked.log_group && !IsLogGroupName(*asked.log_group)) {
    return Value(
        "LogGroup must have 1 to 512 characters: letters, digits, and the characters . _ - / #.");
  }
  return Ok();
}

// All that a delivery is made of; what is not given stays as it is.
ApiResult<LogDelivery> Wanted(const AskedLogDelivery& asked, const LogDelivery* now) {
  LogDelivery wanted;
  if (now != nullptr) wanted = *now;
  wanted.log_type = *asked.log_type;
  if (asked.log_group) wanted.log_group = *asked.log_group;
  if (asked.format) wanted.format = *asked.format;
  if (now == nullptr && !asked.destination_type) {
    return Value("DestinationType of LogDeliveryConfigurations must be given.");
  }
  if (wanted.log_group.empty()) {
    return Value("CloudWatchLogsDetails of LogDeliveryConfigurations must name a LogGroup.");
  }
  if (wanted.format.empty()) {
    return Value("LogFormat of LogDeliveryConfigurations must be given: text or json.");
  }
  if (wanted.format != "text" && wanted.format != "json") {
    return Value(fmt::format("LogFormat must be text or json, not {}.", wanted.format));
  }
  return wanted;
}

ApiResult<> SetOne(const AskedLogDelivery& asked, std::vector<LogDelivery>& deliveries) {
  LogDelivery* const now = Find(deliveries, *asked.log_type);
  if (!asked.enabled) {
    if (now != nullptr) now->status = kLogDisabling;
    return Ok();
  }
  RETURN_IF_ERROR(CheckDestination(asked));
  ASSIGN_OR_RETURN(LogDelivery wanted, Wanted(asked, now));
  if (now == nullptr) {
    wanted.status = kLogEnabling;
    deliveries.push_back(std::move(wanted));
    return Ok();
  }
  if (wanted == *now && now->status == kLogActive) return Ok();
  if (now->status != kLogEnabling) wanted.status = kLogModifying;
  wanted.message.clear();
  *now = std::move(wanted);
  return Ok();
}

}  // namespace

ApiResult<> SetLogDeliveries(const std::vector<AskedLogDelivery>& asked,
                             const EngineVersion& version, std::vector<LogDelivery>& deliveries) {
  if (asked.empty()) return Ok();
  if (version.kind == EngineKind::kMemcached) {
    return Combination("LogDeliveryConfigurations is not supported for memcached.");
  }
  std::set<std::string> types;
  for (const AskedLogDelivery& each : asked) {
    if (!each.log_type) return Value("LogType of LogDeliveryConfigurations must be given.");
    if (*each.log_type != kSlowLog && *each.log_type != kEngineLog) {
      return Value(fmt::format("LogType must be slow-log or engine-log, not {}.", *each.log_type));
    }
    if (!types.insert(*each.log_type).second) {
      return Combination(fmt::format(
          "LogDeliveryConfigurations has more than one of the LogType {}.", *each.log_type));
    }
    RETURN_IF_ERROR(SetOne(each, deliveries));
  }
  return Ok();
}

ApiResult<> ChangeLogDeliveries(const std::vector<AskedLogDelivery>& asked, bool immediately,
                                const EngineVersion& version,
                                std::vector<LogDelivery>& deliveries) {
  if (!asked.empty() && !immediately) {
    return Combination("LogDeliveryConfigurations can be changed with ApplyImmediately only.");
  }
  return SetLogDeliveries(asked, version, deliveries);
}

bool AreSettled(const std::vector<LogDelivery>& deliveries) {
  return std::all_of(deliveries.begin(), deliveries.end(), [](const LogDelivery& each) {
    return each.status == kLogActive || each.status == kLogError;
  });
}

std::string LogGroupFolder(std::string_view log_group) {
  std::string folder;
  for (const char c : log_group) {
    if (c == '/') {
      folder += "%2F";
    } else if (c == '.' && folder.empty()) {
      folder += "%2E";  // neither hidden nor the folder above
    } else {
      folder += c;
    }
  }
  if (folder.size() <= kFolderBytesMax) return folder;
  const std::string hash = HashSecret(log_group).substr(0, kHashDigits);
  return fmt::format("{}%{}", folder.substr(0, kFolderBytesMax - kHashDigits - 1), hash);
}

LogTarget LogTargetOf(const LogDelivery& delivery, const NodeSpec& node) {
  LogTarget target;
  target.log_type = delivery.log_type;
  target.stream = fmt::format("{}/{}/{}/elasticache/{}/{}/{}/{}", node.account, node.region,
                              LogGroupFolder(delivery.log_group), node.engine, node.cluster_id,
                              node.cache_node_id, delivery.log_type);
  target.cluster_id = node.cluster_id;
  target.cache_node_id = node.cache_node_id;
  target.as_json = delivery.format == "json";
  return target;
}

}  // namespace mikura::control
