// SPDX-License-Identifier: Apache-2.0
// The agent with real processes: a stand-in for the engine is started, hung, killed and adopted.
#include "control/agent/host_agent.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/numbers.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using std::chrono_literals::operator""ms;

FileDescriptor ConnectTo(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(endpoint.port));
  inet_pton(AF_INET, endpoint.address.c_str(), &address.sin_addr);
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    socket.Close();
  }
  return socket;
}

// The line with which the stand-in greets a client; waits for it.
std::string Greeting(const FileDescriptor& socket) {
  char text[200] = {};
  const ssize_t length = recv(socket.get(), text, sizeof text - 1, 0);
  return length > 0 ? std::string(text, static_cast<size_t>(length) - 1) : "";
}

class Agent : public ::testing::Test {
 protected:
  Agent() {
    data_dir_ = ::testing::TempDir() + "mikura-agent-XXXXXX";
    CHECK(mkdtemp(data_dir_.data()) != nullptr);
    // Addresses of this test process alone: tests run side by side.
    network_ = fmt::format("127.{}.{}.", 30 + getpid() % 10, getpid() / 10 % 250 + 1);
    Open();
  }
  ~Agent() override {
    agent_->StopAll();
    agent_.reset();
    std::filesystem::remove_all(data_dir_);
  }

  void Open() {
    HostAgentOptions options{data_dir_, FAKE_ENGINE, {}};
    options.timings.probe_interval = 30ms;
    options.timings.settle_interval = 5ms;
    options.timings.probe_timeout = 150ms;
    options.timings.stop_grace = 500ms;
    agent_ = HostAgent::Open(options).value();
    agent_->OnChange([this] {
      std::lock_guard lock(mutex_);
      ++changes_;
      changed_.notify_all();
    });
  }
  // The agent ends as if killed, as far as its engines can tell, and another begins.
  void Restart() {
    agent_.reset();
    Open();
  }

  Endpoint At(int host) const { return {network_ + std::to_string(host), 6379}; }
  NodeLaunch Launch(const std::string& id, int host) const {
    return {.id = id,
            .kind = EngineKind::kRedis,
            .endpoint = At(host),
            .memory_bytes = 1 << 20,
            .threads = 1,
            .primary = {}};
  }
  // Waits until what is seen of the node satisfies `wanted`.
  template <typename Wanted>
  NodeObservation Await(const std::string& id, Wanted wanted) {
    std::unique_lock lock(mutex_);
    NodeObservation seen;
    const bool met = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      seen = agent_->Observe(id);
      return wanted(seen);
    });
    EXPECT_TRUE(met) << id;
    return seen;
  }
  NodeObservation AwaitAnswer(const std::string& id) {
    return Await(id, [](const NodeObservation& seen) { return seen.answering; });
  }
  NodeObservation AwaitEnd(const std::string& id) {
    return Await(id, [](const NodeObservation& seen) { return seen.Gone(); });
  }
  pid_t PidOf(const std::string& id) {
    const std::string name = agent_->Observe(id).process_id;
    return static_cast<pid_t>(*ParseUint64(name.substr(0, name.find('-'))));
  }
  void StartAndAwait(const NodeLaunch& launch) {
    ASSERT_TRUE(agent_->Start(launch).ok());
    AwaitAnswer(launch.id);
  }

  std::string data_dir_;
  std::string network_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int changes_ = 0;
  std::unique_ptr<HostAgent> agent_;
};

TEST_F(Agent, StartsAnEngineThatAnswersAtItsOwnAddress) {
  StartAndAwait(Launch("a", 1));
  EXPECT_TRUE(agent_->Observe("a").is_primary);
  EXPECT_EQ(Greeting(ConnectTo(At(1))), "a");
}

TEST_F(Agent, StartingARunningNodeDoesNothing) {
  StartAndAwait(Launch("a", 1));
  const std::string run = agent_->Observe("a").process_id;
  ASSERT_TRUE(agent_->Start(Launch("a", 1)).ok());
  EXPECT_EQ(agent_->Observe("a").process_id, run);
}

TEST_F(Agent, ARunningNodeTakesAndShowsSettings) {
  NodeLaunch launch = Launch("a", 1);
  launch.settings = {{"maxmemory-policy", "volatile-lru"}};
  StartAndAwait(launch);
  EXPECT_EQ(agent_->Configuration("a", {"maxmemory-policy"}).value(), launch.settings);
  ASSERT_TRUE(agent_->Configure("a", {{"maxmemory-policy", "allkeys-lru"}}).ok());
  EXPECT_EQ(agent_->Configuration("a", {"maxmemory-policy"}).value().at("maxmemory-policy"),
            "allkeys-lru");
  EXPECT_FALSE(agent_->Configure("absent", {{"timeout", "1"}}).ok());
}

