// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/numbers.h"
#include "wire/memcached_options.h"

namespace mikura::wire {
namespace {

using Set = Status (*)(std::string_view argument, MemcachedFlags& flags);

constexpr int kPortDefault = 11211;
constexpr int kPortUnset = -2;

enum class Effect : uint8_t { kHonoured, kNone };

struct Flag {
  char letter;
  std::string_view name;
  std::string_view argument;  // name of its argument; empty: it takes none
  Effect effect;
  std::string_view words;  // what it does, or why it is refused or without effect
  Set set = nullptr;
};

template <typename T>
Status SetNumber(std::string_view argument, uint64_t least, uint64_t most, T* out) {
  const auto number = ParseUint64(argument);
  if (!number || *number < least || *number > most) {
    return Error{fmt::format("'{}' is not a number from {} to {}", argument, least, most)};
  }
  *out = static_cast<T>(*number);
  return Ok();
}

Status SetMask(std::string_view argument, MemcachedFlags& flags) {
  int mask = 0;
  for (const char digit : argument) {
    if (digit < '0' || digit > '7' || mask > 0777) return Error{"the mask is not octal"};
    mask = mask * 8 + (digit - '0');
  }
  if (argument.empty() || mask > 0777) return Error{"the mask is not octal, 0 to 777"};
  flags.unix_mask = mask;
  return Ok();
}

// Appends the parts of a list separated by commas.
void Split(std::string_view list, std::vector<std::string>* out) {
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    if (!part.empty()) out->emplace_back(part);
    list.remove_prefix(std::min(list.size(), part.size() + 1));
  }
}

Status SetAddresses(std::string_view argument, MemcachedFlags& flags) {
  if (argument.starts_with("notls:"))
    return Error{"'notls:' is not supported: -Z holds for every address"};
  Split(argument, &flags.addresses);
  return Ok();
}

Status SetMemory(std::string_view argument, MemcachedFlags& flags) {
  RETURN_IF_ERROR(SetNumber(argument, 1, uint64_t{1} << 30, &flags.memory_limit_bytes));
  flags.memory_limit_bytes <<= 20;
  return Ok();
}

// Bytes, or with k or m behind the number.
Status SetItemSize(std::string_view argument, MemcachedFlags& flags) {
  std::string_view digits = argument;
  int shift = 0;
  if (!digits.empty()) {
    const char unit = digits.back();
    if (unit == 'k' || unit == 'K') shift = 10;
    if (unit == 'm' || unit == 'M') shift = 20;
    if (shift != 0) digits.remove_suffix(1);
  }
  uint64_t number = 0;
  RETURN_IF_ERROR(SetNumber(digits, 1, uint64_t{1} << 30, &number));
  const uint64_t bytes = number << shift;
  if (bytes < 1024 || bytes > uint64_t{1} << 30) return Error{"the size must be 1k to 1024m"};
  flags.item_size_max = bytes;
  return Ok();
}

Status SetProtocol(std::string_view argument, MemcachedFlags& flags) {
  if (argument == "auto") {
    flags.protocol = MemcachedProtocol::kAuto;
  } else if (argument == "ascii") {
    flags.protocol = MemcachedProtocol::kAscii;
  } else if (argument == "binary") {
    flags.protocol = MemcachedProtocol::kBinary;
  } else {
    return Error{fmt::format("'{}' is not auto, ascii or binary", argument)};
  }
  flags.protocol_given = true;
  return Ok();
}

Status SetDelimiter(std::string_view argument, MemcachedFlags& flags) {
  if (argument.size() != 1) return Error{"the delimiter is one character"};
  flags.prefix_delimiter = argument[0];
  flags.detail_enabled = true;
  return Ok();
}

using F = MemcachedFlags;
using Sv = std::string_view;

// A flag without argument that sets `Member` to `value`.
template <auto Member, auto value>
Status Turn(Sv, F& flags) {
  flags.*Member = value;
  return Ok();
}

template <auto Member>
Status SetText(Sv argument, F& flags) {
  if (argument.empty()) return Error{"it needs an argument"};
  flags.*Member = std::string(argument);
  return Ok();
}

template <auto Member, uint64_t least, uint64_t most>
Status SetCount(Sv argument, F& flags) {
  return SetNumber(argument, least, most, &(flags.*Member));
}

// A number that is only shown, under the name it has in `stats settings`.
constexpr char kGrowthFactor[] = "growth_factor";
constexpr char kChunkSize[] = "chunk_size";
template <const auto& name>
Status Show(Sv argument, F& flags) {
  return ShowMemcachedNumber(name, argument, flags);
}

template <auto Member>
Status SetPort(Sv argument, F& flags) {
  if (argument == "-1") {
    flags.*Member = -1;
    return Ok();
  }
  return SetNumber(argument, 0, 65535, &(flags.*Member));
}

Status SetTurn(Sv argument, F& flags) {
  RETURN_IF_ERROR(SetNumber(argument, 1, UINT32_MAX, &flags.requests_per_event));
  flags.shown["reqs_per_event"] = argument;
  return Ok();
}

Status AddVerbosity(Sv, F& flags) {
  ++flags.verbosity;
  return Ok();
}

constexpr auto kHonoured = Effect::kHonoured;
constexpr auto kNone = Effect::kNone;
constexpr Sv kNoSlabs = "there are no slab classes of memcached's kind";

constexpr Flag kFlags[] = {
    {'p', "port", "num", kHonoured, "TCP port (11211); 0: none; -1: any", SetPort<&F::port>},
    {'U', "udp-port", "num", kHonoured, "UDP port (0: none; -1: any)", SetPort<&F::udp_port>},
    {'s', "unix-socket", "file", kHonoured, "Unix socket, instead of a port",
     SetText<&F::unix_socket>},
    {'a', "unix-mask", "mask", kHonoured, "access mask of the Unix socket, octal (700)", SetMask},
    {'A', "enable-shutdown", "", kHonoured, "enable the shutdown command",
     Turn<&F::shutdown_enabled, true>},
    {'l', "listen", "addr", kHonoured, "addresses, with commas or repeated (all)", SetAddresses},
    {'d', "daemon", "", kHonoured, "run as a daemon", Turn<&F::daemon, true>},
    {'r', "enable-coredumps", "", kHonoured, "allow core files", Turn<&F::core_dumps, true>},
    {'u', "user", "user", kHonoured, "user to become when started as root", SetText<&F::user>},
    {'m', "memory-limit", "num", kHonoured, "memory for entries in megabytes (64)", SetMemory},
    {'M', "disable-evictions", "", kHonoured, "answer an error when memory is full",
     Turn<&F::evictions, false>},
    {'c', "conn-limit", "num", kHonoured, "connections at one time (1024)",
     SetCount<&F::connections_max, 1, 1'000'000>},
    {'k', "lock-memory", "", kHonoured, "lock all memory", Turn<&F::lock_memory, true>},
    {'v', "verbose", "", kHonoured, "say more; -vv and -vvv say still more", AddVerbosity},
    {'h', "help", "", kHonoured, "show this", Turn<&F::show, F::Show::kHelp>},
    {'i', "license", "", kHonoured, "show the licence", Turn<&F::show, F::Show::kLicense>},
    {'V', "version", "", kHonoured, "show the version", Turn<&F::show, F::Show::kVersion>},
    {'e', "memory-file", "file", kHonoured,
     "snapshot to load, and to save now and then and at the end", SetText<&F::memory_file>},
    {'P', "pidfile", "file", kHonoured, "file for the process id", SetText<&F::pid_file>},
    {'t', "threads", "num", kHonoured, "threads (4)", SetCount<&F::threads, 1, 128>},
    {'b', "listen-backlog", "num", kHonoured, "backlog of listening sockets (1024)",
     SetCount<&F::backlog, 1, 1'000'000>},
    {'B', "protocol", "name", kHonoured, "auto, ascii or binary (auto)", SetProtocol},
    {'S', "enable-sasl", "", kHonoured, "SASL; users in the file that MEMCACHED_SASL_PWDB names",
     Turn<&F::sasl, true>},
    {'Y', "auth-file", "file", kHonoured, "users of the ASCII protocol, user:password in lines",
     SetText<&F::auth_file>},
    {'I', "max-item-size", "num", kHonoured, "largest entry (1m; 1k to 1024m)", SetItemSize},
    {'F', "disable-flush-all", "", kHonoured, "refuse flush_all",
     Turn<&F::flush_all_enabled, false>},
    {'o', "extended", "list", kHonoured,
     "idle_timeout, maxconns_fast, watcher_logbuf_size, ssl_...; tuning options are only shown",
     SetMemcachedOptions},
    {'D', "", "char", kHonoured, "keep statistics per key prefix; its delimiter (:)", SetDelimiter},
    {'C', "disable-cas", "", kHonoured, "entries have no CAS", Turn<&F::cas_enabled, false>},
    {'X', "disable-dumping", "", kHonoured, "refuse stats cachedump and lru_crawler metadump",
     Turn<&F::dump_enabled, false>},
    {'W', "disable-watch", "", kHonoured, "refuse watch", Turn<&F::watch_enabled, false>},
    {'R', "max-reqs-per-event", "num", kHonoured,
     "requests of one connection in a row (as many as have come, up to a batch)", SetTurn},
    {'Z', "enable-ssl", "", kHonoured,
     "speak TLS on the TCP port; its files: -o ssl_chain_cert, ssl_key", Turn<&F::tls, true>},
    {'f', "slab-growth-factor", "num", kNone, kNoSlabs, Show<kGrowthFactor>},
    {'n', "slab-min-size", "bytes", kNone, kNoSlabs, Show<kChunkSize>},
    {'L', "enable-largepages", "", kNone, "large pages are not used"},
    {'N', "napi_ids", "num", kNone, "connections are spread by load"},
};

std::string Spelling(const Flag& flag) {
  return flag.name.empty() ? fmt::format("-{}", flag.letter)
                           : fmt::format("-{} (--{})", flag.letter, flag.name);
}

Status Apply(const Flag& flag, Sv argument, F& flags) {
  if (flag.set == nullptr) return Ok();
  const Status status = flag.set(argument, flags);
  if (status.ok()) return Ok();
  return Error{fmt::format("{}: {}", Spelling(flag), status.error().message)};
}

// Walks the arguments as getopt_long does.
class Reader {
 public:
  Reader(std::span<const Sv> arguments, F& flags) : arguments_(arguments), flags_(flags) {}

