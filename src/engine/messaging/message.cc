// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/message.h"

#include "base/numbers.h"

namespace mikura::engine {
namespace {

constexpr size_t kHeaderMax = 24;  // '$', a length and a line end

}  // namespace

void AppendBulk(std::string& out, std::string_view bytes) {
  char digits[kHeaderMax];
  out += '$';
  out.append(digits, FormatInt64(static_cast<int64_t>(bytes.size()), digits));
  out += "\r\n";
  out += bytes;
  out += "\r\n";
}

Message::Ref Message::OfChannel(std::string_view kind, std::string_view channel,
                                std::string_view payload) {
  std::string text;
  text.reserve(kind.size() + channel.size() + payload.size() + 4 * kHeaderMax);
  text += "3\r\n";
  AppendBulk(text, kind);
  const size_t tail = text.size();
  AppendBulk(text, channel);
  const size_t channel_end = text.size() - 2;
  AppendBulk(text, payload);
  auto* message = new Message(std::move(text));
  message->tail_begin_ = tail;
  message->channel_begin_ = channel_end - channel.size();
  message->channel_size_ = channel.size();
  return Ref(message);
}

Message::Ref Message::OfText(std::string text) { return Ref(new Message(std::move(text))); }

wire::SharedBytes Message::Share(std::string_view part) const {
  AddOwner();
  return wire::SharedBytes(part, const_cast<Message*>(this),
                           [](void* owner) { static_cast<const Message*>(owner)->DropOwner(); });
}

}  // namespace mikura::engine
