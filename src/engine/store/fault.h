// SPDX-License-Identifier: Apache-2.0
// The closed list of what can go wrong in a command because of what a client sent or because of the
// state of the node. The words a client sees are in engine/commands/fault_replies.cc only.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace mikura::engine {

enum class Fault : uint8_t {
  kWrongType,
  kNotAnInteger,
  kNotAnInt32,  // an integer, but beyond 32 bits
  kNotAFloat,
  kOverflow,
  kNanOrInfinity,
  kSyntax,
  kNoSuchKey,
  kInvalidExpire,
  kStringTooLong,
  kOffsetOutOfRange,
  kIndexOutOfRange,
  kOutOfMemory,
  kNotPositive,
  kInvalidCursor,
  kDatabaseOutOfRange,
  kInvalidDatabase,
  kSameObject,
  kNoAuth,
  kWrongPassword,
  kReadOnlyReplica,
  kMasterDown,
  kTooFewReplicas,
  kLogFailed,
  kCannotSave,
  kFenced,  // the node may not be the primary any more
  kLoading,
  kNotAScoreRange,
  kNotALexRange,
  kInvalidStreamId,
  kInvalidRangeStart,
  kInvalidRangeEnd,
  kNoHyperLogLog,      // a string with other bytes
  kBrokenHyperLogLog,  // one whose registers make no sense
  kNotSupported,
};

template <typename T = Unit>
using FaultOr = Result<T, Fault>;

}  // namespace mikura::engine
