// SPDX-License-Identifier: Apache-2.0
// Large memory blocks whose last owner let go under a shard's lock: giving megabytes back to the
// machine takes long, so a background job does it with no lock held.
//
// Thread-safe; nobody waits: a stack of blocks linked through their first 16 bytes.
#pragma once

#include <atomic>
#include <cstddef>

namespace mikura::engine::store {

class DeferredFrees {
 public:
  DeferredFrees() = default;
  DeferredFrees(const DeferredFrees&) = delete;
  DeferredFrees& operator=(const DeferredFrees&) = delete;
  ~DeferredFrees() { FreeAll(); }

  // memory: from malloc, at least 16 bytes, no longer used by anyone.
  void Add(void* memory, size_t bytes);
  // Frees what has been added so far; returns its bytes. Never under a shard's lock.
  size_t FreeAll();
  // Bytes that wait; also a hint whether FreeAll has something to do.
  size_t waiting_bytes() const { return waiting_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Block {
    Block* next;
    size_t bytes;
  };

  std::atomic<Block*> head_{nullptr};     // publishes the links of the blocks to FreeAll
  std::atomic<size_t> waiting_bytes_{0};  // publishes nothing but itself
};

}  // namespace mikura::engine::store
