// SPDX-License-Identifier: Apache-2.0
// The meta commands: mg ms md ma me mn.
#include "wire/memcached_lines.h"
#include "wire/memcached_numbers.h"

namespace mikura::wire {
namespace {

constexpr size_t kFlagWordsMax = 17;   // beside name and key
constexpr size_t kOpaqueWordMax = 32;  // with its letter
constexpr uint32_t kDataSizeMax = INT32_MAX - 2;

constexpr std::string_view kDuplicate = "CLIENT_ERROR duplicate flag\r\n";
constexpr std::string_view kInvalid = "CLIENT_ERROR invalid flag\r\n";
constexpr std::string_view kInvalidOrDuplicate = "CLIENT_ERROR invalid or duplicate flag\r\n";
constexpr std::string_view kBadToken = "CLIENT_ERROR bad token in command line format\r\n";
constexpr std::string_view kBadKey = "CLIENT_ERROR error decoding key\r\n";
constexpr std::string_view kBadModeLength = "CLIENT_ERROR incorrect length for M token\r\n";
constexpr std::string_view kBadSetMode = "CLIENT_ERROR invalid mode for ms M token\r\n";
constexpr std::string_view kBadArithmeticMode = "CLIENT_ERROR invalid mode for ma M token\r\n";
constexpr std::string_view kBadInitial = "CLIENT_ERROR invalid numeric initial value\r\n";
constexpr std::string_view kBadDelta = "CLIENT_ERROR invalid numeric delta value\r\n";
constexpr std::string_view kLongOpaque = "CLIENT_ERROR opaque token too long\r\n";
constexpr std::string_view kTooManyGetFlags = "CLIENT_ERROR options flags are too long\r\n";
constexpr std::string_view kTooManyFlags = "CLIENT_ERROR options flags too long\r\n";

template <typename T, typename Out>
bool Take(const std::optional<T>& read, Out* out) {
  if (read) *out = *read;
  return read.has_value();
}

bool DecodeKey(MemcachedRequest* request) {
  const size_t size = DecodeBase64(request->key, request->decoded_key.data());
  if (size == 0) return false;
  request->key = std::string_view(request->decoded_key.data(), size);
  request->key_is_binary = true;
  return true;
}

// Takes one flag that may be wrong by itself; the fault's words, or nothing.
std::string_view TakeFlag(const MetaFlagReader& flag, MemcachedRequest* request) {
  const std::string_view argument = flag.argument();
  switch (flag.letter()) {
    case 'b':
      return DecodeKey(request) ? std::string_view() : kBadKey;
    case 'T':
      return Take(ReadMemcachedInt32(argument), &request->exptime) ? "" : kBadToken;
    case 'N':
      return Take(ReadMemcachedInt32(argument), &request->vivify_ttl) ? "" : kBadToken;
    case 'R':
      return Take(ReadMemcachedInt32(argument), &request->recache_ttl) ? "" : kBadToken;
    case 'C':
      return Take(ReadMemcachedUnsigned(argument), &request->cas) ? "" : kBadToken;
    case 'E':
      return Take(ReadMemcachedUnsigned(argument), &request->explicit_cas) ? "" : kBadToken;
    case 'F':
      return Take(ReadMemcachedUint32(argument), &request->client_flags) ? "" : kMemcachedBadLine;
    case 'D':
      return Take(ReadMemcachedUnsigned(argument), &request->number) ? "" : kBadDelta;
    case 'J':
      return Take(ReadMemcachedUnsigned(argument), &request->initial) ? "" : kBadInitial;
    case 'M':
      if (argument.size() != 1) return kBadModeLength;
      request->mode = argument[0];
      return {};
    default:
      return {};
  }
}

// Reads all flags. Of several faults the last one counts, except that an unknown or repeated flag
// ends the reading, and a long opaque is minded only when all else is right.
std::string_view TakeFlags(std::string_view known, MemcachedRequest* request) {
  std::string_view fault;
  bool has_long_opaque = false;
  uint64_t seen[2] = {0, 0};
  for (MetaFlagReader flag(request->meta_flags); flag.Next();) {
    const auto letter = static_cast<uint8_t>(flag.letter());
    if (letter >= 127 || (seen[letter / 64] >> letter % 64 & 1) != 0) return kDuplicate;
    seen[letter / 64] |= uint64_t{1} << letter % 64;
    if (known.find(flag.letter()) == std::string_view::npos) return kInvalid;
    request->meta.Add(flag.letter());
    if (flag.letter() == 'O' && flag.word().size() > kOpaqueWordMax) has_long_opaque = true;
    const std::string_view flag_fault = TakeFlag(flag, request);
    // A bad F has no words of its own: it leaves those of another fault.
    if (flag_fault.empty() || (flag.letter() == 'F' && !fault.empty())) continue;
    fault = flag_fault;
  }
  if (fault.empty() && has_long_opaque) fault = kLongOpaque;
  return fault;
}

constexpr std::string_view kKnownFlags = "bNTRlOPLkstcfvhuqFCMJDIE";
constexpr std::string_view kKnownDeleteFlags = "bNTRlOPLkstcfvhuqFCMJDIEx";

// The mode of ms or ma, 'S' or 'I' when none was given; false when it has no such mode.
bool CheckMode(std::string_view modes, char implied, MemcachedRequest* request) {
  if (!request->meta.Has('M')) request->mode = implied;
  if (modes.find(request->mode) == std::string_view::npos) return false;
  if (request->mode == '+') request->mode = 'I';
  if (request->mode == '-') request->mode = 'D';
  return true;
}

MemcachedLine ReadMetaSet(const MemcachedWords& words, MemcachedRequest* request) {
  MemcachedLine line;
  const auto refuse = [&](std::string_view words_of_fault) {
    Refuse(request, words_of_fault);
    return line;
  };
  if (words.count < 3) return refuse(kMemcachedBadLine);
  if (words.count > kFlagWordsMax + 2) return refuse(kTooManyFlags);
  const auto size = ReadMemcachedInt32(words[2]);
  if (!size || *size < 0 || static_cast<uint32_t>(*size) > kDataSizeMax) {
    return refuse(kMemcachedBadLine);
  }
  line.data_size = static_cast<uint32_t>(*size);
  std::string_view fault = TakeFlags(kKnownFlags, request);
  if (fault.empty() && !CheckMode("SEAPR", 'S', request)) fault = kBadSetMode;
  if (!fault.empty()) {
    line.swallow_data = true;
    return refuse(fault);
  }
  request->noreply = request->meta.Has('q');
  request->command = MemcachedCommand::kMetaSet;
  return line;
}

// mg, md, ma: all but ms and me have the same form.
void ReadMetaKeyOnly(char which, size_t word_count, MemcachedRequest* request) {
  const bool is_get = which == 'g';
  if (word_count > kFlagWordsMax + 2) {
    return Refuse(request, is_get ? kTooManyGetFlags : kTooManyFlags);
  }
  const std::string_view fault = TakeFlags(which == 'd' ? kKnownDeleteFlags : kKnownFlags, request);
  if (!fault.empty()) {
    return Refuse(request, is_get || fault == kLongOpaque ? fault : kInvalidOrDuplicate);
  }
  if (which == 'a' && !CheckMode("I+D-", 'I', request)) {
    return Refuse(request, kBadArithmeticMode);
  }
  request->noreply = request->meta.Has('q');
  request->command = is_get         ? MemcachedCommand::kMetaGet
                     : which == 'd' ? MemcachedCommand::kMetaDelete
                                    : MemcachedCommand::kMetaArithmetic;
}

void ReadMetaDebug(const MemcachedWords& words, MemcachedRequest* request) {
  if (words.count < 2 || words[1].size() > kMemcachedKeyMax) {
    return Refuse(request, kMemcachedBadLine);
  }
  if (words.count > 2 && words[2] == "b" && !DecodeKey(request)) {
    return Refuse(request, kMemcachedBadLine);
  }
  request->command = MemcachedCommand::kMetaDebug;
}

}  // namespace

MemcachedLine ReadMetaLine(std::string_view line, const MemcachedWords& words,
                           MemcachedRequest* request) {
  const char which = words[0][1];
  if (which == 'n') {
    Refuse(request, "MN\r\n");
    return {};
  }
  if (which != 'g' && which != 's' && which != 'd' && which != 'a' && which != 'e') {
    Refuse(request, kMemcachedError);
    return {};
  }
  if (words.count < 2 && which != 'e') {
    Refuse(request, kMemcachedError);
    return {};
  }
  if (words.count >= 2) request->key = words[1];
  if (which == 'e') {
    ReadMetaDebug(words, request);
    return {};
  }
  if (request->key.size() > kMemcachedKeyMax) {
    Refuse(request, kMemcachedBadLine);
    return {};
  }
  const size_t first_flag = which == 's' ? 3 : 2;
  if (words.count > first_flag) {
    const char* begin = words[first_flag].data();
    request->meta_flags =
        std::string_view(begin, static_cast<size_t>(line.data() + line.size() - begin));
  }
  if (which == 's') return ReadMetaSet(words, request);
  ReadMetaKeyOnly(which, words.count, request);
  return {};
}

}  // namespace mikura::wire
