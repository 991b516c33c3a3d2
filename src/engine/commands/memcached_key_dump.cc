// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_key_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>

#include "engine/commands/memcached_entry.h"
#include "wire/memcached_numbers.h"

namespace mikura::engine {
namespace {

constexpr size_t kScanBudget = 256;  // entries per visit of a shard

class KeyDump final : public OutputSource, private store::EntryConsumer {
 public:
  KeyDump(MemcachedContext& ctx, std::bitset<MemcachedClasses::kClassMax + 1> wanted,
          MemcachedDumpForm form)
      : form_(form),
        keyspace_(ctx.keyspace),
        access_(ctx.keys.access()),
        database_(ctx.keys.database()),
        classes_(ctx.services.Tuning().MakeClasses()),
        wanted_(wanted) {}

  bool Produce(size_t bytes, std::string& out) override {
    out_ = &out;
    const size_t begin = out.size();
    while (shard_ < kShardCount && out.size() - begin < bytes) {
      const ShardGuard guard(keyspace_.lock(shard_));
      const auto next =
          keyspace_.LockedShard(shard_).Scan(database_, cursor_, kScanBudget, access_, *this);
      cursor_ = next.value_or(0);
      if (!next) ++shard_;
    }
    if (shard_ < kShardCount) return true;
    out += form_ == MemcachedDumpForm::kRequests ? "EN\r\n" : "END\r\n";
    return false;
  }
  bool holds_requests() const override { return true; }

 private:
  void Consume(int, const store::Entry& entry) override {
    if (entry.type() != store::ValueType::kString) return;
    const store::Attributes attributes = entry.attributes();
    const size_t bytes =
        MemcachedEntryBytes(entry.key().size(), entry.value().size(), attributes.memcached_flags);
    const uint32_t id = classes_.ClassOf(bytes);
    if (!wanted_.test(id)) return;
    if (form_ == MemcachedDumpForm::kRequests) return AppendRequest(entry.key(), attributes);
    const bool is_fetched = (attributes.memcached_state & kMemcachedFetched) != 0;
    *out_ += fmt::format(
        "key={} exp={} cas={} fetch={} cls={} size={}\n", EncodeMemcachedKey(entry.key()),
        attributes.deadline == store::kNoDeadline ? -1 : attributes.deadline / 1000,
        MemcachedCas(entry), is_fetched ? "yes" : "no", id, bytes);
  }

  // Redis clients and binary ones write keys that no line can hold: those are shown in base64 too.
  void AppendRequest(std::string_view key, const store::Attributes& attributes) {
    const bool fits_line = std::all_of(key.begin(), key.end(), [](char byte) {
      return static_cast<unsigned char>(byte) > ' ' && byte != '\x7f';
    });
    *out_ += "mg ";
    if (fits_line && (attributes.memcached_state & kMemcachedBinaryKey) == 0) {
      out_->append(key).append("\r\n");
      return;
    }
    const size_t begin = out_->size();
    out_->resize(begin + wire::EncodedBase64Size(key.size()));
    out_->resize(begin + wire::EncodeBase64(key, out_->data() + begin));
    *out_ += " b\r\n";
  }

  const MemcachedDumpForm form_;
  Keyspace& keyspace_;
  const store::Access access_;
  const int database_;
  const MemcachedClasses classes_;
  const std::bitset<MemcachedClasses::kClassMax + 1> wanted_;
  uint32_t shard_ = 0;
  uint64_t cursor_ = 0;
  std::string* out_ = nullptr;  // of the running Produce
};

}  // namespace

std::unique_ptr<OutputSource> MakeMemcachedKeyDump(MemcachedContext& ctx, std::string_view classes,
                                                   MemcachedDumpForm form) {
  std::bitset<MemcachedClasses::kClassMax + 1> wanted;
  if (classes == "all" || classes == "hash") {
    wanted.set();
    classes = {};
  }
  while (!classes.empty()) {
    const std::string_view word = classes.substr(0, classes.find(','));
    classes.remove_prefix(std::min(classes.size(), word.size() + 1));
    if (const auto id = wire::ReadMemcachedUint32(word)) wanted.set(*id % wanted.size());
  }
  return std::make_unique<KeyDump>(ctx, wanted, form);
}

}  // namespace mikura::engine
