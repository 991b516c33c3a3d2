// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_test_support.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/numbers.h"
#include "engine/commands/memcached_commands.h"

namespace mikura::engine {

std::string MemcachedRunner::Run(std::string_view input) {
  out_.Clear();
  wire::MemcachedRequest request;
  while (!input.empty() && !close_after_reply_) {
    size_t consumed = 0;
    parser_.set_authenticated(client_.authenticated);
    const auto status = parser_.Parse(input, &request, &consumed);
    CHECK(status == wire::MemcachedParseStatus::kComplete || consumed == input.size());
    input.remove_prefix(consumed);
    if (status == wire::MemcachedParseStatus::kComplete) RunOne(request);
  }
  return JoinedOutput();
}

std::string MemcachedRunner::JoinedOutput() {
  std::string joined;
  size_t at = 0;
  references_ = out_.insertions().size();
  for (const auto& insertion : out_.insertions()) {
    joined += out_.view().substr(at, insertion.offset - at);
    joined += insertion.bytes.view();
    at = insertion.offset;
  }
  return joined + std::string(out_.view().substr(at));
}

void MemcachedRunner::RunOne(const wire::MemcachedRequest& request) {
  Keyspace& keyspace = redis_.keyspace();
  effects_.Begin(replica_ != nullptr);
  KeyAccess keys(keyspace, effects_, 0, keyspace.AccessAt(redis_.clock().NowMillis()));
  const Key key = keyspace.hasher()(request.key);
  MemcachedConnectionAccess connection{close_after_reply_, source_, 1, 7, has_unsent_replies_};
  MemcachedContext ctx{keys,      request.has_key() ? &key : nullptr,
                       out_,      keyspace,
                       fakes_,    settings_,
                       counters_, read_only_,
                       client_,   connection};
  if (request.has_key()) {
    ShardGuard guard(keyspace.lock(key.shard()));
    RunMemcached(ctx, request);
  } else {
    RunMemcached(ctx, request);
  }
  if (replica_ != nullptr && !effects_.empty()) Replicate(effects_.Record().bytes);
}

void MemcachedRunner::Replicate(std::string_view record) {
  const auto number = [&] {
    const size_t end = record.find("\r\n");
    const auto value = ParseUint64(record.substr(1, end - 1));
    CHECK(value.has_value());
    record.remove_prefix(end + 2);
    return *value;
  };
  while (!record.empty()) {
    std::vector<std::string> words(number());
    for (std::string& word : words) {
      const uint64_t size = number();
      word = record.substr(0, size);
      record.remove_prefix(size + 2);
    }
    if (words[0] != "MULTI" && words[0] != "EXEC") replica_->Run(words);
  }
}

std::string MemcachedRunner::Set(std::string_view key, std::string_view value,
                                 std::string_view flags, std::string_view exptime) {
  return Run(fmt::format("set {} {} {} {}\r\n{}\r\n", key, flags, exptime, value.size(), value));
}

std::string MemcachedRunner::CasOf(std::string_view key) {
  const std::string reply = Run(fmt::format("gets {}\r\n", key));
  const std::string first_line = reply.substr(0, reply.find("\r\n"));
  return first_line.substr(first_line.rfind(' ') + 1);
}

}  // namespace mikura::engine
