// SPDX-License-Identifier: Apache-2.0
// An action: one operation of one service.
//
//   ApiResult<ec2::CreateVpcResult> CreateVpc(ActionContext&, const ec2::CreateVpcRequest&);
//
// It validates, reads and writes the metadata store, answers; it never talks to a host. It runs on
// a thread of the HTTP server, several at once: what it shares is the store. A service lists its
// actions in one table; a name that is not the request's own does not compile:
//
//   constexpr ActionRow kActions[] = {ActionFor<CreateVpc>("CreateVpc")};
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/check.h"
#include "base/clock.h"
#include "control/api/codec/parameter_reader.h"
#include "control/api/codec/xml_writer.h"
#include "control/api/service.h"
#include "control/metadata/metadata_store.h"
#include "control/model/api_error.h"
#include "control/model/user.h"

namespace mikura::control {

struct ActionContext {
  MetadataStore& store;
  const Clock& clock;
  std::string account_id;     // twelve digits
  std::string region;         // from the credential scope
  std::string access_key_id;  // of the caller
  std::string caller_arn;
  std::string request_id;
  const AccessRuleCheck* access_rules = nullptr;  // null: rules are not looked into
};

// The members of the result, encoded; a decode error, or the action's own error.
using ActionFailure = std::variant<DecodeError, ApiError>;
using ActionThunk = Result<std::string, ActionFailure> (*)(ActionContext&, ParameterReader&);

struct ActionRow {
  std::string_view name;
  ActionThunk run = nullptr;
};

template <typename Function>
struct ActionTraits;

template <typename ResultType, typename RequestType>
struct ActionTraits<ApiResult<ResultType> (*)(ActionContext&, const RequestType&)> {
  using Request = RequestType;
  static_assert(std::is_same_v<ResultType, typename RequestType::Result>,
                "the action answers with another operation's result");
};

template <auto kAction>
Result<std::string, ActionFailure> RunAction(ActionContext& context, ParameterReader& in) {
  typename ActionTraits<decltype(kAction)>::Request request;
  ReadParameters(in, request);
  if (auto error = in.Finish()) return ActionFailure(std::move(*error));
  auto result = kAction(context, request);
  if (!result.ok()) return ActionFailure(std::move(result).error());
  XmlWriter out;
  WriteXml(out, *result);
  return out.Take();
}

template <auto kAction>
consteval ActionRow ActionFor(std::string_view name) {
  CHECK(name == ActionTraits<decltype(kAction)>::Request::kOperation);
  return {name, RunAction<kAction>};
}

}  // namespace mikura::control
