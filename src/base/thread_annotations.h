// SPDX-License-Identifier: Apache-2.0
// Clang's thread-safety attributes; g++ sees empty macros.
#pragma once

#if defined(__clang__)
#define MIKURA_TSA(x) __attribute__((x))
#else
#define MIKURA_TSA(x)
#endif

#define CAPABILITY(name) MIKURA_TSA(capability(name))
#define SCOPED_CAPABILITY MIKURA_TSA(scoped_lockable)
#define GUARDED_BY(lock) MIKURA_TSA(guarded_by(lock))
#define PT_GUARDED_BY(lock) MIKURA_TSA(pt_guarded_by(lock))
#define REQUIRES(...) MIKURA_TSA(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) MIKURA_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) MIKURA_TSA(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) MIKURA_TSA(try_acquire_capability(__VA_ARGS__))
#define EXCLUDES(...) MIKURA_TSA(locks_excluded(__VA_ARGS__))
#define RETURN_CAPABILITY(lock) MIKURA_TSA(lock_returned(lock))
#define ASSERT_CAPABILITY(lock) MIKURA_TSA(assert_capability(lock))
#define NO_THREAD_SAFETY_ANALYSIS MIKURA_TSA(no_thread_safety_analysis)
