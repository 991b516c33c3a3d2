// SPDX-License-Identifier: Apache-2.0
// Runs what a primary sent, or the append log holds, through the same handlers as what clients
// send.
#pragma once

#include <memory>
#include <vector>

#include "engine/commands/command_context.h"
#include "engine/commands/command_table.h"
#include "engine/commands/script_state.h"
#include "engine/replication/record_executor.h"
#include "wire/output_buffer.h"

namespace mikura::engine {

// E1. A record runs with the shards of all its keys locked; with all shards, when one of its
// commands
//     names no key (FLUSHALL).
// E2. No key is expired here: the primary says when one is gone, and until then its commands mean
// the
//     key it had.
// E3. Nothing is logged here: the record itself is, by whoever calls.
class StreamExecutor final : public RecordExecutor {
 public:
  StreamExecutor(Keyspace& keyspace, const CommandTable& table, Services& services)
      : keyspace_(keyspace), table_(table), services_(services) {}

  Status Execute(std::span<const CommandWords> commands, int& database) override;
  Status ReplaceLibraries(std::span<const std::string> codes) override;
  void GiveForm(collections::Collection& value, uint8_t rdb_type) override;

 private:
  struct Step {
    CommandWords words;
    const CommandSpec* spec = nullptr;  // null: nothing to run
    size_t first_key = 0;
    size_t key_count = 0;
  };

  Status Resolve(CommandWords words);
  Status Run(const Step& step, HeldShards held, int& database);
  ScriptThread* ScriptThreadFor(const CommandSpec& spec);

  Keyspace& keyspace_;
  const CommandTable& table_;
  Services& services_;
  // ---- Reused from record to record.
  std::vector<Step> steps_;
  std::vector<Key> keys_;
  std::vector<KeyPlace> places_;
  ClientState client_;
  // What loads libraries: there is no limit of time to that here, and room for each, for they were
  // loaded on the primary before. It is gone when the record was run.
  std::unique_ptr<ScriptThread> script_thread_;
  Effects effects_{Effects::Muted{}};
  wire::OutputBuffer output_;
};

}  // namespace mikura::engine
