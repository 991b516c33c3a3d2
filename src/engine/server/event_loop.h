// SPDX-License-Identifier: Apache-2.0
// One event loop: a thread, its connections, and the batches of requests it runs.
//
// What has arrived is one batch, across ready connections: read, parse, hash and prefetch up to
// 32 requests, run them in order, then send once per connection. A connection stays on its
// loop.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/commands/blocking.h"
#include "engine/keyspace/durable_horizon.h"
#include "engine/keyspace/expiry_job.h"
#include "engine/messaging/client_tracking.h"
#include "engine/messaging/monitors.h"
#include "engine/messaging/pubsub.h"
#include "engine/net/connected_socket.h"
#include "engine/net/mailbox.h"
#include "engine/net/poller.h"
#include "engine/server/acceptor.h"
#include "engine/server/client_registry.h"
#include "engine/server/dispatcher.h"
#include "engine/server/memcached_backend.h"
#include "engine/server/push_port.h"
#include "engine/server/request_batch.h"
#include "engine/server/session.h"
#include "engine/server/traffic_window.h"

namespace mikura::engine {

// A listening socket that all loops share.
struct Listener {
  UniqueFd fd;
  Protocol protocol = Protocol::kResp;
  bool is_tls = false;
  std::string name;  // of a socket passed by the agent; empty for the node's own ports
};

// What all loops share; owned by Server, which outlives them.
struct LoopContext {
  Keyspace& keyspace;
  Dispatcher& dispatcher;
  MemcachedBackend& memcached;
  ServerClientRegistry& clients;
  Observation& observation;
  Scripts& scripts;
  NodeState& node;
  const Clock& clock;
  DeliveryQueues& deliveries;
  PubSub& pubsub;
  ClientTracking& tracking;
  Monitors& monitors;
  const TlsContexts& tls;
  DurableHorizon& horizon;
  uint32_t loop_count = 1;
  bool starts_guarded = false;  // see event_loop_held.cc
  ClientCount client_count{};
  // Hands an accepted connection to the loop with the fewest clients.
  std::function<void(UniqueFd, std::shared_ptr<const Listener>)> place_connection;
  // True while clients of other machines are refused (protected-mode without a password).
  std::function<bool()> protected_mode;
  // Takes over the socket of a client that became a replica, with the bytes behind its PSYNC.
  std::function<void(ConnectedSocket, const ClientState&, std::string)> adopt_replica;
  // Makes replicas acknowledge soon what is before a position; false: try again. Never waits.
  std::function<bool(Lsn)> ask_for_acks;
  // Makes what is logged durable on the calling thread. False: it is left to others.
  std::function<bool()> commit;
  // Whether that is worth trying.
  std::function<bool()> commits;
};

// The shards [first, first + count) that one loop of several looks after.
struct ShardShare {
  ShardShare(uint32_t loop, uint32_t loop_count)
      : count((kShardCount + loop_count - 1) / loop_count), first(loop * count) {}
  uint32_t count;
  uint32_t first;
};

class EventLoop final : private PushPort, private ReceiverFinder {
 public:
  EventLoop(uint32_t index, LoopContext& context);
  ~EventLoop() override;

  void Start();
  // Ends the thread after its current turn; all its connections are closed.
  void Stop();

  // From any thread.
  void Post(Mailbox::Task task) { mailbox_.Post(std::move(task)); }
  void Wake() { mailbox_.Wake(); }
  const LoopStatistics& statistics() const { return statistics_; }
  // Of its clients: their sessions, and what waits in their buffers.
  uint64_t client_bytes() const {
    return client_memory_.bytes() + statistics_.connected_clients.Get() * kSessionBytes;
  }
  // Those bytes of it that count against the memory limit.
  uint64_t counted_client_bytes() const {
    return client_memory_.counts_against_limit() ? client_memory_.bytes() : 0;
  }
  // Clients of this loop, those on their way to it included.
  uint32_t assigned_clients() const { return assigned_.load(std::memory_order_relaxed); }
  void Assign() { assigned_.fetch_add(1, std::memory_order_relaxed); }

