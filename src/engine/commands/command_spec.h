// SPDX-License-Identifier: Apache-2.0
// One row per command: everything the server, COMMAND, the access lists and the documents know of
// it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

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
  kMayReplicate = 1u << 14,  // not shown
  kNoMulti = 1u << 15,
  kMovableKeys = 1u << 16,
  kAllowBusy = 1u << 17,
  kNoAsyncLoading = 1u << 18,
  kNoMandatoryKeys = 1u << 19,
  // ---- For the dispatcher only, not shown.
  kMayWait = 1u << 24,          // as kBlocking: may be answered later
  kTakesToken = 1u << 25,       // changes what scripts run: while none does
  kLocksItself = 1u << 26,      // scripts: the handler takes the shards of its keys
  kKeysAreChannels = 1u << 27,  // what COMMAND shows as its keys: no shard is locked for them
  kSubscriberOk = 1u << 28,     // a RESP2 client that has subscribed may still send it
  kPublishes = 1u << 29,        // waits while event loops have much to deliver
  kRunsInMulti = 1u << 30,      // inside MULTI it is not queued
  kRunsQueue = 1u << 31,        // EXEC: what holds for the queued commands holds for it
};

// What may change something: the data, or what subscribers know.
inline constexpr uint32_t kMayChange = kWrite | kMayReplicate | kPublishes;

// Access categories (ACL CAT), beside those that follow from the flags (@read, @write, @fast, @slow
// ...).
enum AclCategory : uint32_t {
  kAclKeyspace = 1u << 0,
  kAclString = 1u << 1,
  kAclConnection = 1u << 2,
  kAclAdmin = 1u << 3,
  kAclDangerous = 1u << 4,
  kAclSet = 1u << 5,
  kAclSortedSet = 1u << 6,
  kAclList = 1u << 7,
  kAclHash = 1u << 8,
  kAclBitmap = 1u << 9,
  kAclHyperLogLog = 1u << 10,
  kAclGeo = 1u << 11,
  kAclStream = 1u << 12,
  kAclPubSub = 1u << 13,
  kAclBlocking = 1u << 14,
  kAclTransaction = 1u << 15,
  kAclScripting = 1u << 16,
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

// One key specification, as COMMAND INFO shows it: where a search for keys begins (at a word's
// place, or behind a keyword), and which words from there on are keys (a range, or as many as a
// number says). For rows whose keys are not one plain range.
struct KeySpec {
  std::string_view access;  // "RW access update"
  std::string_view notes = {};
  int index = 0;  // where the search begins; with a keyword: 0
  std::string_view keyword = {};
  int keyword_from = 0;  // word from which the keyword is looked for; negative: backwards
  // A range: relative to the beginning, or negative, from the end.
  int last = 0;
  int step = 1;
  int limit = 0;  // 2: the first half of what is left, and so on
  // A number of keys: relative to the beginning; -1: it is a range.
  int number_at = -1;
  int first_after_number = 0;  // relative to the beginning
  bool is_unknown = false;     // COMMAND shows "unknown" for both parts
};
constexpr KeySpec KeysByNumber(std::string_view access, int number_at) {
  return {.access = access, .index = number_at, .number_at = 0, .first_after_number = 1};
}
constexpr KeySpec KeysInRange(std::string_view access, int first, int last, int step = 1) {
  return {.access = access, .index = first, .last = last < 0 ? last : last - first, .step = step};
}

// A key among the words of a request.
struct KeyPlace {
  uint32_t word = 0;
  uint32_t spec = 0;  // the specification that names it: its place in key_specs or key_access
};
// Appends the places of the keys in `args`, whose number fits the row. Words that make no sense:
// fewer or no places; the handler answers the error then.
using KeyFinder = void (*)(std::span<const std::string_view> args, std::vector<KeyPlace>& places);

// Whether the words make the command look at keys that none of them names (SORT BY weight_*).
using UnnamedKeysTest = bool (*)(std::span<const std::string_view> args);

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
  // For rows with other keys than `keys` tells: all specifications, instead of key_access. Where
  // even these do not tell all keys (SORT ... STORE), find_keys does.
  std::span<const KeySpec> key_specs = {};
  KeyFinder find_keys = nullptr;
  UnnamedKeysTest reads_unnamed_keys = nullptr;  // null: never
  std::string_view parent = {};                  // of a subcommand: "CONFIG"
  std::span<const CommandSpec> subcommands = {};

  // Whether `keys` may not tell all keys.
  bool has_other_keys() const { return !key_specs.empty() || find_keys != nullptr; }
  bool ReadsUnnamedKeys(std::span<const std::string_view> args) const {
    return reads_unnamed_keys != nullptr && reads_unnamed_keys(args);
  }
  bool may_have_keys() const { return keys.step != 0 || has_other_keys(); }
};

}  // namespace mikura::engine
