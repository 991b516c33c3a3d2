// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/migration.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "engine/commands/held_value.h"
#include "engine/messaging/pubsub.h"

namespace mikura::engine {
namespace {

constexpr size_t kBatchKeysMax = 64;
constexpr size_t kBatchBytes = 1 << 20;
constexpr int kTriesMax = 5;

constexpr std::string_view kNoConnection = "-IOERR error or timeout connecting to the client\r\n";
constexpr std::string_view kCannotWrite = "-IOERR error or timeout writing to target instance\r\n";
constexpr std::string_view kCannotRead = "-IOERR error or timeout reading to target instance\r\n";

void AppendRequest(std::string& out, std::initializer_list<std::string_view> words) {
  out += fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) {
    out += fmt::format("${}\r\n", word.size());
    out.append(word).append("\r\n");
  }
}

std::string RefusalOf(std::string_view reply) {
  return fmt::format("-ERR Target instance replied with error: {}\r\n", reply.substr(1));
}

}  // namespace

class Migration::Replies {
 public:
  Replies(LinkSocket& socket, milliseconds timeout) : socket_(socket), timeout_(timeout) {}

  // The next line, without its end; valid until the next call. Nullopt when none comes in time, or
  // one that is longer than any status.
  std::optional<std::string_view> Next() {
    constexpr size_t kLineMax = 64 * 1024;
    bytes_.erase(0, taken_);
    taken_ = 0;
    size_t end = bytes_.find("\r\n");
    while (end == std::string::npos) {
      char chunk[4096];
      const Result<size_t> received = socket_.Receive(chunk, sizeof chunk, timeout_);
      if (!received.ok() || bytes_.size() > kLineMax) return std::nullopt;
      bytes_.append(chunk, *received);
      end = bytes_.find("\r\n");
    }
    taken_ = end + 2;
    return std::string_view(bytes_).substr(0, end);
  }

 private:
  LinkSocket& socket_;
  const milliseconds timeout_;
  std::string bytes_;
  size_t taken_ = 0;
};

void Migration::Run(LinkSocket& socket, const Clock& clock) {
  const std::string reply = Exchange(socket, clock);
  client_->Finish(reply);
}

// Returns the reply for the client.
std::string Migration::Exchange(LinkSocket& socket, const Clock& clock) {
  const Status connected = socket.Connect(plan_.host, plan_.port, "", plan_.timeout);
  if (!connected.ok()) {
    // Redis sees a refusal only when it writes.
    const bool is_refused =
        connected.error().message.find(std::strerror(ECONNREFUSED)) != std::string::npos;
    return std::string(is_refused ? kCannotWrite : kNoConnection);
  }
  Replies replies(socket, plan_.timeout);
  if (std::string error = Login(socket, replies); !error.empty()) return error;
  for (const std::string& key : plan_.keys) {
    Item& item = pending_.emplace_back();
    item.key = key;
    item.replaces = plan_.replaces;
  }
  while (!pending_.empty()) {
    if (std::string error = SendBatch(socket, replies, clock); !error.empty()) {
      return refusal_.empty() ? error : refusal_;
    }
  }
  return refusal_.empty() ? "+OK\r\n" : refusal_;
}

std::string Migration::Login(LinkSocket& socket, Replies& replies) {
  std::string requests;
  size_t expected = 1;
  if (plan_.login.size() == 2) AppendRequest(requests, {plan_.login[0], plan_.login[1]});
  if (plan_.login.size() == 3) {
    AppendRequest(requests, {plan_.login[0], plan_.login[1], plan_.login[2]});
  }
  if (!plan_.login.empty()) ++expected;
  AppendRequest(requests, {"SELECT", std::to_string(plan_.database)});
  if (!socket.SendAll(requests, plan_.timeout).ok()) return std::string(kCannotWrite);
  for (; expected > 0; --expected) {
    const std::optional<std::string_view> reply = replies.Next();
    if (!reply) return std::string(kCannotRead);
    if (reply->starts_with('-')) return RefusalOf(*reply);
  }
  return {};
}

