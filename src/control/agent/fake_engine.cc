// SPDX-License-Identifier: Apache-2.0
#include "control/agent/fake_engine.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "control/agent/admin_reply.h"
#include "control/agent/descriptor_passing.h"
#include "control/agent/whole_file.h"
#include "control/model/secret_hash.h"

namespace mikura::control {
namespace {

constexpr long kLogEnd = 70;  // of its data, always

FileDescriptor Tcp(const std::string& host, int port, bool listening) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  const bool done =
      listening ? bind(socket.get(), name, sizeof address) == 0 && listen(socket.get(), 16) == 0
                : connect(socket.get(), name, sizeof address) == 0;
  if (!done) socket.Close();
  return socket;
}

FileDescriptor Unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(listen(socket.get(), 16) == 0);
  return socket;
}

int64_t EndOfCertificate(const std::string& path) {
  FILE* const file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return 0;
  X509* const certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  tm end{};
  if (certificate != nullptr) ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end);
  X509_free(certificate);
  return timegm(&end);
}

}  // namespace

FakeEngine::FakeEngine(const std::string& config_file) {
  sigset_t hangup;
  sigemptyset(&hangup);
  sigaddset(&hangup, SIGHUP);
  sigprocmask(SIG_BLOCK, &hangup, nullptr);
  hangups_ = FileDescriptor(signalfd(-1, &hangup, SFD_CLOEXEC));
  std::ifstream file(config_file);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::string value;
    words >> name;
    std::getline(words >> std::ws, value);
    config_[name] = value;
  }
  // A test asks for a node that dies as it starts by leaving this file in its directory.
  if (std::ifstream(config_["dir"] + "/die-at-start").good()) std::exit(7);
  if (config_.count("aclfile") != 0) {
    users_ = ReadWholeFile(config_["aclfile"]).value().value_or("");
  }
  if (config_.count("replicaof") != 0) {
    std::istringstream words(config_["replicaof"]);
    words >> primary_host_ >> primary_port_;
  }
  const int port = std::stoi(config_["port"] != "0" ? config_["port"] : config_["memcached-port"]);
  port_ = Tcp(config_["bind"], port, true);
  if (!port_.valid()) std::exit(8);
  admin_ = Unix(config_["admin-socket"]);
}

void FakeEngine::Serve() {
  while (true) {
    std::vector<pollfd> waited = {{admin_.get(), POLLIN, 0}, {port_.get(), POLLIN, 0}};
    const size_t hangup = waited.size();
    waited.push_back({hangups_.get(), POLLIN, 0});
    for (const auto& [name, socket] : listeners_) waited.push_back({socket.get(), POLLIN, 0});
    const size_t first_client = waited.size();
    for (const Client& client : clients_) waited.push_back({client.socket.get(), POLLIN, 0});
    poll(waited.data(), waited.size(), -1);
    std::vector<Client> kept;
    for (size_t i = first_client; i < waited.size(); ++i) {
      Client& client = clients_[i - first_client];
      if (waited[i].revents == 0 || Read(client)) kept.push_back(std::move(client));
    }
    clients_ = std::move(kept);
    if (waited[hangup].revents != 0) OpenLog();
    for (size_t i = 0; i < first_client; ++i) {
      if (i != hangup && waited[i].revents != 0) Accept(waited[i].fd);
    }
  }
}

void FakeEngine::OpenLog() {
  signalfd_siginfo info{};
  if (read(hangups_.get(), &info, sizeof info) != sizeof info) return;
  // Its tests write what it logs.
  std::ofstream(config_["logfile"], std::ios::app).flush();
}

void FakeEngine::Accept(int listener) {
  FileDescriptor socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket.valid()) return;
  if (listener == admin_.get()) {
    clients_.push_back({std::move(socket), "", {}});
    return;
  }
  const std::string name = config_["node-id"] + "\n";
  send(socket.get(), name.data(), name.size(), MSG_NOSIGNAL);
}

bool FakeEngine::Read(Client& client) {
  if (ReceiveWithDescriptor(client.socket.get(), client.input, client.passed) <= 0) return false;
  AdminReply request;
  if (ParseAdminReply(client.input, request) == ReplyProgress::kComplete) {
    client.input.clear();
    Answer(client, request.items);
  }
  return true;
}

