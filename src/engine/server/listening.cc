// SPDX-License-Identifier: Apache-2.0
#include "engine/server/listening.h"

#include <sstream>

#include "base/logging.h"
#include "engine/net/socket.h"

namespace mikura::engine {
namespace {

std::shared_ptr<Listener> Make(UniqueFd fd, Protocol protocol, bool is_tls = false) {
  auto listener = std::make_shared<Listener>();
  listener->fd = std::move(fd);
  listener->protocol = protocol;
  listener->is_tls = is_tls;
  return listener;
}

Status OpenPort(const wire::EngineParameters& parameters, int64_t port, Protocol protocol,
                bool is_tls, std::vector<std::shared_ptr<Listener>>& listeners) {
  if (port == 0) return Ok();
  std::istringstream words(parameters.bind);
  std::string word;
  size_t opened = 0;
  while (words >> word) {
    const bool optional = word.starts_with('-');
    if (optional) word.erase(0, 1);
    if (word == "::*") word = "::";
    auto fd = ListenTcp(word, static_cast<int>(port), static_cast<int>(parameters.tcp_backlog));
    if (fd.ok()) {
      listeners.push_back(Make(std::move(fd).value(), protocol, is_tls));
      ++opened;
    } else if (!optional) {
      return std::move(fd).error();
    } else {
      Log(LogLevel::kNotice, "server", "{}; going on without it", fd.error().message);
    }
  }
  if (opened == 0) return Error{fmt::format("no address of bind can be used for port {}", port)};
  return Ok();
}

}  // namespace

Result<std::vector<std::shared_ptr<Listener>>> OpenListeners(
    const wire::EngineParameters& parameters) {
  std::vector<std::shared_ptr<Listener>> listeners;
  RETURN_IF_ERROR(OpenPort(parameters, parameters.port, Protocol::kResp, false, listeners));
  RETURN_IF_ERROR(OpenPort(parameters, parameters.tls_port, Protocol::kResp, true, listeners));
  RETURN_IF_ERROR(
      OpenPort(parameters, parameters.memcached_port, Protocol::kMemcached, false, listeners));
  RETURN_IF_ERROR(
      OpenPort(parameters, parameters.memcached_tls_port, Protocol::kMemcached, true, listeners));
  if (!parameters.unixsocket.empty()) {
    ASSIGN_OR_RETURN(UniqueFd fd, ListenUnix(parameters.unixsocket, 0700));
    listeners.push_back(Make(std::move(fd), Protocol::kResp));
  }
  return listeners;
}

Result<std::shared_ptr<Listener>> OpenMemcachedSocket(const std::string& path, unsigned mode) {
  ASSIGN_OR_RETURN(UniqueFd fd, ListenUnix(path, mode));
  return Make(std::move(fd), Protocol::kMemcached);
}

Result<std::shared_ptr<Listener>> OpenMemcachedAnyPort(const std::string& address, int backlog) {
  ASSIGN_OR_RETURN(UniqueFd fd, ListenTcp(address, 0, backlog));
  return Make(std::move(fd), Protocol::kMemcached);
}

bool IsLocalAddress(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("[::1]:") || address.starts_with("/");
}

}  // namespace mikura::engine
