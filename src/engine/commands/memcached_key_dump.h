// SPDX-License-Identifier: Apache-2.0
// lru_crawler metadump and mgdump: a line for every key, made as fast as the client reads.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/commands/memcached_services.h"
#include "engine/commands/output_source.h"

namespace mikura::engine {

enum class MemcachedDumpForm : uint8_t {
  kAttributes,  // metadump
  kRequests,    // mgdump: "mg <key>", to be sent back with flags behind
};

// `classes`: "all", "hash", or numbers of slab classes with commas between. Keys that are there all
// the time are shown once or, while a table grows, twice; memory stays bounded.
std::unique_ptr<OutputSource> MakeMemcachedKeyDump(MemcachedContext& ctx, std::string_view classes,
                                                   MemcachedDumpForm form);

}  // namespace mikura::engine
