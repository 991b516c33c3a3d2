// SPDX-License-Identifier: Apache-2.0
// What one key is, and what the commands of the load do to it: the specification that histories
// are held against. Written for the small values of the tests; not fast.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/concurrency/reply.h"

namespace mikura::concurrency {

struct KeyState {
  enum class Kind : char { kAbsent, kString, kHash, kList, kSet, kSortedSet };

  Kind kind = Kind::kAbsent;
  std::string text;
  std::map<std::string, std::string> fields;  // of hashes; members of sets; scores of sorted sets
  std::deque<std::string> items;
  int64_t deadline_millis = 0;  // since the Unix epoch; 0: none

  // Equal for equal states only.
  std::string Serialized() const;
};

// Runs one command on `state` and returns its reply, as Reply::Text() writes it. What comes in any
// order is sorted (Ordered() below). `observed` is what the server replied: it says which member a
// random command has taken, when it could have been that one.
std::string RunOnModel(KeyState& state, const Words& words, const std::string& observed);

// The reply of HGETALL or SMEMBERS with its pairs or members sorted, others as they are.
std::string Ordered(const Words& words, Reply reply);

}  // namespace mikura::concurrency
