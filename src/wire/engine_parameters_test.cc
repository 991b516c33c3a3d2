// SPDX-License-Identifier: Apache-2.0
#include "wire/engine_parameters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mikura::wire {
namespace {

std::string ErrorOf(const Status& status) { return status.ok() ? "" : status.error().message; }

Status Set(std::string_view name, std::string_view text, EngineParameters& parameters) {
  const ParameterSpec* spec = FindParameter(name);
  CHECK(spec != nullptr);
  return SetParameter(*spec, text, parameters);
}

TEST(EngineParameters, EveryNameAndAliasIsThereOnce) {
  std::set<std::string_view> names;
  for (const ParameterSpec& spec : AllParameters()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    if (!spec.alias.empty()) {
      EXPECT_TRUE(names.insert(spec.alias).second) << spec.alias;
    }
  }
}

TEST(EngineParameters, EveryDefaultIsAValueThatItsOwnRowAccepts) {
  for (const ParameterSpec& spec : AllParameters()) {
    EngineParameters parameters;
    const std::string text = ParameterText(spec, parameters);
    EXPECT_EQ(ErrorOf(SetParameter(spec, text, parameters)), "") << spec.name;
    EXPECT_EQ(ParameterText(spec, parameters), text) << spec.name;
  }
}

TEST(EngineParameters, ASupportedRowHasASummaryAndNoFixedValue) {
  for (const ParameterSpec& spec : AllParameters()) {
    if (!spec.supported()) continue;
    EXPECT_FALSE(spec.summary.empty()) << spec.name;
    EXPECT_TRUE(spec.fixed_value.empty()) << spec.name;
  }
}

TEST(EngineParameters, AnAliasNamesTheSameRow) {
  EXPECT_EQ(FindParameter("slave-read-only"), FindParameter("REPLICA-READ-ONLY"));
  EXPECT_EQ(FindParameter("no-such-thing"), nullptr);
}

TEST(EngineParameters, ValuesAreParsedByTheirKind) {
  EngineParameters parameters;
  EXPECT_TRUE(Set("maxmemory", "100mb", parameters).ok());
  EXPECT_EQ(parameters.maxmemory_bytes, 100ULL << 20);
  EXPECT_TRUE(Set("protected-mode", "NO", parameters).ok());
  EXPECT_FALSE(parameters.protected_mode);
  EXPECT_TRUE(Set("loglevel", "Warning", parameters).ok());
  EXPECT_EQ(parameters.loglevel, "warning");
}

TEST(EngineParameters, ErrorsHaveTheWordsOfRedis) {
  EngineParameters p;
  EXPECT_EQ(ErrorOf(Set("maxmemory", "abc", p)), "argument must be a memory value");
  EXPECT_EQ(ErrorOf(Set("timeout", "x", p)), "argument couldn't be parsed into an integer");
  EXPECT_EQ(ErrorOf(Set("port", "70000", p)), "argument must be between 0 and 65535 inclusive");
  EXPECT_EQ(ErrorOf(Set("protected-mode", "1", p)), "argument must be 'yes' or 'no'");
  EXPECT_EQ(ErrorOf(Set("loglevel", "x", p)),
            "argument(s) must be one of the following: debug, verbose, notice, warning");
}

TEST(EngineParameters, ASettingThatIsNotBuiltTakesOnlyValuesThatChangeNothing) {
  EngineParameters p;
  EXPECT_EQ(ErrorOf(Set("no-appendfsync-on-rewrite", "no", p)), "");
  EXPECT_EQ(ErrorOf(Set("no-appendfsync-on-rewrite", "yes", p)),
            "not available in this version: only 'no' is accepted");
}

TEST(EngineParameters, SavePointsArePairsOfNumbers) {
  EngineParameters p;
  EXPECT_TRUE(Set("save", "3600  1 300 100", p).ok());
  EXPECT_EQ(p.save, "3600 1 300 100");
  for (const char* text : {"10", "10 x", "10 -1", "0 1", "1 2 3"}) {
    EXPECT_EQ(ErrorOf(Set("save", text, p)), "Invalid save parameters") << text;
  }
  EXPECT_EQ(p.save, "3600 1 300 100");
  EXPECT_TRUE(Set("save", "", p).ok());
  EXPECT_EQ(p.save, "");
  EXPECT_EQ(ErrorOf(Set("dbfilename", "a/b", p)), "dbfilename can't be a path, just a filename");
}

TEST(EngineParameters, AnOutputLimitChangesOnlyTheClassItNames) {
  EngineParameters p;
  EXPECT_TRUE(Set("client-output-buffer-limit", "replica 512mb 64mb 60", p).ok());
  EXPECT_EQ(p.client_output_buffer_limit,
            "normal 0 0 0 slave 536870912 67108864 60 pubsub 33554432 8388608 60");
  EXPECT_EQ(ErrorOf(Set("client-output-buffer-limit", "normal", p)),
            "Wrong number of arguments in buffer limit configuration.");
  EXPECT_EQ(ErrorOf(Set("client-output-buffer-limit", "strange 0 0 0", p)),
            "Invalid client class specified in buffer limit configuration.");
}

TEST(EngineParameters, TheOutputLimitsOfAllClassesCanBeSetAtOnce) {
  EngineParameters p;
  const std::string_view text = "normal 2mb 1mb 5 replica 0 1mb 2 pubsub 3mb 0 0";
  EXPECT_TRUE(Set("client-output-buffer-limit", text, p).ok());
  EXPECT_EQ(p.client_output_buffer_limit,
            "normal 2097152 1048576 5 slave 0 1048576 2 pubsub 3145728 0 0");
}

TEST(EngineParameters, NamesOfTheAppendLogArePlain) {
  EngineParameters p;
  EXPECT_EQ(ErrorOf(Set("appendfilename", "", p)), "appendfilename can't be empty");
  EXPECT_EQ(ErrorOf(Set("appendfilename", "a/b", p)),
            "appendfilename can't be a path, just a filename");
  EXPECT_EQ(ErrorOf(Set("appenddirname", "a/b", p)),
            "appenddirname can't be a path, just a dirname");
  EXPECT_EQ(ErrorOf(Set("appendfilename", "a b", p)),
            "appendfilename can't have blanks or quotes in this version");
  EXPECT_TRUE(Set("appendfilename", "log.aof", p).ok());
  EXPECT_EQ(p.appendfilename, "log.aof");
}

TEST(EngineParameters, ReplicaofWantsAHostAndAPortOrNoOne) {
  EngineParameters p;
  EXPECT_TRUE(Set("replicaof", "10.0.0.1 6379", p).ok());
  EXPECT_EQ(p.replicaof, "10.0.0.1 6379");
  EXPECT_FALSE(Set("replicaof", "10.0.0.1", p).ok());
  EXPECT_FALSE(Set("replicaof", "10.0.0.1 0", p).ok());
  EXPECT_TRUE(Set("replicaof", "no one", p).ok());
  EXPECT_EQ(p.replicaof, "");
}

}  // namespace
}  // namespace mikura::wire
