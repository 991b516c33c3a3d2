// SPDX-License-Identifier: Apache-2.0
#include "engine/server/client_pause.h"

#include <algorithm>

namespace mikura::engine {

void ClientPause::Begin(UnixMillis now, UnixMillis end, bool all) {
  MutexLock lock(mutex_);
  const bool goes_on = end_ > now;
  all_ = all || (goes_on && all_);
  end_ = goes_on ? std::max(end, end_) : end;
  Publish();
}

void ClientPause::End() {
  MutexLock lock(mutex_);
  end_ = 0;
  Publish();
}

bool ClientPause::HoldWrites(bool holds) {
  MutexLock lock(mutex_);
  if (holds_writes_ == holds) return false;
  holds_writes_ = holds;
  Publish();
  return true;
}

void ClientPause::HoldWritesUntil(UnixMillis end) {
  MutexLock lock(mutex_);
  hold_end_ = end;
  Publish();
}

void ClientPause::Publish() {
  node_.all_pause_end.store(all_ ? end_ : 0, std::memory_order_relaxed);
  node_.pause_end.store(holds_writes_ ? INT64_MAX : std::max(end_, hold_end_),
                        std::memory_order_relaxed);
}

}  // namespace mikura::engine
