// SPDX-License-Identifier: Apache-2.0
#include "engine/net/tls_context.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstring>
#include <ctime>
#include <string_view>

#include "base/numbers.h"

namespace mikura::engine {
namespace {

// `what` with the reason of OpenSSL's first error of this thread; forgets the others.
Error Failed(std::string_view what) {
  const unsigned long code = ERR_get_error();
  const char* reason = ERR_GET_LIB(code) == ERR_LIB_SYS ? std::strerror(ERR_GET_REASON(code))
                                                        : ERR_reason_error_string(code);
  ERR_clear_error();
  return Error{fmt::format("TLS: {}: {}", what, reason != nullptr ? reason : "unknown error")};
}

// Never asks at a terminal, as OpenSSL does by itself.
int GivePassword(char* out, int size, int, void* password) {
  if (password == nullptr) return -1;
  const auto& text = *static_cast<const std::string*>(password);
  if (text.empty() || text.size() > static_cast<size_t>(size)) return -1;
  return static_cast<int>(text.copy(out, text.size()));
}

Status LimitProtocols(SSL_CTX* context, std::string_view text) {
  struct Protocol {
    std::string_view name;
    uint64_t refused;
  };
  constexpr Protocol kProtocols[] = {{"TLSv1", SSL_OP_NO_TLSv1},
                                     {"TLSv1.1", SSL_OP_NO_TLSv1_1},
                                     {"TLSv1.2", SSL_OP_NO_TLSv1_2},
                                     {"TLSv1.3", SSL_OP_NO_TLSv1_3}};
  if (text.empty()) text = "TLSv1.2 TLSv1.3";
  uint64_t refused = 0;
  for (const Protocol& protocol : kProtocols) refused |= protocol.refused;
  const uint64_t all = refused;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    const Protocol* known = nullptr;
    for (const Protocol& protocol : kProtocols) {
      if (EqualsIgnoreCase(protocol.name, word)) known = &protocol;
    }
    if (known == nullptr) {
      return Error{fmt::format("TLS: tls-protocols: '{}' is no protocol that is spoken", word)};
    }
    refused &= ~known->refused;
  }
  if (refused == all) return Error{"TLS: tls-protocols names none"};
  SSL_CTX_set_options(context, refused);
  return Ok();
}

Status LoadIdentity(SSL_CTX* context, const TlsIdentity& identity) {
  const std::string& cert = identity.cert_file;
  const std::string& key = identity.key_file.empty() ? cert : identity.key_file;
  if (SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1) {
    return Failed("the certificate " + cert);
  }
  SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<std::string*>(&identity.key_password));
  const bool loaded = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (!loaded) return Failed("the private key " + key);
  if (SSL_CTX_check_private_key(context) != 1) return Failed("the private key " + key);
  return Ok();
}

Status LoadAuthorities(SSL_CTX* context, const TlsSettings& settings) {
  const std::string& file = settings.ca_cert_file;
  const std::string& folder = settings.ca_cert_dir;
  if (!file.empty() && SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    return Failed("the authorities' certificates " + file);
  }
  if (!folder.empty() && SSL_CTX_load_verify_dir(context, folder.c_str()) != 1) {
    return Failed("the folder of authorities' certificates " + folder);
  }
  return Ok();
}

Status LoadDhParams(SSL_CTX* context, const std::string& path) {
  if (path.empty()) return Ok();
  BIO* const file = BIO_new_file(path.c_str(), "r");
  if (file == nullptr) return Failed("the parameters " + path);
  EVP_PKEY* const params = PEM_read_bio_Parameters(file, nullptr);
  BIO_free(file);
  if (params == nullptr) return Failed("the parameters " + path);
  if (SSL_CTX_set0_tmp_dh_pkey(context, params) == 1) return Ok();
  EVP_PKEY_free(params);
  return Failed("the parameters " + path);
}

Status ChooseCiphers(SSL_CTX* context, const TlsSettings& settings) {
  if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(context, settings.ciphers.c_str()) != 1)
    return Failed("tls-ciphers " + settings.ciphers);
  if (!settings.ciphersuites.empty() &&
      SSL_CTX_set_ciphersuites(context, settings.ciphersuites.c_str()) != 1)
    return Failed("tls-ciphersuites " + settings.ciphersuites);
  return Ok();
}

// An end without close_notify counts as one with it: requests and records say themselves where
// they end, and who only shuts down its side of the socket still gets its replies.
constexpr uint64_t kOptions = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                              SSL_OP_SINGLE_DH_USE | SSL_OP_IGNORE_UNEXPECTED_EOF;
constexpr long kModes =
    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;

void ConfigureSessions(SSL_CTX* context, const TlsSettings& settings) {
  if (!settings.remembers_sessions) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return;
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(context, static_cast<long>(settings.session_count_max));
  SSL_CTX_set_timeout(context, static_cast<long>(settings.session_seconds));
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<TlsContext::Owned> TlsContext::MakeOne(const TlsSettings& settings,
                                              const TlsIdentity& identity) {
  ERR_clear_error();
  Owned owned(SSL_CTX_new(TLS_method()));
  SSL_CTX* const context = owned.get();
  if (context == nullptr) return Failed("no context");
  SSL_CTX_set_options(context, kOptions);
  SSL_CTX_set_mode(context, kModes);
  SSL_CTX_set_read_ahead(context, 1);  // one receive for a record's head and body
  SSL_CTX_set_default_passwd_cb(context, GivePassword);
  if (settings.prefers_own_ciphers) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  RETURN_IF_ERROR(LimitProtocols(context, settings.protocols));
  RETURN_IF_ERROR(LoadIdentity(context, identity));
  RETURN_IF_ERROR(LoadAuthorities(context, settings));
  RETURN_IF_ERROR(LoadDhParams(context, settings.dh_params_file));
  RETURN_IF_ERROR(ChooseCiphers(context, settings));
  ConfigureSessions(context, settings);
  return owned;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::Make(const TlsSettings& settings) {
  if (settings.node.cert_file.empty()) return Error{"TLS: tls-cert-file is not set"};
  if (settings.verifies && settings.ca_cert_file.empty() && settings.ca_cert_dir.empty()) {
    return Error{
        "TLS: tls-ca-cert-file or tls-ca-cert-dir must be set where tls-auth-clients or "
        "tls-replication ask for certificates"};
  }
  ASSIGN_OR_RETURN(Owned server, MakeOne(settings, settings.node));
  ASSIGN_OR_RETURN(
      Owned client,
      MakeOne(settings, settings.link.cert_file.empty() ? settings.node : settings.link));
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(server), std::move(client)));
}

int64_t TlsContext::EndOfCertificate() const {
  const X509* const certificate = SSL_CTX_get0_certificate(server_.get());
  tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
    return 0;
  }
  return timegm(&end);
}

Status TlsContexts::Configure(const TlsSettings& settings) {
  ASSIGN_OR_RETURN(auto context, TlsContext::Make(settings));
  MutexLock lock(mutex_);
  current_ = std::move(context);
  return Ok();
}

std::shared_ptr<const TlsContext> TlsContexts::Current() const {
  MutexLock lock(mutex_);
  return current_;
}

}  // namespace mikura::engine
