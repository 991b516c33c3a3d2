// SPDX-License-Identifier: Apache-2.0
// One Lua state with everything scripts may use and nothing else.
//
//   S1. Nothing that scripts of EVAL can reach outlives a script changed: globals and libraries are
//       behind read-only proxies (read_only.h), the random numbers are seeded anew, and only what
//       is put in front of a run (KEYS, ARGV) differs. A function can keep something in the local
//       variables of its own library, and nowhere else.
//   S2. Memory that Lua asks for beyond the limit is refused, which Lua turns into an error.
//   S3. Every loop that scripts can cause either runs Lua instructions, which the count hook sees,
//       or calls Spend().
//   S4. Nothing here is used outside a protected call, except what cannot raise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/scripting/function_library.h"
#include "engine/scripting/json_library.h"
#include "engine/scripting/lua_api.h"
#include "engine/scripting/script_host.h"
#include "wire/output_buffer.h"

namespace mikura::engine::scripting {

struct SandboxOptions {
  size_t memory_bytes_max = 0;
  int hook_steps = 0;
  bool for_functions = false;  // libraries of FUNCTION LOAD, not scripts of EVAL
};

// What a library registers while it is loaded; `functions[i]` is `refs[i]` in Lua's registry.
struct RegisteredFunctions {
  std::vector<FunctionInfo> functions;
  std::vector<int> refs;
};

class LuaSandbox {
 public:
  // Null when there is not even memory for an empty state.
  static std::unique_ptr<LuaSandbox> Create(const SandboxOptions& options);
  ~LuaSandbox();
  LuaSandbox(const LuaSandbox&) = delete;
  LuaSandbox& operator=(const LuaSandbox&) = delete;

  // The sandbox that `lua`, or the state it is a coroutine of, belongs to.
  static LuaSandbox& Of(lua_State* lua) {
    void* self = nullptr;
    lua_getallocf(lua, &self);
    return *static_cast<LuaSandbox*>(self);
  }

  lua_State* lua() { return lua_; }
  size_t memory_bytes() const { return memory_bytes_; }
  size_t memory_bytes_max() const { return options_.memory_bytes_max; }
  // Memory was refused since the last BeginRun().
  bool ran_out_of_memory() const { return ran_out_of_memory_; }
  bool was_killed() const { return was_killed_; }

  // Around each run. `host` is asked by the hook and by redis.*.
  void BeginRun(ScriptHost& host);
  void EndRun();

  // Around the run of a library's code, inside of BeginRun and EndRun and of a protected call: only
  // what may be used while loading is there, and `deadline` (monotonic) ends it as the hook does.
  void BeginLoading(lua_State* lua, RegisteredFunctions& registered, MonotonicNanos deadline);
  void EndLoading(lua_State* lua);
  // Null when no library is loaded.
  RegisteredFunctions* registered() { return registered_; }
  // Null between runs.
  ScriptHost* host() { return host_; }

  // Counts `steps` of work that the count hook does not see; may raise the error that ends the
  // script. `lua` is the running coroutine.
  void Spend(lua_State* lua, size_t steps) {
    spent_steps_ += steps;
    if (spent_steps_ >= static_cast<size_t>(options_.hook_steps)) [[unlikely]]
      RunHook(lua);
  }

  // Collects garbage when memory is nearly at its limit. At a safe point only.
  void RelieveMemory();

  // Raises "not enough memory" when `bytes` outside Lua's own memory are too many.
  void CheckScratch(lua_State* lua, size_t bytes) {
    if (bytes > options_.memory_bytes_max) [[unlikely]]
      RaiseOutOfMemory(lua);
  }

  // Loads source text as lua_load does: pushes the function, or the error's text and returns
  // false. Text only, bounded, the collector off.
  bool Load(lua_State* lua, std::string_view code, const char* chunk_name);

  // Sets a global, behind the protection. The value is on top of the stack, and is popped.
  void SetGlobal(lua_State* lua, const char* name);

