// SPDX-License-Identifier: Apache-2.0
#include "engine/server/loop_group.h"

namespace mikura::engine {

LoopGroup::LoopGroup(uint32_t count, LoopContext& context) {
  context.loop_count = count;
  context.place_connection = [this](UniqueFd fd, const std::shared_ptr<const Listener>& listener) {
    Place(std::move(fd), listener);
  };
  for (uint32_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<EventLoop>(i, context));
}

LoopGroup::~LoopGroup() { Stop(); }

void LoopGroup::Start() {
  for (const auto& loop : loops_) loop->Start();
}

void LoopGroup::Stop() {
  for (const auto& loop : loops_) loop->Stop();
}

// The loop with the fewest clients. Counts lag by what is on its way, which evens out.
void LoopGroup::Place(UniqueFd fd, const std::shared_ptr<const Listener>& listener) {
  EventLoop* best = loops_[0].get();
  for (const auto& loop : loops_) {
    if (loop->assigned_clients() < best->assigned_clients()) best = loop.get();
  }
  best->Assign();
  auto shared_fd = std::make_shared<UniqueFd>(std::move(fd));  // std::function wants copies
  best->Post([best, shared_fd, listener] { best->AddConnection(std::move(*shared_fd), listener); });
}

void LoopGroup::StartListening(const std::shared_ptr<const Listener>& listener) {
  if (listener->name.empty()) {
    MutexLock lock(mutex_);
    own_.push_back(listener);
  } else {
    StopListening(listener->name);
    MutexLock lock(mutex_);
    named_[listener->name] = listener;
  }
  for (const auto& loop : loops_) {
    EventLoop* raw = loop.get();
    raw->Post([raw, listener] { raw->StartListening(listener); });
  }
}

std::shared_ptr<const Listener> LoopGroup::StopListening(const std::string& name) {
  std::shared_ptr<const Listener> listener;
  {
    MutexLock lock(mutex_);
    const auto found = named_.find(name);
    if (found == named_.end()) return nullptr;
    listener = found->second;
    named_.erase(found);
  }
  // Each loop's task holds a reference: the descriptor is closed when the last loop let go of it.
  for (const auto& loop : loops_) {
    EventLoop* raw = loop.get();
    raw->Post([raw, listener] { raw->StopListening(listener.get()); });
  }
  return listener;
}

std::vector<std::string> LoopGroup::ListenerNames() const {
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, listener] : named_) names.push_back(name);
  return names;
}

std::shared_ptr<const Listener> LoopGroup::FindListener(const std::string& name) const {
  MutexLock lock(mutex_);
  const auto found = named_.find(name);
  return found == named_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Listener>> LoopGroup::Listeners() const {
  MutexLock lock(mutex_);
  std::vector<std::shared_ptr<const Listener>> listeners = own_;
  for (const auto& [name, listener] : named_) listeners.push_back(listener);
  return listeners;
}

void LoopGroup::Wake(uint32_t loop) { loops_[loop]->Wake(); }

void LoopGroup::WakeClient(uint32_t loop, uint64_t id) {
  EventLoop* raw = loops_[loop].get();
  raw->Post([raw, id] { raw->WakeClient(id); });
}

void LoopGroup::TellComputed(uint32_t loop, uint64_t id) {
  EventLoop* raw = loops_[loop].get();
  raw->Post([raw, id] { raw->NoteComputed(id); });
}

void LoopGroup::KillClient(uint32_t loop, uint64_t id) {
  EventLoop* raw = loops_[loop].get();
  raw->Post([raw, id] { raw->KillClient(id); });
}

void LoopGroup::AnswerClient(uint32_t loop, const std::shared_ptr<BlockedClient>& client) {
  EventLoop* raw = loops_[loop].get();
  raw->Post([raw, client] { raw->AnswerWaiting(client); });
}

void LoopGroup::PostToAll(const std::function<void(EventLoop&)>& task, std::function<void()> then) {
  // Owned by the tasks; whoever takes the last one away has seen what the others did.
  struct Round {
    std::atomic<size_t> left;
    std::function<void()> then;
  };
  const auto round = std::make_shared<Round>();
  round->left = loops_.size();
  round->then = std::move(then);
  for (const auto& loop : loops_) {
    EventLoop* raw = loop.get();
    raw->Post([raw, task, round] {
      task(*raw);
      if (round->left.fetch_sub(1) == 1) round->then();
    });
  }
}

void LoopGroup::UnblockAll(std::function<void()> then) {
  PostToAll([](EventLoop& loop) { loop.EndWaits(Waiter::State::kRoleChanged); }, std::move(then));
}

void LoopGroup::EndPlainClients() {
  PostToAll([](EventLoop& loop) { loop.EndPlainClients(); }, [] {});
}

void LoopGroup::SetGuarded(bool value, std::function<void()> then) {
  PostToAll([value](EventLoop& loop) { loop.SetGuarded(value); }, std::move(then));
}

void LoopGroup::WakeAll() {
  for (const auto& loop : loops_) loop->Post([] {});
}

}  // namespace mikura::engine
