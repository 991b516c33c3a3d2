// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/monitoring.h"

#include <fmt/format.h>

#include <chrono>

#include "engine/commands/command_observer.h"

namespace mikura::engine {
namespace {

int64_t MicrosNow() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void AppendQuoted(std::string& out, std::string_view word) {
  constexpr std::string_view kSpecial = "\n\r\t\a\b\\\"";
  constexpr std::string_view kLetters = "nrtab\\\"";
  out += '"';
  for (const char c : word) {
    if (const size_t place = kSpecial.find(c); place != std::string_view::npos) {
      out += '\\';
      out += kLetters[place];
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  out += '"';
}

// Of a Unix socket the address is its path and ":0".
std::string WhereOf(const ClientState& client) {
  if (!client.address.starts_with('/')) return client.address;
  return "unix:" + client.address.substr(0, client.address.rfind(':'));
}

void Show(CommandContext& ctx, std::string_view where) {
  if (!ctx.services.monitors.is_active()) return;
  const auto shown = WithoutSecrets(ctx.spec, ctx.args);
  ctx.services.monitors.Show(
      Message::OfText(MonitorLine(shown, ctx.client.database, where, MicrosNow())), ctx.client.id);
}

}  // namespace

std::string MonitorLine(std::span<const std::string_view> args, int database,
                        std::string_view where, int64_t unix_micros) {
  std::string line = fmt::format("+{}.{:06} [{} {}]", unix_micros / 1'000'000,
                                 unix_micros % 1'000'000, database, where);
  for (const std::string_view word : args) {
    line += ' ';
    AppendQuoted(line, word);
  }
  line += "\r\n";
  return line;
}

void ShowCommand(CommandContext& ctx) { Show(ctx, WhereOf(ctx.client)); }

void ShowCallOfScript(CommandContext& ctx) { Show(ctx, "lua"); }

}  // namespace mikura::engine
