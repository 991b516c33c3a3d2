// SPDX-License-Identifier: Apache-2.0
// The authority of this service: certificates of nodes, for the addresses that clients use.
//
// Made once, in a folder of the data directory: `ca.crt`, which clients are to trust, and `ca.key`,
// which nobody else may read. From any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct evp_pkey_st;
struct x509_st;

namespace mikura::control {

class CertificateAuthority {
 public:
  // Errors: the folder cannot be written; one of the two files is missing or damaged: whoever
  // trusts the certificate that is lost would have to trust another, so no other is made.
  static Result<CertificateAuthority> Open(const std::string& folder);

  const std::string& certificate_file() const { return certificate_file_; }

  // Makes sure that the files hold a certificate for these addresses that goes on for longer than
  // `left_min`, with its key; one that is made is valid for `life`.
  Status Provide(const std::vector<std::string>& addresses, const std::string& cert_file,
                 const std::string& key_file, std::chrono::seconds life,
                 std::chrono::seconds left_min) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
    void operator()(x509_st* certificate) const;
  };
  using Key = std::unique_ptr<evp_pkey_st, Free>;
  using Certificate = std::unique_ptr<x509_st, Free>;

  CertificateAuthority(std::string file, Key key, Certificate certificate)
      : certificate_file_(std::move(file)),
        key_(std::move(key)),
        certificate_(std::move(certificate)) {}

  std::string certificate_file_;
  Key key_;
  Certificate certificate_;
};

}  // namespace mikura::control
