// SPDX-License-Identifier: Apache-2.0
// What is sent to clients without having been asked for, encoded once for all who get it.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "wire/shared_bytes.h"

namespace mikura::engine {

// Immutable. Its first byte is missing: RESP3 clients get a push ('>'), RESP2 clients an array
// ('*'), and the rest is the same.
class Message {
 public:
  // A counted reference; may be passed between threads.
  class Ref {
   public:
    Ref() = default;
    explicit Ref(const Message* message) : message_(message) {}
    Ref(const Ref& other) : message_(other.message_) {
      if (message_ != nullptr) message_->AddOwner();
    }
    Ref(Ref&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
      std::swap(message_, other.message_);
      return *this;
    }
    ~Ref() {
      if (message_ != nullptr) message_->DropOwner();
    }
    const Message* operator->() const { return message_; }
    const Message& operator*() const { return *message_; }
    explicit operator bool() const { return message_ != nullptr; }

   private:
    const Message* message_ = nullptr;
  };

  // "3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$4\r\ntext\r\n"; kind: message, smessage.
  static Ref OfChannel(std::string_view kind, std::string_view channel, std::string_view payload);
  // Any text, whole.
  static Ref OfText(std::string text);

  std::string_view text() const { return text_; }
  // Of OfChannel(): the part behind the kind, channel and payload as bulk strings.
  std::string_view tail() const { return std::string_view(text_).substr(tail_begin_); }
  std::string_view channel() const {
    return std::string_view(text_).substr(channel_begin_, channel_size_);
  }

  // `part` lies in text(). The bytes live as long as what is returned.
  wire::SharedBytes Share(std::string_view part) const;

 private:
  explicit Message(std::string text) : text_(std::move(text)) {}
  void AddOwner() const { owners_.fetch_add(1, std::memory_order_relaxed); }
  void DropOwner() const {
    // Whoever is last sees all that the others did with it.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  mutable std::atomic<size_t> owners_{1};
  const std::string text_;
  size_t tail_begin_ = 0;
  size_t channel_begin_ = 0;
  size_t channel_size_ = 0;
};

// Bulk strings behind each other, for texts that are made once and sent often.
void AppendBulk(std::string& out, std::string_view bytes);

}  // namespace mikura::engine
