// SPDX-License-Identifier: Apache-2.0
// What XREAD and XREADGROUP do once their words are understood: at once, or later for a client that
// waits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/commands/stream_support.h"

namespace mikura::engine {

// Owns its words.
struct StreamReading {
  bool is_group = false;
  std::string group;
  std::string consumer;
  bool acknowledges_at_once = false;  // NOACK: nothing becomes pending
  uint64_t count = 0;                 // for each stream; 0: all
};

// From where on a stream is read.
struct StreamSource {
  bool is_new = false;  // of a group: what nobody of it was given (">"); otherwise its history
  StreamId after;
};

// One read of several streams. First Take() for each stream in turn, which changes groups and tells
// replicas; then Reply().
class StreamReader {
 public:
  // All outlive it.
  StreamReader(KeyAccess& keys, const StreamReading& reading) : keys_(keys), reading_(reading) {}

  // Errors: kWrongType. A stream or group that is absent has nothing.
  FaultOr<> Take(const Key& key, const StreamSource& source);
  bool has_any() const { return !taken_.empty(); }
  // What was taken; something was.
  FaultOr<> Reply(wire::RespWriter& reply);

 private:
  struct Taken {
    Key key;
    bool is_history = false;
    uint64_t index = 0;  // of the first entry
    uint64_t count = 0;
    std::vector<StreamId> history;  // some of whose entries may be gone
  };

  void TakeNew(const Key& key, StreamValue& stream, StreamGroup& group);
  void Deliver(const Key& key, StreamValue& stream, StreamGroup& group, const Taken& taken);
  void TakeHistory(const Key& key, StreamGroup& group, StreamId after, const StreamValue& stream);
  uint64_t Limit(uint64_t found) const {
    return reading_.count == 0 ? found : std::min(found, reading_.count);
  }

  KeyAccess& keys_;
  const StreamReading& reading_;
  std::vector<Taken> taken_;
};

// Whether a stream has entries behind `after`.
bool HasEntriesAfter(const StreamValue& stream, StreamId after);

}  // namespace mikura::engine
