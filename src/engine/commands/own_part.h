// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

namespace mikura::engine {

// A part of an object that its copies do not have. T may be incomplete here.
template <typename T>
class OwnPart {
 public:
  OwnPart() = default;
  OwnPart(const OwnPart&) noexcept {}
  OwnPart& operator=(const OwnPart&) noexcept { return *this; }  // NOLINT(bugprone-unhandled-*)

  explicit operator bool() const { return part_ != nullptr; }
  T* get() const { return part_.get(); }
  T& operator*() const { return *part_; }
  T* operator->() const { return part_.get(); }
  const std::shared_ptr<T>& shared() const { return part_; }
  void set(std::shared_ptr<T> part) { part_ = std::move(part); }
  void reset() { part_.reset(); }

 private:
  std::shared_ptr<T> part_;  // owned here; shared with whoever serves it, and for its deleter
};

}  // namespace mikura::engine
