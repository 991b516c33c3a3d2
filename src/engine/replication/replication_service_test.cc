// SPDX-License-Identifier: Apache-2.0
// Nodes in one process, connected over loopback: each has a keyspace, a replication service and a
// port that understands what replicas say.
#include "engine/replication/replication_service.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <thread>

#include "base/numbers.h"
#include "engine/persistence/persistence_test_support.h"
#include "engine/persistence/rdb_reader.h"
#include "wire/resp_parser.h"

namespace mikura::engine {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr auto kPatience = 20s;
constexpr store::Access kAccess{1000, true};

// Waits until `condition` holds: what it observes happens on other threads.
bool Eventually(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

// SET, DEL and FLUSHALL, as far as these tests need them.
class SmallExecutor final : public RecordExecutor {
 public:
  explicit SmallExecutor(Keyspace& keyspace) : keyspace_(keyspace) {}
  Status ReplaceLibraries(std::span<const std::string> codes) override {
    libraries.assign(codes.begin(), codes.end());
    return Ok();
  }
  std::vector<std::string> libraries;  // of the last full copy

  Status Execute(std::span<const CommandWords> commands, int& database) override {
    for (const CommandWords words : commands) {
      if (words[0] == "PING") continue;
      if (words[0] == "SELECT") {
        database = static_cast<int>(*ParseInt64(words[1]));
        continue;
      }
      if (words[0] != "SET" && words[0] != "DEL") return Error{"unknown command"};
      const Key key = keyspace_.hasher()(words[1]);
      ShardGuard guard(keyspace_.lock(key.shard()));
      store::Shard& shard = keyspace_.LockedShard(key.shard());
      if (words[0] == "DEL") {
        shard.Erase(database, key, kAccess);
      } else {
        CHECK(shard.SetString(database, key, words[2], {}, kAccess).ok());
      }
    }
    return Ok();
  }

 private:
  Keyspace& keyspace_;
};

// Accepts connections and answers the handshake, until PSYNC hands the socket to the service.
class HandshakePort {
 public:
  explicit HandshakePort(ReplicationService& service) : service_(service) {
    listener_.Reset(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    CHECK(bind(listener_.get(), generic, size) == 0 && listen(listener_.get(), 16) == 0);
    CHECK(getsockname(listener_.get(), generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~HandshakePort() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  int port() const { return port_; }

 private:
  void Run() {
    while (true) {
      UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK));
      if (!fd.valid()) return;
      Serve(std::move(fd));
    }
  }

  void Serve(UniqueFd fd) {
    std::string input;
    ReplicaHandshake handshake;
    while (true) {
      pollfd readable{fd.get(), POLLIN, 0};
      char bytes[4096];
      if (poll(&readable, 1, 10'000) != 1) return;
      const ssize_t n = recv(fd.get(), bytes, sizeof(bytes), 0);
      if (n <= 0) return;
      input.append(bytes, static_cast<size_t>(n));
      std::vector<std::string_view> words;
      std::vector<std::unique_ptr<std::string>> storage;
      const wire::RespResult result = wire::ParseResp(input, {}, words, storage);
      if (result.status != wire::RespStatus::kRequest) continue;
      if (words[0] == "PSYNC") {
        handshake.wanted_id = words[1];
        handshake.wanted_offset = *ParseInt64(words[2]);
        service_.Adopt(ConnectedSocket(std::move(fd)), handshake, input.substr(result.consumed));
        return;
      }
      if (words[0] == "REPLCONF" && words[1] == "listening-port") {
        handshake.listening_port = static_cast<int>(*ParseInt64(words[2]));
      }
      if (words[0] == "REPLCONF" && words[1] == "capa") {
        handshake.understands_eof = handshake.understands_psync2 = understands_eof;
      }
      const std::string_view reply = words[0] == "PING" ? "+PONG\r\n" : "+OK\r\n";
      CHECK(send(fd.get(), reply.data(), reply.size(), MSG_NOSIGNAL) > 0);
      input.erase(0, result.consumed);
    }
  }

 public:
  // Read by the thread for each connection; set before the first.
  std::atomic<bool> understands_eof{true};

 private:
  ReplicationService& service_;
  UniqueFd listener_;
  int port_ = 0;
  std::thread thread_;
};

using Contents = std::map<std::string, std::string>;

class MapHandler final : public RdbHandler {
 public:
  Status OnEntry(const RdbEntry& entry) override {
    contents.emplace(fmt::format("{}/{}", entry.database, entry.key), entry.value);
    return Ok();
  }
  void OnAux(std::string_view, std::string_view) override {}
  Contents contents;
};

class StringPipe final : public SnapshotSink, public ByteSource {
 public:
  Status Write(std::string_view bytes) override {
    text_.append(bytes);
    return Ok();
  }
  Result<size_t> Read(char* out, size_t size) override {
    const size_t count = text_.copy(out, size, read_);
    read_ += count;
    return count;
  }

 private:
  std::string text_;
  size_t read_ = 0;
};

struct Node {
  explicit Node(ReplicationSettings settings = {}) {
    auto made = Keyspace::Create({.database_count = 4, .hash_seed = 1});
    CHECK(made.ok());
    keyspace = std::move(made).value();
    executor = std::make_unique<SmallExecutor>(*keyspace);
    settings.folder = testing::TempDir();
    service = std::make_unique<ReplicationService>(
        *keyspace, slots, *executor, [settings] { return settings; },
        [this](const ReplicationService::Role& role) {
          is_primary = role.is_primary;
          loading = role.loading;
        });
    port = std::make_unique<HandshakePort>(*service);
  }
  ~Node() {
    port.reset();
    service.reset();
  }

  // A client's write.
  void Set(std::string_view name, std::string_view value, int database = 0) {
    const Key key = keyspace->hasher()(name);
    ShardGuard guard(keyspace->lock(key.shard()));
    CHECK(keyspace->LockedShard(key.shard()).SetString(database, key, value, {}, kAccess).ok());
    Effects effects;
    effects.Begin(keyspace->change_log().active());
    effects.Add(database, {"SET", name, value});
    keyspace->Commit(effects, 0);
  }
  Contents All() {
    StringPipe pipe;
    MapHandler handler;
    auto snapshot = Snapshot::Begin(*keyspace, slots);
    CHECK(snapshot.ok() && snapshot.value()->WriteRdb(pipe, {}).ok());
    UncountedMemory memory;
    RdbReader reader(pipe, handler, memory);
    CHECK(reader.Read().ok());
    return handler.contents;
  }
  void Follow(const Node& primary) {
    CHECK(service->ReplicaOf("127.0.0.1", primary.port->port()).ok());
  }
  Lsn offset() const { return keyspace->change_log().head(); }
  bool HasReached(const Node& primary) const {
    return service->status().link_up() && offset() == primary.offset();
  }

  std::unique_ptr<Keyspace> keyspace;
  SnapshotSlots slots;
  std::unique_ptr<SmallExecutor> executor;
  std::unique_ptr<ReplicationService> service;
  std::unique_ptr<HandshakePort> port;
  std::atomic<bool> is_primary{true};  // what the service published last
  std::atomic<bool> loading{false};
};

TEST(Replication, AReplicaCopiesWhatIsThereAndFollowsWhatComes) {
  Node primary;
  Node replica;
  primary.Set("before", "1");
  primary.Set("elsewhere", "2", 3);
  replica.Set("old", "gone");
  replica.Follow(primary);
  EXPECT_FALSE(replica.is_primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  EXPECT_EQ(replica.All(), (Contents{{"0/before", "1"}, {"3/elsewhere", "2"}}));
  primary.Set("after", "3");
  primary.Set("before", "4", 2);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  EXPECT_EQ(replica.All(), primary.All());
  EXPECT_FALSE(replica.loading);
  EXPECT_EQ(replica.service->status().ids.current, primary.service->status().ids.current);
}

TEST(Replication, AReplicaThatComesInTheMiddleOfAWriteLoadEndsEqual) {
  Node primary;
  Node replica;
  Node second;
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; !stop; ++i) {
        primary.Set(fmt::format("k{}", (i * 31 + writer) % 2000), std::to_string(i), i % 3);
      }
    });
  }
  ASSERT_TRUE(Eventually([&] { return primary.keyspace->KeyCount(0) > 200; }));
  replica.Follow(primary);
  second.Follow(primary);
  EXPECT_TRUE(Eventually(
      [&] { return replica.service->status().link_up() && second.service->status().link_up(); }));
  stop = true;
  for (std::thread& writer : writers) writer.join();
  ASSERT_TRUE(
      Eventually([&] { return replica.HasReached(primary) && second.HasReached(primary); }));
  EXPECT_TRUE(replica.All() == primary.All());
  EXPECT_TRUE(second.All() == primary.All());
}

TEST(Replication, AReplicaWithoutTheMarkGetsASnapshotOfKnownLength) {
  Node primary;
  Node replica;
  primary.port->understands_eof = false;
  for (int i = 0; i < 100; ++i) primary.Set(fmt::format("k{}", i), std::string(10'000, 'v'));
  replica.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  EXPECT_TRUE(replica.All() == primary.All());
}

TEST(Replication, AReplicaOfAReplicaFollowsTheSameHistory) {
  Node primary;
  Node middle;
  Node last;
  primary.Set("a", "1");
  middle.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return middle.HasReached(primary); }));
  last.Follow(middle);
  ASSERT_TRUE(Eventually([&] { return last.HasReached(primary); }));
  primary.Set("b", "2", 1);
  ASSERT_TRUE(Eventually([&] { return last.HasReached(primary); }));
  EXPECT_EQ(last.All(), primary.All());
  EXPECT_EQ(last.service->status().ids.current, primary.service->status().ids.current);
}

TEST(Replication, APromotedReplicaKeepsDataAndOffsetUnderANewId) {
  Node primary;
  Node replica;
  replica.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  primary.Set("a", "1");
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  const std::string old_id = primary.service->status().ids.current;
  ASSERT_TRUE(replica.service->ReplicaOf("", 0).ok());
  const ReplicationStatus status = replica.service->status();
  EXPECT_TRUE(replica.is_primary);
  EXPECT_TRUE(status.is_primary);
  EXPECT_NE(status.ids.current, old_id);
  EXPECT_EQ(status.ids.previous, old_id);
  EXPECT_EQ(status.ids.previous_end, primary.offset());
  EXPECT_EQ(status.offset, primary.offset());
  EXPECT_EQ(replica.All(), (Contents{{"0/a", "1"}}));
}

TEST(Replication, TheOtherReplicasContinueAtThePromotedOne) {
  Node primary;
  Node promoted;
  Node other;
  primary.Set("a", "1");
  promoted.Follow(primary);
  other.Follow(primary);
  ASSERT_TRUE(
      Eventually([&] { return promoted.HasReached(primary) && other.HasReached(primary); }));
  ASSERT_TRUE(promoted.service->ReplicaOf("", 0).ok());
  promoted.Set("b", "2");
  // A key that only a continued replica keeps: a full sync would remove it.
  const Key key = other.keyspace->hasher()("witness");
  {
    ShardGuard guard(other.keyspace->lock(key.shard()));
    CHECK(other.keyspace->LockedShard(key.shard()).SetString(0, key, "w", {}, kAccess).ok());
  }
  other.Follow(promoted);
  ASSERT_TRUE(Eventually([&] { return other.HasReached(promoted); }));
  EXPECT_EQ(other.All(), (Contents{{"0/a", "1"}, {"0/b", "2"}, {"0/witness", "w"}}));
  EXPECT_EQ(other.service->status().ids.current, promoted.service->status().ids.current);
}

// With replica-read-only no. Another node that named the same id and offset would lack it.
TEST(Replication, WhatAReplicaWroteItselfIsNotLoggedAndBeginsANewHistoryWhenItIsPromoted) {
  Node primary;
  Node replica({.is_read_only = false});
  Node behind;
  primary.Set("a", "1");
  replica.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  behind.Follow(replica);
  ASSERT_TRUE(Eventually([&] { return behind.HasReached(primary); }));
  replica.Set("own", "2");
  EXPECT_EQ(replica.offset(), primary.offset());
  primary.Set("b", "3");
  ASSERT_TRUE(
      Eventually([&] { return replica.HasReached(primary) && behind.HasReached(primary); }));
  EXPECT_EQ(behind.All(), primary.All());
  EXPECT_EQ(replica.All(), (Contents{{"0/a", "1"}, {"0/b", "3"}, {"0/own", "2"}}));

  ASSERT_TRUE(replica.service->ReplicaOf("", 0).ok());
  EXPECT_EQ(replica.service->status().ids.previous, "");
  ASSERT_TRUE(Eventually([&] { return behind.All() == replica.All(); }));
  replica.Set("own", "4");
  ASSERT_TRUE(Eventually([&] { return behind.HasReached(replica); }));
  EXPECT_EQ(behind.All(), replica.All());
  EXPECT_EQ(replica.service->sync_counts().full, 2u);
}

TEST(Replication, AFormerPrimaryCopiesEverythingOfItsSuccessor) {
  Node primary;
  Node promoted;
  primary.Set("a", "1");
  promoted.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return promoted.HasReached(primary); }));
  ASSERT_TRUE(promoted.service->ReplicaOf("", 0).ok());
  primary.Set("lost", "x");
  promoted.Set("b", "2");
  primary.Follow(promoted);
  ASSERT_TRUE(Eventually([&] { return primary.HasReached(promoted); }));
  EXPECT_EQ(primary.All(), (Contents{{"0/a", "1"}, {"0/b", "2"}}));
}

