// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/sandbox.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "engine/scripting/libraries.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/source_text.h"

namespace mikura::engine::scripting {
namespace {

// The hook is called early after so many bytes were allocated, for single instructions that copy
// a long string are cheap to count and expensive to run.
constexpr size_t kBytesPerHook = size_t{64} << 20;

constexpr std::string_view kOutOfMemory = "not enough memory";

int Panic(lua_State* /*lua*/) {
  CHECK(!"a Lua error outside of a protected call");
  return 0;
}

// The place is that of the function that raised, or of its caller when it is not written in Lua.
void AddPlace(lua_State* lua) {
  lua_Debug place;
  bool is_known = lua_getstack(lua, 1, &place) != 0 && lua_getinfo(lua, "Sl", &place) != 0;
  if (is_known && *place.what == 'C') {
    is_known = lua_getstack(lua, 2, &place) != 0 && lua_getinfo(lua, "Sl", &place) != 0;
  }
  if (!is_known) return;
  lua_pushstring(lua, place.source);
  lua_setfield(lua, 1, "source");
  lua_pushinteger(lua, place.currentline);
  lua_setfield(lua, 1, "line");
}

const char* TextOfRaised(lua_State* lua, int index) {
  switch (lua_type(lua, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
      return lua_tostring(lua, index);
    case LUA_TBOOLEAN:
      return lua_toboolean(lua, index) != 0 ? "true" : "false";
    default:
      return luaL_typename(lua, index);
  }
}

// LuaJIT leaves the place out of this one.
void AddPlaceOfOverflow(lua_State* lua) {
  if (lua_type(lua, 1) != LUA_TSTRING || ViewAt(lua, 1) != "stack overflow") return;
  luaL_where(lua, 1);
  lua_insert(lua, 1);
  lua_concat(lua, 2);
}

// Makes a table {err, source, line} of whatever was raised.
int HandleError(lua_State* lua) {
  lua_settop(lua, 1);
  AddPlaceOfOverflow(lua);
  if (!lua_istable(lua, 1)) {
    lua_createtable(lua, 0, 3);
    lua_pushliteral(lua, "ERR ");
    lua_pushstring(lua, TextOfRaised(lua, 1));
    lua_concat(lua, 2);
    lua_setfield(lua, -2, "err");
    lua_replace(lua, 1);
  }
  if (!PushBehindProxy(lua, 1)) AddPlace(lua);
  lua_settop(lua, 1);
  return 1;
}

int RaiseNoSuchGlobal(lua_State* lua) {
  if (lua_gettop(lua) != 2) {
    return luaL_error(lua, "Wrong number of arguments to luaProtectedTableError");
  }
  if (lua_isstring(lua, 2) == 0) {
    return luaL_error(lua, "Second argument to luaProtectedTableError must be a string or number");
  }
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                    lua_tostring(lua, 2));
}

void OpenLibrary(lua_State* lua, lua_CFunction open) {
  lua_pushcfunction(lua, open);
  lua_call(lua, 0, 0);
}

}  // namespace

std::unique_ptr<LuaSandbox> LuaSandbox::Create(const SandboxOptions& options) {
  std::unique_ptr<LuaSandbox> sandbox(new LuaSandbox(options));
  lua_State* lua = lua_newstate(Allocate, sandbox.get());
  if (lua == nullptr) return nullptr;
  sandbox->lua_ = lua;
  lua_atpanic(lua, Panic);
  // Compiled loops would never call the hook.
  luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  if (lua_cpcall(lua, SetUp, sandbox.get()) != 0) return nullptr;
  sandbox->ArmHook();
  return sandbox;
}

LuaSandbox::~LuaSandbox() {
  if (lua_ == nullptr) return;
  lua_sethook(lua_, nullptr, 0, 0);
  lua_gc(lua_, LUA_GCCOLLECT, 0);
  lua_close(lua_);
}

int LuaSandbox::SetUp(lua_State* lua) {
  auto& sandbox = *static_cast<LuaSandbox*>(lua_touserdata(lua, 1));
  for (const lua_CFunction open :
       {luaopen_base, luaopen_table, luaopen_string, luaopen_math, luaopen_bit}) {
    OpenLibrary(lua, open);
  }
  lua_newtable(lua);
  const int globals = lua_gettop(lua);
  for (const auto add : {AddBaseLibrary, AddCoroutineLibrary, AddTableLibrary, AddStringLibrary,
                         AddMetatableOfStrings, AddMathLibrary, AddBitLibrary, AddJsonLibrary,
                         AddMessagePackLibrary, AddStructLibrary, AddRedisLibrary}) {
    add(lua, globals);
    DCHECK(lua_gettop(lua) == globals);
  }
  lua_pushcfunction(lua, HandleError);
  sandbox.handler_ref_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  if (sandbox.for_functions()) {
    lua_newtable(lua);
    AddLoadingLibrary(lua, lua_gettop(lua), RaiseNoSuchGlobal);
    lua_getfield(lua, globals, kPassThrough);  // of the code of a library too
    lua_setfield(lua, -2, kPassThrough);
    RaiseForAbsent(lua, RaiseNoSuchGlobal);
    sandbox.loading_globals_ref_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  }
  RaiseForAbsent(lua, RaiseNoSuchGlobal);
  lua_pushvalue(lua, globals);
  sandbox.globals_ref_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  MakeReadOnly(lua);
  lua_pushvalue(lua, -1);
  sandbox.SetGlobal(lua, "_G");
  lua_replace(lua, LUA_GLOBALSINDEX);
  return 0;
}

LuaSandbox::SmallBlocks::~SmallBlocks() {
  for (List& list : lists_) {
    while (list.first != nullptr) std::free(std::exchange(list.first, list.first->next));
  }
}

void* LuaSandbox::SmallBlocks::Take(size_t bytes) {
  List& list = lists_[Rounded(bytes) / kStep];
  if (list.first == nullptr) return std::malloc(Rounded(bytes));
  --list.count;
  return std::exchange(list.first, list.first->next);
}

void LuaSandbox::SmallBlocks::Give(void* block, size_t bytes) {
  List& list = lists_[Rounded(bytes) / kStep];
  if (list.count == kKeptMax) return std::free(block);
  ++list.count;
  list.first = new (block) Free{list.first};
}

// Null without memory; a block of `new_bytes` with the content of `block`, which may be null.
void* LuaSandbox::Resize(void* block, size_t old_bytes, size_t new_bytes) {
  constexpr size_t kSmall = SmallBlocks::kBytesMax;
  if (block == nullptr) {
    return new_bytes <= kSmall ? small_blocks_.Take(new_bytes) : std::malloc(new_bytes);
  }
  if (old_bytes > kSmall && new_bytes > kSmall) return std::realloc(block, new_bytes);
  if (SmallBlocks::Rounded(old_bytes) == SmallBlocks::Rounded(new_bytes)) return block;
  void* const moved = new_bytes <= kSmall ? small_blocks_.Take(new_bytes) : std::malloc(new_bytes);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(old_bytes, new_bytes));
  Free(block, old_bytes);
  return moved;
}