  Status Read() {
    while (at_ < arguments_.size()) {
      const Sv word = arguments_[at_++];
      if (word.starts_with("--") && word.size() > 2) {
        RETURN_IF_ERROR(ReadLong(word.substr(2)));
      } else if (word.starts_with('-') && word.size() > 1 && word != "--") {
        RETURN_IF_ERROR(ReadShort(word.substr(1)));
      } else {
        return Error{fmt::format("'{}' is not a flag", word)};
      }
    }
    return Ok();
  }

 private:
  Status ReadLong(Sv word) {
    const Sv name = word.substr(0, word.find('='));
    for (const Flag& flag : kFlags) {
      if (flag.name != name || name.empty()) continue;
      if (name.size() < word.size()) {
        if (flag.argument.empty()) return Error{fmt::format("--{} takes no argument", name)};
        return Apply(flag, word.substr(name.size() + 1), flags_);
      }
      return ApplyWithNext(flag);
    }
    return Error{fmt::format("unknown flag --{}", name)};
  }

  // A word of letters; the first that takes an argument takes the rest of the word for it.
  Status ReadShort(Sv word) {
    while (!word.empty()) {
      const auto* flag = std::find_if(std::begin(kFlags), std::end(kFlags),
                                      [&](const Flag& row) { return row.letter == word[0]; });
      if (flag == std::end(kFlags)) return Error{fmt::format("unknown flag -{}", word[0])};
      word.remove_prefix(1);
      if (!flag->argument.empty()) {
        return word.empty() ? ApplyWithNext(*flag) : Apply(*flag, word, flags_);
      }
      RETURN_IF_ERROR(Apply(*flag, "", flags_));
    }
    return Ok();
  }

