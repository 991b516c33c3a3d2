// SPDX-License-Identifier: Apache-2.0
// Replies of many elements: made from a copy of the collection, which costs O(1), piece by piece as
// the client takes them. The shard is locked for the copy only, the loop serves others between two
// pieces, and a slow reader takes no memory.
//
// A walk is what writes the elements: at_end(), Step(reply), and kSteps, how many of them take less
// than a millisecond.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "engine/commands/random_picks.h"
#include "engine/keyspace/key_access.h"
#include "engine/store/collection_memory.h"
#include "wire/reply_source.h"
#include "wire/resp_writer.h"

namespace mikura::engine {

// Gives a copy up where nobody waits for it.
struct ReleaseCopy {
  store::CollectionMemory* memory;
  void operator()(collections::Collection* copy) const { memory->Release(copy); }
};
using CollectionCopy = std::unique_ptr<collections::Collection, ReleaseCopy>;

// Nodes of stored collections are those of the keyspace's allocator.
inline store::CollectionMemory& CollectionMemoryOf(const KeyAccess& keys) {
  return static_cast<store::CollectionMemory&>(keys.node_memory());
}

// A copy of a collection, packed or large, that needs nothing of its key.
template <typename T>
class OwnCopy {
 public:
  OwnCopy(store::CollectionMemory& memory, const T& value)
      : bytes_(value.is_packed() ? std::make_unique<std::string>() : nullptr),
        value_(nullptr, ReleaseCopy{&memory}) {
    if (bytes_ == nullptr) {
      value_.reset(static_cast<T*>(value.Copy()));
    } else {
      value.AppendPacked(*bytes_);
      value_.reset(new T(memory, *bytes_));
    }
  }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

 private:
  std::unique_ptr<std::string> bytes_;  // what a packed one is a view on
  std::unique_ptr<T, ReleaseCopy> value_;
};

// The reply ends with "\r\n", as all do: its last two bytes are left to whoever adds the source to
// a buffer, and those of a piece belong to the next one.
template <typename Walk>
class WalkReply final : public wire::ReplySource {
 public:
  // `walk` is one over the copy. `bytes`: of the reply, about.
  WalkReply(CollectionCopy copy, Walk walk, int version, uint64_t steps, uint64_t bytes)
      : copy_(std::move(copy)),
        walk_(std::move(walk)),
        version_(version),
        steps_left_(steps),
        bytes_per_step_(bytes / std::max(steps, uint64_t{1}) + 1) {}

  Outcome Produce(wire::OutputBuffer& out) override {
    const size_t begin = out.size();
    if (owes_line_end_) out.Append("\r\n");
    owes_line_end_ = false;
    wire::RespWriter reply(out, version_);
    size_t steps = 0;
    for (; steps < Walk::kSteps && out.size() - begin < kPieceBytes && !walk_.at_end(); ++steps) {
      walk_.Step(reply);
    }
    steps_left_ -= std::min<uint64_t>(steps_left_, steps);
    if (out.size() != begin) {
      out.Truncate(out.size() - 2);
      owes_line_end_ = true;
    }
    return walk_.at_end() ? Outcome::kLast : Outcome::kMore;
  }
  uint64_t bytes_left() const override { return steps_left_ * bytes_per_step_; }

