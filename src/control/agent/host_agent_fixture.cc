// SPDX-License-Identifier: Apache-2.0
#include "control/agent/host_agent_fixture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/check.h"
#include "control/agent/whole_file.h"

namespace mikura::control {

using std::chrono_literals::operator""ms;

HostAgentFixture::HostAgentFixture() {
  data_dir_ = ::testing::TempDir() + "mikura-agent-XXXXXX";
  CHECK(mkdtemp(data_dir_.data()) != nullptr);
  address_ = fmt::format("127.{}.{}.1", 50 + getpid() % 30, getpid() / 30 % 250 + 1);
}

HostAgentFixture::~HostAgentFixture() {
  if (agent_ != nullptr) agent_->StopAll();
  agent_.reset();
  std::filesystem::remove_all(data_dir_);
}

AgentTimings HostAgentFixture::Timings() {
  AgentTimings timings;
  timings.settle_interval = 5ms;
  timings.log_interval = 5ms;
  return timings;
}

void HostAgentFixture::Open(const AgentTimings& timings) {
  agent_.reset();
  HostAgentOptions options{data_dir_, FAKE_ENGINE, {}};
  options.timings = timings;
  agent_ = HostAgent::Open(options).value();
}

void HostAgentFixture::Start() {
  ASSERT_TRUE(agent_->Start({.id = "a", .endpoint = {address_, 6379}, .memory_bytes = 1}).ok());
  Await([&] { return agent_->Observe("a").answering; });
}

void HostAgentFixture::StopNode() {
  agent_->Stop("a");
  Await([&] { return agent_->Observe("a").Gone(); });
}

void HostAgentFixture::Await(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_TRUE(condition());
}

std::string HostAgentFixture::Text(const std::string& name) const {
  return ReadWholeFile(Path(name))->value_or("");
}

}  // namespace mikura::control
