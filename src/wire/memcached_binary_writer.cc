// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_binary_writer.h"

#include <cstring>

#include "wire/memcached_binary_parser.h"

namespace mikura::wire {
namespace {

char* Put(char* at, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

template <typename T>
std::string_view BytesOf(const T& big_endian) {
  return {reinterpret_cast<const char*>(&big_endian), sizeof big_endian};
}

}  // namespace

std::string_view MemcachedStatusText(MemcachedStatus status) {
  switch (status) {
    case MemcachedStatus::kSuccess:
    case MemcachedStatus::kAuthenticationContinue:
      return "";
    case MemcachedStatus::kNotFound:
      return "Not found";
    case MemcachedStatus::kExists:
      return "Data exists for key.";
    case MemcachedStatus::kTooLarge:
      return "Too large.";
    case MemcachedStatus::kInvalid:
      return "Invalid arguments";
    case MemcachedStatus::kNotStored:
      return "Not stored.";
    case MemcachedStatus::kNotNumeric:
      return "Non-numeric server-side value for incr or decr";
    case MemcachedStatus::kAuthenticationError:
      return "Auth failure.";
    case MemcachedStatus::kUnknownCommand:
      return "Unknown command";
    case MemcachedStatus::kOutOfMemory:
      return "Out of memory";
    case MemcachedStatus::kInternalError:
      return "Internal error";
    case MemcachedStatus::kTemporaryFailure:
      return "Temporary failure";
  }
  return "";
}

void WriteBinaryReply(OutputBuffer& out, const MemcachedRequest& request,
                      const MemcachedBinaryReply& reply) {
  const size_t written = reply.extras.size() + reply.key.size() + reply.value.size();
  const size_t body = written + reply.value_bytes_behind;
  char* const begin = out.Reserve(kMemcachedHeaderSize + written);
  const uint16_t key_size = __builtin_bswap16(static_cast<uint16_t>(reply.key.size()));
  const uint16_t status = __builtin_bswap16(static_cast<uint16_t>(reply.status));
  const uint32_t body_size = __builtin_bswap32(static_cast<uint32_t>(body));
  const uint64_t cas = __builtin_bswap64(reply.cas);
  begin[0] = static_cast<char>(kMemcachedResponseMagic);
  begin[1] = static_cast<char>(request.opcode);
  std::memcpy(begin + 2, &key_size, sizeof key_size);
  begin[4] = static_cast<char>(reply.extras.size());
  begin[5] = 0;  // data type: raw bytes
  std::memcpy(begin + 6, &status, sizeof status);
  std::memcpy(begin + 8, &body_size, sizeof body_size);
  std::memcpy(begin + 12, &request.opaque, sizeof request.opaque);
  std::memcpy(begin + 16, &cas, sizeof cas);
  Put(Put(Put(begin + kMemcachedHeaderSize, reply.extras), reply.key), reply.value);
  out.Advance(kMemcachedHeaderSize + written);
}

void WriteBinaryStatus(OutputBuffer& out, const MemcachedRequest& request, MemcachedStatus status,
                       std::string_view words) {
  WriteBinaryReply(
      out, request,
      {.status = status, .value = words.empty() ? MemcachedStatusText(status) : words});
}

void WriteBinaryValue(OutputBuffer& out, const MemcachedRequest& request, uint32_t client_flags,
                      std::string_view value, uint64_t cas) {
  const uint32_t flags = __builtin_bswap32(client_flags);
  WriteBinaryReply(out, request,
                   {.extras = BytesOf(flags),
                    .key = request.with_key ? request.key : std::string_view(),
                    .value = value,
                    .cas = cas});
}

void WriteBinaryValue(OutputBuffer& out, const MemcachedRequest& request, uint32_t client_flags,
                      SharedBytes all_but_last, char last, uint64_t cas) {
  const uint32_t flags = __builtin_bswap32(client_flags);
  WriteBinaryReply(out, request,
                   {.extras = BytesOf(flags),
                    .key = request.with_key ? request.key : std::string_view(),
                    .cas = cas,
                    .value_bytes_behind = all_but_last.view().size() + 1});
  out.AppendShared(std::move(all_but_last));
  out.Append(last);
}

void WriteBinaryNumber(OutputBuffer& out, const MemcachedRequest& request, uint64_t number,
                       uint64_t cas) {
  const uint64_t text = __builtin_bswap64(number);
  WriteBinaryReply(out, request, {.value = BytesOf(text), .cas = cas});
}

}  // namespace mikura::wire
