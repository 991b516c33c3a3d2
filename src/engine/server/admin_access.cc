// SPDX-License-Identifier: Apache-2.0
// What the agent says about who may use the node, and sees of it.
#include <utility>

#include "engine/server/admin_server.h"

namespace mikura::engine {
namespace {

std::string_view NameOf(TlsMode mode) {
  switch (mode) {
    case TlsMode::kOff:
      return "off";
    case TlsMode::kPreferred:
      return "preferred";
    case TlsMode::kRequired:
      return "required";
  }
  return "";
}

}  // namespace

void AdminServer::NoteUsers(std::string_view text, uint64_t version) {
  users_version_ = version;
  users_hash_ = access::HashPassword(text);
}

void AdminServer::TellAccess(wire::RespWriter& reply) const {
  const bool unchanged = parts_.access.users().version() == users_version_;
  const auto context = parts_.tls.Current();
  reply.Array(3);
  reply.Bulk(unchanged ? std::string_view(users_hash_) : std::string_view());
  reply.Bulk(NameOf(parts_.tls.mode()));
  reply.Bulk(std::to_string(context == nullptr ? 0 : context->EndOfCertificate()));
}

void AdminServer::SetUsers(std::string_view text, wire::RespWriter& reply) {
  access::AccessUsers& users = parts_.access.users();
  const uint64_t before = users.version();
  const auto changed = users.Load(text, "users");
  if (!changed.ok()) {
    reply.Error("ERR", changed.error().message);
    return;
  }
  // Were they changed by somebody else meanwhile, the version is another.
  NoteUsers(text, before + 1);
  // Who is in stays in with the rights of now; those of a user that is no more go.
  for (const std::string& name : *changed) {
    if (users.Find(name) != nullptr) continue;
    ClientFilter filter;
    filter.user = name;
    parts_.clients.Kill(filter);
  }
  reply.Ok();
}

}  // namespace mikura::engine
