// SPDX-License-Identifier: Apache-2.0
// floor_server: what the kernel alone costs. An edge-triggered epoll loop with one receive and one
// send per connection and wake-up, which parses nothing: it divides what arrived by the known size
// of a request and sends that many copies of a fixed reply. No server can be cheaper this way.
//
// One look at one byte tells a get from a set; the requests of one batch must be all of one kind.
#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/protocol.h"

namespace mikura::bench {
namespace {

constexpr size_t kInputBytes = 65536;
constexpr uint32_t kBatchMax = 4096;

// One kind of request: how long it is, and as many copies of its reply as a batch may need.
struct Answer {
  size_t request_bytes = 0;
  size_t reply_bytes = 0;
  std::string replies;
};

struct Client {
  bool is_set = false;
  size_t rest = 0;  // bytes of a request that has not wholly arrived
};

class FloorServer {
 public:
  explicit FloorServer(const Shape& shape)
      : kind_at_(shape.protocol == Protocol::kMemcachedText ? 0 : 1),
        set_mark_(shape.protocol == Protocol::kResp              ? '3'
                  : shape.protocol == Protocol::kMemcachedBinary ? '\x01'
                                                                 : 's') {
    const RequestWriter writer(shape);
    get_ = MakeAnswer(writer.get_bytes(), writer.HitReply(0));
    set_ = MakeAnswer(writer.set_bytes(), writer.StoredReply());
  }

  // Serves on 127.0.0.1 until the process is killed; returns only when it cannot begin.
  Error Serve(uint16_t port) {
    const Status ready = Listen(port);
    if (!ready.ok()) return ready.error();
    epoll_event events[256];
    for (;;) {
      const int count = epoll_wait(epoll_, events, 256, -1);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.fd == listener_) {
          AcceptAll();
        } else {
          ReceiveAndSend(events[i].data.fd);
        }
      }
    }
  }

 private:
  static Answer MakeAnswer(size_t request_bytes, const std::string& reply) {
    Answer answer{request_bytes, reply.size(), {}};
    for (uint32_t i = 0; i < kBatchMax; ++i) answer.replies += reply;
    return answer;
  }

  Status Listen(uint16_t port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener_, 512) != 0) {
      return Error{fmt::format("cannot listen on {}: {}", port, std::strerror(errno))};
    }
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    return Watch(listener_, EPOLLIN);
  }

  Status Watch(int fd, uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return Error{"epoll failed"};
    return Ok();
  }

  void AcceptAll() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      if (static_cast<size_t>(fd) >= clients_.size()) clients_.resize(static_cast<size_t>(fd) + 1);
      clients_[static_cast<size_t>(fd)] = Client();
      if (!Watch(fd, EPOLLIN | EPOLLET).ok()) close(fd);
    }
  }

  void ReceiveAndSend(int fd) {
    Client& client = clients_[static_cast<size_t>(fd)];
    for (;;) {
      const ssize_t received = recv(fd, input_, sizeof(input_), 0);
      if (received < 0 && errno == EAGAIN) return;
      if (received <= 0) {
        close(fd);
        return;
      }
      const auto bytes = static_cast<size_t>(received);
      // A request cut before its mark keeps the kind of the batch before: same shape, same kind.
      if (client.rest == 0 && bytes > kind_at_) client.is_set = input_[kind_at_] == set_mark_;
      const Answer& answer = client.is_set ? set_ : get_;
      const size_t requests = (client.rest + bytes) / answer.request_bytes;
      client.rest = (client.rest + bytes) % answer.request_bytes;
      if (requests > kBatchMax) {
        close(fd);
        return;
      }
      if (requests > 0)
        send(fd, answer.replies.data(), requests * answer.reply_bytes, MSG_NOSIGNAL);
      if (bytes < sizeof(input_)) return;  // all has been read
    }
  }

  const size_t kind_at_;
  const char set_mark_;
  Answer get_;
  Answer set_;
  int listener_ = -1;
  int epoll_ = -1;
  std::vector<Client> clients_;  // by descriptor
  char input_[kInputBytes];
};

int Main(int argc, char** argv) {
  uint16_t port = 0;
  std::string protocol = "resp";
  Shape shape;
  CLI::App app("Answers gets and sets of one known size with a fixed reply: the floor of a bench.");
  app.add_option("--port", port)->required();
  app.add_option("--protocol", protocol, "resp; text, meta or mcbin (memcached)");
  app.add_option("--key-bytes", shape.key_bytes)
      ->check(CLI::Range(int{RequestWriter::kKeyBytesMin}, 250));
  app.add_option("--value-bytes", shape.value_bytes)->check(CLI::Range(1, 4096));
  CLI11_PARSE(app, argc, argv);
  const auto known = ParseProtocol(protocol);
  if (!known) {
    fmt::print(stderr, "floor_server: unknown protocol {}\n", protocol);
    return 2;
  }
  shape.protocol = *known;
  auto server = std::make_unique<FloorServer>(shape);
  fmt::print(stderr, "floor_server: {}\n", server->Serve(port).message);
  return 1;
}

}  // namespace
}  // namespace mikura::bench

int main(int argc, char** argv) { return mikura::bench::Main(argc, argv); }
