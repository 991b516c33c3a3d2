// SPDX-License-Identifier: Apache-2.0
#include "control/agent/engine_config.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <cstdint>

namespace mikura::control {
namespace {

// What every Valkey says beside its own version, for clients that know Redis alone.
constexpr std::string_view kRedisVersionOfValkey = "7.2.4";
// What ElastiCache does not let clients do: it is the service's business, or would end in a node
// that is not what the service takes it for. The admin socket does not ask.
constexpr std::string_view kRestrictedCommands =
    "acl|deluser acl|load acl|save acl|setuser bgrewriteaof bgsave cluster|addslots "
    "cluster|addslotsrange cluster|bumpepoch cluster|delslots cluster|delslotsrange "
    "cluster|failover cluster|flushslots cluster|forget cluster|meet cluster|replicate "
    "cluster|reset cluster|saveconfig cluster|set-config-epoch cluster|setslot config debug "
    "failover migrate module psync replicaof save shutdown slaveof sync";
constexpr std::string_view kRunFolder = "/run/";
constexpr std::string_view kDataLink = "restore.rdb";
constexpr size_t kHashDigits = 16;
constexpr std::string_view kSocketEnding = ".sock";

// FNV-1a: ids of one host never collide in practice, and a collision only makes the engine that
// comes second fail to start.
uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

// As redis.conf wants it: quoted when a blank, quote or comment sign would end the word.
std::string Quoted(std::string_view value) {
  if (!value.empty() && value.find_first_of(" \t\"'\\#") == value.npos) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// A setting that is a list of words stands as such in the file; every other value is one word.
std::string SettingWords(std::string_view name, std::string_view value) {
  if (name == "client-output-buffer-limit" || name == "save") return std::string(value);
  return Quoted(value);
}

}  // namespace

NodePaths PathsOf(std::string_view data_dir, std::string_view node_id) {
  NodePaths paths;
  paths.directory = fmt::format("{}/nodes/{}", data_dir, node_id);
  paths.config_file = paths.directory + "/node.conf";
  paths.log_file = paths.directory + "/engine.log";
  paths.lock_file = paths.directory + "/node.lock";
  paths.data_link = fmt::format("{}/{}", paths.directory, kDataLink);
  paths.admin_socket = fmt::format("{}{}{:0{}x}{}", data_dir, kRunFolder, HashOf(node_id),
                                   kHashDigits, kSocketEnding);
  return paths;
}

size_t DataDirBytesMax() {
  return sizeof(sockaddr_un::sun_path) - 1 - kRunFolder.size() - kHashDigits - kSocketEnding.size();
}

std::string EngineConfigText(const NodeLaunch& launch, const NodePaths& paths) {
  const bool memcached = launch.kind == EngineKind::kMemcached;
  std::string text = "# Written by mikura at each start of the node; changes here are lost.\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{} {}\n", name, value);
  };
  add("node-id", launch.id);
  add("bind", launch.endpoint.address);
  add("port", memcached ? "0" : std::to_string(launch.endpoint.port));
  add("memcached-port",
      memcached && !launch.serves_tls ? std::to_string(launch.endpoint.port) : "0");
  if (memcached && launch.serves_tls) {
    add("memcached-tls-port", std::to_string(launch.endpoint.port));
  }
  add("threads", std::to_string(launch.threads));
  add("maxmemory", std::to_string(launch.memory_bytes));
  if (launch.kind == EngineKind::kRedis && !launch.engine_version.empty()) {
    add("shown-version", launch.engine_version);
  } else if (launch.kind == EngineKind::kValkey && !launch.engine_version.empty()) {
    add("shown-version", kRedisVersionOfValkey);
    add("shown-valkey-version", launch.engine_version);
  }
  if (!memcached) add("restricted-commands", kRestrictedCommands);
  add("dir", Quoted(paths.directory));
  add("logfile", Quoted(paths.log_file));
  add("admin-socket", Quoted(paths.admin_socket));
  for (const auto& [name, value] : launch.settings) add(name, SettingWords(name, value));
  if (launch.primary.empty() && !launch.data_source.empty()) add("dbfilename", kDataLink);
  if (!launch.primary.empty()) {
    add("replicaof", fmt::format("{} {}", launch.primary.address, launch.primary.port));
  }
  return text;
}

std::string QuotedForConfig(std::string_view value) { return Quoted(value); }

}  // namespace mikura::control