TEST_F(Agent, AReplicaIsLinkedOnceItsPrimaryIsThere) {
  NodeLaunch replica = Launch("b", 2);
  replica.primary = At(1);
  StartAndAwait(replica);
  EXPECT_FALSE(agent_->Observe("b").link_up);
  StartAndAwait(Launch("a", 1));
  const NodeObservation seen = Await("b", [](const NodeObservation& each) { return each.link_up; });
  EXPECT_EQ(seen.follows, At(1));
}

TEST_F(Agent, SeesTheEndOfAProcessAndWhy) {
  StartAndAwait(Launch("a", 1));
  kill(PidOf("a"), SIGKILL);
  const NodeObservation seen = AwaitEnd("a");
  EXPECT_EQ(seen.process, NodeObservation::Process::kExited);
  EXPECT_THAT(seen.exit_reason, HasSubstr("signal 9"));
}

TEST_F(Agent, SeesThatAProcessDiedAsItStarted) {
  std::filesystem::create_directories(data_dir_ + "/nodes/a");
  std::ofstream(data_dir_ + "/nodes/a/die-at-start") << "yes";
  ASSERT_TRUE(agent_->Start(Launch("a", 1)).ok());
  EXPECT_THAT(AwaitEnd("a").exit_reason, HasSubstr("exit code 7"));
}

TEST_F(Agent, KillsAnEngineThatHangs) {
  StartAndAwait(Launch("a", 1));
  kill(PidOf("a"), SIGSTOP);
  EXPECT_THAT(AwaitEnd("a").exit_reason, HasSubstr("signal 9"));
}

TEST_F(Agent, TellsAnEngineThatStrivesFromOneThatHangs) {
  StartAndAwait(Launch("a", 1));
  ProcessHandle hung;
  hung.pid = PidOf("a");
  kill(hung.pid, SIGSTOP);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(hung.pid), &info, WSTOPPED), 0);
  EXPECT_FALSE(IsStriving(hung));
  ProcessHandle self;  // the thread that asks runs
  self.pid = getpid();
  EXPECT_TRUE(IsStriving(self));
}

TEST_F(Agent, StopsAnEngineThatAnswersAndOneThatHangs) {
  StartAndAwait(Launch("a", 1));
  StartAndAwait(Launch("b", 2));
  kill(PidOf("b"), SIGSTOP);
  agent_->Stop("a");
  agent_->Stop("b");
  EXPECT_THAT(AwaitEnd("a").exit_reason, HasSubstr("exit code 0"));
  AwaitEnd("b");
}

TEST_F(Agent, ForgetsANodeOnlyAfterItsEnd) {
  StartAndAwait(Launch("a", 1));
  EXPECT_FALSE(agent_->Forget("a").ok());
  agent_->Stop("a");
  AwaitEnd("a");
  EXPECT_TRUE(agent_->Forget("a").ok());
  EXPECT_FALSE(std::filesystem::exists(data_dir_ + "/nodes/a"));
  EXPECT_TRUE(agent_->Forget("a").ok());
}

TEST_F(Agent, AdoptsWhatRunsWhenItBeginsAnew) {
  StartAndAwait(Launch("a", 1));
  const std::string run = agent_->Observe("a").process_id;
  Restart();
  EXPECT_EQ(AwaitAnswer("a").process_id, run);
  kill(PidOf("a"), SIGKILL);
  EXPECT_TRUE(AwaitEnd("a").Gone());
}

TEST_F(Agent, ANodeThatEndedWhileItWasAwayIsAbsent) {
  StartAndAwait(Launch("a", 1));
  const pid_t pid = PidOf("a");
  agent_.reset();
  kill(pid, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED);
  Open();
  EXPECT_EQ(agent_->Observe("a").process, NodeObservation::Process::kAbsent);
}

TEST_F(Agent, PromotesAndRepointsAndRefusesAnOldEpoch) {
  StartAndAwait(Launch("a", 1));
  ASSERT_TRUE(agent_->Follow("a", 5, At(9)).ok());
  EXPECT_EQ(agent_->Observe("a").follows, At(9));
  ASSERT_TRUE(agent_->Promote("a", 6).ok());
  EXPECT_TRUE(agent_->Observe("a").is_primary);
  const Status late = agent_->Follow("a", 5, At(9));
  ASSERT_FALSE(late.ok());
  EXPECT_THAT(late.error().message, HasSubstr("STALEEPOCH"));
}

TEST_F(Agent, PassesTheListeningSocketOfAnEndpoint) {
  StartAndAwait(Launch("a", 1));
  ASSERT_TRUE(agent_->Listen("a", "primary", At(100), ListenerProtocol::kResp).ok());
  EXPECT_THAT(agent_->Observe("a").listeners, Contains("primary"));
  EXPECT_EQ(Greeting(ConnectTo(At(100))), "a");
  ASSERT_TRUE(agent_->Unlisten("a", "primary").ok());
  EXPECT_THAT(agent_->Observe("a").listeners, IsEmpty());
}

