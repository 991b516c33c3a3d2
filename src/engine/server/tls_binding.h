// SPDX-License-Identifier: Apache-2.0
// The TLS contexts of a node, from its parameters.
#pragma once

#include "base/result.h"
#include "engine/net/tls_context.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

// Whether a port or the link to the primary needs a context.
bool UsesTls(const wire::EngineParameters& parameters);

// Reads the files and puts what they say in force. Does nothing where no TLS is used. Errors: words
// for the log.
Status ConfigureTls(const wire::EngineParameters& parameters, TlsContexts& contexts);

// Does so again whenever a parameter of TLS is set, also to the value that it has: the files may
// have changed. What was in force stays when that fails.
void BindTls(wire::ParameterSet& parameters, TlsContexts& contexts);

}  // namespace mikura::engine
