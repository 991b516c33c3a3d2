// SPDX-License-Identifier: Apache-2.0
// One thread of a load: its own connections, its own epoll, its own counts.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "bench/load.h"
#include "bench/process_cpu.h"

namespace mikura::bench {

class LoadThread {
 public:
  // The thread drives `connections` sockets; when filling, it stores keys [first_key, last_key).
  // command: what is sent instead of gets and sets; null for those.
  LoadThread(const LoadOptions& options, const RequestWriter& writer, const CommandWriter* command,
             uint32_t index, uint32_t connections, uint64_t first_key, uint64_t last_key);
  ~LoadThread();
  LoadThread(const LoadThread&) = delete;
  LoadThread& operator=(const LoadThread&) = delete;

  // Connects all sockets; from the thread that owns the object, like Run().
  Status Connect();
  // Drives them until the window has passed or every key is stored.
  Status Run();

  const LoadResult& result() const { return result_; }

 private:
  struct Pending {
    uint64_t key = 0;
    bool is_set = false;
  };
  struct Connection {
    int fd = -1;
    std::vector<char> out;
    size_t out_begin = 0;
    size_t out_end = 0;
    std::vector<char> in;
    size_t in_end = 0;
    std::vector<Pending> batch;
    size_t answered = 0;         // of batch
    MonotonicNanos started = 0;  // send or due time of the batch
    MonotonicNanos due = 0;      // of the next batch; with a rate only
    bool waiting() const { return answered < batch.size(); }
  };

  Status Open(Connection& connection);
  // Fills and sends the next batch; leaves the batch empty when there is nothing left to store.
  Status StartBatch(Connection& connection, MonotonicNanos started);
  Pending NextRequest();
  char* Write(const Pending& request, char* out);
  Status Flush(Connection& connection);
  Status Receive(Connection& connection);
  // Takes whole replies from the input; starts the next batch when the last one is in.
  Status TakeReplies(Connection& connection);
  void Count(const Pending& request, const Reply& reply);
  bool Fits(const Pending& request, ReplyKind kind) const;
  Status StartDueBatches();
  Status WaitAndReceive();
  void BeginWindow();
  void EndWindow();
  uint64_t Random();
  MonotonicNanos Now() const { return clock_.NowNanos(); }

  const LoadOptions& options_;
  const RequestWriter& writer_;
  const CommandWriter* command_;
  SystemClock clock_;
  uint32_t index_;
  uint64_t next_key_;
  uint64_t last_key_;
  uint64_t random_state_;
  uint32_t hits_until_check_ = 0;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  size_t active_ = 0;           // connections that wait for replies
  MonotonicNanos due_gap_ = 0;  // between two batches of a connection; 0: no rate
  MonotonicNanos window_begin_ = 0;
  MonotonicNanos last_reply_ = 0;
  std::optional<ProcessCpu> server_cpu_;
  uint64_t server_cpu_begin_ = 0;
  uint64_t client_cpu_begin_ = 0;
  LoadResult result_;
};

}  // namespace mikura::bench
