// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/interpreter.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "engine/scripting/reply_conversion.h"
#include "engine/scripting/sandbox.h"
#include "engine/scripting/script_cache.h"

namespace mikura::engine::scripting {
namespace {

constexpr char kScriptChunk[] = "@user_script";
constexpr char kFunctionChunk[] = "@user_function";
constexpr std::string_view kNoMemory = "ERR not enough memory";
constexpr MonotonicNanos kNanosPerMilli = 1'000'000;

// While a library is loaded again on another thread, nobody is to see what it logs.
class SilentHost final : public ScriptHost {
 public:
  void Call(std::span<const std::string_view> /*args*/, wire::RespWriter& reply) override {
    reply.Error("ERR", "no command runs while a library is loaded");
  }
  HookVerdict OnHook() override { return HookVerdict::kContinue; }
  void Log(ScriptLogLevel /*level*/, std::string_view /*text*/) override {}
  AclVerdict CheckAcl(std::span<const std::string_view> /*args*/) override {
    return AclVerdict::kDenied;
  }
};

// Between BeginRun and EndRun.
class RunScope {
 public:
  RunScope(LuaSandbox& sandbox, ScriptHost& host) : sandbox_(sandbox) { sandbox.BeginRun(host); }
  ~RunScope() { sandbox_.EndRun(); }
  RunScope(const RunScope&) = delete;
  RunScope& operator=(const RunScope&) = delete;

 private:
  LuaSandbox& sandbox_;
};

void PushWords(lua_State* lua, std::span<const std::string_view> words) {
  lua_createtable(lua, static_cast<int>(words.size()), 0);
  int index = 0;
  for (const std::string_view word : words) {
    PushView(lua, word);
    lua_rawseti(lua, -2, ++index);
  }
}

// The field of a table at `index`, as text; empty when it is neither string nor number.
std::string_view PushText(lua_State* lua, int index, const char* field) {
  index = AbsoluteIndex(lua, index);
  lua_pushstring(lua, field);
  lua_rawget(lua, index);
  return lua_isstring(lua, -1) != 0 ? ViewAt(lua, -1) : std::string_view();
}

// The text of what was raised, without "-", into `out`. The value is at `index`: as a rule what
// the error handler made.
void DescribeError(lua_State* lua, int index, std::string_view name, std::string& out) {
  if (!lua_istable(lua, index)) {
    out = "ERR ";
    out += lua_isstring(lua, index) != 0 ? ViewAt(lua, index) : "unknown error";
    return;
  }
  const std::string_view text = PushText(lua, index, "err");
  const bool is_text = lua_isstring(lua, -1) != 0;
  const std::string_view source = PushText(lua, index, "source");
  const std::string_view line = PushText(lua, index, "line");
  if (is_text) {
    out = text;
  } else {
    // Redis 7.0 does not survive this.
    out = fmt::format("ERR Error running script (call to {})", name);
  }
  if (!source.empty() && !line.empty() && !name.empty()) {
    out += fmt::format(" script: {}, on {}:{}.", name, source, line);
  }
  lua_pop(lua, 3);
}

// Whether the value is the error table of a command (reply_to_lua.cc).
bool IsErrorOfCommand(lua_State* lua, int index) {
  if (!lua_istable(lua, index)) return false;
  lua_pushliteral(lua, "err");
  lua_rawget(lua, index);
  lua_pushstring(lua, kCountedErrorField);
  lua_rawget(lua, index);
  const bool is_one = lua_type(lua, -2) == LUA_TSTRING && lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 2);
  return is_one;
}

// One protected run.
struct RunFrame {
  LuaSandbox& sandbox;
  std::string_view name;  // for messages: the SHA-1, or the function
  int ref;
  const ScriptWords& words;
  wire::RespWriter& reply;
  bool failed = false;
  bool repeats_error = false;
};

int RunProtected(lua_State* lua) {
  auto& frame = *static_cast<RunFrame*>(lua_touserdata(lua, 1));
  lua_settop(lua, 0);
  frame.sandbox.PushErrorHandler(lua);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, frame.ref);
  int arguments = 0;
  PushWords(lua, frame.words.keys);
  if (!frame.sandbox.for_functions()) frame.sandbox.SetGlobal(lua, "KEYS");
  PushWords(lua, frame.words.args);
  if (frame.sandbox.for_functions()) {
    arguments = 2;
  } else {
    frame.sandbox.SetGlobal(lua, "ARGV");
  }
  frame.failed = lua_pcall(lua, arguments, 1, 1) != 0;
  frame.repeats_error = IsErrorOfCommand(lua, 2);
  if (frame.failed) {
    DescribeError(lua, 2, frame.name, frame.sandbox.scratch);
    WriteErrorText(frame.reply, frame.sandbox.scratch);
  } else {
    WriteValue(lua, frame.sandbox.resp_version, frame.reply);
  }
  return 0;
}

