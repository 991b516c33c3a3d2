// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_description.h"

#include "engine/commands/command_errors.h"

namespace mikura::engine {
namespace {

struct NamedBit {
  uint32_t bit;
  std::string_view name;
};

constexpr NamedBit kFlagNames[] = {
    {kWrite, "write"},
    {kReadOnly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kPubSub, "pubsub"},
    {kNoScript, "noscript"},
    {kBlocking, "blocking"},
    {kLoadingOk, "loading"},
    {kStaleOk, "stale"},
    {kSkipMonitor, "skip_monitor"},
    {kSkipSlowlog, "skip_slowlog"},
    {kAsking, "asking"},
    {kFast, "fast"},
    {kNoAuthNeeded, "no_auth"},
    {kMayReplicate, "may_replicate"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kAllowBusy, "allow_busy"},
};

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

void WriteSimpleSet(const std::vector<std::string_view>& names, wire::RespWriter& reply) {
  reply.Set(names.size());
  for (const std::string_view name : names) reply.Simple(name);
}

// One key specification: keys [first, last] in steps, last relative to first when not negative.
void WriteKeySpec(const CommandSpec& spec, std::string_view access, int first, int last, int step,
                  wire::RespWriter& reply) {
  reply.Map(spec.key_notes.empty() ? 3 : 4);
  if (!spec.key_notes.empty()) {
    reply.Bulk("notes");
    reply.Bulk(spec.key_notes);
  }
  reply.Bulk("flags");
  WriteSimpleSet(Split(access, ' '), reply);
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("index");
  reply.Bulk("spec");
  reply.Map(1);
  reply.Bulk("index");
  reply.Integer(first);
  reply.Bulk("find_keys");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("range");
  reply.Bulk("spec");
  reply.Map(3);
  reply.Bulk("lastkey");
  reply.Integer(last < 0 ? last : last - first);
  reply.Bulk("keystep");
  reply.Integer(step);
  reply.Bulk("limit");
  reply.Integer(0);
}

void WriteKeySpecs(const CommandSpec& spec, wire::RespWriter& reply) {
  const std::vector<std::string_view> parts = Split(spec.key_access, ';');
  reply.Set(parts.size());
  if (parts.size() == 1) {
    WriteKeySpec(spec, parts[0], spec.keys.first, spec.keys.last, spec.keys.step, reply);
    return;
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    const int index = spec.keys.first + static_cast<int>(i);
    WriteKeySpec(spec, parts[i], index, index, 1, reply);
  }
}

}  // namespace

std::vector<std::string_view> FlagNames(const CommandSpec& spec) {
  std::vector<std::string_view> names;
  for (const NamedBit& flag : kFlagNames) {
    if ((spec.flags & flag.bit) != 0) names.push_back(flag.name);
  }
  return names;
}

std::vector<std::string_view> CategoryNames(const CommandSpec& spec) {
  std::vector<std::string_view> names;
  const auto add = [&](bool condition, std::string_view name) {
    if (condition) names.push_back(name);
  };
  const bool admin = ((spec.flags & kAdmin) != 0) || ((spec.acl & kAclAdmin) != 0);
  add((spec.acl & kAclKeyspace) != 0, "@keyspace");
  add((spec.flags & kReadOnly) != 0, "@read");
  add((spec.flags & kWrite) != 0, "@write");
  add((spec.acl & kAclString) != 0, "@string");
  add((spec.flags & kPubSub) != 0, "@pubsub");
  add(admin, "@admin");
  add((spec.flags & kFast) != 0, "@fast");
  add((spec.flags & kFast) == 0, "@slow");
  add((spec.flags & kBlocking) != 0, "@blocking");
  add(admin || (spec.acl & kAclDangerous) != 0, "@dangerous");
  add((spec.acl & kAclConnection) != 0, "@connection");
  return names;
}

std::vector<std::string_view> KeyAccessNames(const CommandSpec& spec, size_t key) {
  const std::vector<std::string_view> parts = Split(spec.key_access, ';');
  if (parts.empty()) return {};
  return Split(parts[std::min(key, parts.size() - 1)], ' ');
}

void WriteCommandInfo(const CommandSpec& spec, wire::RespWriter& reply) {
  reply.Array(10);
  reply.Bulk(FullName(spec));
  reply.Integer(spec.arity.value);
  WriteSimpleSet(FlagNames(spec), reply);
  reply.Integer(spec.keys.first);
  reply.Integer(spec.keys.last);
  reply.Integer(spec.keys.step);
  WriteSimpleSet(CategoryNames(spec), reply);
  const std::vector<std::string_view> tips = Split(spec.tips, '|');
  reply.Set(tips.size());
  for (const std::string_view tip : tips) reply.Bulk(tip);
  WriteKeySpecs(spec, reply);
  reply.Set(spec.subcommands.size());
  for (const CommandSpec& subcommand : spec.subcommands) WriteCommandInfo(subcommand, reply);
}

void WriteCommandDocs(const CommandSpec& spec, wire::RespWriter& reply) {
  reply.Bulk(FullName(spec));
  reply.Map(spec.subcommands.empty() ? 3 : 4);
  reply.Bulk("summary");
  reply.Bulk(spec.summary);
  reply.Bulk("since");
  reply.Bulk(spec.since);
  reply.Bulk("group");
  reply.Bulk(spec.group);
  if (spec.subcommands.empty()) return;
  reply.Bulk("subcommands");
  reply.Map(spec.subcommands.size());
  for (const CommandSpec& subcommand : spec.subcommands) WriteCommandDocs(subcommand, reply);
}

}  // namespace mikura::engine
