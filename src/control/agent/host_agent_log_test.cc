// SPDX-License-Identifier: Apache-2.0
// Logs of a stand-in for the engine, delivered by the agent.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/check.h"
#include "control/agent/host_agent.h"
#include "control/agent/whole_file.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using std::chrono_literals::operator""ms;

class AgentLogs : public ::testing::Test {
 protected:
  AgentLogs() {
    data_dir_ = ::testing::TempDir() + "mikura-log-XXXXXX";
    CHECK(mkdtemp(data_dir_.data()) != nullptr);
    address_ = fmt::format("127.{}.{}.1", 70 + getpid() % 10, getpid() / 10 % 250 + 1);
    Open();
    Start();
  }
  ~AgentLogs() override {
    if (agent_ != nullptr) agent_->StopAll();
    agent_.reset();
    std::filesystem::remove_all(data_dir_);
  }

  void Open() {
    agent_.reset();
    HostAgentOptions options{data_dir_, FAKE_ENGINE, {}};
    options.timings.settle_interval = 5ms;
    options.timings.log_interval = 5ms;
    agent_ = HostAgent::Open(options).value();
  }
  void Start() {
    ASSERT_TRUE(agent_->Start({.id = "a", .endpoint = {address_, 6379}, .memory_bytes = 1}).ok());
    Await([&] { return agent_->Observe("a").answering; });
  }
  void StopNode() {
    agent_->Stop("a");
    Await([&] { return agent_->Observe("a").Gone(); });
  }
  template <typename Condition>
  void Await(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(5ms);
    }
    EXPECT_TRUE(condition());
  }
  static LogTarget Target(std::string_view type, const std::string& group = "g") {
    LogTarget target;
    target.log_type = type;
    target.stream = fmt::format("{}/{}", group, type);
    target.cluster_id = "demo-001";
    target.cache_node_id = "0001";
    return target;
  }
  LogDeliveryState Deliver(const LogTarget& target) {
    return agent_->DeliverLogs("a", {target}).front();
  }
  void AwaitBegun(const LogTarget& target) {
    Await([&] { return Deliver(target).begun; });
  }
  std::string Text(const std::string& path) {
    return ReadWholeFile(data_dir_ + path)->value_or("");
  }
  // The ids of the slow log, which the stand-in has from this file in one piece.
  void SetSlowIds(const std::string& ids) {
    ASSERT_TRUE(WriteWholeFile(data_dir_ + "/nodes/a/slow-ids", ids).ok());
  }
  void LogLine(const std::string& line) {
    std::ofstream(data_dir_ + "/nodes/a/engine.log", std::ios::app) << line;
  }
  size_t SlowLines() {
    const std::string text = Text("/logs/g/slow-log");
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  static constexpr char kSlowLine[] = "demo-001,0001,1605631822,30,PING,10.0.0.1,\n";
  std::string data_dir_;
  std::string address_;
  std::unique_ptr<HostAgent> agent_;
};

TEST_F(AgentLogs, EntriesOfTheSlowLogAreDeliveredOnce) {
  SetSlowIds("0 1");
  const LogTarget target = Target(kSlowLog);
  AwaitBegun(target);
  EXPECT_EQ(Text("/logs/g/slow-log"), std::string(kSlowLine) + kSlowLine);
  SetSlowIds("0 1 2");
  Await([&] { return SlowLines() == 3; });
  // Also when another agent takes over.
  Open();
  AwaitBegun(target);
  EXPECT_EQ(SlowLines(), 3U);
  SetSlowIds("1 2 3 4");
  Await([&] { return SlowLines() == 5; });
}

TEST_F(AgentLogs, ManyNewEntriesAreNotMissed) {
  const LogTarget target = Target(kSlowLog);
  AwaitBegun(target);
  std::string ids;
  for (int id = 0; id < 1000; ++id) ids += fmt::format("{} ", id);
  SetSlowIds(ids);
  Await([&] { return SlowLines() == 1000; });
}

TEST_F(AgentLogs, ARestartedNodeBeginsItsSlowLogAnew) {
  SetSlowIds("0 1 2");
  const LogTarget target = Target(kSlowLog);
  AwaitBegun(target);
  EXPECT_EQ(SlowLines(), 3U);
  StopNode();
  SetSlowIds("0 1 2 3");
  Start();
  Await([&] { return SlowLines() == 7; });
}

TEST_F(AgentLogs, LinesOfTheEngineAreDeliveredWhole) {
  LogLine("2020-11-12T01:28:57.994Z info node: up\n2020-11-12T01:28:57.995Z warning node: h");
  const LogTarget target = Target(kEngineLog);
  AwaitBegun(target);
  EXPECT_EQ(Text("/logs/g/engine-log"),
            "demo-001/0001:M 12 Nov 2020 01:28:57.994 UTC * node: up\n");
  LogLine("ot\n");
  Await([&] { return Text("/logs/g/engine-log").find("# node: hot\n") != std::string::npos; });
}

TEST_F(AgentLogs, TheEndOfTheEngineLogComesBeforeItsNodeIsForgotten) {
  const LogTarget target = Target(kEngineLog);
  AwaitBegun(target);
  StopNode();
  LogLine("2020-11-12T01:28:57.994Z info node: bye\n");
  ASSERT_TRUE(agent_->Forget("a").ok());
  EXPECT_THAT(Text("/logs/g/engine-log"), HasSubstr("node: bye\n"));
  EXPECT_FALSE(std::filesystem::exists(data_dir_ + "/nodes/a"));
}

TEST_F(AgentLogs, ALogGoesWhereItWasSentLast) {
  SetSlowIds("0");
  AwaitBegun(Target(kSlowLog));
  const LogTarget other = Target(kSlowLog, "h");
  EXPECT_FALSE(Deliver(other).begun);
  AwaitBegun(other);
  SetSlowIds("0 1");
  Await([&] { return Text("/logs/h/slow-log") == std::string(kSlowLine) + kSlowLine; });
  EXPECT_EQ(SlowLines(), 1U);
  EXPECT_TRUE(agent_->DeliverLogs("a", {}).empty());
}

TEST_F(AgentLogs, WhatIsInTheWayIsTold) {
  std::filesystem::create_directories(data_dir_ + "/logs");
  std::ofstream(data_dir_ + "/logs/g") << "a file";
  const LogTarget target = Target(kSlowLog);
  AwaitBegun(target);
  EXPECT_THAT(Deliver(target).error, HasSubstr("cannot create"));
  SetSlowIds("0");
  std::filesystem::remove(data_dir_ + "/logs/g");
  Await([&] { return Deliver(target).error.empty(); });
  EXPECT_EQ(SlowLines(), 1U);
}

}  // namespace
}  // namespace mikura::control