RunOutcome RunFunctionAt(RunFrame& frame) {
  lua_State* lua = frame.sandbox.lua();
  const size_t before = frame.reply.out().size();
  if (lua_cpcall(lua, RunProtected, &frame) != 0) {
    // Outside of the script: while its arguments were made, or its result written.
    frame.failed = true;
    frame.repeats_error = false;
    frame.reply.out().Truncate(before);
    const std::string_view text = lua_isstring(lua, -1) != 0 ? ViewAt(lua, -1) : "unknown error";
    WriteErrorText(frame.reply, fmt::format("ERR {} script: {}", text, frame.name));
  }
  lua_settop(lua, 0);
  RunOutcome outcome;
  outcome.failed = frame.failed;
  outcome.repeats_error = frame.repeats_error;
  outcome.killed = frame.sandbox.was_killed();
  outcome.out_of_memory = frame.failed && frame.sandbox.ran_out_of_memory();
  return outcome;
}

struct CompileFrame {
  LuaSandbox& sandbox;
  std::string_view code;
  const char* chunk;
  int ref = LUA_NOREF;
};

int CompileProtected(lua_State* lua) {
  auto& frame = *static_cast<CompileFrame*>(lua_touserdata(lua, 1));
  if (!frame.sandbox.Load(lua, frame.code, frame.chunk)) return lua_error(lua);
  frame.ref = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

// The reference of the compiled function, or what the compiler says.
Result<int> CompileIn(LuaSandbox& sandbox, std::string_view code, const char* chunk) {
  lua_State* lua = sandbox.lua();
  CompileFrame frame{sandbox, code, chunk};
  const int status = lua_cpcall(lua, CompileProtected, &frame);
  if (status == 0) return frame.ref;
  Error error{std::string(lua_isstring(lua, -1) != 0 ? ViewAt(lua, -1) : "unknown error")};
  lua_settop(lua, 0);
  return error;
}

struct LoadFrame {
  LuaSandbox& sandbox;
  int ref;
  RegisteredFunctions& registered;
  MonotonicNanos deadline;
  bool failed = false;
};

int LoadProtected(lua_State* lua) {
  auto& frame = *static_cast<LoadFrame*>(lua_touserdata(lua, 1));
  lua_settop(lua, 0);
  frame.sandbox.BeginLoading(lua, frame.registered, frame.deadline);
  frame.sandbox.PushErrorHandler(lua);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, frame.ref);
  frame.failed = lua_pcall(lua, 0, 0, 1) != 0;
  if (frame.failed) DescribeError(lua, 2, "", frame.sandbox.scratch);
  return 0;
}

int EndLoadingProtected(lua_State* lua) {
  LuaSandbox::Of(lua).EndLoading(lua);
  return 0;
}

