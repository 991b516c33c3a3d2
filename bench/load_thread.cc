// SPDX-License-Identifier: Apache-2.0
#include "bench/load_thread.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mikura::bench {
namespace {

constexpr MonotonicNanos kSecond = 1'000'000'000;
constexpr MonotonicNanos kSilenceMax = 10 * kSecond;
constexpr MonotonicNanos kWaitMax = kSecond / 10;
constexpr size_t kEventsMax = 256;

Error SystemError(std::string_view what) {
  return Error{fmt::format("{}: {}", what, std::strerror(errno))};
}

uint64_t ThreadCpuNanos() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

LoadThread::LoadThread(const LoadOptions& options, const RequestWriter& writer,
                       const CommandWriter* command, uint32_t index, uint32_t connections,
                       uint64_t first_key, uint64_t last_key)
    : options_(options),
      writer_(writer),
      command_(command),
      index_(index),
      next_key_(first_key),
      last_key_(last_key),
      random_state_(0x9E3779B97F4A7C15ULL * (index + 1) + static_cast<uint64_t>(Now())),
      connections_(connections) {
  if (options.rate > 0 && !options.fill) {
    due_gap_ =
        static_cast<MonotonicNanos>(1e9 * options.pipeline * options.connections / options.rate);
  }
}

LoadThread::~LoadThread() {
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) close(connection.fd);
  }
  if (epoll_ >= 0) close(epoll_);
}

Status LoadThread::Connect() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return SystemError("epoll");
  for (Connection& connection : connections_) RETURN_IF_ERROR(Open(connection));
  return Ok();
}

Status LoadThread::Open(Connection& connection) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  if (inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1) {
    return Error{options_.host + " is no IPv4 address"};
  }
  connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) return SystemError("socket");
  // Connected while blocking, then switched: the load begins with all connections open.
  if (connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemError(fmt::format("connect to {}:{}", options_.host, options_.port));
  }
  const int on = 1;
  setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  size_t request_bytes = std::max(writer_.get_bytes(), writer_.set_bytes());
  size_t reply_bytes = writer_.HitReply(0).size() + 64;
  if (command_ != nullptr) {
    request_bytes = options_.fill ? command_->fill_bytes() : command_->request_bytes();
    reply_bytes = command_->reply_bytes_max();
  }
  connection.out.resize(options_.pipeline * request_bytes);
  connection.in.resize(65536 + options_.pipeline * reply_bytes);
  connection.batch.reserve(options_.pipeline);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = &connection;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) return SystemError("epoll");
  return Ok();
}

Status LoadThread::StartBatch(Connection& connection, MonotonicNanos started) {
  connection.batch.clear();
  connection.answered = 0;
  char* out = connection.out.data();
  for (uint32_t i = 0; i < options_.pipeline; ++i) {
    if (options_.fill && next_key_ >= last_key_) break;
    const Pending request = NextRequest();
    out = Write(request, out);
    connection.batch.push_back(request);
  }
  connection.out_begin = 0;
  connection.out_end = static_cast<size_t>(out - connection.out.data());
  connection.started = started;
  return Flush(connection);
}

LoadThread::Pending LoadThread::NextRequest() {
  if (options_.fill) return {next_key_++, true};
  Pending request;
  request.key = Random() % options_.keys;
  request.is_set = options_.set_share >= 1 ||
                   (options_.set_share > 0 &&
                    static_cast<double>(Random() >> 11) * 0x1p-53 < options_.set_share);
  return request;
}

char* LoadThread::Write(const Pending& request, char* out) {
  if (command_ != nullptr) {
    return options_.fill ? command_->Fill(request.key, out)
                         : command_->Request(request.key, Random(), out);
  }
  return request.is_set ? writer_.Set(request.key, out) : writer_.Get(request.key, out);
}

Status LoadThread::Flush(Connection& connection) {
  while (connection.out_begin < connection.out_end) {
    const ssize_t sent =
        send(connection.fd, connection.out.data() + connection.out_begin,
             connection.out_end - connection.out_begin, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EAGAIN) return Ok();
      return SystemError("send");
    }
    connection.out_begin += static_cast<size_t>(sent);
  }
  return Ok();
}

Status LoadThread::Receive(Connection& connection) {
  for (;;) {
    const size_t room = connection.in.size() - connection.in_end;
    if (room == 0) return Error{"a reply is longer than any right one"};
    const ssize_t received =
        recv(connection.fd, connection.in.data() + connection.in_end, room, MSG_DONTWAIT);
    if (received == 0) return Error{"the server closed a connection"};
    if (received < 0) {
      if (errno == EAGAIN) return Ok();
      return SystemError("receive");
    }
    connection.in_end += static_cast<size_t>(received);
    RETURN_IF_ERROR(TakeReplies(connection));
    // Edge-triggered: less than asked for means that all has been read.
    if (static_cast<size_t>(received) < room) return Ok();
  }
}