  Status ApplyWithNext(const Flag& flag) {
    if (flag.argument.empty()) return Apply(flag, "", flags_);
    if (at_ == arguments_.size()) {
      return Error{fmt::format("{} needs an argument", Spelling(flag))};
    }
    return Apply(flag, arguments_[at_++], flags_);
  }

  std::span<const Sv> arguments_;
  F& flags_;
  size_t at_ = 0;
};

// Authentication belongs to one protocol: SASL to binary, the file to ASCII.
Status ChooseProtocol(F& flags) {
  if (flags.sasl && !flags.auth_file.empty()) {
    return Error{"-S (--enable-sasl) and -Y (--auth-file) exclude each other"};
  }
  const auto wants = [&flags](MemcachedProtocol protocol, Sv flag, Sv name) -> Status {
    if (flags.protocol_given && flags.protocol != protocol) {
      return Error{fmt::format("{} goes with -B {} only", flag, name)};
    }
    flags.protocol = protocol;
    return Ok();
  };
  if (flags.sasl) return wants(MemcachedProtocol::kBinary, "-S (--enable-sasl)", "binary");
  if (!flags.auth_file.empty()) {
    return wants(MemcachedProtocol::kAscii, "-Y (--auth-file)", "ascii");
  }
  return Ok();
}

Status CheckTls(const F& flags) {
  if (!flags.tls) return Ok();
  if (flags.tls_cert_file.empty()) return Error{"-Z (--enable-ssl) needs -o ssl_chain_cert"};
  if (flags.port == -1) return Error{"-Z (--enable-ssl) needs a port of its own, not -p -1"};
  if (flags.tls_verify_mode > 0 && flags.tls_ca_file.empty()) {
    return Error{"-o ssl_verify_mode needs -o ssl_ca_cert"};
  }
  return Ok();
}

}  // namespace

