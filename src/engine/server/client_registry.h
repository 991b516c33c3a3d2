// SPDX-License-Identifier: Apache-2.0
// All connected clients, for CLIENT LIST, INFO, KILL and CLIENT ID. A leaf lock: nothing is taken
// inside.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/commands/services.h"
#include "engine/server/client_record.h"

namespace mikura::engine {

class ServerClientRegistry final : public ClientRegistry {
 public:
  // `kill` asks the event loop `loop` to end the client `id`, soon; called with no lock held.
  using KillFunction = std::function<void(uint32_t loop, uint64_t id)>;
  // `answer` lets the event loop `loop` send a client's reply; called with no lock held.
  using AnswerFunction =
      std::function<void(uint32_t loop, const std::shared_ptr<BlockedClient>& client)>;
  ServerClientRegistry(KillFunction kill, AnswerFunction answer)
      : kill_(std::move(kill)), answer_(std::move(answer)) {}

  // Gives the record its id and makes it visible.
  void Add(const std::shared_ptr<ClientRecord>& record);
  void Remove(uint64_t id);
  std::optional<uint32_t> LoopOf(uint64_t id) const override;
  // Ends all clients that came through the passed listener `name`.
  size_t KillByListener(const std::string& name);

  std::vector<ClientInfo> List() override;
  std::string Describe(const ClientInfo& info, UnixMillis now) override;
  std::string DescribeOwn(const ClientState& state, UnixMillis now) override;
  void Publish(const ClientState& state) override;
  size_t Kill(const ClientFilter& filter) override;
  void Answer(const std::shared_ptr<BlockedClient>& client) override;
  bool Unblock(uint64_t id, bool with_error) override;
  // What the client waits for; null: it does not.
  void SetWaiting(uint64_t id, std::shared_ptr<BlockedClient> waiting);

 private:
  KillFunction kill_;
  AnswerFunction answer_;
  mutable Mutex mutex_;
  uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::shared_ptr<ClientRecord>> clients_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
