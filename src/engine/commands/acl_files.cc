// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/acl_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/unique_fd.h"
#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kNoFile =
    "This Redis instance is not configured to use an ACL file. You may want to specify users via "
    "the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration.";

std::string AclFile(CommandContext& ctx) {
  constexpr std::string_view kName[] = {"aclfile"};
  const auto found = ctx.services.parameters.Get(kName);
  return found.empty() ? std::string() : found[0].second;
}

// Complete before it has its name: the old file or the new one is there at every moment.
bool WriteFile(const std::string& path, std::string_view text) {
  const std::string temporary = fmt::format("{}.tmp-{}", path, getpid());
  UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  bool written = fd.valid();
  while (written && !text.empty()) {
    const ssize_t some = write(fd.get(), text.data(), text.size());
    written = some > 0;
    if (written) text.remove_prefix(static_cast<size_t>(some));
  }
  written = written && fsync(fd.get()) == 0 && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) unlink(temporary.c_str());
  return written;
}

}  // namespace

void DisconnectUser(CommandContext& ctx, std::string_view name) {
  ClientFilter filter;
  filter.user = std::string(name);
  ctx.services.clients.Kill(filter);
}

Result<std::string> ReadAclFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return Error{
        fmt::format("Error loading ACLs, opening file '{}': {}", path, std::strerror(errno))};
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<std::vector<std::string>> LoadAclFile(access::AccessUsers& users, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadAclFile(path));
  return users.Load(text, path);
}

FaultOr<> AclLoad(CommandContext& ctx) {
  const std::string path = AclFile(ctx);
  if (path.empty()) {
    ctx.reply.Error("ERR", kNoFile);
    return Ok();
  }
  const auto changed = LoadAclFile(ctx.services.access.users(), path);
  if (!changed.ok()) {
    ctx.reply.Error("ERR", changed.error().message);
    return Ok();
  }
  for (const std::string& name : *changed) {
    if (name != "default") DisconnectUser(ctx, name);
  }
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> AclSave(CommandContext& ctx) {
  const std::string path = AclFile(ctx);
  if (path.empty()) {
    ctx.reply.Error("ERR", kNoFile);
  } else if (!WriteFile(path, ctx.services.access.users().Text())) {
    ctx.reply.Error("ERR",
                    "There was an error trying to save the ACLs. Please check the server logs for "
                    "more information");
  } else {
    ctx.reply.Ok();
  }
  return Ok();
}

}  // namespace mikura::engine
