// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_options.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "base/numbers.h"

namespace mikura::wire {
namespace {

enum class Kind : uint8_t {
  kNumber,     // needs a number; shown as it is
  kKibibytes,  // needs a number; shown in bytes
  kText,       // shown as it is
  kSwitch,     // alone or with no_ in front; shown as yes and no
  kUnseen,     // taken, and shown nowhere
};

struct Option {
  std::string_view name;
  Kind kind;
  std::string_view shown;  // its name in `stats settings`
};

// Options that tune what memcached has inside and we have not.
constexpr Option kOptions[] = {
    {"hashpower", Kind::kNumber, "hashpower_init"},
    {"tail_repair_time", Kind::kNumber, "tail_repair_time"},
    {"hash_algorithm", Kind::kText, "hash_algorithm"},
    {"lru_crawler", Kind::kSwitch, "lru_crawler"},
    {"lru_crawler_sleep", Kind::kNumber, "lru_crawler_sleep"},
    {"lru_crawler_tocrawl", Kind::kNumber, "lru_crawler_tocrawl"},
    {"read_buf_mem_limit", Kind::kNumber, "read_buf_mem_limit"},
    {"lru_maintainer", Kind::kSwitch, "lru_maintainer_thread"},
    {"hot_lru_pct", Kind::kNumber, "hot_lru_pct"},
    {"warm_lru_pct", Kind::kNumber, "warm_lru_pct"},
    {"hot_max_factor", Kind::kNumber, "hot_max_factor"},
    {"warm_max_factor", Kind::kNumber, "warm_max_factor"},
    {"temporary_ttl", Kind::kNumber, "temporary_ttl"},
    {"slab_reassign", Kind::kSwitch, "slab_reassign"},
    {"slab_automove", Kind::kText, "slab_automove"},
    {"slab_automove_ratio", Kind::kNumber, "slab_automove_ratio"},
    {"slab_automove_window", Kind::kNumber, "slab_automove_window"},
    {"slab_automove_freeratio", Kind::kNumber, "slab_automove_freeratio"},
    {"slab_chunk_max", Kind::kKibibytes, "slab_chunk_max"},
    {"worker_logbuf_size", Kind::kKibibytes, "worker_logbuf_size"},
    {"track_sizes", Kind::kSwitch, "track_sizes"},
    {"inline_ascii_resp", Kind::kSwitch, "inline_ascii_response"},
    {"ssl_wbuf_size", Kind::kUnseen, ""},
    {"ssl_kernel_tls", Kind::kUnseen, ""},
    {"hashexpand", Kind::kUnseen, ""},
    {"resp_obj_mem_limit", Kind::kUnseen, ""},
    {"drop_privileges", Kind::kUnseen, ""},
    {"sock_cookie_id", Kind::kUnseen, ""},
};

// The defaults of memcached before 1.5.
void ShowOldDefaults(MemcachedFlags& flags) {
  constexpr std::pair<const char*, const char*> kOld[] = {
      {"slab_reassign", "no"},         {"slab_automove", "0"},  {"lru_crawler", "no"},
      {"lru_maintainer_thread", "no"}, {"lru_segmented", "no"}, {"hash_algorithm", "jenkins"},
  };
  for (const auto& [name, value] : kOld) flags.shown[name] = value;
  flags.maxconns_fast = false;
}

Status SetCount(std::string_view name, std::string_view value, uint64_t most, uint32_t* out) {
  const auto number = ParseUint64(value);
  if (!number || *number > most) return Error{fmt::format("the option '{}' needs a number", name)};
  *out = static_cast<uint32_t>(*number);
  return Ok();
}

Status ShowOption(const Option& option, std::string_view value, bool is_on, MemcachedFlags& flags) {
  const std::string shown(option.shown);
  switch (option.kind) {
    case Kind::kNumber:
      return ShowMemcachedNumber(option.shown, value, flags);
    case Kind::kKibibytes: {
      uint32_t kibibytes = 0;
      RETURN_IF_ERROR(SetCount(option.name, value, UINT32_MAX >> 10, &kibibytes));
      flags.shown[shown] = std::to_string(uint64_t{kibibytes} << 10);
      return Ok();
    }
    case Kind::kText:
      flags.shown[shown] = !is_on ? "0" : value.empty() ? "1" : std::string(value);
      return Ok();
    case Kind::kSwitch:
      flags.shown[shown] = is_on ? "yes" : "no";
      return Ok();
    case Kind::kUnseen:
      return Ok();
  }
  return Ok();
}

// Options of -Z; nullopt: it is none of them.
std::optional<Status> SetTlsOption(std::string_view name, std::string_view value,
                                   MemcachedFlags& flags) {
  constexpr std::pair<std::string_view, std::string MemcachedFlags::*> kTexts[] = {
      {"ssl_chain_cert", &MemcachedFlags::tls_cert_file},
      {"ssl_key", &MemcachedFlags::tls_key_file},
      {"ssl_ca_cert", &MemcachedFlags::tls_ca_file},
      {"ssl_ciphers", &MemcachedFlags::tls_ciphers},
  };
  for (const auto& [option, field] : kTexts) {
    if (option != name) continue;
    if (value.empty()) return Error{fmt::format("the option '{}' needs a value", name)};
    flags.*field = std::string(value);
    return Ok();
  }
  if (name == "ssl_verify_mode") return SetCount(name, value, 3, &flags.tls_verify_mode);
  if (name == "ssl_min_version") return SetCount(name, value, 3, &flags.tls_version_min);
  if (name == "ssl_session_cache") {
    flags.tls_session_cache = true;
    return Ok();
  }
  if (name == "ssl_keyformat") {
    if (EqualsIgnoreCase(value, "PEM")) return Ok();
    return Error{"ssl_keyformat: keys are read as PEM only"};
  }
  return std::nullopt;
}

Status SetOption(std::string_view word, MemcachedFlags& flags) {
  std::string_view name = word.substr(0, word.find('='));
  const std::string_view value = name.size() < word.size() ? word.substr(name.size() + 1) : "";
  if (name == "idle_timeout") {
    return SetCount(name, value, UINT32_MAX, &flags.idle_timeout_seconds);
  }
  if (name == "watcher_logbuf_size") {
    RETURN_IF_ERROR(SetCount(name, value, UINT32_MAX >> 10, &flags.watcher_buffer_bytes));
    flags.watcher_buffer_bytes <<= 10;
    return Ok();
  }
  if (auto status = SetTlsOption(name, value, flags)) return std::move(*status);
  const bool is_on = !name.starts_with("no_");
  if (!is_on) name.remove_prefix(3);
  if (name == "modern") {
    if (!is_on) ShowOldDefaults(flags);
    return Ok();
  }
  if (name == "maxconns_fast") {
    flags.maxconns_fast = is_on;
    return Ok();
  }
  for (const Option& option : kOptions) {
    if (option.name == name) return ShowOption(option, value, is_on, flags);
  }
  return Error{fmt::format("the extended option '{}' is not supported", word)};
}

}  // namespace

Status ShowMemcachedNumber(std::string_view name, std::string_view value, MemcachedFlags& flags) {
  const std::string text(value);
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') {
    return Error{fmt::format("'{}' is not a number for {}", value, name)};
  }
  flags.shown[std::string(name)] = text;
  return Ok();
}

Status SetMemcachedOptions(std::string_view list, MemcachedFlags& flags) {
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(','));
    if (!word.empty()) RETURN_IF_ERROR(SetOption(word, flags));
    list.remove_prefix(std::min(list.size(), word.size() + 1));
  }
  return Ok();
}

}  // namespace mikura::wire
