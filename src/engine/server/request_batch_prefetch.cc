// SPDX-License-Identifier: Apache-2.0
// What the keys of a batch need is loaded before its requests run.
#include "engine/server/request_batch.h"

namespace mikura::engine {
namespace {

// Nearly all requests are for database 0; a wrong hint costs a wasted load.
constexpr int kHintDatabase = 0;
constexpr uint32_t kAclCollections =
    kAclSet | kAclSortedSet | kAclList | kAclHash | kAclGeo | kAclStream;

}  // namespace

// What the keys from keys_[first] on need first. It is loaded while other requests are received and
// parsed.
void RequestBatch::PrefetchShards(size_t first) const {
  for (size_t i = first; i < keys_.size(); ++i) {
    keyspace_.PrefetchShard(keys_[i].shard(), kHintDatabase);
  }
}

// Buckets, then entries, then what collections hold.
void RequestBatch::Prefetch() {
  if (keys_.size() < 2) return;
  keyspace_.LoadAhead(kHintDatabase, keys_);
  if ((acl_seen_ & kAclCollections) != 0) PrefetchCollections();
}

// An object is looked into under its shard's lock, if that is free; a batch has none of its own
// yet.
void RequestBatch::PrefetchCollections() {
  large_.clear();
  for (const Key& key : keys_) {
    const store::Shard& shard = keyspace_.UnlockedShard(key.shard());
    if (shard.PrefetchCollection(kHintDatabase, key)) large_.push_back(&key);
  }
  for (const Key* key : large_) {
    ShardLock& lock = keyspace_.lock(key->shard());
    if (!lock.TryLock()) continue;
    keyspace_.LockedShard(key->shard()).PrefetchInside(kHintDatabase, *key);
    lock.Unlock();
  }
}

}  // namespace mikura::engine
