// SPDX-License-Identifier: Apache-2.0
#include "wire/parameter_set.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace mikura::wire {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

std::string ErrorOf(const Status& status) { return status.ok() ? "" : status.error().message; }

Status Set(ParameterSet& set, std::initializer_list<Pair> changes) {
  return set.Set(std::span<const Pair>(changes.begin(), changes.size()));
}

std::vector<std::pair<std::string, std::string>> Get(const ParameterSet& set,
                                                     std::string_view pattern) {
  return set.Get(std::span(&pattern, 1));
}

TEST(ParameterSet, ReadsAConfigurationFile) {
  ParameterSet set;
  const Status status = set.LoadText(
      "# comment\n\n  port 7000\r\nbind 127.0.0.1 -::1\nrequirepass \"a b\\x21\"\nsave \"\"\n"
      "client-output-buffer-limit normal 0 0 0\nclient-output-buffer-limit slave 7 64mb 60",
      "redis.conf");
  EXPECT_EQ(ErrorOf(status), "");
  EXPECT_EQ(set.Current()->port, 7000);
  EXPECT_EQ(set.Current()->bind, "127.0.0.1 -::1");
  EXPECT_EQ(set.Current()->requirepass, "a b!");
  EXPECT_EQ(set.Current()->client_output_buffer_limit,
            "normal 0 0 0 slave 7 67108864 60 pubsub 33554432 8388608 60");
}

TEST(ParameterSet, LinesWithSavePointsAddUpUntilAnEmptyOne) {
  ParameterSet set;
  EXPECT_EQ(ErrorOf(set.LoadText("save 900 1\nsave 300 10 60 10000\n", "a.conf")), "");
  EXPECT_EQ(set.Current()->save, "900 1 300 10 60 10000");
  EXPECT_EQ(ErrorOf(set.LoadText("save \"\"\nsave 5 1\n", "b.conf")), "");
  EXPECT_EQ(set.Current()->save, "5 1");
}

TEST(ParameterSet, AMistakeInAFileNamesTheLine) {
  ParameterSet set;
  EXPECT_EQ(ErrorOf(set.LoadText("port 1\nfoo bar\n", "redis.conf")),
            "redis.conf line 2: >>> 'foo bar': Bad directive or wrong number of arguments");
  EXPECT_EQ(ErrorOf(set.LoadText("port \"1", "redis.conf")),
            "redis.conf line 1: >>> 'port \"1': Unbalanced quotes in configuration line");
  EXPECT_EQ(ErrorOf(set.LoadText("include other.conf", "redis.conf")),
            "redis.conf line 1: >>> 'include other.conf': 'include': not available in this "
            "version: only '' is accepted");
}

TEST(ParameterSet, ReadsTheCommandLineOfRedisServer) {
  const std::string_view arguments[] = {"my.conf", "--port", "7001", "--replicaof", "h", "1"};
  const Result<EngineCommandLine> line = ParseEngineCommandLine(arguments);
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->config_file, "my.conf");
  ASSERT_EQ(line->options.size(), 2u);
  EXPECT_EQ(line->options[1].name, "replicaof");
  EXPECT_EQ(line->options[1].words, (std::vector<std::string>{"h", "1"}));
  const std::string_view missing[] = {"--port"};
  EXPECT_FALSE(ParseEngineCommandLine(missing).ok());
}

TEST(ParameterSet, GetAnswersNamesAndAliasesThatMatch) {
  ParameterSet set;
  EXPECT_EQ(Get(set, "*-read-only").size(), 2u);
  EXPECT_EQ(Get(set, "MAXMEMORY"),
            (std::vector<std::pair<std::string, std::string>>{{"maxmemory", "0"}}));
  EXPECT_TRUE(Get(set, "nothing").empty());
}

TEST(ParameterSet, SetsAllOrNone) {
  ParameterSet set;
  EXPECT_EQ(ErrorOf(Set(set, {{"timeout", "5"}, {"maxmemory", "x"}})),
            "CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a "
            "memory value");
  EXPECT_EQ(set.Current()->timeout_seconds, 0);
  EXPECT_TRUE(Set(set, {{"timeout", "5"}, {"maxmemory", "1kb"}}).ok());
  EXPECT_EQ(set.Current()->timeout_seconds, 5);
  EXPECT_EQ(set.Current()->maxmemory_bytes, 1024u);
}