// What a process finds in its file after a restart.
void Restart(Node& node, const Contents& file, const std::string& id, Lsn offset) {
  for (const auto& [name, value] : file) node.Set(name.substr(2), value);
  node.service->Restore(id, offset, 0);
}

TEST(Replication, AReplicaThatWasRestartedContinuesWhereItsFileEnds) {
  Node primary;
  Node replica;
  replica.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  primary.Set("a", "1");
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  Node restarted;
  Restart(restarted, replica.All(), replica.service->status().ids.current, replica.offset());
  primary.Set("b", "2");
  restarted.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return restarted.HasReached(primary); }));
  EXPECT_EQ(restarted.All(), (Contents{{"0/a", "1"}, {"0/b", "2"}}));
  EXPECT_EQ(primary.service->sync_counts().partial, 1u);
}

TEST(Replication, ReplicasContinueAtAPrimaryThatWasRestartedWithAllThatItHad) {
  Node primary;
  Node replica;
  replica.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  primary.Set("a", "1");
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  Node restarted;
  Restart(restarted, primary.All(), primary.service->status().ids.current, primary.offset());
  restarted.Set("b", "2");
  replica.Follow(restarted);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(restarted); }));
  EXPECT_EQ(replica.All(), restarted.All());
  EXPECT_EQ(restarted.service->sync_counts().partial, 1u);
  EXPECT_NE(restarted.service->status().ids.current, primary.service->status().ids.current);
}

