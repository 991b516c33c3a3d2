// SPDX-License-Identifier: Apache-2.0
// Decides whether a history of concurrent operations on one key is linearizable: whether each
// operation can have happened at once, at some moment between its call and its return, so that all
// replies are those of the model (key_model.h).
//
// The search is that of Wing and Gong, with Lowe's two remedies: an operation is put in order no
// earlier than the next return requires it, and what has been searched (operations in order, and
// the state they lead to) is remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/concurrency/reply.h"

namespace mikura::concurrency {

struct Operation {
  static constexpr int64_t kNeverReturned = INT64_MAX;

  int client = 0;
  int64_t called_nanos = 0;  // since the Unix epoch; of a clock that never goes back
  int64_t returned_nanos = kNeverReturned;
  Words words;
  std::string reply;  // as Ordered() writes it; without meaning when the operation never returned
};

struct LinearizabilityOptions {
  // For how long after its deadline a server may still show a key to those who call now. Once a
  // key has been seen expired it stays so, whatever this is.
  int64_t expiry_slack_millis = 0;
  // How many (state, order) pairs one return may lead to before the checker gives up.
  size_t states_max = 200'000;
};

struct Verdict {
  enum class Kind { kLinearizable, kNotLinearizable, kGaveUp };

  Kind kind = Kind::kLinearizable;
  std::string why;  // the operation that fits nowhere, and what was going on then
  size_t states_visited = 0;

  bool is_linearizable() const { return kind == Kind::kLinearizable; }
};

Verdict CheckLinearizability(std::vector<Operation> history,
                             const LinearizabilityOptions& options = {});

}  // namespace mikura::concurrency
