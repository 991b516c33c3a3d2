// SPDX-License-Identifier: Apache-2.0
// A small dense number for each live thread that asks: the index of its row in per-thread tables
// (allocator caches, log chains, statistics). The only thread_local of the program is here.
#pragma once

#include <cstdint>

namespace mikura {

// More threads than this at one time end the process (CHECK): event loops are at most the cores.
inline constexpr uint32_t kThreadsMax = 256;

// Number of the calling thread, below kThreadsMax; numbers of ended threads are given out again.
uint32_t ThreadIndex();

// Takes a number that no live thread has, so that the caller may tidy the rows that its last owner
// left behind: no new thread gets it before ReleaseThreadIndex. False when it is in use.
bool ClaimThreadIndex(uint32_t index);
void ReleaseThreadIndex(uint32_t index);

}  // namespace mikura