  bool for_functions() const { return options_.for_functions; }

  // Pushes the function that turns a raised value into an error table with its place.
  void PushErrorHandler(lua_State* lua) { lua_rawgeti(lua, LUA_REGISTRYINDEX, handler_ref_); }

  // math.random. Each run begins somewhere else; after math.randomseed the numbers are those of
  // Redis.
  void SeedRandom(int64_t seed);
  // Uniform in [0, 2^31).
  uint32_t NextRandom();

  // How far a table is written (lua_to_reply.cc).
  struct TableFrame {
    int kind;
    int next;
    int count;
  };

  // Scratch that raising functions use instead of their stack. No user of it calls back to Lua
  // code while it holds something there.
  std::string scratch;
  std::vector<TableFrame> frames;
  std::vector<std::string_view> words;
  std::vector<std::array<char, 32>> number_texts;
  wire::OutputBuffer reply;
  int resp_version = 2;  // of redis.call, for this run
  JsonSettings json;     // for this run

 private:
  explicit LuaSandbox(const SandboxOptions& options) : options_(options) {}

  // Small blocks that Lua has given back, for the next run: it makes and drops the same few tables
  // and strings each time. One list for each size.
  class SmallBlocks {
   public:
    SmallBlocks() = default;
    ~SmallBlocks();
    SmallBlocks(const SmallBlocks&) = delete;
    SmallBlocks& operator=(const SmallBlocks&) = delete;

    static constexpr size_t kStep = 16;
    static constexpr size_t kBytesMax = 256;
    static size_t Rounded(size_t bytes) { return (bytes + kStep - 1) & ~(kStep - 1); }
    // bytes: 1 to kBytesMax. Null without memory.
    void* Take(size_t bytes);
    void Give(void* block, size_t bytes);

   private:
    static constexpr size_t kKeptMax = 256;  // of each size
    struct Free {
      Free* next;
    };
    struct List {
      Free* first = nullptr;
      size_t count = 0;
    };
    std::array<List, kBytesMax / kStep + 1> lists_;
  };
  void* Resize(void* block, size_t old_bytes, size_t new_bytes);
  void Free(void* block, size_t bytes);

  static void* Allocate(void* self, void* block, size_t old_bytes, size_t new_bytes);
  static void OnCount(lua_State* lua, lua_Debug* event);
  static int SetUp(lua_State* lua);

  bool LoadPiece(lua_State* lua, std::string_view code, const char* chunk_name);
  // These leave their text in the scratch and return true when there is one (source_text.h).
  bool HasForeignNumber(std::string_view code, const char* chunk_name);
  bool PlainEscapesInScratch(std::string_view code);
  bool KeepCallersInScratch(std::string_view code);

  // What the count hook does; raises when the script has to end.
  void RunHook(lua_State* lua);
  [[noreturn]] void RaiseOutOfMemory(lua_State* lua);
  void ArmHook();
  void UseGlobals(lua_State* lua, int ref);

  const SandboxOptions options_;
  SmallBlocks small_blocks_;
  lua_State* lua_ = nullptr;
  ScriptHost* host_ = nullptr;
  MonotonicNanos deadline_ = 0;
  size_t memory_bytes_ = 0;
  size_t memory_after_relief_ = 0;
  size_t allocated_bytes_ = 0;  // since the hook last ran: large allocations call for it early
  size_t spent_steps_ = 0;
  uint64_t random_state_ = 0;
  std::mt19937_64 seeds_{std::random_device()()};  // of the runs; scripts do not see it
  RegisteredFunctions* registered_ = nullptr;
  int globals_ref_ = LUA_NOREF;          // the table behind the proxy of globals
  int loading_globals_ref_ = LUA_NOREF;  // the one behind it while a library is loaded
  int handler_ref_ = LUA_NOREF;
  bool ran_out_of_memory_ = false;
  bool was_killed_ = false;
  bool is_late_ = false;  // the deadline passed
};

}  // namespace mikura::engine::scripting
