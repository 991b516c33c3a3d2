// SPDX-License-Identifier: Apache-2.0
#include "control/agent/admin_reply.h"

#include <fmt/format.h>

#include "base/numbers.h"

namespace mikura::control {
namespace {

constexpr int64_t kBulkBytesMax = 16 << 20;
constexpr int64_t kItemsMax = 100'000;
constexpr int kDepthMax = 8;

// Reads replies from the front of `bytes`, flattening what is nested.
class ReplyParser {
 public:
  explicit ReplyParser(std::string_view bytes) : rest_(bytes) {}

  ReplyProgress Read(AdminReply& reply, int depth) {
    const size_t end = rest_.find("\r\n");
    if (end == rest_.npos) return ReplyProgress::kIncomplete;
    if (end == 0) return ReplyProgress::kMalformed;
    const char type = rest_[0];
    const std::string_view line = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 2);
    switch (type) {
      case '+':
      case ':':
        reply = {AdminReply::Kind::kText, std::string(line), {}, {}};
        return ReplyProgress::kComplete;
      case '-':
        reply = {AdminReply::Kind::kError, std::string(line), {}, {}};
        return ReplyProgress::kComplete;
      case '$':
        return ReadBulk(line, reply);
      case '*':
        return ReadArray(line, reply, depth);
      default:
        return ReplyProgress::kMalformed;
    }
  }

 private:
  ReplyProgress ReadBulk(std::string_view line, AdminReply& reply) {
    const auto length = ParseInt64(line);
    if (!length || *length < -1 || *length > kBulkBytesMax) return ReplyProgress::kMalformed;
    reply = {AdminReply::Kind::kText, "", {}, {}};
    if (*length == -1) return ReplyProgress::kComplete;
    const auto size = static_cast<size_t>(*length);
    if (rest_.size() < size + 2) return ReplyProgress::kIncomplete;
    if (rest_.substr(size, 2) != "\r\n") return ReplyProgress::kMalformed;
    reply.text = rest_.substr(0, size);
    rest_.remove_prefix(size + 2);
    return ReplyProgress::kComplete;
  }

  ReplyProgress ReadArray(std::string_view line, AdminReply& reply, int depth) {
    const auto count = ParseInt64(line);
    if (!count || *count < -1 || *count > kItemsMax || depth == kDepthMax) {
      return ReplyProgress::kMalformed;
    }
    AdminReply array{AdminReply::Kind::kArray, "", {}, {}};
    for (int64_t i = 0; i < *count; ++i) {
      AdminReply item;
      const ReplyProgress progress = Read(item, depth + 1);
      if (progress != ReplyProgress::kComplete) return progress;
      if (item.kind == AdminReply::Kind::kArray) {
        array.items.insert(array.items.end(), item.items.begin(), item.items.end());
      } else {
        array.items.push_back(item.text);
      }
      array.parts.push_back(std::move(item));
    }
    reply = std::move(array);
    return ReplyProgress::kComplete;
  }

  std::string_view rest_;
};

}  // namespace

ReplyProgress ParseAdminReply(std::string_view bytes, AdminReply& reply) {
  return ReplyParser(bytes).Read(reply, 0);
}

std::string EncodeAdminRequest(const std::vector<std::string>& arguments) {
  std::string request = fmt::format("*{}\r\n", arguments.size());
  for (const std::string& argument : arguments) {
    request += fmt::format("${}\r\n{}\r\n", argument.size(), argument);
  }
  return request;
}

}  // namespace mikura::control
