// SPDX-License-Identifier: Apache-2.0
// A stand-in for an engine in the agent's tests: a process that speaks the admin socket, and tells
// every client that connects which node it is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/agent/file_descriptor.h"

namespace mikura::control {

class FakeEngine {
 public:
  // Reads the config file and opens its sockets; exits the process when it cannot.
  explicit FakeEngine(const std::string& config_file);

  // Serves until it is shut down.
  [[noreturn]] void Serve();

 private:
  struct Client {
    FileDescriptor socket;
    std::string input;
    FileDescriptor passed;
  };

  void Accept(int listener);
  // Returns false when the client is gone.
  bool Read(Client& client);
  void Answer(Client& client, const std::vector<std::string>& arguments);
  std::string Config(const std::vector<std::string>& arguments);
  std::string Mikura(Client& client, const std::vector<std::string>& arguments);
  std::string SlowLog(const std::vector<std::string>& arguments);
  std::string Info() const;
  bool ReachesPrimary() const;

  // As the engine: opens its log file again.
  void OpenLog();

  std::map<std::string, std::string> config_;
  FileDescriptor hangups_;  // a signalfd
  FileDescriptor admin_;
  FileDescriptor port_;
  std::vector<Client> clients_;
  std::map<std::string, FileDescriptor> listeners_;
  std::string users_;     // text of the ACL file
  std::string snapshot_;  // the path of the latest that was asked for
  std::string snapshot_state_ = "none";
  long epoch_ = 0;
  std::string primary_host_;  // empty: it is a primary
  int primary_port_ = 0;
};

}  // namespace mikura::control
