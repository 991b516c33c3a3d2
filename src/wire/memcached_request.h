// SPDX-License-Identifier: Apache-2.0
// One request of the memcached protocols, as views into the bytes it was parsed from.
//
// R1. The views live as long as the input they point into (or static storage), and `key` may point
//     into the request itself: so a request is neither copied nor moved.
// R2. A retrieval of several keys is one request per key; the last one has last_key and ends the
//     reply with END. Whatever is wrong with the line is known before its first key is handed out.
// R3. A request that cannot be carried out is a kReply with the words memcached answers (text), or
//     with its status (binary).
// R4. A binary request is the same request with is_binary set: only its reply looks different.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mikura::wire {

// Not a key: the clients of ElastiCache ask for it to learn the nodes of a cluster.
inline constexpr std::string_view kMemcachedClusterKey = "AmazonElastiCache:cluster";
inline constexpr size_t kMemcachedKeyMax = 250;
// Bytes that the longest base64 key can stand for.
inline constexpr size_t kMemcachedDecodedKeyMax = (kMemcachedKeyMax / 4 + 1) * 3;

enum class MemcachedParseStatus : uint8_t {
  kComplete,  // one request; drop `consumed` bytes when it has been carried out (R1)
  kNeedMore,  // no request yet; drop `consumed` bytes, call again with at least `wanted` bytes
  kClose,     // the connection must end, without a reply
};

// Statuses of the binary protocol.
enum class MemcachedStatus : uint16_t {
  kSuccess = 0x00,
  kNotFound = 0x01,
  kExists = 0x02,
  kTooLarge = 0x03,
  kInvalid = 0x04,
  kNotStored = 0x05,
  kNotNumeric = 0x06,
  kAuthenticationError = 0x20,
  kAuthenticationContinue = 0x21,
  kUnknownCommand = 0x81,
  kOutOfMemory = 0x82,
  kInternalError = 0x84,
  kTemporaryFailure = 0x86,
};

enum class MemcachedCommand : uint8_t {
  // With a key: run while the key's shard is locked.
  kGet,
  kGets,
  kGat,
  kGats,
  kSet,
  kAdd,
  kReplace,
  kAppend,
  kPrepend,
  kCas,
  kDelete,
  kIncr,
  kDecr,
  kTouch,
  kTooLarge,  // a storage command whose value is over the limit; its data is being swallowed
  kMetaGet,
  kMetaSet,
  kMetaDelete,
  kMetaArithmetic,
  kMetaDebug,
  // Without a key: run while no shard is locked.
  kFirstWithoutKey,
  kReply = kFirstWithoutKey,  // nothing but `reply`, possibly empty
  kClusterItem,               // get AmazonElastiCache:cluster
  kClusterConfig,             // config get cluster
  kFlushAll,
  kVersion,
  kVerbosity,
  kStats,  // arguments in `data`
  kCacheMemlimit,
  kShutdown,  // arguments in `data`
  kRefreshCertificates,
  kLru,  // arguments in `data`, as for the next three
  kLruCrawler,
  kSlabs,
  kWatch,
  kQuit,
  kSaslMechanisms,
  // Text: "user password" in `data`. Binary: a SASL mechanism in `key`, its message in `data`.
  kAuthenticate,
};

// The set of meta flags of a request: one bit per letter.
class MetaFlagSet {
 public:
  static constexpr uint64_t Bit(char letter) {
    if (letter >= 'a' && letter <= 'z') return 1ull << (letter - 'a');
    if (letter >= 'A' && letter <= 'Z') return 1ull << (26 + letter - 'A');
    return 0;
  }
  static constexpr MetaFlagSet Of(std::string_view letters) {
    MetaFlagSet set;
    for (const char letter : letters) set.Add(letter);
    return set;
  }
  constexpr void Add(char letter) { bits_ |= Bit(letter); }
  void Clear() { bits_ = 0; }
  constexpr bool Has(char letter) const { return (bits_ & Bit(letter)) != 0; }
  bool operator==(const MetaFlagSet&) const = default;

