// SPDX-License-Identifier: Apache-2.0
#include "bench/load.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "bench/load_thread.h"

namespace mikura::bench {
namespace {

void AddTo(LoadResult& sum, const LoadResult& part) {
  sum.requests += part.requests;
  sum.hits += part.hits;
  sum.misses += part.misses;
  sum.stored += part.stored;
  sum.errors += part.errors;
  sum.verified += part.verified;
  sum.wrong += part.wrong;
  if (sum.first_error.empty()) sum.first_error = part.first_error;
  sum.seconds = std::max(sum.seconds, part.seconds);
  sum.requests_per_second += part.requests_per_second;
  sum.client_cpu_seconds += part.client_cpu_seconds;
  sum.server_cpu_seconds += part.server_cpu_seconds;
  sum.latency.Merge(part.latency);
}

}  // namespace

Result<LoadResult> RunLoad(const LoadOptions& options) {
  const RequestWriter writer(options.shape);
  std::optional<CommandWriter> command;
  if (!options.command.empty()) {
    const CommandForm* form = FindCommandForm(options.command);
    if (form == nullptr) return Error{"unknown command " + options.command};
    command.emplace(
        *form, CommandShape{options.shape.key_bytes, options.shape.value_bytes, options.elements});
  }
  std::vector<std::unique_ptr<LoadThread>> parts;
  for (uint32_t i = 0; i < options.threads; ++i) {
    const uint32_t connections =
        options.connections * (i + 1) / options.threads - options.connections * i / options.threads;
    parts.push_back(std::make_unique<LoadThread>(options, writer, command ? &*command : nullptr, i,
                                                 connections, options.keys * i / options.threads,
                                                 options.keys * (i + 1) / options.threads));
    RETURN_IF_ERROR(parts.back()->Connect());
  }
  std::vector<Status> ends(parts.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < parts.size(); ++i) {
    threads.emplace_back([&parts, &ends, i] { ends[i] = parts[i]->Run(); });
  }
  for (std::thread& thread : threads) thread.join();
  LoadResult sum;
  for (size_t i = 0; i < parts.size(); ++i) {
    RETURN_IF_ERROR(std::move(ends[i]));
    AddTo(sum, parts[i]->result());
  }
  return sum;
}

}  // namespace mikura::bench
