// SPDX-License-Identifier: Apache-2.0
#include "engine/server/tls_binding.h"

#include "base/logging.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kNames[] = {
    "tls-cert-file",
    "tls-key-file",
    "tls-key-file-pass",
    "tls-client-cert-file",
    "tls-client-key-file",
    "tls-client-key-file-pass",
    "tls-dh-params-file",
    "tls-ca-cert-file",
    "tls-ca-cert-dir",
    "tls-replication",
    "port-tls",
    "tls-protocols",
    "tls-ciphers",
    "tls-ciphersuites",
    "tls-prefer-server-ciphers",
    "tls-session-caching",
    "tls-session-cache-size",
    "tls-session-cache-timeout",
};

TlsClients ClientsOf(const wire::EngineParameters& parameters) {
  if (parameters.tls_auth_clients == "no") return TlsClients::kUnknown;
  return parameters.tls_auth_clients == "yes" ? TlsClients::kVerified
                                              : TlsClients::kVerifiedIfShown;
}

TlsMode ModeOf(const wire::EngineParameters& parameters) {
  if (parameters.port_tls == "off") return TlsMode::kOff;
  return parameters.port_tls == "required" ? TlsMode::kRequired : TlsMode::kPreferred;
}

TlsSettings SettingsOf(const wire::EngineParameters& parameters) {
  TlsSettings settings;
  settings.node = {parameters.tls_cert_file, parameters.tls_key_file, parameters.tls_key_file_pass};
  settings.link = {parameters.tls_client_cert_file, parameters.tls_client_key_file,
                   parameters.tls_client_key_file_pass};
  settings.dh_params_file = parameters.tls_dh_params_file;
  settings.ca_cert_file = parameters.tls_ca_cert_file;
  settings.ca_cert_dir = parameters.tls_ca_cert_dir;
  settings.verifies = ClientsOf(parameters) != TlsClients::kUnknown || parameters.tls_replication;
  settings.protocols = parameters.tls_protocols;
  settings.ciphers = parameters.tls_ciphers;
  settings.ciphersuites = parameters.tls_ciphersuites;
  settings.prefers_own_ciphers = parameters.tls_prefer_server_ciphers;
  settings.remembers_sessions = parameters.tls_session_caching;
  settings.session_count_max = parameters.tls_session_cache_size;
  settings.session_seconds = parameters.tls_session_cache_timeout_seconds;
  return settings;
}

}  // namespace

bool UsesTls(const wire::EngineParameters& parameters) {
  return parameters.tls_port != 0 || parameters.memcached_tls_port != 0 ||
         parameters.tls_replication || parameters.port_tls != "off";
}

Status ConfigureTls(const wire::EngineParameters& parameters, TlsContexts& contexts) {
  contexts.set_clients(ClientsOf(parameters));
  if (UsesTls(parameters)) RETURN_IF_ERROR(contexts.Configure(SettingsOf(parameters)));
  contexts.set_mode(ModeOf(parameters));
  return Ok();
}

void BindTls(wire::ParameterSet& parameters, TlsContexts& contexts) {
  parameters.OnChange("tls-auth-clients", [&contexts](const auto&, const auto& after) -> Status {
    contexts.set_clients(ClientsOf(after));
    return Ok();
  });
  parameters.OnSet(kNames, [&contexts](const auto&, const auto& after) -> Status {
    const Status status = ConfigureTls(after, contexts);
    if (status.ok()) return Ok();
    Log(LogLevel::kWarning, "server", "{}", status.error().message);
    return Error{"Unable to update TLS configuration. Check server logs."};
  });
}

}  // namespace mikura::engine