 private:
  uint64_t bits_ = 0;
};

struct MemcachedRequest {
  MemcachedRequest() {}  // leaves decoded_key uninitialised: it is written before it is read
  MemcachedRequest(const MemcachedRequest&) = delete;
  MemcachedRequest& operator=(const MemcachedRequest&) = delete;

  bool has_key() const { return command < MemcachedCommand::kFirstWithoutKey; }

  MemcachedCommand command = MemcachedCommand::kReply;
  bool noreply = false;        // classic: no reply at all; meta: flag q; binary: a quiet opcode
  bool last_key = true;        // R2
  bool with_cas_ids = false;   // kClusterItem: asked for with gets
  bool key_is_binary = false;  // the client sent the key in base64 (flag b)
  bool erase_old = false;      // kTooLarge: memcached drops what a failed set or ms was to replace
  char mode = 'S';             // ms: S E A P R; ma: I or D
  bool is_binary = false;
  bool with_key = false;     // binary: the reply to a retrieval repeats the key
  bool close = false;        // binary: the connection ends after the reply
  uint8_t opcode = 0;        // binary: as sent; the reply repeats it
  MemcachedStatus status{};  // binary kReply
  uint32_t opaque = 0;       // binary: as sent, in its byte order; the reply repeats it
  uint32_t client_flags = 0;
  int64_t exptime = 0;        // as sent: seconds from now, or since 1970 above 30 days
  int64_t vivify_ttl = 0;     // meta N and binary counters, in the form of exptime
  int32_t recache_ttl = 0;    // meta R, in the form of exptime
  uint64_t cas = 0;           // compared with the entry's
  uint64_t explicit_cas = 0;  // meta E: becomes the entry's
  uint64_t number = 1;   // incr, decr, ma: delta; flush_all, verbosity, cache_memlimit: argument
  uint64_t initial = 0;  // meta J and binary counters: the number of an entry that is made
  MetaFlagSet meta;
  std::string_view key;         // decoded
  std::string_view data;        // the value without its line end
  std::string_view meta_flags;  // the flags of a meta request, as sent
  std::string_view reply;       // kReply, kTooLarge: words with line end

  std::array<char, kMemcachedDecodedKeyMax> decoded_key;

  // Back to the defaults, without touching decoded_key.
  void Reset();
};

inline void MemcachedRequest::Reset() {
  command = MemcachedCommand::kReply;
  noreply = with_cas_ids = key_is_binary = erase_old = false;
  is_binary = with_key = close = false;
  opcode = 0;
  status = MemcachedStatus::kSuccess;
  opaque = 0;
  last_key = true;
  mode = 'S';
  client_flags = 0;
  exptime = vivify_ttl = recache_ttl = 0;
  cas = explicit_cas = initial = 0;
  number = 1;
  meta.Clear();
  key = data = meta_flags = reply = {};
}

// True for the letters of `flags` that stand alone or before an argument: walks the words.
// Usage: for (MetaFlagReader r(flags); r.Next();) { r.letter(), r.argument() }
class MetaFlagReader {
 public:
  explicit MetaFlagReader(std::string_view flags) : rest_(flags) {}

  // False at the end.
  bool Next() {
    size_t begin = 0;
    while (begin < rest_.size() && rest_[begin] == ' ') ++begin;
    if (begin == rest_.size()) return false;
    size_t end = begin + 1;
    while (end < rest_.size() && rest_[end] != ' ') ++end;
    word_ = rest_.substr(begin, end - begin);
    rest_.remove_prefix(end);
    return true;
  }
  char letter() const { return word_[0]; }
  std::string_view argument() const { return word_.substr(1); }
  std::string_view word() const { return word_; }

 private:
  std::string_view rest_;
  std::string_view word_;
};

}  // namespace mikura::wire
