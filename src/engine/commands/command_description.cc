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
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kNoMandatoryKeys, "no_mandatory_keys"},
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

struct NamedNumber {
  std::string_view name;
  int value;
};

// A part of a specification: its type, and what belongs to that.
void WritePart(std::string_view part, std::string_view type, std::string_view keyword,
               std::initializer_list<NamedNumber> numbers, wire::RespWriter& reply) {
  reply.Bulk(part);
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk(type);
  reply.Bulk("spec");
  reply.Map(numbers.size() + (keyword.empty() ? 0 : 1));
  if (!keyword.empty()) {
    reply.Bulk("keyword");
    reply.Bulk(keyword);
  }
  for (const NamedNumber& number : numbers) {
    reply.Bulk(number.name);
    reply.Integer(number.value);
  }
}

void WriteKeySpec(const KeySpec& spec, wire::RespWriter& reply) {
  reply.Map(spec.notes.empty() ? 3 : 4);
  if (!spec.notes.empty()) {
    reply.Bulk("notes");
    reply.Bulk(spec.notes);
  }
  reply.Bulk("flags");
  WriteSimpleSet(Split(spec.access, ' '), reply);
  if (spec.is_unknown) {
    WritePart("begin_search", "unknown", "", {}, reply);
    WritePart("find_keys", "unknown", "", {}, reply);
    return;
  }
  if (spec.keyword.empty()) {
    WritePart("begin_search", "index", "", {{"index", spec.index}}, reply);
  } else {
    WritePart("begin_search", "keyword", spec.keyword, {{"startfrom", spec.keyword_from}}, reply);
  }
  if (spec.number_at >= 0) {
    WritePart("find_keys", "keynum", "",
              {{"keynumidx", spec.number_at},
               {"firstkey", spec.first_after_number},
               {"keystep", spec.step}},
              reply);
  } else {
    WritePart("find_keys", "range", "",
              {{"lastkey", spec.last}, {"keystep", spec.step}, {"limit", spec.limit}}, reply);
  }
}

void WriteKeySpecs(const CommandSpec& spec, wire::RespWriter& reply) {
  if (!spec.key_specs.empty()) {
    reply.Set(spec.key_specs.size());
    for (const KeySpec& one : spec.key_specs) WriteKeySpec(one, reply);
    return;
  }
  const std::vector<std::string_view> parts = Split(spec.key_access, ';');
  reply.Set(parts.size());
  if (parts.size() == 1) {
    KeySpec one = KeysInRange(parts[0], spec.keys.first, spec.keys.last, spec.keys.step);
    one.notes = spec.key_notes;
    WriteKeySpec(one, reply);
    return;
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    const int index = spec.keys.first + static_cast<int>(i);
    KeySpec one = KeysInRange(parts[i], index, index);
    one.notes = spec.key_notes;
    WriteKeySpec(one, reply);
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
  add((spec.flags & kReadOnly) != 0 && (spec.acl & kAclScripting) == 0, "@read");
  add((spec.flags & kWrite) != 0, "@write");
  add((spec.acl & kAclSet) != 0, "@set");
  add((spec.acl & kAclSortedSet) != 0, "@sortedset");
  add((spec.acl & kAclList) != 0, "@list");
  add((spec.acl & kAclHash) != 0, "@hash");
  add((spec.acl & kAclString) != 0, "@string");
  add((spec.acl & kAclBitmap) != 0, "@bitmap");
  add((spec.acl & kAclHyperLogLog) != 0, "@hyperloglog");
  add((spec.acl & kAclGeo) != 0, "@geo");
  add((spec.acl & kAclStream) != 0, "@stream");
  add((spec.flags & kPubSub) != 0 || (spec.acl & kAclPubSub) != 0, "@pubsub");
  add(admin, "@admin");
  add((spec.flags & kFast) != 0, "@fast");
  add((spec.flags & kFast) == 0, "@slow");
  add((spec.flags & kBlocking) != 0 || (spec.acl & kAclBlocking) != 0, "@blocking");
  add(admin || (spec.acl & kAclDangerous) != 0, "@dangerous");
  add((spec.acl & kAclConnection) != 0, "@connection");
  add((spec.acl & kAclTransaction) != 0, "@transaction");
  add((spec.acl & kAclScripting) != 0, "@scripting");
  return names;
}

std::vector<std::string_view> KeyAccessNames(const CommandSpec& spec, size_t key) {
  if (!spec.key_specs.empty()) return Split(spec.key_specs[key].access, ' ');
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
