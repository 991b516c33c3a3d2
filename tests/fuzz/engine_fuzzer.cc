// SPDX-License-Identifier: Apache-2.0
// Commands of both protocols on one small keyspace, without sockets: each RESP request is answered
// by exactly one well-formed reply, and every shard's invariants hold at the end.
// Input: runs of bytes with 0xff between them, in turn of a RESP client and of a memcached client,
// whose first byte says whether it speaks text or binary.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "engine/commands/command_test_support.h"
#include "engine/commands/memcached_commands.h"
#include "engine/commands/memcached_test_support.h"
#include "engine/keyspace/expiry_job.h"
#include "engine/server/dispatcher.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/reply_check.h"
#include "wire/memcached_binary_parser.h"
#include "wire/memcached_parser.h"
#include "wire/resp_parser.h"

namespace mikura::fuzz {
namespace {

constexpr uint64_t kStringBytesMax = 64 << 10;
constexpr size_t kItemSizeMax = 8 << 10;
constexpr UnixMillis kStep = 7;  // between two requests, so that deadlines pass

// Made once: a keyspace reserves its memory. Emptied after every input.
struct Node {
  Node() : keyspace(engine::Keyspace::Create({.database_count = 2}).value()) {}
  const std::unique_ptr<engine::Keyspace> keyspace;
  const engine::CommandTable table;
};

Node& SharedNode() {
  static Node node;
  return node;
}

class Player {
 public:
  explicit Player(Node& node) : node_(node) {
    fakes_.debug_allowed = false;  // DEBUG SLEEP
    client_.authenticated = true;
    client_.id = 1;
  }

  void Resp(std::string_view input) {
    size_t used = 0;
    while (used < input.size() && !ended()) {
      std::vector<std::string_view> words;
      std::vector<std::unique_ptr<std::string>> storage;
      const auto result = wire::ParseResp(input.substr(used), {}, words, storage);
      if (result.status == wire::RespStatus::kRequest) RunResp(words);
      if (result.consumed == 0) return;
      used += result.consumed;
    }
  }

  void Memcached(std::string_view input) {
    wire::MemcachedParser parser({.item_size_max = kItemSizeMax});
    wire::MemcachedRequest request;
    size_t used = 0;
    while (used < input.size() && !close_memcached_) {
      size_t consumed = 0;
      const auto status = parser.Parse(input.substr(used), &request, &consumed);
      used += consumed;
      if (status != wire::MemcachedParseStatus::kComplete) return;
      RunMemcached(request);
    }
  }

  // Looks at the shards that were named by a request; FlushAll visits all.
  void Finish() NO_THREAD_SAFETY_ANALYSIS {
    engine::Keyspace& keyspace = *node_.keyspace;
    for (uint32_t shard = 0; shard < engine::kShardCount; ++shard) {
      if (!touched_.test(shard)) continue;
      engine::ExpiryJob(keyspace, shard, 1).Run(now_);
      keyspace.MaintainShards(shard, 1);
      engine::ShardGuard guard(keyspace.lock(shard));
      keyspace.LockedShard(shard).CheckInvariants();
    }
    keyspace.Maintain(true, now_);
    keyspace.FlushAll(effects_);
    CHECK(keyspace.KeyCount(0) == 0);
  }

 private:
  bool ended() const { return client_.close_after_reply || client_.is_replica; }

  // Of threads, files and other nodes, which are not there.
  static bool IsLeftOut(const std::vector<std::string_view>& words) {
    static constexpr std::string_view kNames[] = {"WAIT",    "WAITAOF",      "SAVE",
                                                  "BGSAVE",  "LASTSAVE",     "SHUTDOWN",
                                                  "MIGRATE", "BGREWRITEAOF", "DEBUG"};
    return !words.empty() && std::any_of(std::begin(kNames), std::end(kNames), [&](auto name) {
      return EqualsIgnoreCase(words[0], name);
    });
  }

