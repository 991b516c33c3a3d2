// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/fault_replies.h"

#include <cstddef>
#include <iterator>

namespace mikura::engine {
namespace {

// In the order of the enumerators, so that ReplyFor() is one index.
constexpr FaultReply kFaultReplies[] = {
    {Fault::kWrongType, "WRONGTYPE", "Operation against a key holding the wrong kind of value"},
    {Fault::kNotAnInteger, "ERR", "value is not an integer or out of range"},
    {Fault::kNotAnInt32, "ERR",
     "value is out of range, value must between -2147483648 and 2147483647"},
    {Fault::kNotAFloat, "ERR", "value is not a valid float"},
    {Fault::kOverflow, "ERR", "increment or decrement would overflow"},
    {Fault::kNanOrInfinity, "ERR", "increment would produce NaN or Infinity"},
    {Fault::kSyntax, "ERR", "syntax error"},
    {Fault::kNoSuchKey, "ERR", "no such key"},
    {Fault::kInvalidExpire, "ERR", "invalid expire time"},
    {Fault::kStringTooLong, "ERR", "string exceeds maximum allowed size (proto-max-bulk-len)"},
    {Fault::kOffsetOutOfRange, "ERR", "offset is out of range"},
    {Fault::kIndexOutOfRange, "ERR", "index out of range"},
    {Fault::kOutOfMemory, "OOM", "command not allowed when used memory > 'maxmemory'."},
    {Fault::kNotPositive, "ERR", "value is out of range, must be positive"},
    {Fault::kInvalidCursor, "ERR", "invalid cursor"},
    {Fault::kDatabaseOutOfRange, "ERR", "DB index is out of range"},
    {Fault::kInvalidDatabase, "ERR", "invalid DB index"},
    {Fault::kSameObject, "ERR", "source and destination objects are the same"},
    {Fault::kNoAuth, "NOAUTH", "Authentication required."},
    {Fault::kWrongPassword, "WRONGPASS", "invalid username-password pair or user is disabled."},
    {Fault::kReadOnlyReplica, "READONLY", "You can't write against a read only replica."},
    {Fault::kMasterDown, "MASTERDOWN",
     "Link with MASTER is down and replica-serve-stale-data is set to 'no'."},
    {Fault::kTooFewReplicas, "NOREPLICAS", "Not enough good replicas to write."},
    {Fault::kLogFailed, "MISCONF", "Errors writing to the AOF file"},
    {Fault::kCannotSave, "MISCONF",
     "Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. "
     "Commands that may modify the data set are disabled, because this instance is configured to "
     "report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). "
     "Please check the Redis logs for details about the RDB error."},
    {Fault::kFenced, "READONLY", "The lease of this node has ended: it may not be the primary."},
    {Fault::kLoading, "LOADING", "Redis is loading the dataset in memory"},
    {Fault::kNotAScoreRange, "ERR", "min or max is not a float"},
    {Fault::kNotALexRange, "ERR", "min or max not valid string range item"},
    {Fault::kInvalidStreamId, "ERR", "Invalid stream ID specified as stream command argument"},
    {Fault::kInvalidRangeStart, "ERR", "invalid start ID for the interval"},
    {Fault::kInvalidRangeEnd, "ERR", "invalid end ID for the interval"},
    {Fault::kNoHyperLogLog, "WRONGTYPE", "Key is not a valid HyperLogLog string value."},
    {Fault::kBrokenHyperLogLog, "INVALIDOBJ", "Corrupted HLL object detected"},
    {Fault::kNotSupported, "ERR", "not supported in this version"},
};

constexpr bool CoversEveryFaultOnce() {
  for (size_t i = 0; i < std::size(kFaultReplies); ++i) {
    if (static_cast<size_t>(kFaultReplies[i].fault) != i) return false;
  }
  return std::size(kFaultReplies) == static_cast<size_t>(Fault::kNotSupported) + 1;
}
static_assert(CoversEveryFaultOnce());

}  // namespace

const FaultReply& ReplyFor(Fault fault) { return kFaultReplies[static_cast<size_t>(fault)]; }

}  // namespace mikura::engine
