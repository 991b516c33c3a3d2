// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/scripting/lua_api.h"

namespace mikura::engine::scripting {

int FormatString(lua_State* lua);  // string.format

}  // namespace mikura::engine::scripting
