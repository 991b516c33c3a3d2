// SPDX-License-Identifier: Apache-2.0
// What one AWS service is: its description (generated from operations.json) and its actions.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "control/model/api_error.h"

namespace mikura::control {

// kQuery: form in, XML with a result element out. kEc2: the same with EC2's spelling of lists,
// answers and errors.
enum class Protocol { kQuery, kEc2 };

struct OperationDescription {
  std::string_view name;
  bool implemented = false;         // its request and result structs exist
  std::string_view result_element;  // around the members of the result; empty: none
  // Of an operation that is refused whatever it asks for, with the error that AWS has for it.
  std::optional<ApiErrorCode> refusal = {};
  std::string_view refusal_words = {};  // empty: those of the code
  // Of an operation without structs: the parameters that are asked for before it is refused.
  std::span<const std::string_view> required = {};
};

struct ServiceDescription {
  std::string_view name;  // as in the credential scope
  Protocol protocol = Protocol::kQuery;
  std::string_view version;
  std::string_view xml_namespace;
  std::span<const OperationDescription> operations;

  const OperationDescription* Find(std::string_view operation) const {
    for (const OperationDescription& each : operations) {
      if (each.name == operation) return &each;
    }
    return nullptr;
  }
};

struct ActionRow;

// A description and the actions that exist, listed by hand in <service>/<service>_service.cc.
struct ApiService {
  const ServiceDescription* description = nullptr;
  std::span<const ActionRow> actions;
};

}  // namespace mikura::control
