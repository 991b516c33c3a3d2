// SPDX-License-Identifier: Apache-2.0
// redis.* (and server.*, as Valkey calls it).
#include <cmath>
#include <cstdio>

#include "base/numbers.h"
#include "engine/scripting/libraries.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/reply_conversion.h"
#include "engine/scripting/sandbox.h"
#include "engine/scripting/script.h"

namespace mikura::engine::scripting {
namespace {

constexpr char kVersion[] = "7.0.15";
constexpr int kVersionNumber = (7 << 16) | (0 << 8) | 15;

ScriptHost& HostOf(lua_State* lua) {
  ScriptHost* host = LuaSandbox::Of(lua).host();
  if (host == nullptr) RaiseBare(lua, "no command is running");
  return *host;
}

// As "%.17g" prints it, which keeps every bit of a double.
std::string_view NumberText(double number, std::array<char, 32>& text) {
  constexpr double kDigits17 = 1e17;
  if (number == std::trunc(number) && std::fabs(number) < kDigits17 && number != 0) {
    return {text.data(), FormatInt64(static_cast<int64_t>(number), text.data())};
  }
  const int size = std::snprintf(text.data(), text.size(), "%.17g", number);
  return {text.data(), static_cast<size_t>(size)};
}

// The arguments of a Lua function as words of a command, in sandbox.words. False when there is
// none, or one that is neither string nor number: an error table is on the stack then.
bool TakeWords(lua_State* lua, LuaSandbox& sandbox) {
  const int count = lua_gettop(lua);
  if (count == 0) {
    PushErrorTable(lua, "ERR Please specify at least one argument for this redis lib call");
    return false;
  }
  sandbox.words.clear();
  for (int i = 1; i <= count; ++i) {
    if (lua_type(lua, i) == LUA_TSTRING) {
      sandbox.words.push_back(ViewAt(lua, i));
    } else if (lua_type(lua, i) == LUA_TNUMBER) {
      const auto place = static_cast<size_t>(i);
      if (sandbox.number_texts.size() <= place) sandbox.number_texts.resize(place + 16);
      // A view of it is made last: growing moves the texts.
      sandbox.words.emplace_back();
    } else {
      PushErrorTable(lua, "ERR Lua redis lib command arguments must be strings or integers");
      return false;
    }
  }
  for (int i = 1; i <= count; ++i) {
    if (lua_type(lua, i) != LUA_TNUMBER) continue;
    const auto place = static_cast<size_t>(i);
    sandbox.words[place - 1] = NumberText(lua_tonumber(lua, i), sandbox.number_texts[place]);
  }
  return true;
}

int CallCommand(lua_State* lua, bool raises) {
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  ScriptHost& host = HostOf(lua);
  if (!TakeWords(lua, sandbox)) return raises ? lua_error(lua) : 1;
  sandbox.reply.Clear();
  wire::RespWriter writer(sandbox.reply, sandbox.resp_version);
  host.Call(sandbox.words, writer);
  sandbox.Spend(lua, sandbox.reply.size() / 64);
  sandbox.RelieveMemory();
  const std::string_view resp = sandbox.reply.view();
  lua_settop(lua, 0);  // thousands of arguments would leave no room for the reply
  PushReply(lua, resp);
  return raises && resp.starts_with('-') ? lua_error(lua) : 1;
}

int Call(lua_State* lua) { return CallCommand(lua, true); }
int ProtectedCall(lua_State* lua) { return CallCommand(lua, false); }

int Log(lua_State* lua) {
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  const int count = lua_gettop(lua);
  if (count < 2) {
    return RaiseErrorTable(lua, "ERR redis.log() requires two arguments or more.");
  }
  if (lua_isnumber(lua, 1) == 0) {
    return RaiseErrorTable(lua, "ERR First argument must be a number (log level).");
  }
  const int64_t level = ToInt64(lua_tonumber(lua, 1));
  if (level < 0 || level > 3) return RaiseErrorTable(lua, "ERR Invalid debug level.");
  sandbox.scratch.clear();
  for (int i = 2; i <= count; ++i) {
    if (lua_isstring(lua, i) == 0) continue;
    const std::string_view text = ViewAt(lua, i);
    sandbox.CheckScratch(lua, sandbox.scratch.size() + text.size());
    if (i > 2) sandbox.scratch += ' ';
    sandbox.scratch += text;
  }
  HostOf(lua).Log(static_cast<ScriptLogLevel>(level), sandbox.scratch);
  return 0;
}

int Sha1(lua_State* lua) {
  if (lua_gettop(lua) != 1) return RaiseErrorTable(lua, "ERR wrong number of arguments");
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  const std::string_view text = ViewAt(lua, 1);
  sandbox.Spend(lua, text.size() / 16);
  sandbox.scratch = Sha1Hex(text);
  PushView(lua, sandbox.scratch);
  return 1;
}

// {field = text} of the one string argument.
bool CheckOneString(lua_State* lua) {
  if (lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING) return true;
  PushErrorTable(lua, "ERR wrong number or type of arguments");
  return false;
}

int StatusReply(lua_State* lua) {
  if (!CheckOneString(lua)) return 1;
  lua_createtable(lua, 0, 1);
  lua_pushvalue(lua, 1);
  lua_setfield(lua, -2, "ok");
  return 1;
}

// The code is the first word, if there is more than one; a '-' in front is taken off.
int ErrorReply(lua_State* lua) {
  if (!CheckOneString(lua)) return 1;
  std::string& text = LuaSandbox::Of(lua).scratch;
  text = ViewAt(lua, 1);
  if (text.starts_with('-')) text.erase(0, 1);
  while (text.ends_with('\r') || text.ends_with('\n')) text.pop_back();
  if (text.find(' ') == std::string::npos) text.insert(0, "ERR ");
  PushErrorTable(lua, text);
  return 1;
}

int SetResp(lua_State* lua) {
  if (lua_gettop(lua) != 1) {
    return RaiseErrorTable(lua, "ERR redis.setresp() requires one argument.");
  }
  const int64_t version = ToInt64(lua_tonumber(lua, 1));
  if (version != 2 && version != 3) {
    return RaiseErrorTable(lua, "ERR RESP version must be 2 or 3.");
  }
  LuaSandbox::Of(lua).resp_version = static_cast<int>(version);
  HostOf(lua).SetResp(static_cast<int>(version));
  return 0;
}

int SetReplication(lua_State* lua) {
  if (lua_gettop(lua) != 1) {
    return RaiseErrorTable(lua, "ERR redis.set_repl() requires two arguments.");
  }
  const int64_t targets = ToInt64(lua_tonumber(lua, 1));
  if ((targets & ~int64_t{kToAll}) != 0) {
    return RaiseErrorTable(lua,
                           "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL "
                           "or REPL_NONE.");
  }
  HostOf(lua).SetReplication(static_cast<uint32_t>(targets));
  return 0;
}

// Scripts are replicated by what they did, always.
int ReplicateCommands(lua_State* lua) {
  lua_pushboolean(lua, 1);
  return 1;
}

int CheckAcl(lua_State* lua) {
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  if (!TakeWords(lua, sandbox)) return lua_error(lua);
  const AclVerdict verdict = HostOf(lua).CheckAcl(sandbox.words);
  if (verdict == AclVerdict::kUnknownCommand) {
    return RaiseErrorTable(lua, "ERR Invalid command passed to redis.acl_check_cmd()");
  }
  lua_pushboolean(lua, verdict == AclVerdict::kAllowed);
  return 1;
}

// There is no debugger to stop in, or to print with.
int Breakpoint(lua_State* lua) {
  lua_pushboolean(lua, 0);
  return 1;
}
int Debug(lua_State* /*lua*/) { return 0; }

constexpr luaL_Reg kForRuns[] = {{"acl_check_cmd", CheckAcl},   {"call", Call},
                                 {"error_reply", ErrorReply},   {"log", Log},
                                 {"pcall", ProtectedCall},      {"set_repl", SetReplication},
                                 {"setresp", SetResp},          {"sha1hex", Sha1},
                                 {"status_reply", StatusReply}, {nullptr, nullptr}};

constexpr luaL_Reg kForScriptsOnly[] = {{"breakpoint", Breakpoint},
                                        {"debug", Debug},
                                        {"replicate_commands", ReplicateCommands},
                                        {nullptr, nullptr}};

constexpr luaL_Reg kWhileLoading[] = {
    {"log", Log}, {"register_function", RegisterFunction}, {nullptr, nullptr}};

struct NamedNumber {
  const char* name;
  int number;
};

constexpr NamedNumber kAlways[] = {{"LOG_DEBUG", 0},
                                   {"LOG_VERBOSE", 1},
                                   {"LOG_NOTICE", 2},
                                   {"LOG_WARNING", 3},
                                   {"REDIS_VERSION_NUM", kVersionNumber}};

constexpr NamedNumber kOfReplication[] = {{"REPL_NONE", kToNobody},
                                          {"REPL_AOF", kToAppendLog},
                                          {"REPL_SLAVE", kToReplicas},
                                          {"REPL_REPLICA", kToReplicas},
                                          {"REPL_ALL", kToAll}};

void AddNumbers(lua_State* lua, std::span<const NamedNumber> numbers) {
  for (const NamedNumber& number : numbers) {
    lua_pushinteger(lua, number.number);
    lua_setfield(lua, -2, number.name);
  }
}

void AddVersion(lua_State* lua) {
  lua_pushstring(lua, kVersion);
  lua_setfield(lua, -2, "REDIS_VERSION");
}

// Takes the library from the top of the stack.
void SetUnderBothNames(lua_State* lua, int globals) {
  MakeReadOnly(lua);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, globals, "redis");
  lua_setfield(lua, globals, "server");
}

}  // namespace

void AddRedisLibrary(lua_State* lua, int globals) {
  lua_newtable(lua);
  AddFunctions(lua, kForRuns);
  if (!LuaSandbox::Of(lua).for_functions()) AddFunctions(lua, kForScriptsOnly);
  AddNumbers(lua, kAlways);
  AddNumbers(lua, kOfReplication);
  AddVersion(lua);
  SetUnderBothNames(lua, globals);
}

void AddLoadingLibrary(lua_State* lua, int globals, lua_CFunction raise) {
  lua_newtable(lua);
  AddFunctions(lua, kWhileLoading);
  AddNumbers(lua, kAlways);
  AddVersion(lua);
  RaiseForAbsent(lua, raise);
  SetUnderBothNames(lua, globals);
}

}  // namespace mikura::engine::scripting
