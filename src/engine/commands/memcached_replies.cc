// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_replies.h"

#include <charconv>

#include "engine/commands/memcached_binary_replies.h"
#include "engine/store/entry.h"
#include "wire/memcached_lines.h"
#include "wire/memcached_numbers.h"

namespace mikura::engine {

std::string_view OutcomeLine(MemcachedOutcome outcome) {
  switch (outcome) {
    case MemcachedOutcome::kStored:
      return "STORED\r\n";
    case MemcachedOutcome::kNotStored:
      return "NOT_STORED\r\n";
    case MemcachedOutcome::kExists:
      return "EXISTS\r\n";
    case MemcachedOutcome::kNotFound:
      return kMemcachedNotFound;
    case MemcachedOutcome::kDeleted:
      return "DELETED\r\n";
    case MemcachedOutcome::kOk:
      return kMemcachedOk;
    case MemcachedOutcome::kNotNumeric:
      return "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";
    case MemcachedOutcome::kOtherType:
      return kMemcachedOtherType;
    case MemcachedOutcome::kOutOfMemory:
      return wire::kMemcachedOutOfMemory;
  }
  return {};
}

void ReplyOutcome(MemcachedContext& ctx, const wire::MemcachedRequest& request,
                  MemcachedOutcome outcome, uint64_t cas) {
  if (request.is_binary) return ReplyBinaryOutcome(ctx, request, outcome, cas);
  if (!request.noreply) ctx.out.Append(OutcomeLine(outcome));
}

void AppendNumber(wire::OutputBuffer& out, uint64_t value) {
  constexpr size_t kDigitsMax = 20;
  char* begin = out.Reserve(kDigitsMax);
  out.Advance(static_cast<size_t>(std::to_chars(begin, begin + kDigitsMax, value).ptr - begin));
}

void AppendFlag(wire::OutputBuffer& out, char letter) {
  const char flag[2] = {' ', letter};
  out.Append(std::string_view(flag, 2));
}

void AppendNumberFlag(wire::OutputBuffer& out, char letter, uint64_t value) {
  AppendFlag(out, letter);
  AppendNumber(out, value);
}

void AppendKeyFlag(wire::OutputBuffer& out, std::string_view key, bool is_binary) {
  AppendFlag(out, 'k');
  if (!is_binary) {
    out.Append(key);
    return;
  }
  char* begin = out.Reserve(wire::EncodedBase64Size(key.size()));
  out.Advance(wire::EncodeBase64(key, begin));
  AppendFlag(out, 'b');
}

void AppendTtlFlag(wire::OutputBuffer& out, UnixMillis deadline, UnixMillis now) {
  AppendFlag(out, 't');
  if (deadline == store::kNoDeadline) {
    out.Append("-1");
    return;
  }
  const UnixMillis left = deadline > now ? deadline - now : 0;
  AppendNumber(out, static_cast<uint64_t>(left + 999) / 1000);
}

void AppendEchoFlags(wire::OutputBuffer& out, const wire::MemcachedRequest& request) {
  for (wire::MetaFlagReader flag(request.meta_flags); flag.Next();) {
    if (flag.letter() == 'O') {
      out.Append(' ');
      out.Append(flag.word());
    } else if (flag.letter() == 'k') {
      AppendKeyFlag(out, request.key, request.key_is_binary);
    }
  }
}

void AppendMetaStatus(wire::OutputBuffer& out, std::string_view code,
                      const wire::MemcachedRequest& request) {
  out.Append(code);
  AppendEchoFlags(out, request);
  out.Append("\r\n");
}

}  // namespace mikura::engine