Status LoadThread::TakeReplies(Connection& connection) {
  size_t begin = 0;
  const bool was_waiting = connection.waiting();
  while (connection.waiting()) {
    const std::string_view input(connection.in.data() + begin, connection.in_end - begin);
    const Reply reply = command_ != nullptr ? command_->ReadReply(input, options_.fill)
                                            : ReadReply(options_.shape.protocol, input);
    if (reply.kind == ReplyKind::kIncomplete) break;
    Count(connection.batch[connection.answered], reply);
    begin += reply.bytes;
    ++connection.answered;
  }
  connection.in_end -= begin;
  if (begin > 0 && connection.in_end > 0) {
    std::memmove(connection.in.data(), connection.in.data() + begin, connection.in_end);
  }
  if (!connection.waiting() && connection.in_end > 0) return Error{"bytes that nobody asked for"};
  if (!was_waiting || connection.waiting()) return Ok();

  last_reply_ = Now();
  result_.latency.Add(static_cast<uint64_t>(last_reply_ - connection.started),
                      connection.batch.size());
  if (due_gap_ == 0) RETURN_IF_ERROR(StartBatch(connection, last_reply_));
  if (!connection.waiting()) --active_;
  return Ok();
}

void LoadThread::Count(const Pending& request, const Reply& reply) {
  ++result_.requests;
  if (!Fits(request, reply.kind)) {
    ++result_.errors;
    if (result_.first_error.empty()) result_.first_error = std::string(reply.value);
    return;
  }
  if (reply.kind == ReplyKind::kStored) ++result_.stored;
  if (reply.kind == ReplyKind::kMiss) ++result_.misses;
  if (reply.kind != ReplyKind::kHit) return;
  ++result_.hits;
  if (command_ != nullptr) return;  // ReadReply() has held each reply against the right one
  if (options_.verify_every == 0 || ++hits_until_check_ < options_.verify_every) return;
  hits_until_check_ = 0;
  ++result_.verified;
  if (!writer_.IsValueOf(request.key, reply.value)) ++result_.wrong;
}

bool LoadThread::Fits(const Pending& request, ReplyKind kind) const {
  if (request.is_set && command_ == nullptr) return kind == ReplyKind::kStored;
  return kind == ReplyKind::kHit || kind == ReplyKind::kMiss;
}

Status LoadThread::StartDueBatches() {
  const MonotonicNanos now = Now();
  for (Connection& connection : connections_) {
    if (connection.waiting() || now < connection.due) continue;
    const MonotonicNanos due = connection.due;
    connection.due += due_gap_;
    ++active_;
    RETURN_IF_ERROR(StartBatch(connection, due));
  }
  return Ok();
}

Status LoadThread::WaitAndReceive() {
  MonotonicNanos wait = kWaitMax;
  if (due_gap_ > 0) {
    // Sleeps to the next due time instead of spinning: the core is free for the server's helpers.
    const MonotonicNanos now = Now();
    for (const Connection& connection : connections_) {
      if (!connection.waiting()) wait = std::min(wait, std::max<int64_t>(0, connection.due - now));
    }
  }
  const timespec timeout{wait / kSecond, wait % kSecond};
  epoll_event events[kEventsMax];
  const int ready = epoll_pwait2(epoll_, events, kEventsMax, &timeout, nullptr);
  if (ready < 0 && errno != EINTR) return SystemError("epoll");
  for (int i = 0; i < ready; ++i) {
    Connection& connection = *static_cast<Connection*>(events[i].data.ptr);
    if ((events[i].events & EPOLLOUT) != 0) RETURN_IF_ERROR(Flush(connection));
    if ((events[i].events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) {
      RETURN_IF_ERROR(Receive(connection));
    }
  }
  return Ok();
}

Status LoadThread::Run() {
  const MonotonicNanos start = Now();
  const auto warm_up = static_cast<MonotonicNanos>(options_.warm_up_seconds * 1e9);
  const auto length = static_cast<MonotonicNanos>(options_.seconds * 1e9);
  last_reply_ = start;
  BeginWindow();
  MonotonicNanos spread = 0;
  for (Connection& connection : connections_) {
    connection.due = start + spread;
    spread += due_gap_ / static_cast<MonotonicNanos>(connections_.size());
    if (due_gap_ > 0) continue;
    RETURN_IF_ERROR(StartBatch(connection, start));
    if (connection.waiting()) ++active_;
  }
  bool warm = options_.fill;
  for (;;) {
    const MonotonicNanos now = Now();
    if (!warm && now >= start + warm_up) {
      warm = true;
      BeginWindow();
    }
    if (options_.fill ? active_ == 0 : now >= start + warm_up + length) break;
    if (active_ > 0 && now - last_reply_ > kSilenceMax) return Error{"no reply for ten seconds"};
    if (active_ == 0) last_reply_ = now;
    if (due_gap_ > 0) RETURN_IF_ERROR(StartDueBatches());
    RETURN_IF_ERROR(WaitAndReceive());
  }
  EndWindow();
  return Ok();
}

void LoadThread::BeginWindow() {
  result_ = LoadResult();
  window_begin_ = Now();
  client_cpu_begin_ = ThreadCpuNanos();
  if (index_ == 0 && options_.server_pid != 0) {
    server_cpu_.emplace(options_.server_pid);
    server_cpu_begin_ = server_cpu_->Nanos().value_or(0);
  }
}

void LoadThread::EndWindow() {
  if (server_cpu_) {
    const uint64_t cpu = server_cpu_->Nanos().value_or(server_cpu_begin_);
    result_.server_cpu_seconds = static_cast<double>(cpu - server_cpu_begin_) / 1e9;
  }
  result_.client_cpu_seconds = static_cast<double>(ThreadCpuNanos() - client_cpu_begin_) / 1e9;
  result_.seconds = static_cast<double>(Now() - window_begin_) / 1e9;
  result_.requests_per_second = static_cast<double>(result_.requests) / result_.seconds;
}

uint64_t LoadThread::Random() {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return random_state_;
}

}  // namespace mikura::bench
