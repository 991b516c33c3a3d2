// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/script_cache.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/numbers.h"

namespace mikura::engine::scripting {
namespace {

using Origin = ScriptCache::Origin;

ScriptPtr Numbered(size_t number) { return *MakeScript(fmt::format("return {}", number)); }

TEST(ScriptCache, FindsWhatWasAdded) {
  ScriptCache cache;
  const ScriptPtr script = Numbered(1);
  EXPECT_EQ(cache.Find(script->sha1), nullptr);
  EXPECT_EQ(cache.Add(script, Origin::kEval), script);
  EXPECT_EQ(cache.Find(script->sha1), script);
  EXPECT_EQ(cache.Add(Numbered(1), Origin::kEval), script);
  EXPECT_EQ(cache.script_count(), 1u);
}

TEST(ScriptCache, DropsScriptsOfEvalThatWereNotUsed) {
  ScriptCache cache;
  const ScriptPtr used = cache.Add(Numbered(0), Origin::kEval);
  const ScriptPtr loaded = cache.Add(Numbered(1), Origin::kScriptLoad);
  const ScriptPtr unused = cache.Add(Numbered(2), Origin::kEval);
  for (size_t i = 3; i < 2 * ScriptCache::kEvalScriptsMax + 10; ++i) {
    cache.Add(Numbered(i), Origin::kEval);
    cache.Find(used->sha1);
  }
  EXPECT_EQ(cache.script_count(), ScriptCache::kEvalScriptsMax + 1);
  EXPECT_EQ(cache.Find(used->sha1), used);
  EXPECT_EQ(cache.Find(loaded->sha1), loaded);
  EXPECT_EQ(cache.Find(unused->sha1), nullptr);
  EXPECT_TRUE(unused->was_dropped);
}

TEST(ScriptCacheReader, DoesNotFindTheLastScriptOnceTheCacheHasDroppedIt) {
  ScriptCache cache;
  ScriptCacheReader reader(cache);
  const ScriptPtr script = *reader.FindOrMake("return 1");
  reader.Keep(script, Origin::kEval);
  EXPECT_EQ(reader.Find(script->sha1), script);
  EXPECT_EQ(*reader.FindOrMake("return 1"), script);
  script->was_used = false;
  for (size_t i = 0; i < ScriptCache::kEvalScriptsMax; ++i) {
    cache.Add(Numbered(i + 10), Origin::kEval);
  }
  EXPECT_TRUE(script->was_dropped);
  EXPECT_EQ(reader.Find(script->sha1), nullptr);
  const ScriptPtr anew = *reader.FindOrMake("return 1");
  EXPECT_NE(anew, script);
  reader.Keep(anew, Origin::kEval);
  EXPECT_EQ(reader.Find(script->sha1), anew);
}

TEST(ScriptCacheReader, TellsTheLastScriptFromAnother) {
  ScriptCache cache;
  ScriptCacheReader reader(cache);
  const ScriptPtr one = *reader.FindOrMake("return 1");
  reader.Keep(one, Origin::kEval);
  const ScriptPtr two = *reader.FindOrMake("return 2");
  reader.Keep(two, Origin::kEval);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(reader.Find(one->sha1), one);
    EXPECT_EQ(*reader.FindOrMake("return 2"), two);
    EXPECT_EQ(reader.Find(ToLower(two->sha1)), two);
    EXPECT_EQ(*reader.FindOrMake("return 1"), one);
  }
}

TEST(ScriptCache, BoundsTheBytesOfEval) {
  ScriptCache cache;
  for (int i = 0; i < 20; ++i) {
    auto script = std::make_shared<Script>();
    script->sha1 = fmt::format("{:040}", i);  // that of ten megabytes takes its time
    script->body.resize(10 << 20, ' ');
    cache.Add(script, Origin::kEval);
  }
  EXPECT_LE(cache.memory_bytes(), ScriptCache::kEvalBytesMax);
  EXPECT_GE(cache.script_count(), 5u);
}

TEST(ScriptCache, ForgetsEverythingWhenFlushed) {
  ScriptCache cache;
  cache.Add(Numbered(1), Origin::kEval);
  cache.Add(Numbered(2), Origin::kScriptLoad);
  const uint64_t before = cache.generation();
  cache.Flush();
  EXPECT_GT(cache.generation(), before);
  EXPECT_EQ(cache.script_count(), 0u);
  EXPECT_EQ(cache.memory_bytes(), 0u);
  EXPECT_EQ(cache.Find(Numbered(2)->sha1), nullptr);
}

TEST(ScriptCacheReader, SeesWhatOthersAddedAndFlushed) {
  ScriptCache cache;
  ScriptCacheReader here(cache);
  ScriptCacheReader there(cache);
  const ScriptPtr script = *here.FindOrMake("return 1");
  EXPECT_EQ(there.Find(script->sha1), nullptr);
  here.Keep(script, Origin::kEval);
  EXPECT_EQ(there.Find(ToUpper(script->sha1)), script);
  EXPECT_EQ(*here.FindOrMake("return 1"), script);
  EXPECT_FALSE(there.NoticeFlush());
  cache.Flush();
  EXPECT_EQ(there.Find(script->sha1), nullptr);
  EXPECT_TRUE(there.NoticeFlush());
  EXPECT_FALSE(there.NoticeFlush());
}

TEST(ScriptCacheReader, DoesNotAnswerFromMemoryWhatTheCacheDropped) {
  ScriptCache cache;
  ScriptCacheReader reader(cache);
  const ScriptPtr script = *reader.FindOrMake("return 'old'");
  reader.Keep(script, Origin::kEval);
  for (size_t i = 0; i < 2 * ScriptCache::kEvalScriptsMax + 10; ++i) {
    cache.Add(Numbered(i), Origin::kEval);
  }
  EXPECT_EQ(cache.Find(script->sha1), nullptr);
  EXPECT_EQ(reader.Find(script->sha1), nullptr);
  reader.Keep(*reader.FindOrMake("return 'old'"), Origin::kEval);
  EXPECT_NE(cache.Find(script->sha1), nullptr);
}

TEST(ScriptCacheReader, PassesErrorsOfTheShebangOn) {
  ScriptCache cache;
  ScriptCacheReader reader(cache);
  EXPECT_FALSE(reader.FindOrMake("#!lua").ok());
}

}  // namespace
}  // namespace mikura::engine::scripting
