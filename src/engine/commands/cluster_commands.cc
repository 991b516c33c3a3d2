// SPDX-License-Identifier: Apache-2.0
// CLUSTER and its relatives on a node that is part of no cluster: clients ask to find that out.
#include "engine/commands/command_context.h"
#include "engine/commands/command_families.h"

namespace mikura::engine {
namespace {

FaultOr<> RefuseCluster(CommandContext& ctx) {
  ctx.reply.Error("ERR", "This instance has cluster support disabled");
  return Ok();
}

constexpr uint32_t kChanges = kAdmin | kStaleOk | kNoAsyncLoading;
constexpr std::string_view kVaries = "nondeterministic_output";

constexpr CommandSpec Row(std::string_view name, Arity arity, uint32_t flags,
                          std::string_view since, std::string_view summary,
                          std::string_view tips = {}) {
  return {.name = name,
          .handler = RefuseCluster,
          .arity = arity,
          .flags = flags,
          .group = "cluster",
          .since = since,
          .summary = summary,
          .tips = tips,
          .parent = "CLUSTER"};
}

constexpr CommandSpec kSubcommands[] = {
    Row("ADDSLOTS", AtLeast(3), kChanges, "3.0.0", "Gives slots to this node."),
    Row("ADDSLOTSRANGE", AtLeast(4), kChanges, "7.0.0", "Gives ranges of slots to this node."),
    Row("BUMPEPOCH", Exactly(2), kChanges, "3.0.0", "Advances the configuration epoch.", kVaries),
    Row("COUNT-FAILURE-REPORTS", Exactly(3), kAdmin | kStaleOk, "3.0.0",
        "Counts the reports that a node fails.", kVaries),
    Row("COUNTKEYSINSLOT", Exactly(3), kStaleOk, "3.0.0", "Counts the keys of a slot."),
    Row("DELSLOTS", AtLeast(3), kChanges, "3.0.0", "Takes slots from this node."),
    Row("DELSLOTSRANGE", AtLeast(4), kChanges, "7.0.0", "Takes ranges of slots from this node."),
    Row("FAILOVER", AtLeast(2), kChanges, "3.0.0", "Makes a replica the primary."),
    Row("FLUSHSLOTS", Exactly(2), kChanges, "3.0.0", "Takes all slots from this node."),
    Row("FORGET", Exactly(3), kChanges, "3.0.0", "Removes a node from the cluster."),
    Row("GETKEYSINSLOT", Exactly(4), kStaleOk, "3.0.0", "Lists keys of a slot.", kVaries),
    Row("HELP", Exactly(2), kLoadingOk | kStaleOk, "5.0.0", "Lists the subcommands."),
    Row("INFO", Exactly(2), kStaleOk, "3.0.0", "Shows the state of the cluster.", kVaries),
    Row("KEYSLOT", Exactly(3), kStaleOk, "3.0.0", "Computes the slot of a key."),
    Row("LINKS", Exactly(2), kStaleOk, "7.0.0", "Lists the links between nodes.", kVaries),
    Row("MEET", AtLeast(4), kChanges, "3.0.0", "Introduces another node."),
    Row("MYID", Exactly(2), kStaleOk, "3.0.0", "Names this node."),
    Row("NODES", Exactly(2), kStaleOk, "3.0.0", "Describes the nodes.", kVaries),
    Row("REPLICAS", Exactly(3), kAdmin | kStaleOk, "5.0.0", "Lists the replicas of a node.",
        kVaries),
    Row("REPLICATE", Exactly(3), kChanges, "3.0.0", "Makes this node a replica."),
    Row("RESET", AtLeast(2), kAdmin | kNoScript | kStaleOk, "3.0.0", "Forgets the cluster."),
    Row("SAVECONFIG", Exactly(2), kChanges, "3.0.0", "Writes the configuration."),
    Row("SET-CONFIG-EPOCH", Exactly(3), kChanges, "3.0.0", "Sets the configuration epoch."),
    Row("SETSLOT", AtLeast(4), kChanges, "3.0.0", "Binds a slot to a node."),
    Row("SHARDS", Exactly(2), kStaleOk, "7.0.0", "Maps slots to the nodes of shards.", kVaries),
    Row("SLAVES", Exactly(3), kAdmin | kStaleOk, "3.0.0", "Lists the replicas of a node.", kVaries),
    Row("SLOTS", Exactly(2), kStaleOk, "3.0.0", "Maps slots to nodes.", kVaries),
};

constexpr CommandSpec OfConnection(std::string_view name, uint32_t flags,
                                   std::string_view summary) {
  return {.name = name,
          .handler = RefuseCluster,
          .arity = Exactly(1),
          .flags = kFast | flags,
          .acl = kAclConnection,
          .group = "cluster",
          .since = "3.0.0",
          .summary = summary};
}

constexpr CommandSpec kClusterCommands[] = {
    {.name = "CLUSTER",
     .arity = AtLeast(2),
     .group = "cluster",
     .since = "3.0.0",
     .summary = "Slots, nodes and shards of a cluster.",
     .subcommands = kSubcommands},
    OfConnection("ASKING", 0, "Lets the next command at a slot that comes to this node."),
    OfConnection("READONLY", kLoadingOk | kStaleOk, "Reads from a replica of a cluster."),
    OfConnection("READWRITE", kLoadingOk | kStaleOk, "Reads from the primary again."),
};

}  // namespace

std::span<const CommandSpec> ClusterCommands() { return kClusterCommands; }

}  // namespace mikura::engine