// The error that ends all of it; empty when there is none.
std::string Migration::SendBatch(LinkSocket& socket, Replies& replies, const Clock& clock) {
  std::vector<Item> batch = TakeBatch(clock);
  std::string requests;
  for (const Item& item : batch) {
    const std::string ttl = std::to_string(item.ttl);
    if (item.replaces) {
      AppendRequest(requests, {"RESTORE", item.key, ttl, item.payload, "REPLACE"});
    } else {
      AppendRequest(requests, {"RESTORE", item.key, ttl, item.payload});
    }
  }
  std::string error;
  if (!socket.SendAll(requests, plan_.timeout).ok()) error = kCannotWrite;
  for (Item& item : batch) {
    const auto reply = error.empty() ? replies.Next() : std::nullopt;
    if (reply) {
      NoteReply(std::move(item), *reply, clock);
      continue;
    }
    if (error.empty()) error = kCannotRead;
    if (item.watcher) keyspace_.watches().Retire(std::move(item.watcher));
  }
  return error;
}

std::vector<Migration::Item> Migration::TakeBatch(const Clock& clock) {
  std::vector<Item> batch;
  size_t bytes = 0;
  while (!pending_.empty() && batch.size() < kBatchKeysMax && bytes < kBatchBytes) {
    Item item = std::move(pending_.front());
    pending_.pop_front();
    if (!MakePayload(item, clock)) continue;
    bytes += item.payload.size();
    batch.push_back(std::move(item));
  }
  return batch;
}

// False when the key is not there any more.
bool Migration::MakePayload(Item& item, const Clock& clock) {
  const Key key = keyspace_.hasher()(item.key);
  const UnixMillis now = clock.NowMillis();
  KeyAccess keys(keyspace_, effects_, plan_.source_database, keyspace_.AccessAt(now));
  std::optional<HeldValue> value;  // its bytes are made when the shard is free again
  const bool exists = keyspace_.RunLocked(key, now, effects_, [&] {
    const store::Found found = keys.Peek(key);
    if (!found) return false;
    value.emplace(CollectionMemoryOf(keys), found);
    const UnixMillis deadline = found.entry.deadline();
    item.ttl = deadline == store::kNoDeadline ? 0 : std::max<UnixMillis>(deadline - now, 1);
    if (!plan_.copies) {
      item.watcher = std::make_unique<Watcher>();
      keyspace_.watches().Add(*item.watcher, plan_.source_database, key, true);
    }
    return true;
  });
  services_.pubsub.WakePosted();
  if (exists) item.payload = MakeDumpPayload(*value);
  return exists;
}

Migration::Removal Migration::Remove(Item& item, const Clock& clock) {
  const Key key = keyspace_.hasher()(item.key);
  const UnixMillis now = clock.NowMillis();
  KeyAccess keys(keyspace_, effects_, plan_.source_database, keyspace_.AccessAt(now));
  const Removal removal = keyspace_.RunLocked(key, now, effects_, [&] {
    const bool touched = keyspace_.watches().HasChanged(*item.watcher, keys.access());
    keyspace_.watches().Remove(*item.watcher);
    if (touched) return Removal::kTouched;
    if (services_.control.IsReadOnly()) return Removal::kNotAllowed;
    if (keys.Erase(key)) {
      keys.Notify(EventClass::kGeneric, "del", key);
      effects_.Add(plan_.source_database, {"DEL", key.name});
    }
    return Removal::kDone;
  });
  item.watcher.reset();
  services_.pubsub.WakePosted();
  return removal;
}

void Migration::NoteReply(Item item, std::string_view reply, const Clock& clock) {
  if (reply.starts_with('-')) {
    if (item.watcher) keyspace_.watches().Retire(std::move(item.watcher));
    if (refusal_.empty()) refusal_ = RefusalOf(reply);
    return;
  }
  if (plan_.copies) return;
  const Removal removal = Remove(item, clock);
  if (removal == Removal::kDone) return;
  if (removal == Removal::kTouched && item.tries + 1 < kTriesMax) {
    Item again;
    again.key = std::move(item.key);
    again.replaces = true;  // the copy there is ours
    again.tries = item.tries + 1;
    pending_.push_back(std::move(again));
    return;
  }
  if (!refusal_.empty()) return;
  refusal_ = removal == Removal::kTouched
                 ? "-ERR a key changed again and again while it was migrated, and is on both "
                   "instances now\r\n"
                 : "-READONLY this instance became a replica meanwhile, and keeps its keys\r\n";
}

}  // namespace mikura::engine
