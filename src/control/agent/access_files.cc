// SPDX-License-Identifier: Apache-2.0
#include "control/agent/access_files.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <filesystem>
#include <system_error>

#include "control/agent/whole_file.h"
#include "control/model/secret_hash.h"

namespace mikura::control {
namespace {

// No user of a client has a name like this (CheckUserName).
constexpr char kLinkUser[] = "%mikura";
constexpr size_t kKeyBytes = 32;

std::string UsersFile(const NodePaths& paths) { return paths.directory + "/users.acl"; }
std::string ConfigFile(const NodePaths& paths) { return paths.directory + "/access.conf"; }

Status WriteIfOther(const std::string& path, const std::string& text) {
  ASSIGN_OR_RETURN(const auto before, ReadWholeFile(path));
  if (before == text) return Ok();
  return WriteWholeFile(path, text);
}

}  // namespace

AccessFiles AccessFilesOf(const NodeAccess& access, const NodePaths& paths,
                          std::string_view link_key, const std::string& authority_file) {
  const std::string secret = DeriveSecret(link_key, "link " + access.link);
  AccessFiles files;
  files.users = access.users;
  // What a replica needs at its primary.
  files.users +=
      fmt::format("user {} on #{} -@all +ping +replconf +psync\n", kLinkUser, HashSecret(secret));
  files.has_tls = !access.tls_mode.empty();
  files.cert_file = paths.directory + "/tls.crt";
  files.key_file = paths.directory + "/tls.key";
  files.settings = {{"masteruser", kLinkUser}, {"masterauth", secret}};
  if (files.has_tls) {
    files.settings.emplace_back("tls-ca-cert-file", authority_file);
    files.settings.emplace_back("tls-cert-file", files.cert_file);
    files.settings.emplace_back("tls-key-file", files.key_file);
    files.settings.emplace_back("tls-auth-clients", "no");
  }
  files.settings.emplace_back("tls-replication", files.has_tls ? "yes" : "no");
  files.settings.emplace_back("port-tls", files.has_tls ? access.tls_mode : "off");
  return files;
}

Status WriteAccessFiles(const AccessFiles& files, const NodePaths& paths) {
  std::error_code failure;
  std::filesystem::create_directories(paths.directory, failure);
  if (failure) {
    return Error{fmt::format("cannot create {}: {}", paths.directory, failure.message())};
  }
  RETURN_IF_ERROR(WriteIfOther(UsersFile(paths), files.users));
  std::string text = fmt::format("aclfile {}\n", QuotedForConfig(UsersFile(paths)));
  for (const auto& [name, value] : files.settings) {
    text += fmt::format("{} {}\n", name, QuotedForConfig(value));
  }
  return WriteIfOther(ConfigFile(paths), text);
}

Result<std::string> AccessConfigText(const NodePaths& paths) {
  ASSIGN_OR_RETURN(const auto text, ReadWholeFile(ConfigFile(paths)));
  return text.value_or("");
}

Result<std::string> LoadLinkKey(const std::string& path) {
  ASSIGN_OR_RETURN(const auto kept, ReadWholeFile(path));
  if (kept && kept->size() >= kKeyBytes) return *kept;
  unsigned char bytes[kKeyBytes];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return Error{"the system gives no random bytes"};
  std::string key;
  for (const unsigned char byte : bytes) key += fmt::format("{:02x}", byte);
  RETURN_IF_ERROR(WriteWholeFile(path, key));
  return key;
}

}  // namespace mikura::control