TEST(Replication, AReplicaThatWroteAfterItsRestartCopiesEverything) {
  Node primary;
  Node replica;
  replica.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  Node restarted;
  Restart(restarted, replica.All(), replica.service->status().ids.current, replica.offset());
  restarted.Set("own", "1");
  primary.Set("a", "1");
  restarted.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return restarted.HasReached(primary); }));
  EXPECT_EQ(restarted.All(), (Contents{{"0/a", "1"}}));
  EXPECT_EQ(primary.service->sync_counts().full, 2u);
}

TEST(Replication, APrimaryThatIsDemotedContinuesAtItsFormerReplica) {
  Node primary;
  Node replica;
  primary.Set("a", "1");
  replica.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  primary.Set("b", "2");
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  ASSERT_TRUE(replica.service->ReplicaOf("", 0).ok());
  replica.Set("c", "3");
  primary.Follow(replica);
  ASSERT_TRUE(Eventually([&] { return primary.HasReached(replica); }));
  EXPECT_EQ(primary.All(), (Contents{{"0/a", "1"}, {"0/b", "2"}, {"0/c", "3"}}));
  EXPECT_EQ(replica.service->sync_counts().full, 0u);
  EXPECT_EQ(replica.service->sync_counts().partial, 1u);
}

TEST(Replication, ARecordThatCannotBeExecutedLeadsToAFullSync) {
  Node primary;
  Node replica;
  replica.Follow(primary);
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  {
    ShardGuard guard(primary.keyspace->lock(0));
    primary.keyspace->change_log().Append("*1\r\n$7\r\nNOTHING\r\n");
  }
  primary.Set("a", "1");
  ASSERT_TRUE(Eventually([&] { return replica.HasReached(primary); }));
  EXPECT_EQ(replica.All(), primary.All());
}