TEST(ParameterSet, RefusesUnknownImmutableProtectedAndDoubledNames) {
  ParameterSet set;
  EXPECT_EQ(ErrorOf(Set(set, {{"foo", "1"}})),
            "Unknown option or number of arguments for CONFIG SET - 'foo'");
  EXPECT_EQ(ErrorOf(Set(set, {{"databases", "1"}})),
            "CONFIG SET failed (possibly related to argument 'databases') - can't set immutable "
            "config");
  EXPECT_EQ(ErrorOf(Set(set, {{"dir", "/"}})),
            "CONFIG SET failed (possibly related to argument 'dir') - can't set protected config");
  EXPECT_EQ(ErrorOf(Set(set, {{"timeout", "1"}, {"timeout", "2"}})),
            "CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter");
}

TEST(ParameterSet, TakesBackWhatItShowed) {
  ParameterSet set;
  for (const std::string_view name : {"bind", "port", "threads", "memcached-port"}) {
    const std::string_view names[] = {name};
    const std::string value = set.Get(names).at(0).second;
    EXPECT_TRUE(Set(set, {{name, value}}).ok()) << name;
  }
  EXPECT_EQ(ErrorOf(Set(set, {{"port", "1"}})),
            "CONFIG SET failed (possibly related to argument 'port') - can't set immutable config");
  EXPECT_EQ(ErrorOf(Set(set, {{"daemonize", "no"}})),
            "CONFIG SET failed (possibly related to argument 'daemonize') - can't set immutable "
            "config");
}

TEST(ParameterSet, CallsBackOnlyWhatChanged) {
  ParameterSet set;
  int64_t seen = -1;
  set.OnChange("timeout", [&](const EngineParameters&, const EngineParameters& after) -> Status {
    seen = after.timeout_seconds;
    return Ok();
  });
  EXPECT_TRUE(Set(set, {{"maxclients", "5"}}).ok());
  EXPECT_EQ(seen, -1);
  EXPECT_TRUE(Set(set, {{"timeout", "7"}}).ok());
  EXPECT_EQ(seen, 7);
}

TEST(ParameterSet, ACallbackThatRefusesTakesTheChangeBack) {
  ParameterSet set;
  int64_t timeout = 0;
  set.OnChange("timeout", [&](const EngineParameters&, const EngineParameters& after) -> Status {
    timeout = after.timeout_seconds;
    return Ok();
  });
  set.OnChange("maxclients", [](const EngineParameters&, const EngineParameters&) -> Status {
    return Error{"too many"};
  });
  EXPECT_EQ(ErrorOf(Set(set, {{"timeout", "7"}, {"maxclients", "6"}})),
            "CONFIG SET failed (possibly related to argument 'maxclients') - too many");
  EXPECT_EQ(timeout, 0);
  EXPECT_EQ(set.Current()->timeout_seconds, 0);
  EXPECT_EQ(set.Current()->maxclients, 10000);
}

TEST(ParameterSet, SplitsWordsWithQuotes) {
  EXPECT_EQ(*SplitWords("a 'b c' \"d\\n\\x41\" ''"),
            (std::vector<std::string>{"a", "b c", "d\nA", ""}));
  EXPECT_EQ(*SplitWords("'it\\'s'"), (std::vector<std::string>{"it's"}));
  EXPECT_FALSE(SplitWords("\"a\"b").ok());
  EXPECT_FALSE(SplitWords("'a").ok());
  EXPECT_EQ(*SplitWords("\v a\vb\f c"), (std::vector<std::string>{"a\vb\f", "c"}));
  EXPECT_EQ(*SplitWords("\"a\"\v"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(*SplitWords({"a b\0c d", 7}), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(SplitWords({"\"a\0\"", 4}).ok());
}

}  // namespace
}  // namespace mikura::wire
