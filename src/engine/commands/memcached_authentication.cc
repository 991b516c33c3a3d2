// SPDX-License-Identifier: Apache-2.0
// Authentication of memcached clients: by SASL, mechanism PLAIN, in the binary protocol, by a first
// set in the text protocol. A failed attempt takes away what an earlier one had given.
#include <algorithm>

#include "engine/commands/memcached_handlers.h"
#include "wire/memcached_binary_writer.h"
#include "wire/memcached_login.h"

namespace mikura::engine {
namespace {

using wire::MemcachedRequest;
using wire::MemcachedStatus;

constexpr uint8_t kSaslAuth = 0x21;

bool IsPlain(std::string_view mechanism) {
  constexpr std::string_view kPlain = "PLAIN";
  return std::ranges::equal(mechanism, kPlain,
                            [](char a, char b) { return a == b || a == (b | 0x20); });
}

bool Attempt(MemcachedContext& ctx, const wire::MemcachedLogin& login) {
  ctx.counters.auth_cmds.Add();
  ctx.client.authenticated =
      !login.user.empty() && ctx.services.IsPassword(login.user, login.password);
  if (!ctx.client.authenticated) ctx.counters.auth_errors.Add();
  return ctx.client.authenticated;
}

// SASL_AUTH names the mechanism and usually brings its message; without one SASL_STEP brings it.
void Sasl(MemcachedContext& ctx, const MemcachedRequest& request) {
  const bool is_first = request.opcode == kSaslAuth;
  const bool is_step = !is_first && ctx.client.sasl_started;
  const bool is_plain = is_first && IsPlain(request.key);
  ctx.client.sasl_started = is_plain && request.data.empty();
  if (ctx.client.sasl_started) {
    ctx.client.authenticated = false;
    return wire::WriteBinaryStatus(ctx.out, request, MemcachedStatus::kAuthenticationContinue);
  }
  const bool may_try = is_plain || is_step;
  const wire::MemcachedLogin login =
      may_try ? wire::SplitSaslPlain(request.data) : wire::MemcachedLogin{};
  if (!Attempt(ctx, login)) {
    return wire::WriteBinaryStatus(ctx.out, request, MemcachedStatus::kAuthenticationError);
  }
  wire::WriteBinaryReply(ctx.out, request, {.value = "Authenticated"});
}

}  // namespace

void RunMemcachedAuthentication(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (request.is_binary) return Sasl(ctx, request);
  const wire::MemcachedLogin login = wire::SplitMemcachedLogin(request.data);
  if (login.user.empty()) {
    return ctx.out.Append("CLIENT_ERROR bad authentication token format\r\n");
  }
  const bool is_right = Attempt(ctx, login);
  ctx.out.Append(is_right ? "STORED\r\n" : "CLIENT_ERROR authentication failure\r\n");
}

}  // namespace mikura::engine
