// SPDX-License-Identifier: Apache-2.0
// The classic commands other than retrievals. The order of the checks is memcached's: it decides
// which of several faults of a line is answered.
#include "wire/memcached_lines.h"
#include "wire/memcached_numbers.h"

namespace mikura::wire {
namespace {

constexpr std::string_view kBadDelete =
    "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
constexpr std::string_view kBadDelta = "CLIENT_ERROR invalid numeric delta argument\r\n";
constexpr std::string_view kHttpWord = "HTTP/";
constexpr std::string_view kNoreply = "noreply";
constexpr uint32_t kDataSizeMax = INT32_MAX - 2;

struct StorageName {
  std::string_view name;
  MemcachedCommand command;
};
constexpr StorageName kStorageNames[] = {
    {"set", MemcachedCommand::kSet},         {"add", MemcachedCommand::kAdd},
    {"replace", MemcachedCommand::kReplace}, {"append", MemcachedCommand::kAppend},
    {"prepend", MemcachedCommand::kPrepend}, {"cas", MemcachedCommand::kCas},
};

MemcachedLine ReadStorage(const MemcachedWords& words, MemcachedCommand command,
                          MemcachedRequest* request) {
  const size_t least = command == MemcachedCommand::kCas ? 6 : 5;
  if (words.count != least && words.count != least + 1) {
    Refuse(request, kMemcachedError);
    return {};
  }
  request->noreply = words.last() == kNoreply;
  const auto flags = ReadMemcachedUint32(words[2]);
  const auto exptime = ReadMemcachedInt32(words[3]);
  const auto size = ReadMemcachedInt32(words[4]);
  const auto cas = command == MemcachedCommand::kCas ? ReadMemcachedUnsigned(words[5])
                                                     : std::optional<uint64_t>(0);
  if (words[1].size() > kMemcachedKeyMax || !flags || !exptime || !size || !cas || *size < 0 ||
      static_cast<uint32_t>(*size) > kDataSizeMax) {
    Refuse(request, kMemcachedBadLine);
    return {};
  }
  request->command = command;
  request->key = words[1];
  request->client_flags = *flags;
  request->exptime = *exptime;
  request->cas = *cas;
  MemcachedLine line;
  line.data_size = static_cast<uint32_t>(*size);
  return line;
}

void ReadDelete(const MemcachedWords& words, MemcachedRequest* request) {
  if (words.count < 2 || words.count > 4) return Refuse(request, kMemcachedError);
  if (words.count > 2) {
    const bool hold_is_zero = words[2] == "0";
    request->noreply = words.last() == kNoreply;
    const bool is_valid =
        words.count == 3 ? hold_is_zero || request->noreply : hold_is_zero && request->noreply;
    if (!is_valid) return Refuse(request, kBadDelete);
  }
  if (words[1].size() > kMemcachedKeyMax) return Refuse(request, kMemcachedBadLine);
  request->command = MemcachedCommand::kDelete;
  request->key = words[1];
}

void ReadArithmetic(const MemcachedWords& words, MemcachedCommand command,
                    MemcachedRequest* request) {
  if (words.count != 3 && words.count != 4) return Refuse(request, kMemcachedError);
  request->noreply = words.last() == kNoreply;
  if (words[1].size() > kMemcachedKeyMax) return Refuse(request, kMemcachedBadLine);
  const auto delta = ReadMemcachedUnsigned(words[2]);
  if (!delta) return Refuse(request, kBadDelta);
  request->command = command;
  request->key = words[1];
  request->number = *delta;
}

void ReadTouch(const MemcachedWords& words, MemcachedRequest* request) {
  if (words.count != 3 && words.count != 4) return Refuse(request, kMemcachedError);
  request->noreply = words.last() == kNoreply;
  if (words[1].size() > kMemcachedKeyMax) return Refuse(request, kMemcachedBadLine);
  const auto exptime = ReadMemcachedInt32(words[2]);
  if (!exptime) return Refuse(request, kMemcachedBadExptime);
  request->command = MemcachedCommand::kTouch;
  request->key = words[1];
  request->exptime = *exptime;
}

void ReadFlushAll(const MemcachedWords& words, MemcachedRequest* request) {
  if (words.count > 3) return Refuse(request, kMemcachedError);
  request->noreply = words.last() == kNoreply;
  if (words.count > (request->noreply ? 2u : 1u)) {
    const auto exptime = ReadMemcachedInt32(words[1]);
    if (!exptime) return Refuse(request, kMemcachedBadExptime);
    request->exptime = *exptime;
  }
  request->command = MemcachedCommand::kFlushAll;
}

// verbosity and cache_memlimit: one number.
void ReadNumber(const MemcachedWords& words, MemcachedCommand command, std::string_view bad_number,
                MemcachedRequest* request) {
  if (words.count != 2 && words.count != 3) return Refuse(request, kMemcachedError);
  request->noreply = words.last() == kNoreply;
  const auto number = ReadMemcachedUint32(words[1]);
  if (!number) return Refuse(request, bad_number);
  request->command = command;
  request->number = *number;
}

// Commands whose further words are left to their execution.
void ReadRest(const MemcachedWords& words, MemcachedCommand command, MemcachedRequest* request) {
  request->command = command;
  if (words.count == 1) return;
  const std::string_view last = words.last();
  request->data = std::string_view(
      words[1].data(), static_cast<size_t>(last.data() + last.size() - words[1].data()));
}

// Commands that are neither storage nor retrieval; false when there is no such command.
bool ReadOther(const MemcachedWords& words, MemcachedRequest* request) {
  const std::string_view name = words[0];
  if (name == "delete") {
    ReadDelete(words, request);
  } else if (name == "incr") {
    ReadArithmetic(words, MemcachedCommand::kIncr, request);
  } else if (name == "decr") {
    ReadArithmetic(words, MemcachedCommand::kDecr, request);
  } else if (name == "touch") {
    ReadTouch(words, request);
  } else if (name == "flush_all") {
    ReadFlushAll(words, request);
  } else if (name == "verbosity") {
    ReadNumber(words, MemcachedCommand::kVerbosity, kMemcachedBadLine, request);
  } else if (name == "cache_memlimit") {
    ReadNumber(words, MemcachedCommand::kCacheMemlimit, kMemcachedError, request);
  } else if (name == "version") {
    request->command = MemcachedCommand::kVersion;
  } else if (name == "quit") {
    request->command = MemcachedCommand::kQuit;
  } else if (name == "stats") {
    ReadRest(words, MemcachedCommand::kStats, request);
  } else if (name == "refresh_certs") {
    request->command = MemcachedCommand::kRefreshCertificates;
  } else if (name == "shutdown") {
    ReadRest(words, MemcachedCommand::kShutdown, request);
  } else if (name == "lru") {
    ReadRest(words, MemcachedCommand::kLru, request);
    request->noreply = words.count > 1 && words.last() == kNoreply;
  } else if (name == "lru_crawler") {
    ReadRest(words, MemcachedCommand::kLruCrawler, request);
  } else if (name == "slabs") {
    ReadRest(words, MemcachedCommand::kSlabs, request);
    request->noreply = words.count > 1 && words.last() == kNoreply;
  } else if (name == "watch") {
    ReadRest(words, MemcachedCommand::kWatch, request);
  } else if (name == "config" && words.count == 3 && words[1] == "get" && words[2] == "cluster") {
    request->command = MemcachedCommand::kClusterConfig;
  } else {
    return false;
  }
  return true;
}

}  // namespace

MemcachedWords::MemcachedWords(std::string_view line) {
  size_t at = 0;
  while (true) {
    while (at < line.size() && line[at] == ' ') ++at;
    if (at == line.size()) return;
    const size_t begin = at;
    while (at < line.size() && line[at] != ' ') ++at;
    if (count < kMax) words[count] = line.substr(begin, at - begin);
    ++count;
  }
}

MemcachedLine ReadClassicLine(const MemcachedWords& words, MemcachedRequest* request) {
  for (const StorageName& storage : kStorageNames) {
    if (words[0] == storage.name) return ReadStorage(words, storage.command, request);
  }
  MemcachedLine line;
  if (ReadOther(words, request)) return line;
  line.close = words.last().starts_with(kHttpWord);
  Refuse(request, kMemcachedError);
  return line;
}

}  // namespace mikura::wire
