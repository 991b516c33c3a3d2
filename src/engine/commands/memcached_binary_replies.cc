// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_binary_replies.h"

#include <algorithm>
#include <string>

#include "engine/commands/memcached_entry.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/shared_reply.h"
#include "wire/memcached_binary_writer.h"

namespace mikura::engine {
namespace {

using wire::MemcachedCommand;
using wire::MemcachedRequest;
using wire::MemcachedStatus;

// add and replace name the reason of a failure that the text protocol calls NOT_STORED.
MemcachedStatus NotStoredStatus(MemcachedCommand command) {
  if (command == MemcachedCommand::kAdd) return MemcachedStatus::kExists;
  if (command == MemcachedCommand::kReplace) return MemcachedStatus::kNotFound;
  return MemcachedStatus::kNotStored;
}

MemcachedStatus StatusOf(MemcachedOutcome outcome, MemcachedCommand command) {
  switch (outcome) {
    case MemcachedOutcome::kStored:
    case MemcachedOutcome::kDeleted:
    case MemcachedOutcome::kOk:
      return MemcachedStatus::kSuccess;
    case MemcachedOutcome::kNotStored:
      return NotStoredStatus(command);
    case MemcachedOutcome::kExists:
      return MemcachedStatus::kExists;
    case MemcachedOutcome::kNotFound:
      return MemcachedStatus::kNotFound;
    case MemcachedOutcome::kNotNumeric:
      return MemcachedStatus::kNotNumeric;
    case MemcachedOutcome::kOtherType:
      return MemcachedStatus::kInternalError;
    case MemcachedOutcome::kOutOfMemory:
      return MemcachedStatus::kOutOfMemory;
  }
  return MemcachedStatus::kInternalError;
}

// memcached says what it had no memory for.
std::string_view OutOfMemoryWords(MemcachedCommand command) {
  switch (command) {
    case MemcachedCommand::kIncr:
    case MemcachedCommand::kDecr:
      return "Out of memory incrementing value";
    case MemcachedCommand::kSet:
    case MemcachedCommand::kAdd:
    case MemcachedCommand::kReplace:
    case MemcachedCommand::kCas:
    case MemcachedCommand::kAppend:
    case MemcachedCommand::kPrepend:
      return "Out of memory allocating item";
    default:
      return {};
  }
}

// Takes the first line of `text` off, without its end.
std::string_view TakeLine(std::string_view* text) {
  const std::string_view line = text->substr(0, text->find("\r\n"));
  text->remove_prefix(std::min(text->size(), line.size() + 2));
  return line;
}

}  // namespace

void ReplyBinaryValue(MemcachedContext& ctx, const MemcachedRequest& request,
                      const store::Entry& entry) {
  const store::Attributes attributes = entry.attributes();
  const uint32_t flags = attributes.memcached_flags;
  const uint64_t cas = MemcachedCas(entry, attributes);
  if (auto shared = ShareLargeValue(ctx.out, entry, 1)) [[unlikely]] {
    return wire::WriteBinaryValue(ctx.out, request, flags, std::move(*shared), entry.value().back(),
                                  cas);
  }
  wire::WriteBinaryValue(ctx.out, request, flags, entry.value(), cas);
}

void ReplyBinaryTouched(MemcachedContext& ctx, const MemcachedRequest& request,
                        const store::Entry& entry) {
  const store::Attributes attributes = entry.attributes();
  wire::WriteBinaryValue(ctx.out, request, attributes.memcached_flags, std::string_view(),
                         MemcachedCas(entry, attributes));
}

void ReplyBinaryMiss(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (request.noreply) return;
  if (!request.with_key) {
    return wire::WriteBinaryStatus(ctx.out, request, MemcachedStatus::kNotFound);
  }
  wire::WriteBinaryReply(ctx.out, request,
                         {.status = MemcachedStatus::kNotFound, .key = request.key});
}

void ReplyBinaryOutcome(MemcachedContext& ctx, const MemcachedRequest& request,
                        MemcachedOutcome outcome, uint64_t cas) {
  const MemcachedStatus status = StatusOf(outcome, request.command);
  if (status == MemcachedStatus::kSuccess) {
    if (!request.noreply) wire::WriteBinaryReply(ctx.out, request, {.cas = cas});
    return;
  }
  std::string_view words;
  if (outcome == MemcachedOutcome::kOtherType) {
    words = "the key holds a value of another type";
  } else if (outcome == MemcachedOutcome::kOutOfMemory) {
    words = OutOfMemoryWords(request.command);
  }
  wire::WriteBinaryStatus(ctx.out, request, status, words);
}

void RefuseBinary(const MemcachedRequest& request, Fault fault, wire::OutputBuffer& out) {
  switch (fault) {
    case Fault::kOutOfMemory:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kOutOfMemory,
                                     OutOfMemoryWords(request.command));
    case Fault::kReadOnlyReplica:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kInternalError,
                                     "this node is a read-only replica");
    case Fault::kTooFewReplicas:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kTemporaryFailure,
                                     "not enough good replicas to write");
    case Fault::kLogFailed:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kTemporaryFailure,
                                     "the append log cannot be written");
    case Fault::kCannotSave:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kTemporaryFailure,
                                     "the last snapshot could not be saved");
    case Fault::kFenced:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kTemporaryFailure,
                                     "the lease of this node has ended");
    case Fault::kMasterDown:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kTemporaryFailure,
                                     "the link to the primary is down");
    case Fault::kLoading:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kTemporaryFailure,
                                     "the data set is being loaded");
    case Fault::kNoAuth:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kAuthenticationError);
    default:
      return wire::WriteBinaryStatus(out, request, MemcachedStatus::kInternalError);
  }
}

// The text of the same request, line by line: "STAT name value" becomes a packet.
void RunBinaryStats(MemcachedContext& ctx, const MemcachedRequest& request) {
  const size_t begin = ctx.out.size();
  // Of memcached's statistics only the text protocol shows the clients and the keys.
  const bool is_known = request.data != "conns" && !request.data.starts_with("cachedump");
  if (is_known) RunMemcachedStats(ctx, request);
  const std::string text(ctx.out.view().substr(begin));
  ctx.out.Truncate(begin);
  std::string_view rest = text;
  if (!is_known || rest.starts_with("ERROR") || rest.starts_with("CLIENT_ERROR") ||
      rest.starts_with("SERVER_ERROR")) {
    return wire::WriteBinaryStatus(ctx.out, request, MemcachedStatus::kNotFound);
  }
  while (rest.starts_with("STAT ")) {
    std::string_view line = TakeLine(&rest).substr(5);
    const std::string_view name = line.substr(0, line.find(' '));
    const std::string_view value = line.substr(std::min(line.size(), name.size() + 1));
    wire::WriteBinaryReply(ctx.out, request, {.key = name, .value = value});
  }
  // The dump of key prefixes goes into one packet as it is.
  if (request.data.starts_with("detail dump")) {
    wire::WriteBinaryReply(ctx.out, request, {.key = "detailed", .value = rest});
  }
  wire::WriteBinaryReply(ctx.out, request, {});
}

}  // namespace mikura::engine