 private:
  const CollectionCopy copy_;
  Walk walk_;
  const int version_;
  uint64_t steps_left_;
  const uint64_t bytes_per_step_;
  bool owes_line_end_ = false;
};

// A reply that is expected to have fewer bytes is made at once: that takes some microseconds.
inline constexpr uint64_t kLongReplyBytes = 32 << 10;
inline constexpr uint64_t kReplyElementOverhead = 8;  // "$length\r\n...\r\n", about

template <typename T>
uint64_t ExpectedReplyBytes(const T& collection, uint64_t elements) {
  const uint64_t size = std::max(collection.size(), uint64_t{1});
  return elements * (collection.memory_bytes() / size + kReplyElementOverhead);
}

// Replies later with `elements` elements, of which there is one at least, as make_walk(copy) writes
// them; the header of the reply is written already. False when they are too few for that, or when
// this reply must be there at once (scripts): the caller writes them.
template <typename T, typename MakeWalk>
bool ReplyLater(KeyAccess& keys, wire::RespWriter& reply, const T& collection, uint64_t elements,
                const MakeWalk& make_walk) {
  if (collection.is_packed() || !reply.out().takes_insertions()) return false;
  const uint64_t bytes = ExpectedReplyBytes(collection, elements);
  if (bytes < kLongReplyBytes) return false;
  auto* const object = static_cast<T*>(collection.Copy());
  CollectionCopy copy(object, ReleaseCopy{&CollectionMemoryOf(keys)});
  auto walk = make_walk(*object);
  reply.out().AppendShared(wire::ShareSource(std::make_unique<WalkReply<decltype(walk)>>(
      std::move(copy), std::move(walk), reply.version(), elements, bytes)));
  reply.out().Append("\r\n");
  return true;
}

// Replies later with what a walk computes by itself, header included. The same otherwise: `steps`
// of the walk, which each write so many bytes, about.
template <typename Walk>
void ReplyComputed(wire::RespWriter& reply, store::CollectionMemory& memory, Walk walk,
                   uint64_t steps, uint64_t bytes_per_step) {
  reply.out().AppendShared(wire::ShareSource(std::make_unique<WalkReply<Walk>>(
      CollectionCopy(nullptr, ReleaseCopy{&memory}), std::move(walk), reply.version(), steps,
      steps * bytes_per_step)));
  reply.out().Append("\r\n");
}
// Whether a computation of so many steps is too long to be made at once.
inline bool IsComputedLater(wire::RespWriter& reply, uint64_t steps) {
  constexpr uint64_t kStepsAtOnce = 2000;
  return steps > kStepsAtOnce && reply.out().takes_insertions();
}

// `count` elements from a cursor on; write(reply, cursor) writes one.
template <typename Cursor, typename Write>
class RangeWalk {
 public:
  static constexpr size_t kSteps = 4096;

  RangeWalk(Cursor cursor, uint64_t count, Write write, bool downwards = false)
      : cursor_(std::move(cursor)), left_(count), write_(write), downwards_(downwards) {}
  bool at_end() const { return left_ == 0; }
  void Step(wire::RespWriter& reply) {
    write_(reply, cursor_);
    if (--left_ == 0) return;
    if constexpr (requires(Cursor & cursor) { cursor.Previous(); }) {
      if (downwards_) return cursor_.Previous();
    }
    cursor_.Next();
  }

 private:
  Cursor cursor_;
  uint64_t left_;
  Write write_;
  bool downwards_;
};

// `count` elements at random, with repetitions: write(reply, position) writes one of [0, size).
template <typename Write>
class RandomWalk {
 public:
  static constexpr size_t kSteps = 256;

  RandomWalk(uint64_t size, uint64_t count, Write write)
      : size_(size), left_(count), write_(write) {}
  bool at_end() const { return left_ == 0; }
  void Step(wire::RespWriter& reply) {
    write_(reply, random_.Below(size_));
    --left_;
  }

 private:
  RandomSource random_;
  uint64_t size_;
  uint64_t left_;
  Write write_;
};

// `count` different elements at random, in their order: all sets of elements are equally likely.
// The cursor stands at the first of `size` elements.
template <typename Cursor, typename Write>
class SampleWalk {
 public:
  static constexpr size_t kSteps = 4096;

  SampleWalk(Cursor cursor, uint64_t size, uint64_t count, Write write)
      : cursor_(std::move(cursor)), size_left_(size), left_(count), write_(write) {}
  bool at_end() const { return left_ == 0; }
  void Step(wire::RespWriter& reply) {
    if (random_.Below(size_left_--) < left_) {
      write_(reply, cursor_);
      --left_;
    }
    if (left_ > 0) cursor_.Next();
  }

 private:
  RandomSource random_;
  Cursor cursor_;
  uint64_t size_left_;
  uint64_t left_;
  Write write_;
};

}  // namespace mikura::engine
