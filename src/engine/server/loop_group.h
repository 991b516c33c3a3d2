// SPDX-License-Identifier: Apache-2.0
// All event loops and the listening sockets they share.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/server/event_loop.h"

namespace mikura::engine {

class LoopGroup {
 public:
  // `context` outlives the group; its place_connection is set here.
  LoopGroup(uint32_t count, LoopContext& context);
  ~LoopGroup();

  void Start();
  // Ends all loops; every connection is closed.
  void Stop();

  // Accepts on `listener` from now on. A named one replaces the one of the same name.
  void StartListening(const std::shared_ptr<const Listener>& listener) EXCLUDES(mutex_);
  // Stops accepting on the listener of this name. Null when there is none.
  std::shared_ptr<const Listener> StopListening(const std::string& name) EXCLUDES(mutex_);
  // The named listeners; the agent fetches their descriptors back after its restart.
  std::vector<std::string> ListenerNames() const EXCLUDES(mutex_);
  std::shared_ptr<const Listener> FindListener(const std::string& name) const EXCLUDES(mutex_);

  // All listening sockets, own and passed ones.
  std::vector<std::shared_ptr<const Listener>> Listeners() const EXCLUDES(mutex_);

  // Makes the loop look for what was posted to it.
  void Wake(uint32_t loop);
  void KillClient(uint32_t loop, uint64_t id);
  // The output source of the client has something to send.
  void WakeClient(uint32_t loop, uint64_t id);
  // Something was computed for the client.
  void TellComputed(uint32_t loop, uint64_t id);
  // Lets the client have the reply of the command that waited.
  void AnswerClient(uint32_t loop, const std::shared_ptr<BlockedClient>& client);
  // The node became a replica: no client waits for keys any more, and no reply to become durable.
  // then: called on the last loop's thread.
  void UnblockAll(std::function<void()> then);
  // See EventLoop; then: as for UnblockAll().
  void SetGuarded(bool value, std::function<void()> then);
  // Ends the clients that do not speak TLS.
  void EndPlainClients();
  // A pause may be over.
  void WakeAll();
  const std::vector<std::unique_ptr<EventLoop>>& loops() const { return loops_; }

 private:
  // Runs `task` on each loop, then `then` on the thread of the one that was last.
  void PostToAll(const std::function<void(EventLoop&)>& task, std::function<void()> then);
  void Place(UniqueFd fd, const std::shared_ptr<const Listener>& listener);

  std::vector<std::unique_ptr<EventLoop>> loops_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<const Listener>> named_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<const Listener>> own_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
