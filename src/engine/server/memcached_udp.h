// SPDX-License-Identifier: Apache-2.0
// Memcached's protocols over UDP (memcached -U), off unless asked for. One thread of its own:
// UDP is rare, and event loops stay as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/keyspace/effects.h"
#include "engine/messaging/delivery_queues.h"
#include "engine/server/memcached_backend.h"
#include "wire/output_buffer.h"

namespace mikura::engine {

class MemcachedUdpServer {
 public:
  // A datagram holds 8 bytes of header (request id, number of this datagram, how many there are, 0;
  // each 2 bytes, network order) and what follows.
  static constexpr size_t kHeaderBytes = 8;
  static constexpr size_t kDatagramBytesMax = 1400;  // of a reply, as memcached

  MemcachedUdpServer(Keyspace& keyspace, MemcachedBackend& backend, DeliveryQueues& deliveries,
                     const Clock& clock)
      : keyspace_(keyspace), backend_(backend), deliveries_(deliveries), clock_(clock) {}
  ~MemcachedUdpServer() { Stop(); }

  // Opens the port on an address ("*": all of IPv4) and serves it. Errors name the address.
  Status Start(const std::string& address, int port);
  void Stop();
  // "127.0.0.1:11211"; empty when nothing is served.
  std::string address() const;
  int fd() const { return socket_.get(); }

 private:
  void Run();
  // The text that answers one request datagram's body.
  void Answer(std::string_view body);

  Keyspace& keyspace_;
  MemcachedBackend& backend_;
  DeliveryQueues& deliveries_;
  const Clock& clock_;
  UniqueFd socket_;
  UniqueFd stop_;
  std::thread thread_;
  // Of the thread.
  Effects effects_;
  wire::OutputBuffer reply_;
};

}  // namespace mikura::engine
