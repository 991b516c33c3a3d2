// SPDX-License-Identifier: Apache-2.0
// A redis-server of its own for one test program, and clients of it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mikura::engine::scripting {

class RedisPeer {
 public:
  // Null when there is no redis-server on this machine.
  static std::unique_ptr<RedisPeer> Start();
  ~RedisPeer();
  RedisPeer(const RedisPeer&) = delete;
  RedisPeer& operator=(const RedisPeer&) = delete;

  const std::string& socket_path() const { return socket_path_; }

 private:
  RedisPeer() = default;

  pid_t pid_ = -1;
  std::string folder_;
  std::string socket_path_;
};

class PeerClient {
 public:
  explicit PeerClient(const std::string& socket_path);
  ~PeerClient();
  PeerClient(const PeerClient&) = delete;
  PeerClient& operator=(const PeerClient&) = delete;

  // The bytes of the one reply; empty when the connection is lost.
  std::string Ask(std::span<const std::string_view> words);
  std::string Ask(std::initializer_list<std::string_view> words) {
    return Ask(std::span(words.begin(), words.size()));
  }
  // HELLO, when the version is another one.
  void UseResp(int version);

 private:
  bool Receive();
  // The end of the reply that begins at `at`, or npos when bytes are missing.
  size_t EndOfReply(size_t at) const;

  int fd_ = -1;
  int version_ = 2;
  std::string input_;
};

}  // namespace mikura::engine::scripting
