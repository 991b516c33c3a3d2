// SPDX-License-Identifier: Apache-2.0
// Logs of a stand-in for the engine, delivered by the agent.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "control/agent/host_agent_fixture.h"
#include "control/agent/node_log_file.h"
#include "control/agent/whole_file.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

class AgentLogs : public HostAgentFixture {
 protected:
  AgentLogs() {
    Open();
    Start();
  }
  void Open() { HostAgentFixture::Open(Timings()); }
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
  // The ids of the slow log, which the stand-in has from this file in one piece.
  void SetSlowIds(const std::string& ids) {
    ASSERT_TRUE(WriteWholeFile(data_dir_ + "/nodes/a/slow-ids", ids).ok());
  }
  void LogLine(const std::string& line) {
    std::ofstream(data_dir_ + "/nodes/a/engine.log", std::ios::app) << line;
  }
  size_t SlowLines() {
    const std::string text = Text("logs/g/slow-log");
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  static constexpr char kSlowLine[] = "demo-001,0001,1605631822,30,PING,10.0.0.1,\n";
};

TEST_F(AgentLogs, EntriesOfTheSlowLogAreDeliveredOnce) {
  SetSlowIds("0 1");
  const LogTarget target = Target(kSlowLog);
  AwaitBegun(target);
  EXPECT_EQ(Text("logs/g/slow-log"), std::string(kSlowLine) + kSlowLine);
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
  EXPECT_EQ(Text("logs/g/engine-log"), "demo-001/0001:M 12 Nov 2020 01:28:57.994 UTC * node: up\n");
  LogLine("ot\n");
  Await([&] { return Text("logs/g/engine-log").find("# node: hot\n") != std::string::npos; });
}

TEST_F(AgentLogs, TheEndOfTheEngineLogComesBeforeItsNodeIsForgotten) {
  const LogTarget target = Target(kEngineLog);
  AwaitBegun(target);
  StopNode();
  LogLine("2020-11-12T01:28:57.994Z info node: bye\n");
  ASSERT_TRUE(agent_->Forget("a").ok());
  EXPECT_THAT(Text("logs/g/engine-log"), HasSubstr("node: bye\n"));
  EXPECT_FALSE(std::filesystem::exists(data_dir_ + "/nodes/a"));
}

TEST_F(AgentLogs, OfTheEngineAreBoundedOnTheDisk) {
  const std::string file = Path("nodes/a/engine.log");
  LogLine("2020-11-12T01:28:57.994Z info node: first\n");
  const auto fill = [&](const std::string& last) {
    std::string lines(kNodeLogBytesMax, '.');
    for (size_t i = 99; i < lines.size(); i += 100) lines[i] = '\n';
    LogLine(lines + "\n2020-11-12T01:28:57.994Z info node: " + last + "\n");
  };
  fill("one");
  // The engine was told, and has begun another.
  Await([&] {
    return std::filesystem::exists(file + ".1") && std::filesystem::exists(file) &&
           std::filesystem::file_size(file) == 0;
  });
  EXPECT_THAT(Text("nodes/a/engine.log.1"), HasSubstr("node: first\n"));
  fill("two");
  Await([&] { return Text("nodes/a/engine.log.1").find("node: two\n") != std::string::npos; });
  EXPECT_EQ(Text("nodes/a/engine.log.1").find("node: one\n"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file + ".2"));
}

TEST_F(AgentLogs, OfANodeThatIsStartedAreBoundedToo) {
  StopNode();
  LogLine(std::string(kNodeLogBytesMax + 1, '.'));
  Start();
  EXPECT_EQ(std::filesystem::file_size(Path("nodes/a/engine.log.1")), kNodeLogBytesMax + 1);
  EXPECT_EQ(Text("nodes/a/engine.log"), "");
}

TEST_F(AgentLogs, OfTheEngineAreDeliveredOnceAlsoWhenTheirFileIsMoved) {
  const LogTarget target = Target(kEngineLog);
  LogLine("2020-11-12T01:28:57.994Z info node: one\n");
  AwaitBegun(target);
  const auto delivered = [&](const std::string& words) {
    const std::string text = Text("logs/g/engine-log");
    size_t count = 0;
    for (size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(delivered("node: one\n"), 1U);
  // Nobody delivers while the engine writes on, its file is moved, and it begins another.
  agent_.reset();
  LogLine("2020-11-12T01:28:57.994Z info node: two\n");
  std::filesystem::rename(Path("nodes/a/engine.log"), Path("nodes/a/engine.log.1"));
  LogLine("2020-11-12T01:28:57.994Z info node: three, which is longer than all before it\n");
  LogLine("2020-11-12T01:28:57.994Z info node: four\n");
  Open();
  AwaitBegun(target);
  Await([&] { return delivered("node: four\n") == 1; });
  for (const char* words : {"node: one\n", "node: two\n", "node: three"}) {
    EXPECT_EQ(delivered(words), 1U) << words;
  }
  // The file before goes: what comes next is still new.
  std::filesystem::remove(Path("nodes/a/engine.log.1"));
  LogLine("2020-11-12T01:28:57.994Z info node: five\n");
  Await([&] { return delivered("node: five\n") == 1; });
  EXPECT_EQ(delivered("node: four\n"), 1U);
}

TEST_F(AgentLogs, ALogGoesWhereItWasSentLast) {
  SetSlowIds("0");
  AwaitBegun(Target(kSlowLog));
  const LogTarget other = Target(kSlowLog, "h");
  EXPECT_FALSE(Deliver(other).begun);
  AwaitBegun(other);
  SetSlowIds("0 1");
  Await([&] { return Text("logs/h/slow-log") == std::string(kSlowLine) + kSlowLine; });
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
