// SPDX-License-Identifier: Apache-2.0
// The command line of `mikura memcached`: memcached's own flags, so that a start script keeps
// working. What cannot be honoured is refused by name; what only tunes memcached's own inner works
// is taken and has no effect (MemcachedHelp says which).
// Source: memcached 1.6.18 --help.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/memcached_parser.h"

namespace mikura::wire {

struct MemcachedFlags {
  enum class Show : uint8_t { kNothing, kHelp, kVersion, kLicense };

  Show show = Show::kNothing;  // print that and exit; the other members are not checked then
  int port = 11211;            // -p; 0: no TCP port; -1: any that is free
  std::vector<std::string> addresses;                // -l, each "host" or "host:port"; empty: all
  std::string unix_socket;                           // -s; memcached then opens no port
  int unix_mask = 0700;                              // -a
  uint64_t memory_limit_bytes = uint64_t{64} << 20;  // -m
  bool evictions = true;                             // -M turns them off
  uint32_t connections_max = 1024;                   // -c
  uint32_t threads = 4;                              // -t
  uint64_t item_size_max = uint64_t{1} << 20;        // -I
  int backlog = 1024;                                // -b
  int verbosity = 0;                                 // -v, -vv, -vvv
  uint32_t idle_timeout_seconds = 0;                 // -o idle_timeout; 0: none
  std::string user;                                  // -u
  std::string memory_file;                           // -e; empty: nothing is kept
  std::string pid_file;                              // -P
  bool daemon = false;                               // -d
  bool core_dumps = false;                           // -r
  bool lock_memory = false;                          // -k
  bool shutdown_enabled = false;                     // -A
  bool flush_all_enabled = true;                     // -F turns it off
  // -B; with -S binary, with -Y ascii
  MemcachedProtocol protocol = MemcachedProtocol::kAuto;
  bool protocol_given = false;
  bool sasl = false;                          // -S
  std::string auth_file;                      // -Y
  bool cas_enabled = true;                    // -C turns it off
  bool dump_enabled = true;                   // -X turns it off
  bool watch_enabled = true;                  // -W turns it off
  uint32_t requests_per_event = 0;            // -R; 0: as many as a batch holds
  int udp_port = 0;                           // -U; 0: none; -1: any that is free
  char prefix_delimiter = ':';                // -D
  bool detail_enabled = false;                // -D turns it on
  bool maxconns_fast = true;                  // -o maxconns_fast
  uint32_t watcher_buffer_bytes = 256 << 10;  // -o watcher_logbuf_size
  bool tls = false;                           // -Z: the TCP port speaks TLS
  std::string tls_cert_file;                  // -o ssl_chain_cert
  std::string tls_key_file;                   // -o ssl_key
  std::string tls_ca_file;                    // -o ssl_ca_cert
  std::string tls_ciphers;                    // -o ssl_ciphers
  uint32_t tls_verify_mode = 0;               // -o ssl_verify_mode
  uint32_t tls_version_min = 2;               // -o ssl_min_version: TLSv1.N
  bool tls_session_cache = false;             // -o ssl_session_cache
  // Settings that only `stats settings` shows, by their names there.
  std::map<std::string, std::string> shown;
};

// Parses the arguments behind "memcached", in all the forms getopt_long takes: -p1, -p 1, -vd,
// --port=1, --port 1. The error names the flag and says what is wrong with it.
Result<MemcachedFlags> ParseMemcachedFlags(std::span<const std::string_view> arguments);

// What -h shows.
std::string MemcachedHelp();

}  // namespace mikura::wire
