// SPDX-License-Identifier: Apache-2.0
// Drives a server: connections that each send a batch and wait for all its replies.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "bench/command_requests.h"
#include "bench/histogram.h"
#include "bench/protocol.h"

namespace mikura::bench {

struct LoadOptions {
  std::string host = "127.0.0.1";  // an IPv4 address
  uint16_t port = 6379;
  Shape shape;
  std::string command;     // a name of CommandForm instead of gets and sets; RESP only
  uint32_t elements = 20;  // of each key that a command's filling makes
  uint32_t threads = 1;
  uint32_t connections = 50;  // over all threads; at least one each
  uint32_t pipeline = 1;      // requests of one batch
  uint64_t keys = 1'000'000;
  double set_share = 0;  // 0: only gets, 1: only sets
  // Requests offered per second, over all connections; 0: as fast as replies come. With a rate,
  // each batch has a due time whether or not the last one was answered, and its latency counts from
  // there.
  double rate = 0;
  double warm_up_seconds = 0.3;
  double seconds = 3;
  bool fill = false;           // store every key once, in order, instead of running for `seconds`
  uint32_t verify_every = 64;  // hold the value of each n-th hit against its key; 0: of none
  int server_pid = 0;          // measure this process' CPU; 0: of none
};

struct LoadResult {
  uint64_t requests = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t stored = 0;
  uint64_t errors = 0;    // error replies
  uint64_t verified = 0;  // hits whose contents were compared
  uint64_t wrong = 0;     // of those, the ones with other contents
  std::string first_error;
  double seconds = 0;              // the longest window of a thread
  double requests_per_second = 0;  // summed over the threads
  double client_cpu_seconds = 0;
  double server_cpu_seconds = 0;  // in the first thread's window
  Histogram latency;  // nanoseconds, from a batch's send (or due time) to its last reply
};

// Runs the load to its end. Blocks; opens options.connections sockets and starts options.threads
// threads.
// Errors: cannot connect, the server closed a connection, or gave no reply for ten seconds.
Result<LoadResult> RunLoad(const LoadOptions& options);

}  // namespace mikura::bench