  // On this loop's thread only (through Post).
  void StartListening(std::shared_ptr<const Listener> listener);
  void StopListening(const Listener* listener);
  void AddConnection(UniqueFd fd, const std::shared_ptr<const Listener>& listener);
  void KillClient(uint64_t id);
  // The client's output source has something to send.
  void WakeClient(uint64_t id);
  // A computation for the client is done: the request that it was for runs, or its reply goes on.
  void NoteComputed(uint64_t id);
  // The client's wait has ended.
  void AnswerWaiting(const std::shared_ptr<BlockedClient>& client);
  // From now on, or no more, replies are held back until what they tell of is durable.
  void SetGuarded(bool value);
  // Ends its RESP clients of the network that do not speak TLS.
  void EndPlainClients();
  // Ends the waits of all its clients, and their connections; fails the replies that are held back.
  void EndWaits(Waiter::State reason);

 private:
  static constexpr size_t kArenaBytes = 512 << 10;
  static constexpr uint64_t kSessionBytes = sizeof(Session) + sizeof(ClientRecord);

  void Run();
  void HandleEvents(std::span<const epoll_event> events);
  void AcceptFrom(const Listener* listener);
  void MarkReady(Session* session);
  void Maintain();
  void MaintainOnce();
  void Expire();
  void CloseIdle();
  void ReadLimits();
  bool HoldsTooMuch(Session& session);
  void NotePending(Session& session);
  void ContinueOutput(Session& session);
  void FlushWaiting(Session& session);
  void Remove(Session* session);
  void CountRemoved();

  // In event_loop_turn.cc.
  void ServeReady();
  bool ReadInto(Session& session);
  void ReadRest(Session& session);
  bool ReadArena(Session& session);
  void Parse(Session& session, std::string_view input, bool is_rest);
  bool ParseUsualResp(Session& session, std::string_view input, size_t& used, size_t& needed);
  bool NoteReceived(Session& session, ssize_t received, size_t room);
  void RunBatch();
  void RunRequests();

  void SettleSuspended();
  void SendRanges();

  // In event_loop_busy.cc.
  struct BusyTurn {
    explicit BusyTurn(EventLoop& loop);
    // Changes places with what the turn outside uses.
    void Swap(EventLoop& loop);

    CommandObserver observer;
    std::unique_ptr<RequestBatch> batch;
    std::unique_ptr<char[]> arena;
    size_t arena_used = 0;
    std::vector<Session*> served;
    Session* parsing = nullptr;
    Session* runner = nullptr;
  };
  void MakeBusyTurn();
  void TakeBusyTurn();
  void SendAnswered();
  bool IsLeftAlone(const Session& session) const;

  // In event_loop_tls.cc.
  void BeginHandshake(Session& session, std::string_view refusal);
  void BeginByMode(Session& session);
  bool RecognizeTls(Session& session);
  bool ShakeHands(Session& session);
  void NoteTlsEvent(Session& session, uint32_t events);
  void EndLateHandshakes();

  // In event_loop_waits.cc.
  void NoteSuspended(Session& session);
  void Resume(Session& session);
  void RetryPutAside();
  void ResumePaused();
  void AnswerWait(Session& session);
  void StopWaiting(Session& session);
  void NoteWait(Session& session, bool served, std::string_view reply);
  static bool IsAboutToBeAnswered(Session& session);
  bool GivesUpWaiting(Session& session);
  void EndLateWaits();
  void ForgetSuspended(Session& session);
  void CountBlocked();
  UnixMillis NextWake() const;
  void SendOutput();
  void FlushOutput();
  void FinishSession(Session& session);
  void SendFromSource(Session& session);

  // In event_loop_held.cc.
  void NoteFence();
  void NoteHeld(Session& session);
  UnixMillis AwaitDurable(UnixMillis wait);
  bool LooksForMore();
  void ReleaseHeld();
  bool MayNotLeave() const;
  void FailAllHeld();
  void Fail(Session& session);
  bool SendTold(Session& session, const RequestBatch::Told& told, std::string_view bytes,
                size_t base, std::span<wire::OutputBuffer::Insertion> insertions);
  bool SendLate(Session& session, std::string_view bytes);

