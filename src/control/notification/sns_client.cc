// SPDX-License-Identifier: Apache-2.0
#include "control/notification/sns_client.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "control/api/codec/iso_time.h"
#include "control/api/codec/query_form.h"
#include "control/api/signature.h"
#include "control/model/notification.h"

namespace mikura::control {
namespace {

constexpr size_t kShownBytesMax = 200;

// "2026-01-02T03:04:05.678Z" as "20260102T030405Z".
std::string BasicIsoTime(UnixMillis time) {
  std::string basic;
  for (const char c : FormatIsoTime(time).substr(0, 19)) {
    if (c != '-' && c != ':') basic.push_back(c);
  }
  return basic + "Z";
}

void AddField(std::string_view name, std::string_view value, std::string& form) {
  form += fmt::format("&{}={}", name, PercentEncode(value, false));
}

void AddAttribute(int number, std::string_view name, std::string_view value, std::string& form) {
  const std::string entry = fmt::format("MessageAttributes.entry.{}.", number);
  AddField(entry + "Name", name, form);
  AddField(entry + "Value.DataType", "String", form);
  AddField(entry + "Value.StringValue", value, form);
}

}  // namespace

HttpRequest SnsClient::RequestFor(const Event& event) const {
  HttpRequest request;
  request.method = "POST";
  request.target = access_.endpoint.path;
  request.body = "Action=Publish&Version=2010-03-31";
  AddField("TopicArn", event.topic, request.body);
  AddField("Message", NotificationMessage(event), request.body);
  AddAttribute(1, "Event", event.message, request.body);
  AddAttribute(2, "SourceType", event.source_type, request.body);
  SignatureClaim claim;
  claim.access_key_id = access_.access_key_id;
  claim.service = "sns";
  claim.signed_headers = {"content-type", "host", "x-amz-date"};
  claim.time_text = BasicIsoTime(clock_.NowMillis());
  claim.date = claim.time_text.substr(0, 8);
  // Only topics were stored whose ARN can be read.
  const auto topic = ParseTopicArn(event.topic);
  claim.region = topic.ok() ? topic->region : event.region;
  request.headers = {{"Host", access_.endpoint.Authority()},
                     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"X-Amz-Date", claim.time_text}};
  request.headers.push_back(
      {"Authorization",
       fmt::format("AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request, SignedHeaders={}, "
                   "Signature={}",
                   claim.access_key_id, claim.date, claim.region, claim.service,
                   fmt::join(claim.signed_headers, ";"),
                   ComputeSignature(request, claim, access_.secret))});
  return request;
}

PublishOutcome SnsClient::Publish(const Event& event, std::string& problem) {
  const auto answer = SendHttp(access_.endpoint, RequestFor(event), timeout_);
  if (!answer.ok()) {
    problem = answer.error().message;
    return PublishOutcome::kUnreachable;
  }
  if (answer->status >= 200 && answer->status < 300) return PublishOutcome::kPublished;
  problem = fmt::format("HTTP status {}: {}", answer->status,
                        std::string_view(answer->body).substr(0, kShownBytesMax));
  constexpr int kTooMany = 429;
  const bool is_refused = answer->status >= 400 && answer->status < 500;
  return is_refused && answer->status != kTooMany ? PublishOutcome::kRefused
                                                  : PublishOutcome::kUnreachable;
}

}  // namespace mikura::control
