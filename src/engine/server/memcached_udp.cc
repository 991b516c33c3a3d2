// SPDX-License-Identifier: Apache-2.0
#include "engine/server/memcached_udp.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "engine/net/socket.h"
#include "wire/memcached_parser.h"

namespace mikura::engine {
namespace {

constexpr size_t kRequestBytesMax = 64 << 10;
constexpr size_t kReplyBytesMax = 1 << 20;  // a small request must not set off more than that

uint16_t ReadWord(const char* bytes) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[0]) << 8 |
                               static_cast<uint8_t>(bytes[1]));
}
void WriteWord(char* bytes, size_t value) {
  bytes[0] = static_cast<char>(value >> 8);
  bytes[1] = static_cast<char>(value);
}

// Cuts the reply into datagrams. Best effort, as UDP is: a peer that is gone is no error.
void SendReply(int socket, const sockaddr_storage& peer, socklen_t peer_size, uint16_t request_id,
               std::string_view reply) {
  constexpr size_t kBodyMax =
      MemcachedUdpServer::kDatagramBytesMax - MemcachedUdpServer::kHeaderBytes;
  const size_t count = (reply.size() + kBodyMax - 1) / kBodyMax;
  std::array<char, MemcachedUdpServer::kDatagramBytesMax> datagram{};
  for (size_t i = 0; i < count; ++i) {
    const std::string_view body = reply.substr(i * kBodyMax, kBodyMax);
    WriteWord(datagram.data(), request_id);
    WriteWord(datagram.data() + 2, i);
    WriteWord(datagram.data() + 4, count);
    std::memcpy(datagram.data() + MemcachedUdpServer::kHeaderBytes, body.data(), body.size());
    [[maybe_unused]] const ssize_t sent =
        sendto(socket, datagram.data(), MemcachedUdpServer::kHeaderBytes + body.size(), 0,
               reinterpret_cast<const sockaddr*>(&peer), peer_size);
  }
}

}  // namespace

Status MemcachedUdpServer::Start(const std::string& address, int port) {
  const std::string where = fmt::format("{}:{} (UDP)", address, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_PASSIVE;
  if (address == "*") hints.ai_family = AF_INET;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(address == "*" ? nullptr : address.c_str(),
                                std::to_string(port).c_str(), &hints, &list);
  if (error != 0) return Error{fmt::format("cannot listen on {}: {}", where, gai_strerror(error))};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  socket_.Reset(socket(list->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.valid() || bind(socket_.get(), list->ai_addr, list->ai_addrlen) != 0) {
    return Error{fmt::format("cannot listen on {}: {}", where, std::strerror(errno))};
  }
  stop_.Reset(eventfd(0, EFD_CLOEXEC));
  thread_ = std::thread([this] { Run(); });
  return Ok();
}

void MemcachedUdpServer::Stop() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_.get(), 1);
  thread_.join();
  socket_.Reset();
}

std::string MemcachedUdpServer::address() const {
  return socket_.valid() ? LocalAddress(socket_.get()) : std::string();
}

void MemcachedUdpServer::Run() {
  const std::unique_ptr<char[]> datagram(new char[kRequestBytesMax]);
  pollfd waiting[] = {{socket_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (true) {
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if ((waiting[1].revents & POLLIN) != 0) return;
    sockaddr_storage peer{};
    socklen_t peer_size = sizeof(peer);
    const ssize_t received = recvfrom(socket_.get(), datagram.get(), kRequestBytesMax, 0,
                                      reinterpret_cast<sockaddr*>(&peer), &peer_size);
    if (received <= static_cast<ssize_t>(kHeaderBytes)) continue;
    const std::string_view bytes(datagram.get(), static_cast<size_t>(received));
    reply_.Clear();
    if (ReadWord(bytes.data() + 4) != 1) {
      reply_.Append("SERVER_ERROR multi-packet request not supported\r\n");
    } else if (backend_.holds_replies()) {
      reply_.Append("SERVER_ERROR not over UDP while replies wait until they are durable\r\n");
    } else {
      Answer(bytes.substr(kHeaderBytes));
      deliveries_.WakePosted();
    }
    SendReply(socket_.get(), peer, peer_size, ReadWord(bytes.data()), reply_.view());
  }
}

void MemcachedUdpServer::Answer(std::string_view body) {
  wire::MemcachedParser parser(
      backend_.ParserOptions());  // each datagram begins anew, as text or binary
  ClientState client;             // a datagram says itself who sends it
  wire::MemcachedRequest request;
  bool close = false;
  std::unique_ptr<OutputSource> source;
  while (!body.empty() && !close) {
    size_t consumed = 0;
    if (parser.Parse(body, &request, &consumed) != wire::MemcachedParseStatus::kComplete) return;
    body.remove_prefix(consumed);
    MemcachedConnectionAccess connection{close, source, 0, socket_.get(), reply_.size() > 0};
    const Key key = keyspace_.hasher()(request.key);
    backend_.Run(request, request.has_key() ? &key : nullptr, client, connection,
                 clock_.NowMillis(), effects_, reply_);
    if (source != nullptr || reply_.size() > kReplyBytesMax) {
      source.reset();
      reply_.Clear();
      return reply_.Append("SERVER_ERROR the reply is too large for UDP\r\n");
    }
  }
}

}  // namespace mikura::engine
