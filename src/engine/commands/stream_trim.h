// SPDX-License-Identifier: Apache-2.0
// Trimming of streams, as XADD and XTRIM ask for it: MAXLEN | MINID [= | ~] threshold [LIMIT n],
// and what becomes of references to the entries in consumer groups: KEEPREF | DELREF | ACKED.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/commands/stream_support.h"

namespace mikura::engine {

enum class StreamReferences : uint8_t {
  kKeep,          // they stay, and refer to nothing
  kRemove,        // they go with the entry
  kAcknowledged,  // only entries go that every group has read and acknowledged
};
std::optional<StreamReferences> ToStreamReferences(std::string_view word);

struct StreamTrimOptions {
  collections::StreamTrim trim;
  StreamReferences references = StreamReferences::kKeep;
};

// Reads the options one by one, and then says whether they go together.
class StreamTrimParser {
 public:
  StreamTrimParser(CommandContext& ctx, bool is_xadd) : ctx_(ctx), is_xadd_(is_xadd) {}

  // Takes the option at word `at` with its arguments: the words taken, 0 when it is none of these.
  // Nullopt after an error reply.
  std::optional<size_t> Take(size_t at);
  // Nullopt after an error reply.
  std::optional<StreamTrimOptions> Finish();

 private:
  std::optional<size_t> TakeThreshold(size_t at, collections::StreamTrim::By by);
  std::optional<size_t> TakeLimit(size_t at);

  CommandContext& ctx_;
  const bool is_xadd_;
  StreamTrimOptions options_;
  bool has_limit_ = false;
};

// Trims, and keeps what is to be told to replicas.
class StreamTrimmer {
 public:
  // All outlive it.
  StreamTrimmer(CommandContext& ctx, const Key& key, StreamValue& stream,
                const StreamTrimOptions& options)
      : ctx_(ctx), key_(key), stream_(stream), options_(options) {}

  // Returns how many entries it removed.
  uint64_t Run();
  // MAXLEN or MINID, "=" and the threshold that removes the same entries; none when it removed
  // nothing, or when AddEffects() tells all.
  std::vector<std::string> EffectWords() const;
  // Removes references to what was removed, and tells that to replicas; before it is committed: a
  // stream with groups is an object, which cannot fail to be stored.
  void RemoveReferences();
  // Tells replicas what EffectWords() do not tell; behind those.
  void AddEffects() const;

 private:
  uint64_t RemoveAcknowledged();

  CommandContext& ctx_;
  const Key& key_;
  StreamValue& stream_;
  const StreamTrimOptions& options_;
  uint64_t removed_ = 0;
  std::vector<StreamId> ids_;  // of removed entries, where references matter
};

// Whether every group has read the entry, and none waits for its acknowledgement.
bool IsAcknowledged(const StreamValue& stream, StreamId id);
// Removes what is pending under these ids in all groups, and tells it to replicas.
void RemoveReferences(CommandContext& ctx, const Key& key, StreamValue& stream,
                      const std::vector<StreamId>& ids);

}  // namespace mikura::engine
