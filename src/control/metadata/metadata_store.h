// SPDX-License-Identifier: Apache-2.0
// The one store of the control plane: a small key-value space with revisions, transactions and
// watches. SQLite implements it on one machine; etcd can implement the same interface on many.
//
// Keys are paths under "/ec/v1/" (docs/formats/metadata-keys.md), values are JSON texts.
// Every successful transaction that writes raises the revision of the store by one; all its writes
// carry it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mikura::control {

using Revision = int64_t;

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision = 0;
  Revision mod_revision = 0;
};

// One condition of a transaction.
struct Compare {
  enum class Kind { kAbsent, kPresent, kModRevision };
  Kind kind = Kind::kAbsent;
  std::string key;
  Revision mod_revision = 0;  // kModRevision only

  static Compare Absent(std::string key) { return {Kind::kAbsent, std::move(key), 0}; }
  static Compare Present(std::string key) { return {Kind::kPresent, std::move(key), 0}; }
  static Compare Unchanged(const KeyValue& kv) {
    return {Kind::kModRevision, kv.key, kv.mod_revision};
  }
};

// One write of a transaction.
struct Write {
  enum class Kind { kPut, kDelete, kDeletePrefix };
  Kind kind = Kind::kPut;
  std::string key;
  std::string value;

  static Write Put(std::string key, std::string value) {
    return {Kind::kPut, std::move(key), std::move(value)};
  }
  static Write Delete(std::string key) { return {Kind::kDelete, std::move(key), {}}; }
  static Write DeletePrefix(std::string prefix) {
    return {Kind::kDeletePrefix, std::move(prefix), {}};
  }
};

class MetadataStore {
 public:
  virtual ~MetadataStore() = default;

  // Applies all writes in one durable transaction if every compare holds.
  // Returns: the new revision, or nullopt when a compare failed (nothing was written).
  // Errors:  the store could not be read or written (disk full, locked by another process).
  virtual Result<std::optional<Revision>> Transact(const std::vector<Compare>& compares,
                                                   const std::vector<Write>& writes) = 0;

  // The value of `key` now, or nullopt.
  virtual Result<std::optional<KeyValue>> Get(std::string_view key) = 0;

  // All keys that begin with `prefix`, in byte order of the keys: one consistent view.
  virtual Result<std::vector<KeyValue>> List(std::string_view prefix) = 0;

  // Calls `changed` (from any thread, holding no lock of the store) after each transaction that
  // wrote under `prefix`. It says only that something changed: readers List() again
  // (level-triggered). The subscription ends when the returned handle is destroyed.
  virtual std::shared_ptr<void> Watch(std::string prefix, std::function<void()> changed) = 0;
};

}  // namespace mikura::control
