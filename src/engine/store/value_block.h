// SPDX-License-Identifier: Apache-2.0
// The bytes of a value above kInlineValueMax, in a slot of its own, counted by reference: a
// running walk, a reply being sent or a copied key may hold one while the shard goes on.
//
// Rule: a block with more than one owner is never changed. New owners arise under the shard's lock
// or from an existing owner, so is_exclusive(), asked under the lock by the entry's owner, stays
// true until the lock is released.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "engine/store/size_classes.h"

namespace mikura::engine::store {

class SlabAllocator;

class ValueBlock {
 public:
  // A block with room for at least `capacity` bytes and `size` bytes in use, not initialised, owned
  // once. Null when the region is full. It counts as used memory until the last owner has gone;
  // `slabs` outlives it.
  static ValueBlock* Create(SlabAllocator& slabs, size_t size, size_t capacity);

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  std::string_view view() const { return {reinterpret_cast<const char*>(this + 1), size_}; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  // Always a whole slot: see AllocatedBytes().
  size_t memory_bytes() const { return sizeof(ValueBlock) + capacity_; }
  bool is_exclusive() const { return owners_.load(std::memory_order_acquire) == 1; }
  // Only of an exclusive block; at most capacity().
  void set_size(size_t size) { size_ = size; }

  void Acquire() { owners_.fetch_add(1, std::memory_order_relaxed); }
  // Ends the block when the caller was its last owner. Any thread; also under a shard's lock.
  void Release() {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) Destroy();
  }

 private:
  ValueBlock(SlabAllocator& slabs, size_t size, size_t capacity)
      : size_(size), capacity_(capacity), slabs_(slabs) {}
  void Destroy();

  // Release by an owner that read the bytes, acquire by the one who frees or changes them.
  std::atomic<uint64_t> owners_{1};
  size_t size_;
  const size_t capacity_;
  SlabAllocator& slabs_;
};

// One ownership of a block.
class SharedValue {
 public:
  SharedValue() = default;
  // Adds an owner; under the lock of the shard whose entry refers to `block`.
  explicit SharedValue(ValueBlock* block) : block_(block) {
    if (block_ != nullptr) block_->Acquire();
  }
  // Takes over the caller's ownership.
  static SharedValue Adopt(ValueBlock* block) {
    SharedValue value;
    value.block_ = block;
    return value;
  }
  SharedValue(SharedValue&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedValue& operator=(SharedValue&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedValue() {
    if (block_ != nullptr) block_->Release();
  }

  explicit operator bool() const { return block_ != nullptr; }
  std::string_view view() const { return block_ == nullptr ? std::string_view{} : block_->view(); }

 private:
  ValueBlock* block_ = nullptr;
};

}  // namespace mikura::engine::store