  void RunResp(const std::vector<std::string_view>& words) {
    if (IsLeftOut(words)) return;
    now_ += kStep;
    std::vector<engine::Key> keys;
    engine::Request request;
    request.args = words;
    std::vector<engine::KeyPlace> places;
    dispatcher_.Resolve(request, places, keys);
    request.keys = keys;
    for (const engine::Key& key : keys) touched_.set(key.shard());
    wire::OutputBuffer out;
    wire::RespWriter reply(out, client_.resp_version);
    const bool skip = client_.skip_next_reply;
    dispatcher_.Run(request, client_, now_, effects_, reply, statistics_);
    if (skip) client_.skip_next_reply = false;
    const bool may_be_silent = client_.replies_off || client_.skip_next_reply || ended();
    if (out.size() == 0 && may_be_silent) return;
    const auto behind = SkipReply(out.view());
    CHECK(behind.has_value());
    CHECK(behind->empty());
  }

  void RunMemcached(const wire::MemcachedRequest& request) NO_THREAD_SAFETY_ANALYSIS {
    now_ += kStep;
    engine::Keyspace& keyspace = *node_.keyspace;
    effects_.Begin(false);
    engine::KeyAccess keys(keyspace, effects_, 0, keyspace.AccessAt(now_));
    const engine::Key key = keyspace.hasher()(request.key);
    wire::OutputBuffer out;
    engine::MemcachedConnectionAccess connection{close_memcached_, source_, 1, 7, false};
    engine::MemcachedContext context{keys,
                                     request.has_key() ? &key : nullptr,
                                     out,
                                     keyspace,
                                     memcached_fakes_,
                                     settings_,
                                     counters_,
                                     false,
                                     client_,
                                     connection};
    if (request.has_key()) {
      touched_.set(key.shard());
      engine::ShardGuard guard(keyspace.lock(key.shard()));
      engine::RunMemcached(context, request);
    } else {
      engine::RunMemcached(context, request);
    }
    if (request.is_binary) {
      CheckPackets(out.view(), request);
    } else {
      CHECK(out.size() == 0 || out.view().ends_with("\r\n"));
    }
  }

  // Whole packets, each of which answers the request.
  static void CheckPackets(std::string_view packets, const wire::MemcachedRequest& request) {
    while (!packets.empty()) {
      CHECK(packets.size() >= wire::kMemcachedHeaderSize);
      CHECK(static_cast<uint8_t>(packets[0]) == wire::kMemcachedResponseMagic);
      CHECK(static_cast<uint8_t>(packets[1]) == request.opcode);
      uint32_t body = 0;
      std::memcpy(&body, packets.data() + 8, sizeof body);
      const size_t size = wire::kMemcachedHeaderSize + __builtin_bswap32(body);
      CHECK(packets.size() >= size);
      packets.remove_prefix(size);
    }
  }

  Node& node_;
  engine::FakeServices fakes_;
  engine::FakeMemcachedServices memcached_fakes_;
  engine::MemcachedSettings settings_;
  engine::MemcachedCounters counters_;
  engine::AccessControl access_{node_.table};
  engine::Observation observation_;
  engine::Scripts scripts_;
  engine::DeliveryQueues queues_{1, [](uint32_t) {}};
  engine::PubSub pubsub_{queues_, node_.keyspace->hasher()};
  engine::ClientTracking tracking_{*node_.keyspace, queues_, [](uint64_t) { return std::nullopt; }};
  engine::Monitors monitors_{queues_};
  engine::Services services_{fakes_,   fakes_,  fakes_,    access_,   observation_,
                             scripts_, pubsub_, tracking_, monitors_, kStringBytesMax};
  engine::SystemFenceClock fence_clock_;
  engine::NodeState state_{fence_clock_};
  engine::Dispatcher dispatcher_{*node_.keyspace, node_.table, services_, state_};
  engine::LoopStatistics statistics_;
  engine::ClientState client_;
  engine::Effects effects_;
  UnixMillis now_ = 1'700'000'000'000;
  bool close_memcached_ = false;
  std::unique_ptr<engine::OutputSource> source_;
  engine::ShardSet touched_;
};

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  std::string_view input = fuzz::AsText(data, size);
  fuzz::Player player(fuzz::SharedNode());
  for (bool is_resp = true; !input.empty(); is_resp = !is_resp) {
    const size_t end = std::min(input.find('\xff'), input.size());
    const fuzz::ExactCopy run(input.substr(0, end));
    if (is_resp) {
      player.Resp(run.view());
    } else {
      player.Memcached(run.view());
    }
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  player.Finish();
  return 0;
}
