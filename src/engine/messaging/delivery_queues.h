// SPDX-License-Identifier: Apache-2.0
// What threads have for the clients of event loops: one queue per loop, that a poster never waits
// for.
//
// Posting is allowed under any lock. A loop that sleeps is woken by whoever posted first into its
// empty queue, later, with nothing held: WakePosted(). A loop looks into its queue before it runs
// requests, so what was posted before a request was sent is delivered before its reply.
//
// On a node whose clients are shown only what is durable, whoever delivers has to know a position
// of the log that covers what he tells of. So what a command posts is kept until it is logged, and
// is posted under its locks then (CommitListener): the log's end at a delivery is such a position.
#pragma once

#include <atomic>
#include <bitset>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/thread_index.h"
#include "engine/keyspace/effects.h"
#include "engine/messaging/receiver.h"

namespace mikura::engine {

// One thing that a loop hands to its clients.
class Delivery {
 public:
  virtual ~Delivery() = default;
  // On the loop's thread.
  virtual void Run(ReceiverFinder& clients) = 0;

 private:
  friend class DeliveryQueues;
  Delivery* next_ = nullptr;
  uint64_t cost_ = 0;
};

class DeliveryQueues final : public CommitListener {
 public:
  // wake: makes the loop look into its queue; called with nothing held.
  using Wake = std::function<void(uint32_t loop)>;
  DeliveryQueues(uint32_t loop_count, Wake wake);
  ~DeliveryQueues() override;

  uint32_t loop_count() const { return loop_count_; }

  // From any thread, under any lock. cost: about the bytes that its delivery writes.
  void Post(uint32_t loop, std::unique_ptr<Delivery> delivery, uint64_t cost);
  // Wakes the loops that this thread has posted to. With nothing held, before the thread sleeps or
  // replies.
  void WakePosted() {
    Poster& poster = posters_[ThreadIndex()];
    if (poster.has_posted) [[unlikely]]
      WakeLoops(poster);
  }

  // ---- CommitListener, of the calling thread.
  void BeforeCommand() override { posters_[ThreadIndex()].keeps = true; }
  void OnLogged() override { PostKept(posters_[ThreadIndex()]); }
  void AfterCommand() override { PostKept(posters_[ThreadIndex()]); }
  // For commands that run inside of one whose posts are kept.
  class Kept;
  Kept BeginInside();
  void EndInside(Kept kept);

  // ---- On the loop's thread.
  // This thread is the loop's: it need not be woken for what it posts itself.
  void SetLoopOfThread(uint32_t loop) { posters_[ThreadIndex()].own_loop = loop; }
  bool is_loop_of_thread(uint32_t loop) const { return posters_[ThreadIndex()].own_loop == loop; }
  bool is_empty(uint32_t loop) const {
    return queues_[loop].head.load(std::memory_order_acquire) == nullptr;
  }
  // Runs what is there, oldest first.
  void RunAll(uint32_t loop, ReceiverFinder& clients);

  // True while some loop has much left to deliver: whoever can wait posts no more. Publishes
  // nothing but itself.
  bool is_congested() const { return congested_.load(std::memory_order_relaxed) != 0; }

  // As much as a loop delivers in some tens of milliseconds.
  static constexpr uint64_t kCongestedCost = 32 << 20;

  struct Posting {
    uint32_t loop;
    std::unique_ptr<Delivery> delivery;
    uint64_t cost;
  };
  class Kept {
   private:
    friend class DeliveryQueues;
    bool keeps_ = false;
    std::vector<Posting> postings_;
  };

 private:
  static constexpr uint32_t kNoLoop = UINT32_MAX;

  struct alignas(64) Queue {
    // A stack; release on push publishes the delivery, acquire on exchange takes them all.
    std::atomic<Delivery*> head{nullptr};
    std::atomic<uint64_t> cost{0};  // of all in it; relaxed
  };
  // Of one thread, used by it alone.
  struct alignas(64) Poster {
    bool has_posted = false;
    uint32_t own_loop = kNoLoop;
    bool keeps = false;
    std::vector<Posting> kept;  // in the order in which they were posted
    std::bitset<kThreadsMax> loops;
  };

  void WakeLoops(Poster& poster);
  void PostKept(Poster& poster);
  void PostNow(Poster& poster, Posting posting);

  const uint32_t loop_count_;
  const Wake wake_;
  std::unique_ptr<Queue[]> queues_;
  std::unique_ptr<Poster[]> posters_;
  std::atomic<int32_t> congested_{0};
};

}  // namespace mikura::engine
