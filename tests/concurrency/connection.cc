// SPDX-License-Identifier: Apache-2.0
#include "tests/concurrency/connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdlib>

namespace mikura::concurrency {

namespace {

void Encode(const Words& words, std::string& out) {
  out += fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) out += fmt::format("${}\r\n{}\r\n", word.size(), word);
}

bool HasParts(char kind) { return kind == '*' || kind == '~' || kind == '%' || kind == '>'; }

}  // namespace

Connection::Connection(const std::string& host, int port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  const timeval patience{.tv_sec = kPatience.count()};
  const int on = 1;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1 ||
      ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    Close();
  }
}

std::optional<Reply> Connection::Call(const Words& words) {
  if (!Send(words)) return std::nullopt;
  return Read();
}

bool Connection::Send(const Words& words) {
  std::string bytes;
  Encode(words, bytes);
  return SendBytes(bytes);
}

bool Connection::Send(const std::vector<Words>& requests) {
  std::string bytes;
  for (const Words& words : requests) Encode(words, bytes);
  return SendBytes(bytes);
}

bool Connection::SendBytes(const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size() && is_open()) {
    const ssize_t now =
        ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) {
      Close();
      return false;
    }
    sent += static_cast<size_t>(now);
  }
  return is_open();
}

void Connection::FinishSending() { ::shutdown(socket_.get(), SHUT_WR); }

std::optional<Reply> Connection::Read() {
  while (true) {
    std::optional<Reply> reply = ReadOne();
    if (!reply || reply->kind != '>') return reply;
    pushes_.push_back(std::move(*reply));
  }
}

std::optional<Reply> Connection::ReadOne() {
  std::string line;
  if (!ReadLine(line) || line.empty()) return std::nullopt;
  Reply reply{.kind = line[0], .text = line.substr(1)};
  if (reply.text == "-1" && (reply.kind == '$' || reply.kind == '*')) return Reply{};
  if (reply.kind == '$' || reply.kind == '=') {
    std::string bytes;
    const size_t length = std::strtoull(reply.text.c_str(), nullptr, 10);
    if (!ReadBytes(length + 2, bytes)) return std::nullopt;
    reply.kind = '$';
    reply.text = bytes.substr(0, length);
  } else if (HasParts(reply.kind)) {
    size_t count = std::strtoull(reply.text.c_str(), nullptr, 10);
    if (reply.kind == '%') count *= 2;
    reply.kind = reply.kind == '>' ? '>' : '*';
    reply.text.clear();
    for (size_t i = 0; i < count; ++i) {
      std::optional<Reply> part = ReadOne();
      if (!part) return std::nullopt;
      reply.parts.push_back(std::move(*part));
    }
  } else if (reply.kind == '_') {
    reply.text.clear();
  }
  return reply;
}

bool Connection::ReadLine(std::string& line) {
  while (true) {
    const size_t end = input_.find("\r\n", at_);
    if (end != std::string::npos) {
      line = input_.substr(at_, end - at_);
      at_ = end + 2;
      return true;
    }
    if (!Receive()) return false;
  }
}

bool Connection::ReadBytes(size_t count, std::string& bytes) {
  while (input_.size() - at_ < count) {
    if (!Receive()) return false;
  }
  bytes = input_.substr(at_, count);
  at_ += count;
  return true;
}

bool Connection::Receive() {
  if (!is_open()) return false;
  input_.erase(0, at_);
  at_ = 0;
  char buffer[16384];
  ssize_t count = -1;
  do {
    count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
  } while (count < 0 && errno == EINTR);
  if (count <= 0) {
    Close();
    return false;
  }
  input_.append(buffer, static_cast<size_t>(count));
  return true;
}

}  // namespace mikura::concurrency