Result<MemcachedFlags> ParseMemcachedFlags(std::span<const std::string_view> arguments) {
  MemcachedFlags flags;
  flags.port = kPortUnset;
  RETURN_IF_ERROR(Reader(arguments, flags).Read());
  if (flags.show != MemcachedFlags::Show::kNothing) return flags;
  RETURN_IF_ERROR(ChooseProtocol(flags));
  RETURN_IF_ERROR(CheckTls(flags));
  // As memcached: a UDP port alone is the TCP port too.
  if (flags.port == kPortUnset) flags.port = flags.udp_port != 0 ? flags.udp_port : kPortDefault;
  if (flags.item_size_max > flags.memory_limit_bytes / 2) {
    return Error{"-I (--max-item-size) must not exceed half of -m (--memory-limit)"};
  }
  return flags;
}

std::string MemcachedHelp() {
  std::string text = "usage: mikura memcached [flags of memcached]\n";
  const auto add = [&text](const Flag& flag) {
    std::string left = flag.name.empty() ? fmt::format("-{}", flag.letter)
                                         : fmt::format("-{}, --{}", flag.letter, flag.name);
    if (!flag.argument.empty()) left += fmt::format("=<{}>", flag.argument);
    text += fmt::format("  {:<32}{}\n", left, flag.words);
  };
  for (const auto& [effect, title] :
       {std::pair{kHonoured, ""}, std::pair{kNone, "Taken without effect:\n"}}) {
    text += title;
    for (const Flag& flag : kFlags) {
      if (flag.effect == effect) add(flag);
    }
  }
  return text;
}

}  // namespace mikura::wire
