// SPDX-License-Identifier: Apache-2.0
// One row per command: everything the server, COMMAND, the access lists and the documents know of
// it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/store/fault.h"

namespace mikura::engine {

struct CommandContext;
using CommandHandler = FaultOr<> (*)(CommandContext& ctx);

// Command flags, with the names that COMMAND shows.
enum CommandFlag : uint32_t {
  kWrite = 1u << 0,
  kReadOnly = 1u << 1,
  kDenyOom = 1u << 2,
  kAdmin = 1u << 3,
  kPubSub = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,
  kLoadingOk = 1u << 7,  // COMMAND: "loading"
  kStaleOk = 1u << 8,    // COMMAND: "stale"
  kSkipMonitor = 1u << 9,
  kSkipSlowlog = 1u << 10,
  kAsking = 1u << 11,
  kFast = 1u << 12,
  kNoAuthNeeded = 1u << 13,  // COMMAND: "no_auth"
  kMayReplicate = 1u << 14,
  kNoMulti = 1u << 15,
  kMovableKeys = 1u << 16,
  kAllowBusy = 1u << 17,
  kNoAsyncLoading = 1u << 18,
};

// Access categories (ACL CAT), beside those that follow from the flags (@read, @write, @fast, @slow
// ...).
enum AclCategory : uint32_t {
  kAclKeyspace = 1u << 0,
  kAclString = 1u << 1,
  kAclConnection = 1u << 2,
  kAclAdmin = 1u << 3,
  kAclDangerous = 1u << 4,
};

// Number of words with the command name, as Redis counts: -3 means at least 3.
struct Arity {
  int value = 1;
  constexpr bool Accepts(size_t words) const {
    return value >= 0 ? words == static_cast<size_t>(value) : words >= static_cast<size_t>(-value);
  }
};
constexpr Arity Exactly(int words) { return {words}; }
constexpr Arity AtLeast(int words) { return {-words}; }

// Where the keys are: first, last (negative counts from the end) and step, as COMMAND shows them.
struct KeyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};
inline constexpr KeyRange kNoKeys{};
constexpr KeyRange OneKeyAt(int index) { return {index, index, 1}; }
constexpr KeyRange KeysFrom(int first, int last, int step) { return {first, last, step}; }

struct CommandSpec {
  std::string_view name;  // upper case; a subcommand has its own name only ("LIST")
  CommandHandler handler = nullptr;
  Arity arity;
  KeyRange keys = kNoKeys;
  uint32_t flags = 0;
  uint32_t acl = 0;
  std::string_view group;      // string, generic, connection, server
  std::string_view since;      // version of Redis that introduced it
  std::string_view summary;    // our words
  std::string_view tips = {};  // for clients, "|"-separated: "request_policy:all_shards"
  // What is done to the keys, as COMMAND's key specifications name it: "RW access update". Two
  // parts with ';' when the first and the second key differ.
  std::string_view key_access = {};
  std::string_view key_notes = {};
  std::string_view parent = {};  // of a subcommand: "CONFIG"
  std::span<const CommandSpec> subcommands = {};
};

}  // namespace mikura::engine
