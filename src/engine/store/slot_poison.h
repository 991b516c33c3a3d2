// SPDX-License-Identifier: Apache-2.0
// Free slots are poisoned behind their links, so that the address sanitizer sees stale references.
// Nothing in other builds.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define MIKURA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MIKURA_ASAN 1
#endif
#endif
#ifdef MIKURA_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace mikura::engine::store {

inline void PoisonFreeSlot([[maybe_unused]] char* slot, [[maybe_unused]] size_t bytes) {
#ifdef MIKURA_ASAN
  if (bytes > 16) ASAN_POISON_MEMORY_REGION(slot + 16, bytes - 16);
#endif
}

inline void UnpoisonSlot([[maybe_unused]] char* slot, [[maybe_unused]] size_t bytes) {
#ifdef MIKURA_ASAN
  ASAN_UNPOISON_MEMORY_REGION(slot, bytes);
#endif
}

}  // namespace mikura::engine::store
