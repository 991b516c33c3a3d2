// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/redis_peer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

namespace mikura::engine::scripting {
namespace {

constexpr char kProgram[] = "/usr/bin/redis-server";

int Connect(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

std::unique_ptr<RedisPeer> RedisPeer::Start() {
  if (access(kProgram, X_OK) != 0) return nullptr;
  char folder[] = "/tmp/mikura_peer_XXXXXX";
  if (mkdtemp(folder) == nullptr) return nullptr;
  std::unique_ptr<RedisPeer> peer(new RedisPeer);
  peer->folder_ = folder;
  peer->socket_path_ = peer->folder_ + "/socket";
  peer->pid_ = fork();
  if (peer->pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is ended leaves nothing behind
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    execl(kProgram, kProgram, "--port", "0", "--unixsocket", peer->socket_path_.c_str(), "--save",
          "", "--appendonly", "no", "--dir", folder, static_cast<char*>(nullptr));
    _exit(127);
  }
  for (int i = 0; i < 500; ++i) {
    const int fd = Connect(peer->socket_path_);
    if (fd >= 0) {
      close(fd);
      return peer;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return nullptr;
}

RedisPeer::~RedisPeer() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

PeerClient::PeerClient(const std::string& socket_path) : fd_(Connect(socket_path)) {}

PeerClient::~PeerClient() { close(fd_); }

void PeerClient::UseResp(int version) {
  if (version == version_) return;
  version_ = version;
  Ask({"HELLO", version == 3 ? "3" : "2"});
}

std::string PeerClient::Ask(std::span<const std::string_view> words) {
  std::string request = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) {
    request += fmt::format("${}\r\n", word.size());
    request += word;
    request += "\r\n";
  }
  for (size_t sent = 0; sent < request.size();) {
    const ssize_t bytes = send(fd_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (bytes <= 0) return {};
    sent += static_cast<size_t>(bytes);
  }
  input_.clear();
  size_t end = std::string::npos;
  while ((end = EndOfReply(0)) == std::string::npos) {
    if (!Receive()) return {};
  }
  return input_.substr(0, end);
}

bool PeerClient::Receive() {
  char bytes[65536];
  const ssize_t size = recv(fd_, bytes, sizeof(bytes), 0);
  if (size <= 0) return false;
  input_.append(bytes, static_cast<size_t>(size));
  return true;
}

size_t PeerClient::EndOfReply(size_t at) const {
  size_t open = 1;  // replies that are still to come, without recursion: they may be deep
  while (open > 0) {
    const size_t line_end = input_.find("\r\n", at);
    if (line_end == std::string::npos) return line_end;
    const char kind = input_[at];
    const long long count = std::atoll(input_.c_str() + at + 1);
    at = line_end + 2;
    --open;
    if ((kind == '$' || kind == '=') && count >= 0) {
      at += static_cast<size_t>(count) + 2;
      if (at > input_.size()) return std::string::npos;
    } else if ((kind == '*' || kind == '~' || kind == '>') && count > 0) {
      open += static_cast<size_t>(count);
    } else if (kind == '%' && count > 0) {
      open += 2 * static_cast<size_t>(count);
    }
  }
  return at;
}

}  // namespace mikura::engine::scripting
