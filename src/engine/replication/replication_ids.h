// SPDX-License-Identifier: Apache-2.0
// The names of a history: which offsets of which ids stand for the same bytes. Whether a replica
// can continue is decided here and nowhere else.
//
// I1. Two nodes that name the same id and offset hold the same data.
// I2. Only one node writes under an id, ever: who begins to write takes a new one.
// I3. What was followed under the id of before stays known up to where the new one begins.
#pragma once

#include <string>
#include <string_view>

#include "engine/keyspace/log_chunk.h"

namespace mikura::engine {

struct ReplicationIds {
  std::string current;    // 40 hexadecimal digits
  std::string previous;   // the primary's that was followed before a promotion; empty when none
  Lsn previous_end = -1;  // up to where `previous` names the same history

  // Whether somebody that has everything of `id` before `lsn` has a part of this history.
  bool Covers(std::string_view id, Lsn lsn) const {
    return id == current || (!previous.empty() && id == previous && lsn <= previous_end);
  }
  // The history goes on under another id, from `head` on. False: it is the same one.
  bool GoOnAs(std::string_view id, Lsn head) {
    if (id == current) return false;
    *this = {std::string(id), current, head};
    return true;
  }
};

// 40 random hexadecimal digits.
std::string NewReplicationId();

}  // namespace mikura::engine