void FakeEngine::Answer(Client& client, const std::vector<std::string>& arguments) {
  std::string answer = "-ERR unknown command\r\n";
  if (arguments[0] == "PING") answer = "+PONG\r\n";
  if (arguments[0] == "INFO") answer = fmt::format("${}\r\n{}\r\n", Info().size(), Info());
  if (arguments[0] == "SLOWLOG") answer = SlowLog(arguments);
  if (arguments[0] == "SHUTDOWN") std::exit(0);
  if (arguments[0] == "CONFIG") answer = Config(arguments);
  if (arguments[0] != "MIKURA") {
    send(client.socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    return;
  }
  answer = Mikura(client, arguments);
  const auto listener = arguments.size() > 2 ? listeners_.find(arguments[2]) : listeners_.end();
  const bool passes = arguments[1] == "LISTENER" && listener != listeners_.end();
  SendWithDescriptor(client.socket.get(), answer, passes ? listener->second.get() : -1);
}

std::string FakeEngine::Config(const std::vector<std::string>& arguments) {
  if (arguments[1] == "SET") {
    for (size_t i = 2; i + 1 < arguments.size(); i += 2) config_[arguments[i]] = arguments[i + 1];
    return "+OK\r\n";
  }
  std::string answer = fmt::format("*{}\r\n", 2 * (arguments.size() - 2));
  for (size_t i = 2; i < arguments.size(); ++i) {
    const std::string& value = config_[arguments[i]];
    answer += fmt::format("${}\r\n{}\r\n${}\r\n{}\r\n", arguments[i].size(), arguments[i],
                          value.size(), value);
  }
  return answer;
}

std::string FakeEngine::Mikura(Client& client, const std::vector<std::string>& arguments) {
  const std::string& verb = arguments[1];
  if (verb == "NODE") {
    return fmt::format("${}\r\n{}\r\n", config_["node-id"].size(), config_["node-id"]);
  }
  if (verb == "HOLD") return fmt::format(":{}\r\n", kLogEnd);
  if (verb == "USERS") {
    users_ = arguments[2];
    return "+OK\r\n";
  }
  if (verb == "ACCESS") {
    const std::string mode = config_.count("port-tls") != 0 ? config_["port-tls"] : "off";
    const std::string hash = HashSecret(users_);
    const std::string end = std::to_string(EndOfCertificate(config_["tls-cert-file"]));
    return fmt::format("*3\r\n${}\r\n{}\r\n${}\r\n{}\r\n${}\r\n{}\r\n", hash.size(), hash,
                       mode.size(), mode, end.size(), end);
  }
  if (verb == "PROMOTE" || verb == "FOLLOW" || verb == "STEPDOWN") {
    const long epoch = std::stol(arguments[2]);
    if (epoch < epoch_) return "-STALEEPOCH a newer one was seen\r\n";
    const bool follows = verb != "PROMOTE";
    if (verb == "STEPDOWN" && std::stol(arguments[5]) != kLogEnd) return "-ERR it goes on\r\n";
    epoch_ = epoch;
    primary_host_ = follows ? arguments[3] : "";
    primary_port_ = follows ? std::stoi(arguments[4]) : 0;
    return "+OK\r\n";
  }
  if (verb == "LISTEN") {
    listeners_[arguments[2]] = std::move(client.passed);
    return "+OK\r\n";
  }
  if (verb == "UNLISTEN") {
    listeners_.erase(arguments[2]);
    return "+OK\r\n";
  }
  if (verb == "LISTENERS") {
    std::string names = fmt::format("*{}\r\n", listeners_.size());
    for (const auto& [name, socket] : listeners_) {
      names += fmt::format("${}\r\n{}\r\n", name.size(), name);
    }
    return names;
  }
  if (verb == "SNAPSHOT") {
    snapshot_ = arguments[2];
    // A test asks for one that fails by leaving this file in its directory.
    const bool fails = std::ifstream(config_["dir"] + "/fail-snapshot").good();
    if (!fails) std::ofstream(snapshot_) << config_["node-id"];
    snapshot_state_ = fails ? "failed" : "done";
    return "+OK\r\n";
  }
  if (verb == "SNAPSHOTSTATUS") {
    return fmt::format("*3\r\n${}\r\n{}\r\n${}\r\n{}\r\n$4\r\nfull\r\n", snapshot_state_.size(),
                       snapshot_state_, snapshot_.size(), snapshot_);
  }
  if (verb == "LISTENER" && listeners_.count(arguments[2]) == 0) {
    return "-ERR no such listener\r\n";
  }
  return "+OK\r\n";
}

// A test writes the ids of the entries, oldest first, to this file in the node's directory.
std::string FakeEngine::SlowLog(const std::vector<std::string>& arguments) {
  std::ifstream file(config_["dir"] + "/slow-ids");
  std::vector<std::string> ids;
  for (std::string id; file >> id;) ids.insert(ids.begin(), id);
  const long count = std::stol(arguments[2]);
  if (count >= 0 && ids.size() > static_cast<size_t>(count)) ids.resize(static_cast<size_t>(count));
  std::string answer = fmt::format("*{}\r\n", ids.size());
  for (const std::string& id : ids) {
    answer += fmt::format("*6\r\n:{}\r\n:1605631822\r\n:30\r\n*1\r\n$4\r\nPING\r\n", id);
    answer += "$8\r\n10.0.0.1\r\n$0\r\n\r\n";
  }
  return answer;
}

std::string FakeEngine::Info() const {
  const std::string run = fmt::format("# Server\r\nrun_id:{}\r\n", getpid());
  if (primary_host_.empty()) return run + "role:master\r\nmaster_repl_offset:0\r\n";
  return run + fmt::format(
                   "role:slave\r\nmaster_host:{}\r\nmaster_port:{}\r\nmaster_link_status:{}\r\n"
                   "master_sync_in_progress:0\r\nslave_repl_offset:0\r\n",
                   primary_host_, primary_port_, ReachesPrimary() ? "up" : "down");
}

bool FakeEngine::ReachesPrimary() const { return Tcp(primary_host_, primary_port_, false).valid(); }

}  // namespace mikura::control
