// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/scripting/lua_api.h"

namespace mikura::engine::scripting {

// Nothing is nested deeper, whatever a script sets: encoder and decoder call themselves.
inline constexpr int kJsonDepthMax = 2'000;

int EncodeJson(lua_State* lua);  // cjson.encode
int DecodeJson(lua_State* lua);  // cjson.decode

}  // namespace mikura::engine::scripting
