// SPDX-License-Identifier: Apache-2.0
#include "control/api/service_router.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/api/error_table.h"

namespace mikura::control {
namespace {

constexpr std::string_view kXmlDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

const std::string* FindField(const std::vector<FormField>& fields, std::string_view name) {
  for (const FormField& field : fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

// What belongs to the request as a whole, not to the operation.
bool IsEnvelopeField(std::string_view name) {
  return name == "Action" || name == "Version" || name.substr(0, 6) == "X-Amz-";
}

HttpResponse XmlResponse(int status, std::string body, std::string_view request_id) {
  return {.status = status,
          .content_type = "text/xml;charset=UTF-8",
          .headers = {{"x-amzn-RequestId", std::string(request_id)}},
          .body = std::string(kXmlDeclaration) + std::move(body)};
}

HttpResponse AnswerResponse(const ServiceDescription& service,
                            const OperationDescription& operation, const std::string& members,
                            std::string_view request_id) {
  XmlWriter xml;
  const std::string root = fmt::format("{}Response", operation.name);
  xml.OpenRoot(root, service.xml_namespace);
  if (service.protocol == Protocol::kEc2) {
    xml.Text("requestId", request_id);
    // What EC2 answers when there is nothing to say.
    members.empty() ? xml.Text("return", "true") : xml.Raw(members);
  } else {
    if (!operation.result_element.empty()) {
      xml.Open(operation.result_element);
      xml.Raw(members);
      xml.Close(operation.result_element);
    }
    xml.Open("ResponseMetadata");
    xml.Text("RequestId", request_id);
    xml.Close("ResponseMetadata");
  }
  xml.Close(root);
  return XmlResponse(200, xml.Take(), request_id);
}

ApiError UnknownAction(const ServiceDescription& service, std::string_view action) {
  if (service.protocol == Protocol::kEc2) {
    return {ApiErrorCode::kInvalidAction,
            fmt::format("The action {} is not valid for this web service.", action)};
  }
  return {ApiErrorCode::kInvalidAction,
          fmt::format("Could not find operation {} for version {}", action, service.version)};
}

const ActionRow* FindAction(const ApiService& service, std::string_view name) {
  for (const ActionRow& row : service.actions) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// Whether the form has the parameter, or a member of it ("List.member.1").
bool HasParameter(const std::vector<FormField>& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(), [&](const FormField& field) {
    const std::string_view given = field.name;
    return given.substr(0, name.size()) == name &&
           (given.size() == name.size() || given[name.size()] == '.');
  });
}

// What is answered to an operation that has no action. What is missing is told first, as by others.
ApiError Refusal(const ServiceDescription& service, const OperationDescription& operation,
                 const std::vector<FormField>& parameters) {
  for (const std::string_view name : operation.required) {
    if (HasParameter(parameters, name)) continue;
    return DescribeDecodeError(
        service, {.kind = DecodeError::Kind::kMissing, .parameter = std::string(name)});
  }
  if (operation.refusal) return {*operation.refusal, std::string(operation.refusal_words)};
  // 400 and a code that no client retries: waiting would not help.
  return {ApiErrorCode::kOperationNotAvailable,
          fmt::format("The operation {} is not available yet.", operation.name)};
}

}  // namespace

const ApiService* ServiceRouter::Find(std::string_view service) const {
  for (const ApiService& each : services_) {
    if (each.description->name == service) return &each;
  }
  return nullptr;
}

const ApiService& ServiceRouter::Guess(const std::vector<FormField>& parameters) const {
  if (const std::string* version = FindField(parameters, "Version")) {
    for (const ApiService& each : services_) {
      if (each.description->version == *version) return each;
    }
  }
  return services_.front();
}

HttpResponse ServiceRouter::Run(const ApiService& service, const std::vector<FormField>& parameters,
                                ActionContext& context) const {
  const ServiceDescription& description = *service.description;
  const auto fail = [&](const ApiError& error) {
    return ErrorResponse(description, error, context.request_id);
  };
  const std::string* action = FindField(parameters, "Action");
  if (action == nullptr || action->empty()) return fail({ApiErrorCode::kMissingAction, {}});
  const OperationDescription* operation = description.Find(*action);
  if (operation == nullptr) return fail(UnknownAction(description, *action));
  const ActionRow* row = FindAction(service, *action);
  if (row == nullptr) return fail(Refusal(description, *operation, parameters));
  std::vector<FormField> members;
  for (const FormField& field : parameters) {
    if (!IsEnvelopeField(field.name)) members.push_back(field);
  }
  auto tree = BuildParameterTree(members);
  if (!tree.ok()) return fail(DescribeDecodeError(description, tree.error()));
  ParameterReader reader(
      *tree, description.protocol == Protocol::kEc2 ? ListSpelling::kFlat : ListSpelling::kNamed);
  const auto outcome = row->run(context, reader);
  if (outcome.ok()) return AnswerResponse(description, *operation, *outcome, context.request_id);
  if (const auto* decode_error = std::get_if<DecodeError>(&outcome.error())) {
    return fail(DescribeDecodeError(description, *decode_error));
  }
  return fail(*std::get_if<ApiError>(&outcome.error()));
}

HttpResponse ErrorResponse(const ServiceDescription& service, const ApiError& error,
                           std::string_view request_id) {
  const ErrorRow& row = RowOf(error.code);
  const std::string_view message = error.message.empty() ? row.words : error.message;
  XmlWriter xml;
  if (service.protocol == Protocol::kEc2) {
    for (const char* name : {"Response", "Errors", "Error"}) xml.Open(name);
    xml.Text("Code", row.code);
    xml.Text("Message", message);
    xml.Close("Error");
    xml.Close("Errors");
    xml.Text("RequestID", request_id);
    xml.Close("Response");
  } else {
    xml.OpenRoot("ErrorResponse", service.xml_namespace);
    xml.Open("Error");
    xml.Text("Type", row.http_status >= 500 ? "Receiver" : "Sender");
    xml.Text("Code", row.code);
    xml.Text("Message", message);
    xml.Close("Error");
    xml.Text("RequestId", request_id);
    xml.Close("ErrorResponse");
  }
  return XmlResponse(row.http_status, xml.Take(), request_id);
}

ApiError DescribeDecodeError(const ServiceDescription& service, const DecodeError& error) {
  const bool ec2 = service.protocol == Protocol::kEc2;
  std::string parameter = error.parameter;
  // EC2 speaks of its parameters with a small first letter.
  if (ec2 && !parameter.empty() && parameter[0] >= 'A' && parameter[0] <= 'Z') {
    parameter[0] = static_cast<char>(parameter[0] + ('a' - 'A'));
  }
  switch (error.kind) {
    case DecodeError::Kind::kMissing:
      return {ApiErrorCode::kMissingParameter,
              fmt::format("The request must contain the parameter {}", parameter)};
    case DecodeError::Kind::kInvalid:
      return {ApiErrorCode::kInvalidParameterValue,
              fmt::format("Value ({}) for parameter {} is invalid. Expected {}.", error.value,
                          parameter, error.expected)};
    case DecodeError::Kind::kUnknown:
      return {ec2 ? ApiErrorCode::kUnknownParameter : ApiErrorCode::kInvalidQueryParameter,
              fmt::format("The parameter {} is not recognized", error.parameter)};
    case DecodeError::Kind::kDuplicate:
      return {ApiErrorCode::kMalformedQueryString,
              fmt::format("The parameter {} may only be specified once", error.parameter)};
    case DecodeError::Kind::kMalformed:
      break;
  }
  return {ApiErrorCode::kMalformedQueryString,
          fmt::format("The parameter name {} is malformed", error.parameter)};
}

ApiError DescribeSignatureError(const ServiceDescription& service, const SignatureError& error) {
  const bool ec2 = service.protocol == Protocol::kEc2;
  switch (error.kind) {
    case SignatureError::Kind::kMissing:
      return {ApiErrorCode::kMissingAuthenticationToken, error.message};
    case SignatureError::Kind::kIncomplete:
      return {ApiErrorCode::kIncompleteSignature, error.message};
    case SignatureError::Kind::kUnknownKey:
      // EC2 answers in the same words whatever is wrong with key or secret.
      return {ec2 ? ApiErrorCode::kAuthFailure : ApiErrorCode::kInvalidClientTokenId, {}};
    case SignatureError::Kind::kMismatch:
      if (ec2) return {ApiErrorCode::kAuthFailure, {}};
      return {ApiErrorCode::kSignatureDoesNotMatch, error.message};
    case SignatureError::Kind::kExpired:
      break;
  }
  if (ec2) return {ApiErrorCode::kRequestExpired, "Request has expired."};
  return {ApiErrorCode::kSignatureDoesNotMatch, error.message};
}

}  // namespace mikura::control
