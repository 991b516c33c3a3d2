// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_login.h"

#include "wire/memcached_lines.h"
#include "wire/memcached_numbers.h"
#include "wire/memcached_parser.h"

namespace mikura::wire {
namespace {

constexpr std::string_view kUnauthenticated = "CLIENT_ERROR unauthenticated\r\n";
constexpr std::string_view kBadEnd = "CLIENT_ERROR bad command line termination\r\n";

MemcachedParse Close(std::string_view reason) {
  return {.status = MemcachedParseStatus::kClose, .close_reason = reason};
}

MemcachedParse Answer(MemcachedRequest* request, std::string_view reply, size_t consumed) {
  Refuse(request, reply);
  return {.status = MemcachedParseStatus::kComplete, .consumed = consumed};
}

}  // namespace

MemcachedParse ParseMemcachedLogin(std::string_view input, MemcachedRequest* request) {
  // Less is no request, not even a line end alone, which is passed over with what follows it.
  if (input.size() < 2) return {.wanted = 2};
  const size_t line_end = input.substr(0, MemcachedParser::kLineMax + 1).find('\n');
  if (line_end == std::string_view::npos) {
    if (input.size() > MemcachedParser::kLineMax) return Close("a line is too long");
    return {.wanted = input.size() + 1};
  }
  request->Reset();
  std::string_view line = input.substr(0, line_end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const MemcachedWords words(line.substr(0, line.find('\0')));
  const size_t line_bytes = line_end + 1;
  if (words.count < 5 || words[0] != "set") return Answer(request, kUnauthenticated, line_bytes);
  const auto size = ReadMemcachedUint32(words[4]);
  if (!size) return Answer(request, kUnauthenticated, line_bytes);
  if (*size > kLoginDataMax) return Close("user and password are too long");
  const size_t whole = line_bytes + *size + 2;
  if (input.size() < whole) return {.wanted = whole};
  if (input.substr(whole - 2, 2) != "\r\n") return Answer(request, kBadEnd, whole);
  request->command = MemcachedCommand::kAuthenticate;
  request->data = input.substr(line_bytes, *size);
  return {.status = MemcachedParseStatus::kComplete, .consumed = whole};
}

MemcachedLogin SplitMemcachedLogin(std::string_view text) {
  const MemcachedWords words(text.substr(0, text.find('\0')));
  if (words.count < 2) return {};
  return {words[0], words[1]};
}

MemcachedLogin SplitSaslPlain(std::string_view message) {
  const size_t first = message.find('\0');
  if (first == std::string_view::npos) return {};
  const size_t second = message.find('\0', first + 1);
  if (second == std::string_view::npos) return {};
  const std::string_view identity = message.substr(0, first);
  const std::string_view user = message.substr(first + 1, second - first - 1);
  const std::string_view password = message.substr(second + 1);
  if (password.find('\0') != std::string_view::npos) return {};
  if (!identity.empty() && identity != user) return {};
  return {user, password};
}

}  // namespace mikura::wire
