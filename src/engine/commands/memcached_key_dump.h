// SPDX-License-Identifier: Apache-2.0
// lru_crawler metadump: a line for every key, made as fast as the client reads.
#pragma once

#include <memory>
#include <string_view>

#include "engine/commands/memcached_services.h"
#include "engine/commands/output_source.h"

namespace mikura::engine {

// `classes`: "all", "hash", or numbers of slab classes with commas between. Keys that are there all
// the time are shown once or, while a table grows, twice; memory stays bounded.
std::unique_ptr<OutputSource> MakeMemcachedKeyDump(MemcachedContext& ctx, std::string_view classes);

}  // namespace mikura::engine
