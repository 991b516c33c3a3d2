// SPDX-License-Identifier: Apache-2.0
// `mikura memcached`: what memcached's flags and environment ask for, as settings of an engine.
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "engine/process/main.h"
#include "engine/process/run_engine.h"
#include "wire/memcached_flags.h"
#include "wire/parameter_set.h"

namespace mikura::engine {
namespace {

// -Z and its options.
Status LoadTlsFlags(const wire::MemcachedFlags& flags, wire::ParameterSet& parameters) {
  if (!flags.tls) return Ok();
  constexpr std::string_view kClients[] = {"no", "optional", "yes", "yes"};
  constexpr std::string_view kProtocols[] = {
      "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "TLSv1.1 TLSv1.2 TLSv1.3", "TLSv1.2 TLSv1.3", "TLSv1.3"};
  const std::pair<std::string_view, std::string> settings[] = {
      {"tls-cert-file", flags.tls_cert_file},
      {"tls-key-file", flags.tls_key_file},
      {"tls-ca-cert-file", flags.tls_ca_file},
      {"tls-ciphers", flags.tls_ciphers},
      {"tls-auth-clients", std::string(kClients[flags.tls_verify_mode])},
      {"tls-protocols", std::string(kProtocols[flags.tls_version_min])},
      {"tls-session-caching", flags.tls_session_cache ? "yes" : "no"},
  };
  for (const auto& [name, value] : settings) {
    const std::vector<std::string> words{value};
    RETURN_IF_ERROR(parameters.Load(name, words));
  }
  return Ok();
}

std::vector<std::pair<std::string, std::string>> TlsShown(const wire::MemcachedFlags& flags) {
  if (!flags.tls) return {};
  const auto text = [](const std::string& value) { return value.empty() ? "NULL" : value; };
  return {
      {"ssl_chain_cert", text(flags.tls_cert_file)},
      {"ssl_key", text(flags.tls_key_file)},
      {"ssl_verify_mode", std::to_string(flags.tls_verify_mode)},
      {"ssl_keyformat", "1"},
      {"ssl_ciphers", text(flags.tls_ciphers)},
      {"ssl_ca_cert", text(flags.tls_ca_file)},
      {"ssl_wbuf_size", "16384"},
      {"ssl_session_cache", flags.tls_session_cache ? "yes" : "no"},
      {"ssl_kernel_tls", "no"},
      {"ssl_min_version", fmt::format("tlsv1.{}", flags.tls_version_min)},
  };
}

// -e: the file is a snapshot, as of any node. A cache goes on when it cannot be saved.
Status LoadMemoryFile(const wire::MemcachedFlags& flags, wire::ParameterSet& parameters) {
  if (flags.memory_file.empty()) return Ok();
  const std::filesystem::path path = std::filesystem::absolute(flags.memory_file);
  const std::pair<std::string_view, std::vector<std::string>> settings[] = {
      {"dir", {path.parent_path().string()}},
      {"dbfilename", {path.filename().string()}},
      {"save", {"3600", "1", "300", "100", "60", "10000"}},
      {"stop-writes-on-bgsave-error", {"no"}},
  };
  for (const auto& [name, words] : settings) RETURN_IF_ERROR(parameters.Load(name, words));
  return Ok();
}

// Memcached's flags as parameters of an engine without a RESP port.
Status LoadFlags(const wire::MemcachedFlags& flags, wire::ParameterSet& parameters) {
  std::string addresses;
  for (const std::string& address : flags.addresses) addresses += address + " ";
  if (addresses.empty()) addresses = "* -::*";
  const std::string port = std::to_string(flags.unix_socket.empty() ? std::max(flags.port, 0) : 0);
  const std::pair<std::string_view, std::string> settings[] = {
      {"port", "0"},
      {flags.tls ? "memcached-tls-port" : "memcached-port", port},
      {"bind", addresses},
      {"protected-mode", "no"},  // as memcached: -l decides who can reach it
      {"maxmemory", std::to_string(flags.memory_limit_bytes)},
      {"maxmemory-policy", flags.evictions ? "allkeys-s3fifo" : "noeviction"},
      {"maxclients", std::to_string(flags.connections_max)},
      {"threads", std::to_string(flags.threads)},
      {"tcp-backlog", std::to_string(flags.backlog)},
      {"timeout", std::to_string(flags.idle_timeout_seconds)},
      {"pidfile", flags.pid_file},
  };
  for (const auto& [name, value] : settings) {
    const std::vector<std::string> words =
        name == "bind" ? wire::SplitWords(value).value() : std::vector<std::string>{value};
    RETURN_IF_ERROR(parameters.Load(name, words));
  }
  RETURN_IF_ERROR(LoadMemoryFile(flags, parameters));
  return LoadTlsFlags(flags, parameters);
}

// -r and -u. Before anything is opened, as memcached.
Status BecomeUser(const wire::MemcachedFlags& flags) {
  if (flags.core_dumps) {
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_CORE, &limit) != 0) return Error{"-r: core files cannot be allowed"};
  }
  if (flags.user.empty() || geteuid() != 0) return Ok();
  const passwd* entry = getpwnam(flags.user.c_str());
  if (entry == nullptr) return Error{fmt::format("-u: there is no user {}", flags.user)};
  if (setgroups(0, nullptr) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0) {
    return Error{fmt::format("-u: cannot become {}: {}", flags.user, std::strerror(errno))};
  }
  return Ok();
}

// -k. After the fork of -d: a child does not inherit locked memory. Pages are locked when they are
// first used: the region of entries is reserved far larger than it is.
Status LockMemory(const wire::MemcachedFlags& flags) {
  if (!flags.lock_memory || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return Ok();
  return Error{fmt::format("-k: memory cannot be locked: {}", std::strerror(errno))};
}

MemcachedSettings SettingsOf(const wire::MemcachedFlags& flags) {
  MemcachedSettings settings;
  settings.has_snapshot = !flags.memory_file.empty();
  settings.item_size_max = flags.item_size_max;
  settings.flush_all_enabled = flags.flush_all_enabled;
  settings.shutdown_enabled = flags.shutdown_enabled;
  settings.evictions = flags.evictions;
  settings.port = flags.port;
  settings.backlog = flags.backlog;
  settings.threads = static_cast<int>(flags.threads);
  settings.verbosity = flags.verbosity;
  settings.connections_max = flags.connections_max;
  settings.protocol = flags.protocol;
  settings.auth_file = flags.auth_file;
  if (flags.sasl) settings.sasl_file = std::getenv("MEMCACHED_SASL_PWDB");
  settings.cas_enabled = flags.cas_enabled;
  settings.dump_enabled = flags.dump_enabled;
  settings.watch_enabled = flags.watch_enabled;
  settings.limits_items_only = true;
  settings.detail_enabled = flags.detail_enabled;
  settings.prefix_delimiter = flags.prefix_delimiter;
  settings.maxconns_fast = flags.maxconns_fast;
  settings.requests_per_event = flags.requests_per_event;
  settings.udp_port = flags.udp_port;
  settings.idle_timeout_seconds = flags.idle_timeout_seconds;
  settings.watcher_buffer_bytes = flags.watcher_buffer_bytes;
  settings.unix_mask = static_cast<unsigned>(flags.unix_mask);
  settings.unix_socket = flags.unix_socket;
  settings.shown = flags.shown;
  settings.tls_shown = TlsShown(flags);
  for (const std::string& address : flags.addresses) {
    settings.interface += (settings.interface.empty() ? "" : ",") + address;
  }
  return settings;
}

}  // namespace

int MemcachedMain(std::span<const std::string_view> arguments) {
  const auto flags = wire::ParseMemcachedFlags(arguments);
  if (!flags.ok()) return Fail(flags.error());
  if (flags->show == wire::MemcachedFlags::Show::kHelp) {
    std::fputs(wire::MemcachedHelp().c_str(), stdout);
    return 0;
  }
  if (flags->show != wire::MemcachedFlags::Show::kNothing) {
    std::puts("memcached 1.6.18 (mikura 0.1.0), Apache License 2.0");
    return 0;
  }
  const char* const sasl_file = std::getenv("MEMCACHED_SASL_PWDB");
  if (flags->sasl && (sasl_file == nullptr || *sasl_file == '\0')) {
    return Fail(
        Error{"-S (--enable-sasl): set MEMCACHED_SASL_PWDB to a file with a line user:password for "
              "each"});
  }
  wire::ParameterSet parameters;
  if (const Status status = LoadFlags(*flags, parameters); !status.ok()) {
    return Fail(status.error());
  }
  if (const Status status = BecomeUser(*flags); !status.ok()) return Fail(status.error());
  if (flags->daemon && daemon(1, 0) != 0) {
    return Fail(Error{fmt::format("-d: cannot become a daemon: {}", std::strerror(errno))});
  }
  if (const Status status = LockMemory(*flags); !status.ok()) return Fail(status.error());
  return RunEngine(
      parameters, "", SettingsOf(*flags),
      {flags->unix_socket, static_cast<unsigned>(flags->unix_mask), flags->port == -1, true});
}

}  // namespace mikura::engine
