// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>
#include <vector>

#include "engine/net/mailbox.h"
#include "engine/net/poller.h"
#include "engine/net/socket.h"

namespace mikura::engine {
namespace {

TEST(Mailbox, RunsTasksOfOnePosterInOrderAndLosesNoWakeUp) {
  constexpr int kPosters = 3;
  constexpr int kTasks = 2000;
  Mailbox mailbox;
  Poller poller;
  ASSERT_TRUE(poller.AddReadable(mailbox.fd(), nullptr));
  std::vector<std::vector<int>> seen(kPosters);
  std::vector<std::thread> posters;
  for (int p = 0; p < kPosters; ++p) {
    posters.emplace_back([&, p] {
      for (int i = 0; i < kTasks; ++i) mailbox.Post([&seen, p, i] { seen[p].push_back(i); });
    });
  }
  size_t total = 0;
  while (total < size_t{kPosters} * kTasks) {
    ASSERT_FALSE(poller.Wait(20000).empty());  // a lost wake-up would end here
    mailbox.RunAll();
    total = 0;
    for (const auto& tasks : seen) total += tasks.size();
  }
  for (std::thread& poster : posters) poster.join();
  for (const auto& tasks : seen) {
    for (int i = 0; i < kTasks; ++i) ASSERT_EQ(tasks[static_cast<size_t>(i)], i);
  }
}

TEST(ListenTcp, NamesTheAddressThatIsTaken) {
  const auto first = ListenTcp("127.0.0.1", 0, 16);
  ASSERT_TRUE(first.ok());
  const int port = LocalPort(first->get());
  EXPECT_GT(port, 0);
  const auto second = ListenTcp("127.0.0.1", port, 16);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");
}

TEST(ListenUnix, ReplacesAnOldSocketButNoOtherFile) {
  char directory[] = "/tmp/mikura-net-test-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/socket";
  ASSERT_TRUE(ListenUnix(path, 0600).ok());
  EXPECT_TRUE(ListenUnix(path, 0600).ok());
  const auto refused = ListenUnix(directory, 0600);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("no socket"), std::string::npos);
  unlink(path.c_str());
  rmdir(directory);
}

}  // namespace
}  // namespace mikura::engine
