// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_binary_parser.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "wire/memcached_parser.h"

namespace mikura::wire {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr size_t kSaslMechanismMax = 32;
constexpr uint32_t kDoNotCreate = 0xffffffff;  // expiry of a counter that is not to be made

uint16_t Read16(const char* at) {
  uint16_t number = 0;
  std::memcpy(&number, at, sizeof number);
  return __builtin_bswap16(number);
}
uint32_t Read32(const char* at) {
  uint32_t number = 0;
  std::memcpy(&number, at, sizeof number);
  return __builtin_bswap32(number);
}
uint64_t Read64(const char* at) {
  uint64_t number = 0;
  std::memcpy(&number, at, sizeof number);
  return __builtin_bswap64(number);
}

// What the parts of a packet must be.
enum class Form : uint8_t {
  kUnknown,
  kBare,       // no body
  kKey,        // a key
  kStore,      // flags and expiry, key, value
  kExtend,     // key, value
  kCounter,    // delta, initial, expiry, key
  kTouch,      // expiry, key
  kFlush,      // nothing, or an expiry
  kStats,      // a key or nothing
  kSaslBare,   // no body, with SASL only
  kSaslStart,  // mechanism, message
  kSaslStep,
};

struct Opcode {
  Form form = Form::kUnknown;
  MemcachedCommand command = MemcachedCommand::kReply;
  bool quiet = false;
  bool with_key = false;
};

constexpr size_t kOpcodes = 0x25;

constexpr std::array<Opcode, kOpcodes> MakeOpcodes() {
  using enum MemcachedCommand;
  std::array<Opcode, kOpcodes> rows{};
  rows[0x00] = {Form::kKey, kGet};
  rows[0x01] = {Form::kStore, kSet};
  rows[0x02] = {Form::kStore, kAdd};
  rows[0x03] = {Form::kStore, kReplace};
  rows[0x04] = {Form::kKey, kDelete};
  rows[0x05] = {Form::kCounter, kIncr};
  rows[0x06] = {Form::kCounter, kDecr};
  rows[0x07] = {Form::kBare, kQuit};
  rows[0x08] = {Form::kFlush, kFlushAll};
  rows[0x09] = {Form::kKey, kGet, true};
  rows[0x0a] = {Form::kBare, kReply};
  rows[0x0b] = {Form::kBare, kVersion};
  rows[0x0c] = {Form::kKey, kGet, false, true};
  rows[0x0d] = {Form::kKey, kGet, true, true};
  rows[0x0e] = {Form::kExtend, kAppend};
  rows[0x0f] = {Form::kExtend, kPrepend};
  rows[0x10] = {Form::kStats, kStats};
  rows[0x11] = {Form::kStore, kSet, true};
  rows[0x12] = {Form::kStore, kAdd, true};
  rows[0x13] = {Form::kStore, kReplace, true};
  rows[0x14] = {Form::kKey, kDelete, true};
  rows[0x15] = {Form::kCounter, kIncr, true};
  rows[0x16] = {Form::kCounter, kDecr, true};
  rows[0x17] = {Form::kBare, kQuit, true};
  rows[0x18] = {Form::kFlush, kFlushAll, true};
  rows[0x19] = {Form::kExtend, kAppend, true};
  rows[0x1a] = {Form::kExtend, kPrepend, true};
  rows[0x1c] = {Form::kTouch, kTouch};
  rows[0x1d] = {Form::kTouch, kGat};
  rows[0x1e] = {Form::kTouch, kGat, true};
  rows[0x20] = {Form::kSaslBare, kSaslMechanisms};
  rows[0x21] = {Form::kSaslStart, kAuthenticate};
  rows[0x22] = {Form::kSaslStep, kAuthenticate};
  rows[0x23] = {Form::kTouch, kGat, false, true};
  rows[0x24] = {Form::kTouch, kGat, true, true};
  return rows;
}
constexpr std::array<Opcode, kOpcodes> kRows = MakeOpcodes();

struct Header {
  explicit Header(const char* at)
      : opcode(static_cast<uint8_t>(at[1])),
        key(Read16(at + 2)),
        extras(static_cast<uint8_t>(at[4])),
        body(Read32(at + 8)),
        cas(Read64(at + 16)) {}
  size_t value() const { return size_t{body} - key - extras; }