  // In event_loop_pushes.cc.
  void Push(Session& session, PushOrder order, std::string_view head, const Message* message,
            std::string_view part) override;
  void DeliverInside(Session& session) override;
  bool HasWaiting() const override { return !context_.deliveries.is_empty(index_); }
  void SendReplies() override { SendOutput(); }
  void BeginInside(Session& session) override;
  void EndInside() override { inside_allowed_ = nullptr; }
  std::string DeliverAround(Session& session, bool all_behind) override;
  void PublishState(Session& session) override;
  Receiver* FindReceiver(uint64_t id) override;
  void DeliverPosted();
  bool HoldPush(Session& session);
  void RunPosted(Session* inside);
  void FlushOne(Session& session);
  void FlushPushes();
  void TellChanges();
  void ForgetReceiver(Session& session);
  const OutputBounds& BoundsOf(Session& session) const {
    return session.state().is_subscriber ? subscriber_bounds_ : output_bounds_;
  }

  const uint32_t index_;
  const ShardShare share_;
  LoopContext& context_;
  ClientMemory client_memory_;  // before the sessions, which tell it of their end
  Poller poller_;
  Mailbox mailbox_;
  LoopStatistics statistics_;
  CommandObserver observer_;
  std::unique_ptr<ScriptThread> script_thread_;
  std::atomic<uint32_t> assigned_{0};  // read by accepting loops to even out; relaxed
  std::thread thread_;
  bool stopping_ = false;
  UnixMillis now_ = 0;
  UnixMillis next_maintenance_ = 0;
  UnixMillis round_began_ = 0;   // of maintenance
  uint32_t maintained_ = 0;      // of its share of the shards, in this round
  bool has_maintained_ = false;  // this round has found something to do
  int quiet_rounds_left_ = 0;
  UnixMillis next_expiry_ = 0;
  UnixMillis next_idle_check_ = 0;
  bool has_pending_ = false;  // some session may have output that was not sent yet

  bool is_guarded_ = false;
  size_t held_seen_ = 0;  // size of held_ when it last looked for more; 0: it has not yet
  int looks_ = 0;
  Lsn released_ = DurableHorizon::kEverything;  // the horizon, as of the last look
  Lsn told_most_ = 0;                           // of the replies so far
  bool is_fenced_ = false;                      // as the first loop told the keyspace

  std::vector<std::shared_ptr<const Listener>> listeners_;
  std::unordered_map<uint64_t, std::unique_ptr<Session>> sessions_;
  std::deque<Session*> ready_;
  std::vector<Session*>
      served_;  // in this turn; ended or marked again when their replies were sent
  std::vector<Session*> put_aside_;  // suspended, oldest first
  std::vector<Session*> paused_;     // the same
  std::vector<Session*> held_;       // have replies that are held back
  size_t waiting_count_ = 0;         // sessions that wait for keys
  // Of those that do not wait for ever.
  std::set<std::pair<UnixMillis, Session*>> wait_deadlines_;
  static constexpr int kHandshakesPerTurn = 4;
  int handshakes_left_ = kHandshakesPerTurn;                    // in this turn
  std::deque<std::pair<UnixMillis, uint64_t>> handshake_ends_;  // and clients, finished ones too
  Session* parsing_ = nullptr;                                  // its input is being parsed
  std::unique_ptr<BusyTurn> busy_turn_;
  std::function<void()> take_busy_turn_;
  Session* runner_ = nullptr;  // during a busy turn: whose request the script is
  std::unique_ptr<char[]> arena_;
  size_t arena_used_ = 0;
  std::unique_ptr<RequestBatch> batch_;
  Acceptor acceptor_;
  ExpiryJob expiry_;
  TrafficWindow traffic_;
  // Of clients that have logged in; read from the settings once per turn.
  wire::RespLimits request_limits_;
  OutputBounds output_bounds_;
  OutputBounds subscriber_bounds_;
  std::vector<Session*> pushed_;        // have pushes that were not flushed yet
  Session* pushing_inside_ = nullptr;   // its command is running: its pushes go into the batch
  Session* inside_allowed_ = nullptr;   // BeginInside()
  std::optional<PushOrder> late_from_;  // what is kept for behind its reply
  std::string late_pushes_;
  size_t unread_bytes_max_ = 0;  // a client that leaves more unread is not read from
};

}  // namespace mikura::engine
