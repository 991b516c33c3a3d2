// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_parser.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "wire/memcached_binary_parser.h"
#include "wire/memcached_compact.h"
#include "wire/memcached_lines.h"
#include "wire/memcached_login.h"
#include "wire/memcached_numbers.h"

namespace mikura::wire {
namespace {

constexpr size_t kLeadingBlanksMax = 100;

std::string_view SkipBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// Whether `input`, which may be cut off, begins a retrieval, whose line may be long (P2).
bool IsRetrieval(std::string_view input) {
  const size_t first = input.find_first_not_of(' ');
  if (first == std::string_view::npos || first > kLeadingBlanksMax) return false;
  const std::string_view text = input.substr(first);
  return text.starts_with("get ") || text.starts_with("gets ") || text.starts_with("gat ") ||
         text.starts_with("gats ");
}

// The command of a retrieval's first word, or nullopt.
std::optional<MemcachedCommand> RetrievalOf(std::string_view word) {
  if (word == "get" || word == "bget") return MemcachedCommand::kGet;
  if (word == "gets") return MemcachedCommand::kGets;
  if (word == "gat") return MemcachedCommand::kGat;
  if (word == "gats") return MemcachedCommand::kGats;
  return std::nullopt;
}

// Takes the first word of `text` off.
std::string_view TakeWord(std::string_view* text) {
  *text = SkipBlanks(*text);
  const std::string_view word = text->substr(0, text->find(' '));
  text->remove_prefix(word.size());
  return word;
}

}  // namespace

void Refuse(MemcachedRequest* request, std::string_view reply) {
  request->command = MemcachedCommand::kReply;
  request->reply = request->noreply ? std::string_view() : reply;
}

MemcachedParseStatus MemcachedParser::Close(std::string_view reason) {
  close_reason_ = reason;
  return MemcachedParseStatus::kClose;
}

MemcachedParseStatus MemcachedParser::NeedMore(size_t wanted) {
  wanted_ = wanted;
  return MemcachedParseStatus::kNeedMore;
}

MemcachedParseStatus MemcachedParser::Parse(std::string_view input, MemcachedRequest* request,
                                            size_t* consumed) {
  if (IsBetweenLines()) [[likely]] {
    *consumed = ParseCompactMemcached(input, request);
    if (*consumed != 0 && !IsTooLarge(request->key.size(), request->data.size(),
                                      request->client_flags, options_.item_size_max)) {
      return MemcachedParseStatus::kComplete;
    }
  }
  *consumed = 0;
  size_t dropped = 0;
  if (swallow_ > 0) {
    dropped = static_cast<size_t>(std::min<uint64_t>(swallow_, input.size()));
    swallow_ -= dropped;
    *consumed = dropped;
    if (swallow_ > 0) return NeedMore(1);
    input.remove_prefix(dropped);
    wanted_ = 1;
  }
  if (input.size() < wanted_) return MemcachedParseStatus::kNeedMore;
  if (protocol_ == MemcachedProtocol::kAuto) {
    const bool is_binary = static_cast<uint8_t>(input[0]) == kMemcachedRequestMagic;
    protocol_ = is_binary ? MemcachedProtocol::kBinary : MemcachedProtocol::kAscii;
  }
  size_t used = 0;
  const MemcachedParseStatus status = protocol_ == MemcachedProtocol::kBinary
                                          ? ParseBinary(input, request, &used)
                                          : ParseText(input, request, &used);
  if (status == MemcachedParseStatus::kComplete) wanted_ = 1;
  *consumed = dropped + used;
  return status;
}

MemcachedParseStatus MemcachedParser::ParseBinary(std::string_view input, MemcachedRequest* request,
                                                  size_t* consumed) {
  MemcachedBinaryLimits limits;
  limits.item_size_max = options_.item_size_max;
  limits.has_sasl = options_.must_authenticate;
  limits.authenticated = authenticated_ || !options_.must_authenticate;
  const MemcachedParse result = ParseMemcachedBinary(input, limits, request);
  if (result.status == MemcachedParseStatus::kClose) return Close(result.close_reason);
  if (result.status == MemcachedParseStatus::kNeedMore) return NeedMore(result.wanted);
  swallow_ = result.swallow;
  *consumed = result.consumed;
  return result.status;
}

MemcachedParseStatus MemcachedParser::ParseText(std::string_view input, MemcachedRequest* request,
                                                size_t* consumed) {
  if (options_.must_authenticate && !authenticated_) {
    const MemcachedParse result = ParseMemcachedLogin(input, request);
    if (result.status == MemcachedParseStatus::kClose) return Close(result.close_reason);
    if (result.status == MemcachedParseStatus::kNeedMore) return NeedMore(result.wanted);
    *consumed = result.consumed;
    return result.status;
  }
  if (retrieval_.bytes_left > 0) {
    request->Reset();
    return NextKey(input, request, consumed);
  }
  size_t line_end = 0;
  const MemcachedParseStatus status = FindLine(input, &line_end);
  if (status != MemcachedParseStatus::kComplete) return status;
  request->Reset();
  return ParseLine(input, line_end, request, consumed);
}

MemcachedParseStatus MemcachedParser::FindLine(std::string_view input, size_t* line_end) {
  const char* from = input.data() + scanned_;
  const void* found = std::memchr(from, '\n', input.size() - scanned_);
  const size_t length = found != nullptr
                            ? static_cast<size_t>(static_cast<const char*>(found) - input.data())
                            : input.size();
  if (length > kLineMax) {
    if (!IsRetrieval(input)) return Close("a line is too long");
    if (length > kRetrievalLineMax) return Close("a retrieval line is too long");
  }
  if (found == nullptr) {
    scanned_ = input.size();
    return NeedMore(input.size() + 1);
  }
  scanned_ = length;
  *line_end = length;
  return MemcachedParseStatus::kComplete;
}

MemcachedParseStatus MemcachedParser::ParseLine(std::string_view input, size_t line_end,
                                                MemcachedRequest* request, size_t* consumed) {
  std::string_view line = input.substr(0, line_end);
  // A carriage return alone is a line of its own, as memcached has it.
  if (line_end > 1 && line.back() == '\r') line.remove_suffix(1);
  line = line.substr(0, line.find('\0'));
  const size_t line_bytes = line_end + 1;

  std::string_view rest = line;
  const std::string_view name = TakeWord(&rest);
  if (const auto retrieval = RetrievalOf(name)) {
    retrieval_.command = *retrieval;
    return BeginRetrieval(line, rest, line_bytes, request, consumed);
  }

  const MemcachedWords words(line);
  MemcachedLine result;
  if (name.size() < 2) {
    Refuse(request, kMemcachedError);
  } else if (name.size() == 2 && name[0] == 'm') {
    result = ReadMetaLine(line, words, request);
  } else {
    result = ReadClassicLine(words, request);
  }
  if (result.close) return Close("the client speaks HTTP");
  if (result.data_size && !result.swallow_data) {
    return TakeData(input, line_bytes, *result.data_size, request, consumed);
  }
  if (result.swallow_data) swallow_ = uint64_t{*result.data_size} + 2;
  scanned_ = 0;
  *consumed = line_bytes;
  return MemcachedParseStatus::kComplete;
}

MemcachedParseStatus MemcachedParser::TakeData(std::string_view input, size_t line_bytes,
                                               size_t size, MemcachedRequest* request,
                                               size_t* consumed) {
  if (IsTooLarge(request->key.size(), size, request->client_flags, options_.item_size_max)) {
    const bool is_meta = request->command == MemcachedCommand::kMetaSet;
    request->erase_old = request->command == MemcachedCommand::kSet || is_meta;
    request->command = MemcachedCommand::kTooLarge;
    request->reply = request->noreply && !is_meta ? std::string_view() : kMemcachedTooLarge;
    swallow_ = uint64_t{size} + 2;
    *consumed = line_bytes;
    scanned_ = 0;
    return MemcachedParseStatus::kComplete;
  }
  const size_t whole = line_bytes + size + 2;
  if (input.size() < whole) return NeedMore(whole);
  scanned_ = 0;
  *consumed = whole;
  request->data = input.substr(line_bytes, size);
  if (input[whole - 2] != '\r' || input[whole - 1] != '\n') {
    if (request->command == MemcachedCommand::kMetaSet) request->noreply = false;
    Refuse(request, kMemcachedBadChunk);
  }
  return MemcachedParseStatus::kComplete;
}

MemcachedParseStatus MemcachedParser::BeginRetrieval(std::string_view line, std::string_view keys,
                                                     size_t line_bytes, MemcachedRequest* request,
                                                     size_t* consumed) {
  const bool touches =
      retrieval_.command == MemcachedCommand::kGat || retrieval_.command == MemcachedCommand::kGats;
  const auto refuse = [&](std::string_view reply) {
    Refuse(request, reply);
    scanned_ = 0;
    *consumed = line_bytes;
    return MemcachedParseStatus::kComplete;
  };
  retrieval_.exptime = 0;
  if (touches) {
    const std::string_view word = TakeWord(&keys);
    if (word.empty()) return refuse(kMemcachedError);
    const auto exptime = ReadMemcachedInt32(word);
    if (!exptime) return refuse(kMemcachedBadExptime);
    retrieval_.exptime = *exptime;
  }
  size_t count = 0;
  size_t last_key_end = 0;
  for (std::string_view rest = keys;; ++count) {
    const std::string_view key = TakeWord(&rest);
    if (key.empty()) break;
    if (key.size() > kMemcachedKeyMax) return refuse(kMemcachedBadLine);
    last_key_end = static_cast<size_t>(rest.data() - line.data());
  }
  if (count == 0) return refuse(touches ? std::string_view("END\r\n") : kMemcachedError);

  const size_t begin = static_cast<size_t>(keys.data() - line.data());
  retrieval_.keys_left = last_key_end - begin;
  retrieval_.bytes_left = line_bytes - begin;
  size_t key_bytes = 0;
  const std::string_view rest(line.data() + begin, retrieval_.bytes_left);
  const MemcachedParseStatus status = NextKey(rest, request, &key_bytes);
  *consumed = begin + key_bytes;
  return status;
}

MemcachedParseStatus MemcachedParser::NextKey(std::string_view input, MemcachedRequest* request,
                                              size_t* consumed) {
  if (input.size() < retrieval_.bytes_left) return NeedMore(retrieval_.bytes_left);
  std::string_view rest = input.substr(0, retrieval_.keys_left);
  request->key = TakeWord(&rest);
  DCHECK(!request->key.empty());
  request->command = retrieval_.command;
  request->exptime = retrieval_.exptime;
  request->last_key = rest.empty();
  if (request->key == kMemcachedClusterKey) {
    request->with_cas_ids =
        request->command == MemcachedCommand::kGets || request->command == MemcachedCommand::kGats;
    request->command = MemcachedCommand::kClusterItem;
  }
  scanned_ = 0;
  if (request->last_key) {
    *consumed = retrieval_.bytes_left;
    retrieval_.bytes_left = 0;
    return MemcachedParseStatus::kComplete;
  }
  const size_t bytes = retrieval_.keys_left - rest.size();
  retrieval_.keys_left -= bytes;
  retrieval_.bytes_left -= bytes;
  *consumed = bytes;
  return MemcachedParseStatus::kComplete;
}

}  // namespace mikura::wire