uint64_t NextLibraryId() {
  // Publishes nothing: only that no two libraries have the same.
  static std::atomic<uint64_t> last = 0;
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

struct Interpreter::Impl {
  // A library's functions in Lua's registry, by name.
  using Loaded = std::unordered_map<std::string, int, ShaHash, std::equal_to<>>;

  explicit Impl(const InterpreterOptions& given) : options(given) {}

  std::unique_ptr<LuaSandbox> MakeSandbox(bool for_functions) const {
    return LuaSandbox::Create({options.memory_bytes_max, options.hook_steps, for_functions});
  }

  // Null when there is no memory for it.
  LuaSandbox* Scripts() {
    if (scripts == nullptr) scripts = MakeSandbox(false);
    return scripts.get();
  }
  LuaSandbox* Functions() {
    if (functions == nullptr) functions = MakeSandbox(true);
    return functions.get();
  }

  void DropScripts() {
    compiled.clear();
    scripts.reset();
  }
  void DropFunctions() {
    loaded.clear();
    functions.reset();
  }

  Result<int> Compiled(const Script& script);
  Result<Loaded*> LoadedLibrary(const FunctionLibrary& library);
  // Runs the code of a library; what it registered. `millis_max`: 0 for no limit. When the
  // libraries that are loaded leave too little memory, they go: they are loaded anew when one of
  // them is called.
  Result<RegisteredFunctions> RunInRoom(std::string_view code, ScriptHost& host,
                                        int64_t millis_max);
  Result<RegisteredFunctions> RunLibrary(std::string_view code, ScriptHost& host,
                                         int64_t millis_max);
  void Keep(uint64_t id, const RegisteredFunctions& registered);
  void UnloadUnlisted();

  const InterpreterOptions options;
  std::unique_ptr<LuaSandbox> scripts;
  std::unordered_map<std::string, int, ShaHash, std::equal_to<>> compiled;  // by SHA-1
  std::unique_ptr<LuaSandbox> functions;
  std::unordered_map<uint64_t, Loaded> loaded;  // by the id of the library
  FunctionSetPtr set = std::make_shared<FunctionSet>();
  bool has_unlisted = false;  // a library was loaded that may not be in `set`
  bool is_running = false;
};

Result<int> Interpreter::Impl::Compiled(const Script& script) {
  if (const auto found = compiled.find(script.sha1); found != compiled.end()) return found->second;
  const bool is_full =
      compiled.size() >= options.compiled_scripts_max ||
      (scripts != nullptr && scripts->memory_bytes() > scripts->memory_bytes_max() / 2);
  if (is_full) DropScripts();
  LuaSandbox* sandbox = Scripts();
  if (sandbox == nullptr) return Error{std::string(kNoMemory)};
  auto ref = CompileIn(*sandbox, script.code(), kScriptChunk);
  if (!ref.ok()) {
    return Error{"ERR Error compiling script (new function): " + ref.error().message};
  }
  compiled.emplace(script.sha1, *ref);
  return *ref;
}

Result<RegisteredFunctions> Interpreter::Impl::RunLibrary(std::string_view code, ScriptHost& host,
                                                          int64_t millis_max) {
  LuaSandbox* sandbox = Functions();
  if (sandbox == nullptr) return Error{std::string(kNoMemory)};
  auto ref = CompileIn(*sandbox, code, kFunctionChunk);
  if (!ref.ok()) return Error{"ERR Error compiling function: " + ref.error().message};
  const RunScope scope(*sandbox, host);
  const MonotonicNanos deadline =
      millis_max == 0 ? 0 : SystemClock().NowNanos() + millis_max * kNanosPerMilli;
  RegisteredFunctions registered;
  LoadFrame frame{*sandbox, *ref, registered, deadline};
  lua_State* lua = sandbox->lua();
  bool is_broken = lua_cpcall(lua, LoadProtected, &frame) != 0;
  is_broken |= lua_cpcall(lua, EndLoadingProtected, nullptr) != 0;
  lua_settop(lua, 0);
  luaL_unref(lua, LUA_REGISTRYINDEX, *ref);
  if (!is_broken && !frame.failed && !registered.functions.empty()) return registered;
  for (const int function : registered.refs) luaL_unref(lua, LUA_REGISTRYINDEX, function);
  if (is_broken) return Error{std::string(kNoMemory)};
  if (frame.failed) return Error{"ERR Error registering functions: " + sandbox->scratch};
  return Error{"ERR No functions registered"};
}

Result<RegisteredFunctions> Interpreter::Impl::RunInRoom(std::string_view code, ScriptHost& host,
                                                         int64_t millis_max) {
  const auto ran_out = [this] { return functions == nullptr || functions->ran_out_of_memory(); };
  const bool was_empty = loaded.empty();
  auto registered = RunLibrary(code, host, millis_max);
  if (registered.ok() || !ran_out()) return registered;
  DropFunctions();
  if (was_empty) return registered;
  registered = RunLibrary(code, host, millis_max);
  if (!registered.ok() && ran_out()) DropFunctions();
  return registered;
}

void Interpreter::Impl::Keep(uint64_t id, const RegisteredFunctions& registered) {
  Loaded& library = loaded[id];
  for (size_t i = 0; i < registered.functions.size(); ++i) {
    library.emplace(registered.functions[i].name, registered.refs[i]);
  }
}

Result<Interpreter::Impl::Loaded*> Interpreter::Impl::LoadedLibrary(
    const FunctionLibrary& library) {
  if (functions != nullptr) {
    const auto found = loaded.find(library.id);
    if (found != loaded.end()) return &found->second;
  }
  ASSIGN_OR_RETURN(const LibraryMetadata metadata, ReadLibraryMetadata(library.code));
  SilentHost host;
  const auto code = std::string_view(library.code).substr(metadata.code_offset);
  ASSIGN_OR_RETURN(const RegisteredFunctions registered, RunInRoom(code, host, 0));
  Keep(library.id, registered);
  return &loaded[library.id];
}

void Interpreter::Impl::UnloadUnlisted() {
  has_unlisted = false;
  std::erase_if(loaded, [this](const auto& entry) {
    for (const auto& [name, library] : set->libraries) {
      if (library->id == entry.first) return false;
    }
    for (const auto& [name, ref] : entry.second) {
      luaL_unref(functions->lua(), LUA_REGISTRYINDEX, ref);
    }
    return true;
  });
  if (loaded.empty()) DropFunctions();
}

Interpreter::Interpreter(const InterpreterOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}

Interpreter::~Interpreter() = default;

Status Interpreter::Compile(const ScriptPtr& script) {
  DCHECK(!impl_->is_running);
  RETURN_IF_ERROR(impl_->Compiled(*script));
  return Ok();
}

RunOutcome Interpreter::Run(const ScriptPtr& script, const ScriptWords& words, ScriptHost& host,
                            wire::RespWriter& reply) {
  CHECK(!impl_->is_running);
  auto ref = impl_->Compiled(*script);
  if (!ref.ok()) {
    WriteErrorText(reply, ref.error().message);
    return {.failed = true};
  }
  LuaSandbox& sandbox = *impl_->scripts;
  RunFrame frame{sandbox, script->sha1, *ref, words, reply};
  impl_->is_running = true;
  RunOutcome outcome;
  {
    const RunScope scope(sandbox, host);
    outcome = RunFunctionAt(frame);
  }
  impl_->is_running = false;
  if (sandbox.ran_out_of_memory()) impl_->DropScripts();
  return outcome;
}

const FunctionSet& Interpreter::Functions(const FunctionRegistry& registry) {
  const bool is_new = registry.version() != impl_->set->version;
  if (is_new) impl_->set = registry.Snapshot();
  if (is_new || impl_->has_unlisted) impl_->UnloadUnlisted();
  return *impl_->set;
}

RunOutcome Interpreter::RunFunction(const FunctionEntry& function, const ScriptWords& words,
                                    ScriptHost& host, wire::RespWriter& reply) {
  CHECK(!impl_->is_running);
  const FunctionLibraryPtr library = function.library;  // the set may change while it runs
  auto loaded = impl_->LoadedLibrary(*library);
  const std::string& name = library->functions[function.index].name;
  const auto ref = loaded.ok() ? (*loaded)->find(name) : Impl::Loaded::iterator();
  if (!loaded.ok() || ref == (*loaded)->end()) {
    WriteErrorText(reply, loaded.ok() ? "ERR Function not found" : loaded.error().message);
    return {.failed = true};
  }
  LuaSandbox& sandbox = *impl_->functions;
  RunFrame frame{sandbox, name, ref->second, words, reply};
  impl_->is_running = true;
  RunOutcome outcome;
  {
    const RunScope scope(sandbox, host);
    outcome = RunFunctionAt(frame);
  }
  impl_->is_running = false;
  if (sandbox.ran_out_of_memory()) impl_->DropFunctions();
  return outcome;
}

Result<FunctionLibraryPtr> Interpreter::LoadLibrary(std::string_view code, ScriptHost& host) {
  CHECK(!impl_->is_running);
  ASSIGN_OR_RETURN(LibraryMetadata metadata, ReadLibraryMetadata(code));
  impl_->is_running = true;
  auto registered =
      impl_->RunInRoom(code.substr(metadata.code_offset), host, impl_->options.load_millis_max);
  impl_->is_running = false;
  if (!registered.ok()) return std::move(registered).error();
  auto library = std::make_shared<FunctionLibrary>();
  library->id = NextLibraryId();
  library->name = std::move(metadata.name);
  library->engine = "LUA";
  library->code = code;
  library->functions = registered->functions;
  impl_->Keep(library->id, *registered);
  impl_->has_unlisted = true;
  return FunctionLibraryPtr(std::move(library));
}

void Interpreter::ForgetScripts() {
  CHECK(!impl_->is_running);
  impl_->DropScripts();
}

Interpreter::Memory Interpreter::memory() const {
  return {impl_->scripts != nullptr ? impl_->scripts->memory_bytes() : 0,
          impl_->functions != nullptr ? impl_->functions->memory_bytes() : 0};
}

size_t Interpreter::compiled_scripts() const { return impl_->compiled.size(); }

bool Interpreter::is_running() const { return impl_->is_running; }

}  // namespace mikura::engine::scripting