void LuaSandbox::Free(void* block, size_t bytes) {
  if (block == nullptr) return;
  if (bytes <= SmallBlocks::kBytesMax) {
    small_blocks_.Give(block, bytes);
  } else {
    std::free(block);
  }
}

void* LuaSandbox::Allocate(void* self, void* block, size_t old_bytes, size_t new_bytes) {
  auto& sandbox = *static_cast<LuaSandbox*>(self);
  if (block == nullptr) old_bytes = 0;
  if (new_bytes == 0) {
    sandbox.Free(block, old_bytes);
    sandbox.memory_bytes_ -= old_bytes;
    return nullptr;
  }
  if (new_bytes > old_bytes) {
    const size_t more = new_bytes - old_bytes;
    if (sandbox.memory_bytes_ + more > sandbox.options_.memory_bytes_max) {
      sandbox.ran_out_of_memory_ = true;
      return nullptr;
    }
    sandbox.allocated_bytes_ += more;
    if (sandbox.allocated_bytes_ > kBytesPerHook && sandbox.lua_ != nullptr &&
        !sandbox.was_killed_ && !sandbox.is_late_) [[unlikely]] {
      // Setting the hook is allowed at any moment, as from a signal handler.
      sandbox.allocated_bytes_ = 0;
      lua_sethook(sandbox.lua_, OnCount, LUA_MASKCOUNT, 1);
    }
  }
  void* moved = sandbox.Resize(block, old_bytes, new_bytes);
  if (moved == nullptr) {
    if (new_bytes <= old_bytes) return block;  // Lua does not expect that to fail
    sandbox.ran_out_of_memory_ = true;
    return nullptr;
  }
  sandbox.memory_bytes_ += new_bytes - old_bytes;
  return moved;
}

