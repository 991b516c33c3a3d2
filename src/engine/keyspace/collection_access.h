// SPDX-License-Identifier: Apache-2.0
// A collection as handlers see it: the same class whether it is packed in its entry or an object of
// its own. Made by KeyAccess::View() and Edit(); the key's shard is locked while one exists.
//
// T: one of engine/collections/*_value.h, with T(NodeMemory&), T(NodeMemory&, packed bytes),
// kType, is_packed(), AppendPacked(), empty().
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "engine/collections/collection.h"
#include "engine/keyspace/key_access.h"

namespace mikura::engine {

// For reading. Valid until the next change of the key.
template <typename T>
class CollectionView {
 public:
  CollectionView() = default;                                 // absent
  explicit CollectionView(const T& kept) : object_(&kept) {}  // elsewhere, for as long
  CollectionView(collections::NodeMemory& memory, const store::Entry& entry) {
    if (collections::Collection* const collection = entry.collection()) {
      object_ = static_cast<const T*>(collection);
    } else {
      packed_.emplace(memory, entry.value());
    }
  }

  explicit operator bool() const { return object_ != nullptr || packed_.has_value(); }
  const T& operator*() const { return packed_ ? *packed_ : *object_; }
  const T* operator->() const { return &**this; }

 private:
  const T* object_ = nullptr;
  std::optional<T> packed_;
};

// For changing. What was changed is stored by Commit(); without it nothing may have been changed.
// Several may be open at once, of different keys.
template <typename T>
class CollectionEdit {
 public:
  // Of an absent key: an empty collection, which comes into being with Commit().
  CollectionEdit(KeyAccess& keys, const Key& key) : keys_(&keys), key_(&key) {
    value_.emplace(keys.node_memory());
  }
  CollectionEdit(KeyAccess& keys, const Key& key, const store::Found& found)
      : keys_(&keys), key_(&key), existed_(true), deadline_(found.entry.deadline()) {
    value_.emplace(keys.node_memory(), found.entry.value());
  }
  CollectionEdit(KeyAccess& keys, const Key& key, const store::Found& found, T* object)
      : keys_(&keys),
        key_(&key),
        existed_(true),
        deadline_(found.entry.deadline()),
        object_(object),
        bytes_before_(object->memory_bytes()),
        due_before_(object->next_deadline()) {}

  // Of what `value` is to become: it replaces what is there, of the same type, or nothing yet.
  CollectionEdit(KeyAccess& keys, const Key& key, T value) : keys_(&keys), key_(&key) {
    if (const store::Found found = keys.Peek(key)) {
      existed_ = true;
      deadline_ = found.entry.deadline();
    }
    value_.emplace(std::move(value));
  }

  bool existed() const { return existed_; }
  T& operator*() { return value_ ? *value_ : *object_; }
  T* operator->() { return &**this; }

  // Stores it; an empty one goes, and its key with it: true when a key was removed. Keeps the
  // deadline. Errors: kOutOfMemory.
  FaultOr<bool> Commit() {
    if ((**this).empty()) {
      NoteObject();
      return existed_ && keys_->Erase(*key_);
    }
    RETURN_IF_ERROR(CommitUnobserved());
    keys_->Touched(*key_);
    return false;
  }
  // The same for changes of which WATCH and other observers of the key do not hear: what a stream
  // notes about those who read it. It is not empty.
  FaultOr<> CommitUnobserved() {
    if (object_ != nullptr) {
      NoteObject();
      return Ok();
    }
    ASSIGN_OR_RETURN(const bool is_spliced, Splice());
    if (is_spliced) return Ok();
    RETURN_IF_ERROR(keys_->StoreValue(*key_, std::move(*value_), deadline_));
    existed_ = true;
    return Ok();
  }

 private:
  // Makes the one change of a packed value where that lies; false when it is not that simple.
  FaultOr<bool> Splice() {
    if constexpr (requires(std::string & header) { value_->Splice(header); }) {
      if (!existed_ || !value_->is_packed()) return false;
      std::string header;
      if (const auto splice = value_->Splice(header)) {
        return keys_->SplicePacked(*key_, header, *splice);
      }
    }
    return false;
  }
  // Tells the shard what changed of the object.
  void NoteObject() {
    if (object_ == nullptr) return;
    const size_t bytes = object_->memory_bytes();
    keys_->NoteCollectionBytes(*key_,
                               static_cast<int64_t>(bytes) - static_cast<int64_t>(bytes_before_));
    bytes_before_ = bytes;
    const UnixMillis due = object_->next_deadline();
    if (due != due_before_) keys_->NoteElementDeadline(*key_, due_before_, due);
    due_before_ = due;
  }

  KeyAccess* keys_;
  const Key* key_;
  bool existed_ = false;
  UnixMillis deadline_ = store::kNoDeadline;
  T* object_ = nullptr;
  // Of the object, as the table knows it.
  size_t bytes_before_ = 0;
  UnixMillis due_before_ = INT64_MAX;
  std::optional<T> value_;
};

template <typename T>
FaultOr<CollectionView<T>> KeyAccess::View(const Key& key) {
  const store::Found found = Find(key);
  if (!found) return CollectionView<T>();
  if (found.entry.type() != store::TypeOf(T::kType)) return Fault::kWrongType;
  return FaultOr<CollectionView<T>>(std::in_place, node_memory(), found.entry);
}

template <typename T>
FaultOr<CollectionEdit<T>> KeyAccess::Edit(const Key& key) {
  store::Found found = Find(key);
  if (!found) return FaultOr<CollectionEdit<T>>(std::in_place, *this, key);
  if (found.entry.type() != store::TypeOf(T::kType)) return Fault::kWrongType;
  if (found.entry.collection() == nullptr) {
    return FaultOr<CollectionEdit<T>>(std::in_place, *this, key, found);
  }
  ASSIGN_OR_RETURN(collections::Collection* const object,
                   shard(key).ExclusiveCollection(found, key));
  return FaultOr<CollectionEdit<T>>(std::in_place, *this, key, found, static_cast<T*>(object));
}

template <typename T>
FaultOr<bool> KeyAccess::StoreCollection(const Key& key, T value) {
  if (value.empty()) return Erase(key);
  RETURN_IF_ERROR(StoreValue(key, std::move(value), store::kNoDeadline));
  Touched(key);
  return false;
}

template <typename T>
FaultOr<> KeyAccess::StoreValue(const Key& key, T value, UnixMillis deadline) {
  NotifyIfNew(key);
  if (notes_deadlines()) [[unlikely]]
    NoteDeadline(key, value.next_deadline());
  if (value.is_packed()) {
    std::string packed;
    value.AppendPacked(packed);
    RETURN_IF_ERROR(
        shard(key).SetPacked(database_, key, store::TypeOf(T::kType), packed, deadline, access_));
  } else {
    collections::Collection* const object = new T(std::move(value));
    const FaultOr<> outcome = shard(key).SetCollection(database_, key, object, deadline, access_);
    keyspace_.allocator().collections().Release(object);  // the entry has its own share
    if (!outcome.ok()) return outcome;
  }
  return Ok();
}

}  // namespace mikura::engine