TEST(Replication, AReplicaThatIsTooSlowIsCutOff) {
  ReplicationSettings small;
  small.lag_limits.hard_bytes = 300'000;
  small.backlog_bytes = 100'000;
  Node primary(small);
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  UniqueFd silent(pair[1]);
  primary.service->Adopt(ConnectedSocket(UniqueFd(pair[0])), {.listening_port = 7}, "");
  ASSERT_TRUE(Eventually([&] {
    const auto replicas = primary.service->status().replicas;
    return replicas.size() == 1 && replicas[0].state == "online";
  }));
  // It never reads: the socket's buffer fills, then the backlog.
  for (int i = 0; i < 1000; ++i) primary.Set("k", std::string(4000, 'v'));
  EXPECT_TRUE(Eventually([&] { return primary.service->status().replicas.empty(); }));
}

TEST(Replication, InfoShowsBothSides) {
  Node primary;
  ReplicationSettings settings;
  settings.listening_port = 1234;
  Node replica(settings);
  replica.Follow(primary);
  ASSERT_TRUE(Eventually(
      [&] { return primary.service->InfoText().find("state=online") != std::string::npos; }));
  EXPECT_THAT(primary.service->InfoText(),
              HasSubstr("role:master\r\nconnected_slaves:1\r\n"
                        "slave0:ip=127.0.0.1,port=1234,state=online,"));
  EXPECT_THAT(replica.service->InfoText(), HasSubstr("role:slave\r\nmaster_host:127.0.0.1\r\n"));
  EXPECT_THAT(replica.service->InfoText(), HasSubstr("master_link_status:up\r\n"));
}

}  // namespace
}  // namespace mikura::engine
