// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_table.h"

#include <gtest/gtest.h>

#include <set>

#include "base/numbers.h"
#include "engine/commands/command_errors.h"
#include "engine/commands/fault_replies.h"

namespace mikura::engine {
namespace {

void ExpectWholeRow(const CommandSpec& spec) {
  EXPECT_EQ(spec.name, ToUpper(spec.name));
  EXPECT_FALSE(spec.summary.empty()) << spec.name;
  EXPECT_FALSE(spec.group.empty()) << spec.name;
  EXPECT_FALSE(spec.since.empty()) << spec.name;
  EXPECT_TRUE(spec.handler != nullptr || !spec.subcommands.empty()) << spec.name;
  EXPECT_FALSE((spec.flags & kWrite) != 0 && (spec.flags & kReadOnly) != 0) << spec.name;
}

TEST(CommandTable, EveryRowIsWhole) {
  const CommandTable table;
  for (const CommandSpec* spec : table.All()) {
    ExpectWholeRow(*spec);
    for (const CommandSpec& subcommand : spec->subcommands) {
      ExpectWholeRow(subcommand);
      EXPECT_EQ(subcommand.parent, spec->name) << subcommand.name;
      EXPECT_NE(subcommand.handler, nullptr) << subcommand.name;
    }
  }
}

TEST(CommandTable, FindsEveryNameInAnyCase) {
  const CommandTable table;
  for (const CommandSpec* spec : table.All()) {
    EXPECT_EQ(table.Find(spec->name), spec);
    EXPECT_EQ(table.Find(ToLower(spec->name)), spec);
  }
  EXPECT_EQ(table.Find("gEt"), table.Find("GET"));
}

TEST(CommandTable, FindsNothingUnderOtherNames) {
  const CommandTable table;
  for (const std::string_view name : {"", "G", "GETT", "GE", "incrbyfloats", "\x07\x05\x14",
                                      "a very long name that is no command at all"}) {
    EXPECT_EQ(table.Find(name), nullptr) << name;
  }
}

TEST(CommandTable, DoesNotKnowWhatIsRestricted) {
  const CommandTable table("config ACL|SetUser psync  debug");
  EXPECT_TRUE(table.not_found().empty());
  EXPECT_EQ(table.Find("CONFIG"), nullptr);
  EXPECT_EQ(table.Find("psync"), nullptr);
  const CommandSpec* const acl = table.Find("acl");
  ASSERT_NE(acl, nullptr);
  EXPECT_EQ(table.FindSubcommand(*acl, "setuser"), nullptr);
  EXPECT_NE(table.FindSubcommand(*acl, "getuser"), nullptr);
  for (const CommandSpec* spec : table.All()) EXPECT_EQ(table.Find(spec->name), spec);
  EXPECT_EQ(table.All().size(), CommandTable().All().size() - 3);
  // Access rules name them all the same.
  EXPECT_EQ(table.Every().size(), CommandTable().Every().size());
}

TEST(CommandTable, FindsRestrictedCommandsWithoutKeysAndSubcommands) {
  const CommandTable table("psync config migrate acl|setuser");
  ASSERT_NE(table.FindRestricted("PsYnC"), nullptr);
  EXPECT_EQ(table.FindRestricted("psync")->name, "PSYNC");
  for (const std::string_view name : {"config", "migrate", "setuser", "acl", "get", ""}) {
    EXPECT_EQ(table.FindRestricted(name), nullptr) << name;
  }
}

TEST(CommandTable, TellsWhichRestrictedNamesAreNoCommands) {
  const CommandTable table("get acl|nothing nothing get|x setuser");
  EXPECT_EQ(table.not_found(),
            (std::vector<std::string>{"acl|nothing", "nothing", "get|x", "setuser"}));
  EXPECT_EQ(table.Find("get"), nullptr);
}

TEST(CommandTable, FindsSubcommandsInAnyCase) {
  const CommandTable table;
  const CommandSpec* config = table.Find("config");
  ASSERT_NE(config, nullptr);
  ASSERT_NE(table.FindSubcommand(*config, "Get"), nullptr);
  EXPECT_EQ(FullName(*table.FindSubcommand(*config, "get")), "config|get");
  EXPECT_EQ(table.FindSubcommand(*config, "nothing"), nullptr);
}

TEST(CommandErrors, AnUnknownCommandIsQuotedWithItsArguments) {
  const std::string_view args[] = {"foo", "a", "b\r\nc"};
  EXPECT_EQ(UnknownCommandMessage(args),
            "unknown command 'foo', with args beginning with: 'a' 'b\r\nc' ");
}

TEST(CommandErrors, LongQuotesAreCut) {
  const std::string name(200, 'n');
  const std::string word(300, 'w');
  const std::string_view args[] = {name, "a", word, word};
  EXPECT_EQ(UnknownCommandMessage(args), "unknown command '" + std::string(128, 'n') +
                                             "', with args beginning with: 'a' '" +
                                             std::string(124, 'w') + "' ");
}

TEST(CommandErrors, ANulEndsWhatIsQuoted) {
  const std::string_view args[] = {std::string_view("fo\0o", 4)};
  EXPECT_EQ(UnknownCommandMessage(args), "unknown command 'fo', with args beginning with: ");
}

TEST(CommandErrors, SubcommandsAreNamedWithTheirCommand) {
  const CommandTable table;
  const CommandSpec& config = *table.Find("CONFIG");
  EXPECT_EQ(UnknownSubcommandMessage(config, "x"), "unknown subcommand 'x'. Try CONFIG HELP.");
  EXPECT_EQ(WrongArityMessage(*table.FindSubcommand(config, "GET")),
            "wrong number of arguments for 'config|get' command");
}

TEST(FaultReplies, EachFaultHasItsOwnWords) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Fault::kNotSupported); ++i) {
    const FaultReply& reply = ReplyFor(static_cast<Fault>(i));
    EXPECT_EQ(reply.fault, static_cast<Fault>(i));
    EXPECT_TRUE(seen.insert(reply.message).second) << reply.message;
  }
}

}  // namespace
}  // namespace mikura::engine
