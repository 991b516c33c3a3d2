// SPDX-License-Identifier: Apache-2.0
#include "control/agent/certificate_authority.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "control/agent/whole_file.h"

namespace mikura::control {
namespace {

constexpr std::chrono::seconds kAuthorityLife = std::chrono::hours(24) * 365 * 20;
// Clocks of clients may be behind.
constexpr std::chrono::seconds kBegunBefore = std::chrono::hours(24);

Error Failed(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return Error{fmt::format("{}: {}", what, reason != nullptr ? reason : "unknown error")};
}

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

std::string TextOf(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return std::string(bytes, static_cast<size_t>(std::max(size, 0L)));
}

std::string Pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return TextOf(bio.get());
}

std::string Pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(bio.get());
}

X509* CertificateIn(const std::string& text) {
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
}

EVP_PKEY* KeyIn(const std::string& text) {
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
}

bool Extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool SetName(X509* certificate, const std::string& name) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto add = [&](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  return add("O", "Mikura") && add("CN", name);
}

bool SetSerial(X509* certificate) {
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

// All but issuer, extensions and signature.
bool Fill(X509* certificate, const std::string& name, EVP_PKEY* key, std::chrono::seconds life) {
  return X509_set_version(certificate, 2) == 1 && SetSerial(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kBegunBefore.count()) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), life.count()) != nullptr &&
         X509_set_pubkey(certificate, key) == 1 && SetName(certificate, name);
}

bool CompleteAuthority(X509* certificate, EVP_PKEY* key) {
  return Fill(certificate, "Mikura authority", key, kAuthorityLife) &&
         X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
         Extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         Extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         Extend(certificate, certificate, NID_subject_key_identifier, "hash") &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

std::string AlternativeNames(const std::vector<std::string>& addresses) {
  std::string names;
  for (const std::string& address : addresses) {
    if (!names.empty()) names += ',';
    names += "IP:" + address;
  }
  return names;
}

// Whether the certificate is for all addresses, with this key, and long enough.
bool Serves(X509* certificate, EVP_PKEY* key, const std::vector<std::string>& addresses,
            std::chrono::seconds left_min) {
  if (certificate == nullptr || key == nullptr || X509_check_private_key(certificate, key) != 1) {
    return false;
  }
  time_t until = std::time(nullptr) + left_min.count();
  if (X509_cmp_time(X509_get0_notAfter(certificate), &until) <= 0) return false;
  return std::all_of(addresses.begin(), addresses.end(), [&](const std::string& address) {
    return X509_check_ip_asc(certificate, address.c_str(), 0) == 1;
  });
}

}  // namespace

void CertificateAuthority::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void CertificateAuthority::Free::operator()(x509_st* certificate) const { X509_free(certificate); }

Result<CertificateAuthority> CertificateAuthority::Open(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return Error{fmt::format("cannot create {}: {}", folder, failure.message())};
  const std::string cert_file = folder + "/ca.crt";
  const std::string key_file = folder + "/ca.key";
  ASSIGN_OR_RETURN(const auto cert_text, ReadWholeFile(cert_file));
  ASSIGN_OR_RETURN(const auto key_text, ReadWholeFile(key_file));
  // The key is written first: with it alone, the making was cut short.
  if (cert_text) {
    Certificate certificate(CertificateIn(*cert_text));
    Key key(key_text ? KeyIn(*key_text) : nullptr);
    if (certificate == nullptr || key == nullptr ||
        X509_check_private_key(certificate.get(), key.get()) != 1) {
      return Error{
          fmt::format("{} and {} do not belong together, or cannot be read", cert_file, key_file)};
    }
    return CertificateAuthority(cert_file, std::move(key), std::move(certificate));
  }
  Key key(EVP_EC_gen("P-256"));
  Certificate certificate(X509_new());
  if (key == nullptr || certificate == nullptr ||
      !CompleteAuthority(certificate.get(), key.get())) {
    return Failed("cannot make a certificate authority");
  }
  RETURN_IF_ERROR(WriteWholeFile(key_file, Pem(key.get())));
  RETURN_IF_ERROR(WriteWholeFile(cert_file, Pem(certificate.get()), 0644));
  return CertificateAuthority(cert_file, std::move(key), std::move(certificate));
}

Status CertificateAuthority::Provide(const std::vector<std::string>& addresses,
                                     const std::string& cert_file, const std::string& key_file,
                                     std::chrono::seconds life,
                                     std::chrono::seconds left_min) const {
  ASSIGN_OR_RETURN(const auto cert_text, ReadWholeFile(cert_file));
  ASSIGN_OR_RETURN(const auto key_text, ReadWholeFile(key_file));
  const Certificate before(cert_text ? CertificateIn(*cert_text) : nullptr);
  const Key key_before(key_text ? KeyIn(*key_text) : nullptr);
  if (Serves(before.get(), key_before.get(), addresses, left_min)) return Ok();
  ERR_clear_error();
  // The key stays when there is one: an engine that reads both files between the two writes finds
  // a pair.
  Key fresh;
  if (key_before == nullptr) {
    fresh.reset(EVP_EC_gen("P-256"));
    if (fresh == nullptr) return Failed("cannot make a key");
    RETURN_IF_ERROR(WriteWholeFile(key_file, Pem(fresh.get())));
  }
  EVP_PKEY* const key = key_before != nullptr ? key_before.get() : fresh.get();
  const Certificate made(X509_new());
  X509* const issuer = certificate_.get();
  const bool complete =
      made != nullptr && Fill(made.get(), addresses.front(), key, life) &&
      X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1 &&
      Extend(made.get(), issuer, NID_basic_constraints, "critical,CA:FALSE") &&
      Extend(made.get(), issuer, NID_key_usage, "critical,digitalSignature") &&
      Extend(made.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
      Extend(made.get(), issuer, NID_subject_alt_name, AlternativeNames(addresses)) &&
      Extend(made.get(), issuer, NID_authority_key_identifier, "keyid") &&
      X509_sign(made.get(), key_.get(), EVP_sha256()) != 0;
  if (!complete) return Failed("cannot make a certificate for " + addresses.front());
  return WriteWholeFile(cert_file, Pem(made.get()));
}

}  // namespace mikura::control
