// SPDX-License-Identifier: Apache-2.0
#include "control/agent/certificate_authority.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/agent/whole_file.h"

namespace mikura::control {
namespace {

using std::chrono_literals::operator""h;

class CertificateAuthorities : public ::testing::Test {
 protected:
  CertificateAuthorities() {
    char folder[] = "/tmp/mikura-ca-XXXXXX";
    folder_ = mkdtemp(folder);
  }
  ~CertificateAuthorities() override { std::filesystem::remove_all(folder_); }

  std::string Text(const std::string& name) { return ReadWholeFile(Path(name))->value_or(""); }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  int Mode(const std::string& name) const {
    struct stat seen {};
    EXPECT_EQ(stat(Path(name).c_str(), &seen), 0);
    return static_cast<int>(seen.st_mode & 0777);
  }
  Status Provide(const CertificateAuthority& authority, const std::vector<std::string>& addresses,
                 std::chrono::seconds life, std::chrono::seconds left_min) {
    return authority.Provide(addresses, Path("n.crt"), Path("n.key"), life, left_min);
  }

  std::string folder_;
};

TEST_F(CertificateAuthorities, AreMadeOnceAndKeepTheirKeySecret) {
  ASSERT_TRUE(CertificateAuthority::Open(folder_).ok());
  const std::string made = Text("ca.crt");
  EXPECT_EQ(Mode("ca.key"), 0600);
  ASSERT_TRUE(CertificateAuthority::Open(folder_).ok());
  EXPECT_EQ(Text("ca.crt"), made);
  // A start that was cut short between the two files is made good; a lost key is not.
  std::filesystem::remove(Path("ca.key"));
  EXPECT_FALSE(CertificateAuthority::Open(folder_).ok());
  std::filesystem::remove(Path("ca.crt"));
  EXPECT_TRUE(CertificateAuthority::Open(folder_).ok());
}

TEST_F(CertificateAuthorities, CertificatesAreKeptUntilTheyNearTheirEndOrLackAnAddress) {
  const auto authority = CertificateAuthority::Open(folder_);
  ASSERT_TRUE(authority.ok());
  ASSERT_TRUE(Provide(*authority, {"127.42.0.1", "127.42.0.2"}, 100h, 50h).ok());
  EXPECT_EQ(Mode("n.key"), 0600);
  const std::string first = Text("n.crt");
  const std::string key = Text("n.key");
  ASSERT_TRUE(Provide(*authority, {"127.42.0.2"}, 100h, 50h).ok());
  EXPECT_EQ(Text("n.crt"), first);
  ASSERT_TRUE(Provide(*authority, {"127.42.0.1", "127.42.0.2"}, 200h, 150h).ok());
  const std::string renewed = Text("n.crt");
  EXPECT_NE(renewed, first);
  EXPECT_EQ(Text("n.key"), key);
  ASSERT_TRUE(Provide(*authority, {"127.42.0.9"}, 200h, 50h).ok());
  EXPECT_NE(Text("n.crt"), renewed);
}

TEST_F(CertificateAuthorities, CertificatesAreTrustedByWhoTrustsTheAuthority) {
  const auto authority = CertificateAuthority::Open(folder_);
  ASSERT_TRUE(authority.ok());
  ASSERT_TRUE(Provide(*authority, {"127.42.0.1"}, 100h, 50h).ok());
  const auto verify = [&](const std::string& address) {
    const std::string command = "openssl verify -x509_strict -purpose sslserver -verify_ip " +
                                address + " -CAfile " + Path("ca.crt") + " " + Path("n.crt") +
                                " >/dev/null 2>&1";
    return std::system(command.c_str());
  };
  EXPECT_EQ(verify("127.42.0.1"), 0);
  EXPECT_NE(verify("127.42.0.2"), 0);
}

}  // namespace
}  // namespace mikura::control
