// SPDX-License-Identifier: Apache-2.0
// Compiling source text. Text only, of bounded size, given to the parser in one piece of ours, with
// the garbage collector off: no code of a script runs, and nothing is freed, while it parses.
#include "engine/scripting/sandbox.h"
#include "engine/scripting/script.h"
#include "engine/scripting/source_text.h"

namespace mikura::engine::scripting {
namespace {

struct Pieces {
  std::string_view pieces[2];
  size_t next = 0;
};

const char* ReadPiece(lua_State* /*lua*/, void* data, size_t* size) {
  auto& pieces = *static_cast<Pieces*>(data);
  while (pieces.next < 2) {
    const std::string_view piece = pieces.pieces[pieces.next++];
    if (piece.empty()) continue;
    *size = piece.size();
    return piece.data();
  }
  *size = 0;
  return nullptr;
}

// LuaJIT skips a first line that begins with '#' and a byte order mark, and takes ESC for its
// bytecode. A blank in front makes them what they are in Lua 5.1: no text of a program.
std::string_view FirstPiece(std::string_view code) {
  const bool is_special =
      code.starts_with('#') || code.starts_with("\xef\xbb\xbf") || code.starts_with('\x1b');
  return is_special ? " " : "";
}

// The name of a chunk as it stands in messages: "@user_script" and "=(load)" are "user_script" and
// "(load)".
std::string_view ShownName(std::string_view chunk) {
  if (chunk.starts_with('@') || chunk.starts_with('=')) return chunk.substr(1);
  return "[string]";
}

}  // namespace

bool LuaSandbox::Load(lua_State* lua, std::string_view code, const char* chunk_name) {
  if (code.size() > kSourceBytesMax) {
    PushView(lua, "source text is too long");
    return false;
  }
  if (HasForeignNumber(code, chunk_name)) {
    PushView(lua, scratch);
    return false;
  }
  if (PlainEscapesInScratch(code)) code = scratch;
  if (!LoadPiece(lua, code, chunk_name)) return false;
  if (!KeepCallersInScratch(code)) return true;
  if (LoadPiece(lua, scratch, chunk_name)) {
    lua_remove(lua, -2);
  } else {
    lua_pop(lua, 1);  // too large now, as functions go: the program as it was given will do
  }
  return true;
}

bool LuaSandbox::LoadPiece(lua_State* lua, std::string_view code, const char* chunk_name) {
  Pieces pieces{{FirstPiece(code), code}};
  lua_gc(lua, LUA_GCSTOP, 0);
  const int status = lua_loadx(lua, ReadPiece, &pieces, chunk_name, "t");
  lua_gc(lua, LUA_GCRESTART, 0);
  return status == 0;
}

bool LuaSandbox::HasForeignNumber(std::string_view code, const char* chunk_name) {
  auto error = FindForeignNumber(code, ShownName(chunk_name));
  if (!error) return false;
  scratch = std::move(*error);
  return true;
}

bool LuaSandbox::PlainEscapesInScratch(std::string_view code) {
  auto changed = PlainEscapes(code);
  if (!changed) return false;
  scratch = std::move(*changed);
  return true;
}

bool LuaSandbox::KeepCallersInScratch(std::string_view code) {
  auto changed = KeepCallers(code);
  if (!changed) return false;
  scratch = std::move(*changed);
  return true;
}

}  // namespace mikura::engine::scripting
