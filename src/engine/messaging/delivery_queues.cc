// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/delivery_queues.h"

#include <utility>

#include "base/check.h"

namespace mikura::engine {

DeliveryQueues::DeliveryQueues(uint32_t loop_count, Wake wake)
    : loop_count_(loop_count),
      wake_(std::move(wake)),
      queues_(new Queue[loop_count]),
      posters_(new Poster[kThreadsMax]) {
  CHECK(loop_count > 0 && loop_count <= kThreadsMax);
}

DeliveryQueues::~DeliveryQueues() {
  for (uint32_t loop = 0; loop < loop_count_; ++loop) {
    Delivery* delivery = queues_[loop].head.exchange(nullptr, std::memory_order_acquire);
    while (delivery != nullptr) delete std::exchange(delivery, delivery->next_);
  }
}

void DeliveryQueues::Post(uint32_t loop, std::unique_ptr<Delivery> delivery, uint64_t cost) {
  Poster& poster = posters_[ThreadIndex()];
  Posting posting{loop, std::move(delivery), cost};
  if (poster.keeps) [[unlikely]] {
    poster.kept.push_back(std::move(posting));
  } else {
    PostNow(poster, std::move(posting));
  }
}

void DeliveryQueues::PostKept(Poster& poster) {
  poster.keeps = false;
  for (Posting& posting : poster.kept) PostNow(poster, std::move(posting));
  poster.kept.clear();
}

DeliveryQueues::Kept DeliveryQueues::BeginInside() {
  Poster& poster = posters_[ThreadIndex()];
  Kept kept;
  kept.keeps_ = std::exchange(poster.keeps, false);
  kept.postings_ = std::exchange(poster.kept, {});
  return kept;
}

void DeliveryQueues::EndInside(Kept kept) {
  Poster& poster = posters_[ThreadIndex()];
  poster.keeps = kept.keeps_;
  poster.kept = std::move(kept.postings_);
}

void DeliveryQueues::PostNow(Poster& poster, Posting posting) {
  const uint32_t loop = posting.loop;
  const uint64_t cost = posting.cost;
  Queue& queue = queues_[loop];
  Delivery* const posted = posting.delivery.release();
  posted->cost_ = cost;
  const uint64_t before = queue.cost.fetch_add(cost, std::memory_order_relaxed);
  if (before < kCongestedCost && before + cost >= kCongestedCost) {
    congested_.fetch_add(1, std::memory_order_relaxed);
  }
  Delivery* below = queue.head.load(std::memory_order_relaxed);
  do {
    posted->next_ = below;
  } while (!queue.head.compare_exchange_weak(below, posted, std::memory_order_release,
                                             std::memory_order_relaxed));
  if (below != nullptr) return;
  if (poster.own_loop == loop) return;
  poster.loops.set(loop);
  poster.has_posted = true;
}

void DeliveryQueues::WakeLoops(Poster& poster) {
  poster.has_posted = false;
  for (size_t loop = poster.loops._Find_first(); loop < poster.loops.size();
       loop = poster.loops._Find_next(loop)) {
    wake_(static_cast<uint32_t>(loop));
  }
  poster.loops.reset();
}

void DeliveryQueues::RunAll(uint32_t loop, ReceiverFinder& clients) {
  Queue& queue = queues_[loop];
  Delivery* newest_first = queue.head.exchange(nullptr, std::memory_order_acquire);
  Delivery* oldest_first = nullptr;
  while (newest_first != nullptr) {
    Delivery* const next = std::exchange(newest_first->next_, oldest_first);
    oldest_first = std::exchange(newest_first, next);
  }
  while (oldest_first != nullptr) {
    const std::unique_ptr<Delivery> delivery(std::exchange(oldest_first, oldest_first->next_));
    delivery->Run(clients);
    const uint64_t before = queue.cost.fetch_sub(delivery->cost_, std::memory_order_relaxed);
    if (before >= kCongestedCost && before - delivery->cost_ < kCongestedCost) {
      congested_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace mikura::engine
