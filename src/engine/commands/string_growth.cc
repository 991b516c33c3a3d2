// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/string_growth.h"

#include <algorithm>

namespace mikura::engine {

FaultOr<char*> GrowString(KeyAccess& keys, const Key& key, store::Found& found, size_t size) {
  return ReshapeString(keys, key, found, found ? std::max(size, found.entry.value().size()) : size);
}

FaultOr<char*> ReshapeString(KeyAccess& keys, const Key& key, store::Found& found, size_t size) {
  const bool creates = !found;
  if (creates) {
    ASSIGN_OR_RETURN(found, keys.SetString(key, "", {}));
  } else if (store::Attributes attributes = found.entry.attributes(); attributes.has_memcached) {
    attributes.cas = keys.NextCas(key);
    RETURN_IF_ERROR(keys.SetAttributes(found, key, attributes));
  }
  FaultOr<char*> bytes = keys.ResizeString(found, key, size);
  if (!bytes.ok() && creates) keys.Erase(key);
  return bytes;
}

}  // namespace mikura::engine
