// SPDX-License-Identifier: Apache-2.0
// Removing the fields of a hash whose own deadline has passed.
#include <string>
#include <vector>

#include "engine/collections/hash_value.h"
#include "engine/keyspace/collection_access.h"
#include "engine/keyspace/keyspace.h"

namespace mikura::engine {

size_t Keyspace::OnElementsDue(int database, const Key& key, UnixMillis now, size_t limit) {
  Effects effects;
  effects.Begin(change_log_.active());
  KeyAccess keys(*this, effects, database, AccessAt(now, /*counts_use=*/false));
  FaultOr<CollectionEdit<collections::HashValue>> opened = keys.Edit<collections::HashValue>(key);
  if (!opened.ok()) return 0;
  CollectionEdit<collections::HashValue>& hash = *opened;
  std::vector<std::string> gone;
  while (gone.size() < limit && hash->first_deadline() <= now) {
    gone.emplace_back(hash->FirstToGo());
    hash->Erase(gone.back());
  }
  const FaultOr<bool> removed = hash.Commit();
  if (!removed.ok()) return 0;
  std::vector<std::string_view> effect = {"HDEL", key.name};
  effect.insert(effect.end(), gone.begin(), gone.end());
  effects.Add(database, effect);
  Commit(effects, key.shard());
  Notify(EventClass::kHash, "hexpired", database, key);
  if (*removed) Notify(EventClass::kGeneric, "del", database, key);
  return gone.size();
}

}  // namespace mikura::engine
