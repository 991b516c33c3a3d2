// SPDX-License-Identifier: Apache-2.0
#include "engine/server/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace mikura::engine {
namespace {

// Listening sockets, two per event loop, links to replicas and to the primary, files.
constexpr int64_t kOwnDescriptors = 128;

}  // namespace

int64_t RaiseFileLimit(int64_t clients) {
  const auto wanted = static_cast<rlim_t>(clients + kOwnDescriptors);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return clients;
  // Without the right to go above the hard limit, up to it.
  rlimit raised{wanted, std::max(wanted, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return clients;
  raised = {std::min(wanted, limit.rlim_max), limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit.rlim_cur = raised.rlim_cur;
  return std::clamp<int64_t>(static_cast<int64_t>(limit.rlim_cur) - kOwnDescriptors, 1, clients);
}

}  // namespace mikura::engine
