// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "wire/resp_writer.h"

namespace mikura::engine::scripting {

// Writes "-text" as one error reply; the text begins with its code. The errors of this folder are
// such texts.
void WriteErrorText(wire::RespWriter& reply, std::string_view text);

}  // namespace mikura::engine::scripting
