// SPDX-License-Identifier: Apache-2.0
// Runs bytes of a memcached client in process, on the keys of a CommandRunner: for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/command_test_support.h"
#include "engine/commands/memcached_services.h"
#include "wire/memcached_parser.h"

namespace mikura::engine {

// Services that remember what they were asked.
class FakeMemcachedServices final : public MemcachedServices {
 public:
  MemcachedServerInfo Info() override { return info; }
  std::vector<MemcachedConnection> Connections(uint64_t) override { return connections; }
  void ResetStatistics() override { ++resets; }
  void SetVerbosity(uint64_t level) override { verbosity = level; }
  bool SetMemoryLimit(uint64_t bytes) override {
    memory_limit = bytes;
    return true;
  }
  void PlanFlush(std::optional<UnixMillis> at) override { planned_flush = at; }
  std::string_view RefreshCertificates() override { return "OK\r\n"; }
  void Shutdown(bool graceful) override { shutdown = graceful ? "graceful" : "at once"; }
  std::optional<MemcachedCluster> Cluster() override { return cluster; }
  bool IsPassword(std::string_view user, std::string_view password) override {
    return user == "ann" && password == "secret";
  }
  MemcachedTuning& Tuning() override { return tuning; }
  MemcachedClassCounters& ClassCounters() override { return class_counters; }
  MemcachedExpiredKeys& ExpiredKeys() override { return expired_keys; }
  MemcachedFlushedKeys& FlushedKeys() override { return flushed_keys; }
  MemcachedPrefixes& Prefixes() override { return prefixes; }
  void EnablePrefixes(bool value) override { prefixes.Enable(value); }
  MemcachedWatchers::Totals Watching() override { return watchers.totals(); }
  std::unique_ptr<OutputSource> Watch(uint8_t kinds, uint64_t) override {
    return watchers.Add(kinds, [this] { ++wakes; });
  }

  MemcachedServerInfo info;
  std::vector<MemcachedConnection> connections;
  int resets = 0;
  uint64_t verbosity = 0;
  uint64_t memory_limit = 0;
  std::optional<UnixMillis> planned_flush = UnixMillis{-1};  // -1: not asked
  std::string shutdown = "not asked";
  std::optional<MemcachedCluster> cluster;
  MemcachedTuning tuning;
  MemcachedClassCounters class_counters;
  MemcachedExpiredKeys expired_keys;
  MemcachedFlushedKeys flushed_keys;
  MemcachedPrefixes prefixes{':', false};
  MemcachedWatchers watchers{1024};
  int wakes = 0;
};

class MemcachedRunner {
 public:
  explicit MemcachedRunner(CommandRunner& redis, const wire::MemcachedParserOptions& options = {})
      : redis_(redis), parser_(options) {}

  // Everything that is answered to `input`, which must hold whole requests.
  std::string Run(std::string_view input);
  // The reply to a storage command: `line` without its length, and the data.
  std::string Set(std::string_view key, std::string_view value, std::string_view flags = "0",
                  std::string_view exptime = "0");
  // The CAS that gets shows.
  std::string CasOf(std::string_view key);

  // Applies the effects of all requests from now on to another node's keys.
  void ReplicateTo(CommandRunner& replica) { replica_ = &replica; }

  FakeMemcachedServices& fakes() { return fakes_; }
  MemcachedSettings& settings() { return settings_; }
  MemcachedCounters& counters() { return counters_; }
  void set_read_only(bool value) { read_only_ = value; }
  // Whether large values are given as references, as event loops want them; Run joins them.
  void set_takes_references(bool value) { out_.set_takes_insertions(value); }
  // How many references the last Run got.
  size_t references() const { return references_; }
  bool close_after_reply() const { return close_after_reply_; }
  void set_has_unsent_replies(bool value) { has_unsent_replies_ = value; }
  // What the last watch or dump left for the connection; null: nothing.
  std::unique_ptr<OutputSource>& source() { return source_; }

 private:
  void RunOne(const wire::MemcachedRequest& request);
  void Replicate(std::string_view record);
  std::string JoinedOutput();

  CommandRunner& redis_;
  CommandRunner* replica_ = nullptr;
  FakeMemcachedServices fakes_;
  MemcachedSettings settings_;
  MemcachedCounters counters_;
  wire::MemcachedParser parser_;
  ClientState client_;
  wire::OutputBuffer out_;
  size_t references_ = 0;
  Effects effects_;
  bool read_only_ = false;
  bool close_after_reply_ = false;
  bool has_unsent_replies_ = false;
  std::unique_ptr<OutputSource> source_;
};

}  // namespace mikura::engine
