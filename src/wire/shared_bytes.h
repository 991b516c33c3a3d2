// SPDX-License-Identifier: Apache-2.0
// Bytes that belong to somebody else and stay as they are while this object lives.
#pragma once

#include <string_view>
#include <utility>

namespace mikura::wire {

class SharedBytes {
 public:
  // Ends one ownership; may be called on any thread.
  using Release = void (*)(void* owner);

  SharedBytes() = default;
  // Takes over one ownership of `owner`, which keeps `bytes` alive and unchanged.
  SharedBytes(std::string_view bytes, void* owner, Release release)
      : bytes_(bytes), owner_(owner), release_(release) {}
  SharedBytes(SharedBytes&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})),
        owner_(std::exchange(other.owner_, nullptr)),
        release_(other.release_) {}
  SharedBytes& operator=(SharedBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(owner_, other.owner_);
    std::swap(release_, other.release_);
    return *this;
  }
  ~SharedBytes() {
    if (owner_ != nullptr) release_(owner_);
  }

  std::string_view view() const { return bytes_; }
  void RemovePrefix(size_t size) { bytes_.remove_prefix(size); }

 private:
  std::string_view bytes_;
  void* owner_ = nullptr;
  Release release_ = nullptr;
};

}  // namespace mikura::wire
