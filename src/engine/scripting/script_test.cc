// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::engine::scripting {
namespace {

std::string ErrorOf(std::string_view body) {
  auto script = MakeScript(body);
  return script.ok() ? "" : script.error().message;
}

TEST(Sha1, AgreesWithThePublishedExamples) {
  EXPECT_EQ(Sha1Hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(Sha1Hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Sha1Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(Sha1Hex(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Script, WithoutShebangIsAllCodeAndDeclaresNothing) {
  const ScriptPtr script = *MakeScript("return 1");
  EXPECT_FALSE(script->has_shebang);
  EXPECT_EQ(script->flags, 0u);
  EXPECT_EQ(script->code(), "return 1");
  EXPECT_EQ(script->sha1, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

TEST(Script, ReadsFlagsFromTheShebang) {
  EXPECT_EQ((*MakeScript("#!lua\nreturn 1"))->flags, 0u);
  EXPECT_TRUE((*MakeScript("#!lua\nreturn 1"))->has_shebang);
  EXPECT_EQ((*MakeScript("#!lua flags=no-writes,allow-oom flags=allow-stale\n"))->flags,
            kNoWrites | kAllowOom | kAllowStale);
  EXPECT_EQ((*MakeScript("#!lua \"flags=no-cluster\"\r\n"))->flags, kNoCluster);
  EXPECT_EQ((*MakeScript("#!lua\tflags=allow-cross-slot-keys\n"))->flags, kAllowCrossSlotKeys);
}

TEST(Script, KeepsTheNumbersOfLinesBehindTheShebang) {
  EXPECT_EQ((*MakeScript("#!lua flags=no-writes\nreturn 1"))->code(), "\nreturn 1");
}

TEST(Script, RefusesShebangsInTheWordsOfRedis) {
  EXPECT_EQ(ErrorOf("#!lua"), "ERR Invalid script shebang");
  EXPECT_EQ(ErrorOf("#!python\n"), "ERR Unexpected engine in script shebang: #!python");
  EXPECT_EQ(ErrorOf("#!LUA\n"), "ERR Unexpected engine in script shebang: #!LUA");
  EXPECT_EQ(ErrorOf("#!lua name=x\n"), "ERR Unknown lua shebang option: name=x");
  EXPECT_EQ(ErrorOf("#!lua flags=x\n"), "ERR Unexpected flag in script shebang: x");
  EXPECT_EQ(ErrorOf("#!lua flags=no-writes,\n"), "ERR Unexpected flag in script shebang: ");
  EXPECT_EQ(ErrorOf("#!lua flags=\"no-writes\n"), "ERR Invalid engine in script shebang");
}

TEST(Script, BoundsTheSourceText) {
  EXPECT_THAT(ErrorOf(std::string(kSourceBytesMax + 1, ' ')), testing::HasSubstr("too long"));
}

TEST(ScriptFlags, HaveNames) {
  EXPECT_EQ(ScriptFlagOf("allow-oom"), kAllowOom);
  EXPECT_EQ(ScriptFlagOf("Allow-oom"), 0u);
  EXPECT_EQ(NameOf(kAllowCrossSlotKeys), "allow-cross-slot-keys");
}

}  // namespace
}  // namespace mikura::engine::scripting
