// SPDX-License-Identifier: Apache-2.0
// From which size on OBJECT ENCODING names the form of Redis for large values. Ours changes its
// form by rules of its own: these numbers are for clients that look at the names.
#pragma once

#include <atomic>
#include <cstdint>

namespace mikura::engine {

// Each publishes nothing but itself, from CONFIG SET to the event loops; relaxed.
struct EncodingLimits {
  std::atomic<int64_t> hash_entries = 512;         // hash-max-listpack-entries
  std::atomic<int64_t> hash_value_bytes = 64;      // hash-max-listpack-value
  std::atomic<int64_t> set_integers = 512;         // set-max-intset-entries
  std::atomic<int64_t> zset_entries = 128;         // zset-max-listpack-entries
  std::atomic<int64_t> zset_value_bytes = 64;      // zset-max-listpack-value
  std::atomic<int64_t> list_size = -2;             // list-max-listpack-size
  std::atomic<int64_t> stream_node_bytes = 4096;   // stream-node-max-bytes; 0: no limit
  std::atomic<int64_t> stream_node_entries = 100;  // stream-node-max-entries; 0: no limit
  std::atomic<int64_t> hll_sparse_bytes = 3000;    // hll-sparse-max-bytes
};

}  // namespace mikura::engine