void LuaSandbox::BeginRun(ScriptHost& host) {
  host_ = &host;
  spent_steps_ = allocated_bytes_ = 0;
  ran_out_of_memory_ = false;
  resp_version = 2;
  json = {};
  SeedRandom(static_cast<int64_t>(seeds_()));
}

void LuaSandbox::EndRun() {
  constexpr size_t kKeptBytes = 64 << 10;
  host_ = nullptr;
  deadline_ = 0;
  registered_ = nullptr;
  if (was_killed_ || is_late_) ArmHook();
  was_killed_ = is_late_ = false;
  words.clear();
  reply.Clear();
  reply.ShrinkTo(kKeptBytes);
  if (scratch.capacity() > kKeptBytes) std::string().swap(scratch);
}

void LuaSandbox::ArmHook() { lua_sethook(lua_, OnCount, LUA_MASKCOUNT, options_.hook_steps); }

void LuaSandbox::OnCount(lua_State* lua, lua_Debug* /*event*/) { Of(lua).RunHook(lua); }

void LuaSandbox::RunHook(lua_State* lua) {
  spent_steps_ = allocated_bytes_ = 0;
  if (host_ == nullptr) return;
  RelieveMemory();
  if (deadline_ != 0 && SystemClock().NowNanos() > deadline_) is_late_ = true;
  if (!was_killed_ && host_->OnHook() == HookVerdict::kKill) was_killed_ = true;
  if (!was_killed_ && !is_late_) {
    ArmHook();
    return;
  }
  // From now on at every instruction, so that no pcall of the script can go on.
  lua_sethook(lua, OnCount, LUA_MASKCOUNT | LUA_MASKLINE, 1);
  RaiseBare(lua,
            was_killed_ ? "Script killed by user with SCRIPT KILL..." : "FUNCTION LOAD timeout");
}

void LuaSandbox::RelieveMemory() {
  const size_t limit = options_.memory_bytes_max;
  if (memory_bytes_ < limit / 2) {
    memory_after_relief_ = 0;
    return;
  }
  // Again only when an eighth of the limit was filled since, or this could happen at every step.
  if (memory_after_relief_ != 0 && memory_bytes_ < memory_after_relief_ + limit / 8) return;
  lua_gc(lua_, LUA_GCCOLLECT, 0);
  memory_after_relief_ = memory_bytes_;
}

void LuaSandbox::RaiseOutOfMemory(lua_State* lua) {
  ran_out_of_memory_ = true;
  RaiseBare(lua, kOutOfMemory);
  __builtin_unreachable();
}

void LuaSandbox::UseGlobals(lua_State* lua, int ref) {
  lua_rawgeti(lua, LUA_REGISTRYINDEX, ref);
  lua_pushvalue(lua, LUA_GLOBALSINDEX);
  PointProxyAt(lua);
}

void LuaSandbox::BeginLoading(lua_State* lua, RegisteredFunctions& registered,
                              MonotonicNanos deadline) {
  registered_ = &registered;
  deadline_ = deadline;
  UseGlobals(lua, loading_globals_ref_);
}

void LuaSandbox::EndLoading(lua_State* lua) {
  registered_ = nullptr;
  deadline_ = 0;
  UseGlobals(lua, globals_ref_);
}

void LuaSandbox::SetGlobal(lua_State* lua, const char* name) {
  lua_rawgeti(lua, LUA_REGISTRYINDEX, globals_ref_);
  lua_insert(lua, -2);
  lua_pushstring(lua, name);
  lua_insert(lua, -2);
  lua_rawset(lua, -3);
  lua_pop(lua, 1);
}

// The generator of the POSIX function lrand48: scripts see the numbers they see in Redis.
void LuaSandbox::SeedRandom(int64_t seed) {
  random_state_ = (static_cast<uint64_t>(static_cast<uint32_t>(seed)) << 16) | 0x330e;
}

uint32_t LuaSandbox::NextRandom() {
  constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
  random_state_ = (random_state_ * 0x5deece66d + 0xb) & kMask;
  return static_cast<uint32_t>(random_state_ >> 17);
}

}  // namespace mikura::engine::scripting
