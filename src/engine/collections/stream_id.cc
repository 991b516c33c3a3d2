// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/stream_id.h"

#include <cstring>

#include "base/check.h"
#include "engine/collections/sequence.h"

namespace mikura::engine::collections {

std::optional<StreamId> StreamId::Next() const {
  if (seq < kPartMax) return StreamId{ms, seq + 1};
  if (ms < kPartMax) return StreamId{ms + 1, 0};
  return std::nullopt;
}

std::optional<StreamId> StreamId::Previous() const {
  if (seq > 0) return StreamId{ms, seq - 1};
  if (ms > 0) return StreamId{ms - 1, kPartMax};
  return std::nullopt;
}

void AppendStreamId(std::string& out, StreamId id) {
  out.append(reinterpret_cast<const char*>(&id.ms), sizeof(id.ms));
  AppendVarint(out, id.seq);
}

StreamId TakeStreamId(std::string_view& bytes) {
  StreamId id;
  id.ms = StreamIdOrder(bytes);
  bytes.remove_prefix(sizeof(id.ms));
  id.seq = TakeNumber(bytes);
  return id;
}

StreamId StreamIdOf(std::string_view element) { return TakeStreamId(element); }

uint64_t StreamIdOrder(std::string_view element) {
  uint64_t ms = 0;
  std::memcpy(&ms, element.data(), sizeof(ms));
  return ms;
}

uint64_t TakeNumber(std::string_view& bytes) {
  const std::optional<uint64_t> value = TakeVarint(bytes);
  DCHECK(value);
  return *value;
}

void AppendText(std::string& out, std::string_view text) {
  AppendVarint(out, text.size());
  out.append(text);
}

std::string_view TakeText(std::string_view& bytes) {
  const uint64_t length = TakeNumber(bytes);
  DCHECK(length <= bytes.size());
  const std::string_view text = bytes.substr(0, static_cast<size_t>(length));
  bytes.remove_prefix(text.size());
  return text;
}

}  // namespace mikura::engine::collections