TEST_F(Agent, ConnectionsWaitWhileNoEngineAcceptsAndTheNextOneServesThem) {
  StartAndAwait(Launch("a", 1));
  StartAndAwait(Launch("b", 2));
  ASSERT_TRUE(agent_->Listen("a", "primary", At(100), ListenerProtocol::kResp).ok());
  kill(PidOf("a"), SIGKILL);
  AwaitEnd("a");
  const FileDescriptor waiting = ConnectTo(At(100));
  ASSERT_TRUE(waiting.valid());
  ASSERT_TRUE(agent_->Listen("b", "primary", At(100), ListenerProtocol::kResp).ok());
  EXPECT_EQ(Greeting(waiting), "b");
}

TEST_F(Agent, KeepsTheSocketsOfEnginesItAdopts) {
  StartAndAwait(Launch("a", 1));
  ASSERT_TRUE(agent_->Listen("a", "primary", At(100), ListenerProtocol::kResp).ok());
  Restart();
  kill(PidOf("a"), SIGKILL);
  AwaitEnd("a");
  EXPECT_TRUE(ConnectTo(At(100)).valid());
  agent_->CloseEndpoint(At(100));
  EXPECT_FALSE(ConnectTo(At(100)).valid());
}

TEST_F(Agent, KnowsWhichEndpointsAreFree) {
  EXPECT_TRUE(agent_->IsFree(At(1)));
  StartAndAwait(Launch("a", 1));
  EXPECT_FALSE(agent_->IsFree(At(1)));
}

TEST_F(Agent, PassesNothingToEnginesThatTheProcessHasOpen) {
  // A library's socket without close-on-exec: the engine must not keep its port.
  const FileDescriptor mine(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(6379);
  inet_pton(AF_INET, At(50).address.c_str(), &address.sin_addr);
  ASSERT_EQ(bind(mine.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  StartAndAwait(Launch("a", 1));
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", PidOf("a")))) {
    std::error_code gone;
    EXPECT_NE(std::filesystem::read_symlink(entry.path(), gone),
              std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", mine.get())));
  }
}

TEST_F(Agent, SaysWhenTheEngineBinaryIsMissing) {
  agent_ = HostAgent::Open({data_dir_, "/nonexistent/mikura", {}}).value();
  const Status refused = agent_->Start(Launch("a", 1));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("cannot start /nonexistent/mikura"));
}

TEST_F(Agent, RefusesADataDirectoryTooLongForSockets) {
  const auto refused = HostAgent::Open({"/" + std::string(100, 'd'), FAKE_ENGINE, {}});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("too long"));
}

TEST_F(Agent, MakesASnapshotOfANodeAndLoadsItIntoAnother) {
  StartAndAwait(Launch("a", 1));
  EXPECT_EQ(agent_->SaveSnapshot("a", "11111111", 1).state, SnapshotFile::State::kWorking);
  const SnapshotFile file = agent_->SaveSnapshot("a", "11111111", 1);
  EXPECT_EQ(file.state, SnapshotFile::State::kDone) << file.error;
  EXPECT_EQ(file.bytes, 1);
  Restart();
  EXPECT_EQ(agent_->SaveSnapshot("a", "11111111", 1).state, SnapshotFile::State::kDone);
  NodeLaunch launch = Launch("b", 2);
  launch.data_source = "snapshot:11111111";
  StartAndAwait(launch);
  const std::string link = data_dir_ + "/nodes/b/restore.rdb";
  EXPECT_EQ(std::filesystem::read_symlink(link),
            std::filesystem::path(data_dir_ + "/snapshots/11111111/0001.rdb"));
}

TEST_F(Agent, SaysWhyASnapshotFailedAndTriesAgainWhenTold) {
  StartAndAwait(Launch("a", 1));
  const std::string mark = data_dir_ + "/nodes/a/fail-snapshot";
  std::ofstream(mark) << "x";
  agent_->SaveSnapshot("a", "11111111", 1);
  const SnapshotFile failed = agent_->SaveSnapshot("a", "11111111", 1);
  EXPECT_EQ(failed.state, SnapshotFile::State::kFailed);
  EXPECT_EQ(failed.error, "full");
  std::filesystem::remove(mark);
  agent_->SaveSnapshot("a", "11111111", 2);
  EXPECT_EQ(agent_->SaveSnapshot("a", "11111111", 2).state, SnapshotFile::State::kDone);
}

TEST_F(Agent, StartsNothingWithoutTheDataItIsToLoad) {
  NodeLaunch launch = Launch("a", 1);
  launch.data_source = "snapshot:22222222";
  EXPECT_THAT(agent_->Start(launch).error().message, HasSubstr("cannot load: there is no file"));
  EXPECT_EQ(agent_->Observe("a").process, NodeObservation::Process::kAbsent);
}

}  // namespace
}  // namespace mikura::control