  uint8_t opcode;
  uint32_t key;  // lengths in bytes
  uint32_t extras;
  uint32_t body;
  uint64_t cas;
};

// Whether the lengths are those of `form`.
bool Fits(Form form, const Header& header) {
  const bool only_key = header.key > 0 && header.value() == 0;
  switch (form) {
    case Form::kUnknown:
      return true;
    case Form::kBare:
    case Form::kSaslBare:
      return header.body == 0;
    case Form::kKey:
      return header.extras == 0 && only_key;
    case Form::kStore:
      return header.extras == 8 && header.key > 0;
    case Form::kExtend:
    case Form::kSaslStart:
    case Form::kSaslStep:
      return header.extras == 0 && header.key > 0;
    case Form::kCounter:
      return header.extras == 20 && only_key;
    case Form::kTouch:
      return header.extras == 4 && only_key;
    case Form::kFlush:
      return header.key == 0 && header.value() == 0 && (header.extras == 0 || header.extras == 4);
    case Form::kStats:
      return header.extras == 0 && header.value() == 0;
  }
  return false;
}

bool IsSasl(Form form) {
  return form == Form::kSaslBare || form == Form::kSaslStart || form == Form::kSaslStep;
}

MemcachedParse NeedMore(size_t wanted) {
  MemcachedParse result;
  result.wanted = wanted;
  return result;
}

// The answer is a status; the body is passed over.
MemcachedParse Refuse(MemcachedRequest* request, MemcachedStatus status, const Header& header) {
  request->command = MemcachedCommand::kReply;
  request->noreply = false;
  request->status = status;
  return {.status = MemcachedParseStatus::kComplete,
          .consumed = kMemcachedHeaderSize,
          .swallow = header.body};
}

// The same, and the end (B3): nothing that has come behind it is looked at.
MemcachedParse RefuseAndClose(MemcachedRequest* request, MemcachedStatus status,
                              std::string_view input) {
  request->command = MemcachedCommand::kReply;
  request->noreply = false;
  request->status = status;
  request->close = true;
  return {.status = MemcachedParseStatus::kComplete, .consumed = input.size()};
}

// Everything the extras say; `at` is their begin.
void ReadExtras(const char* at, Form form, const Header& header, MemcachedRequest* request) {
  switch (form) {
    case Form::kStore:
      request->client_flags = Read32(at);
      request->exptime = Read32(at + 4);
      if (header.cas != 0) request->command = MemcachedCommand::kCas;
      break;
    case Form::kCounter: {
      request->number = Read64(at);
      request->initial = Read64(at + 8);
      const uint32_t exptime = Read32(at + 16);
      request->vivify_ttl = exptime;
      if (exptime != kDoNotCreate) request->meta.Add('N');
      if (header.cas != 0) request->meta.Add('C');
      break;
    }
    case Form::kTouch:
      request->exptime = Read32(at);
      break;
    case Form::kFlush:
      if (header.extras == 4) request->exptime = Read32(at);
      break;
    default:
      break;
  }
}

// A value over the limit: its key is enough.
MemcachedParse RefuseTooLarge(std::string_view input, const Header& header,
                              MemcachedRequest* request) {
  const size_t before_value = kMemcachedHeaderSize + header.extras + header.key;
  if (input.size() < before_value) return NeedMore(before_value);
  request->key = input.substr(kMemcachedHeaderSize + header.extras, header.key);
  request->erase_old = request->command == MemcachedCommand::kSet;
  request->command = MemcachedCommand::kTooLarge;
  request->status = MemcachedStatus::kTooLarge;
  return {.status = MemcachedParseStatus::kComplete,
          .consumed = before_value,
          .swallow = header.value()};
}

// A packet whose lengths fit its opcode.
MemcachedParse ReadPacket(std::string_view input, const MemcachedBinaryLimits& limits, Form form,
                          const Header& header, MemcachedRequest* request) {
  if (form == Form::kStore || form == Form::kExtend) {
    // The flags are in extras that may not have come; memcached counts four bytes for them unless
    // they are 0, so an entry at the very limit waits for them.
    uint32_t flags = 0;
    if (form == Form::kStore) {
      if (input.size() < kMemcachedHeaderSize + 4) return NeedMore(kMemcachedHeaderSize + 4);
      flags = Read32(input.data() + kMemcachedHeaderSize);
    }
    if (MemcachedParser::IsTooLarge(header.key, header.value(), flags, limits.item_size_max)) {
      return RefuseTooLarge(input, header, request);
    }
  }
  const size_t whole = kMemcachedHeaderSize + header.body;
  if (input.size() < whole) return NeedMore(whole);
  const char* const extras = input.data() + kMemcachedHeaderSize;
  request->key = {extras + header.extras, header.key};
  request->data = {extras + header.extras + header.key, header.value()};
  request->cas = header.cas;
  ReadExtras(extras, form, header, request);
  if (form == Form::kStats) request->data = request->key;
  return {.status = MemcachedParseStatus::kComplete, .consumed = whole};
}

}  // namespace

MemcachedParse ParseMemcachedBinary(std::string_view input, const MemcachedBinaryLimits& limits,
                                    MemcachedRequest* request) {
  if (input.size() < kMemcachedHeaderSize) return NeedMore(kMemcachedHeaderSize);
  if (static_cast<uint8_t>(input[0]) != kMemcachedRequestMagic) {
    return {.status = MemcachedParseStatus::kClose,
            .close_reason = "a binary request begins with another byte than 0x80"};
  }
  const Header header(input.data());
  const Opcode row = header.opcode < kOpcodes ? kRows[header.opcode] : Opcode{};
  request->Reset();
  request->is_binary = true;
  request->opcode = header.opcode;
  std::memcpy(&request->opaque, input.data() + 12, sizeof request->opaque);
  request->command = row.command;
  request->noreply = row.quiet;
  request->with_key = row.with_key;

  if (uint64_t{header.key} + header.extras > header.body) {
    return RefuseAndClose(request, MemcachedStatus::kUnknownCommand, input);
  }
  if (!limits.authenticated && !IsSasl(row.form) && row.command != MemcachedCommand::kVersion) {
    return RefuseAndClose(request, MemcachedStatus::kAuthenticationError, input);
  }
  if (header.key > kMemcachedKeyMax || !Fits(row.form, header)) {
    return RefuseAndClose(request, MemcachedStatus::kInvalid, input);
  }
  if (row.form == Form::kUnknown || (IsSasl(row.form) && !limits.has_sasl)) {
    return Refuse(request, MemcachedStatus::kUnknownCommand, header);
  }
  if (IsSasl(row.form) && header.key > kSaslMechanismMax) {
    return Refuse(request, MemcachedStatus::kInvalid, header);
  }
  if (IsSasl(row.form) && header.value() > kSaslMessageMax) {
    return Refuse(request, MemcachedStatus::kOutOfMemory, header);
  }
  return ReadPacket(input, limits, row.form, header, request);
}

}  // namespace mikura::wire
