// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/function_library.h"

#include <gtest/gtest.h>

#include "engine/scripting/interpreter.h"

namespace mikura::engine::scripting {
namespace {

class SilentHost final : public ScriptHost {
 public:
  void Call(std::span<const std::string_view>, wire::RespWriter& reply) override { reply.Ok(); }
  HookVerdict OnHook() override { return HookVerdict::kContinue; }
  void Log(ScriptLogLevel, std::string_view) override {}
  AclVerdict CheckAcl(std::span<const std::string_view>) override { return AclVerdict::kAllowed; }
};

// A library that keeps about a megabyte, and a function of its name that tells how much.
std::string LargeLibrary(const std::string& name) {
  return "#!lua name=" + name +
         "\nlocal kept = 'xxxxxxxxxx' for i = 1, 10 do kept = kept .. kept end\n"
         "for i = 1, 5 do kept = kept .. kept end kept = kept .. kept .. kept\n"
         "redis.register_function('" +
         name + "', function() return #kept end)";
}

class FunctionLibraries : public testing::Test {
 protected:
  static constexpr size_t kMemory = size_t{4} << 20;

  std::string Call(const std::string& function) { return Call(registry_, function); }
  std::string Call(const FunctionRegistry& registry, const std::string& function) {
    wire::OutputBuffer out;
    wire::RespWriter reply(out, 2);
    const FunctionEntry* const found = interpreter_.Functions(registry).Find(function);
    if (found == nullptr) return "absent";
    const FunctionEntry entry = *found;
    interpreter_.RunFunction(entry, {}, host_, reply);
    return std::string(out.view());
  }

  SilentHost host_;
  FunctionRegistry registry_;
  Interpreter interpreter_{{.memory_bytes_max = kMemory}};
};

TEST_F(FunctionLibraries, MoreThanOneInterpreterHoldsAreLoadedAndCalledAllTheSame) {
  std::vector<std::string> names;
  for (char c = 'a'; c <= 'l'; ++c) names.push_back(std::string("lib_") + c);
  for (const std::string& name : names) {
    const auto loaded = registry_.Load(LargeLibrary(name), false, interpreter_, host_);
    ASSERT_TRUE(loaded.ok()) << name << ": " << loaded.error().message;
  }
  for (int turn = 0; turn < 2; ++turn) {
    for (const std::string& name : names) EXPECT_EQ(Call(name), ":983040\r\n") << name;
  }
  EXPECT_LE(interpreter_.memory().functions, 2 * kMemory);
}

TEST_F(FunctionLibraries, AnInterpreterTellsThoseOfTwoRegistriesApart) {
  constexpr char kHead[] = "#!lua name=lib\nredis.register_function('";
  FunctionRegistry other;
  const auto code = [&](const std::string& name) {
    return kHead + name + "', function() return '" + name + "' end)";
  };
  ASSERT_TRUE(registry_.Load(code("one"), false, interpreter_, host_).ok());
  EXPECT_EQ(Call("one"), "$3\r\none\r\n");
  ASSERT_TRUE(other.Load(code("two"), false, interpreter_, host_).ok());
  EXPECT_EQ(Call(other, "two"), "$3\r\ntwo\r\n");
  EXPECT_EQ(Call(other, "one"), "absent");
  EXPECT_EQ(Call("one"), "$3\r\none\r\n");
}

TEST_F(FunctionLibraries, ARestoreOfMoreThanOneInterpreterHoldsSucceeds) {
  std::vector<std::string> codes;
  for (char c = 'a'; c <= 'l'; ++c) codes.push_back(LargeLibrary(std::string("lib_") + c));
  ASSERT_TRUE(registry_.Restore(codes, RestorePolicy::kFlush, interpreter_, host_).ok());
  EXPECT_EQ(registry_.Snapshot()->libraries.size(), codes.size());
  EXPECT_EQ(Call("lib_a"), ":983040\r\n");
}

TEST_F(FunctionLibraries, OneThatIsTooLargeByItselfIsRefusedAndHarmsNoOther) {
  ASSERT_TRUE(registry_.Load(LargeLibrary("small"), false, interpreter_, host_).ok());
  const std::string code =
      "#!lua name=huge\nlocal t = {} for i = 1, 1000000 do t[i] = i end\n"
      "redis.register_function('huge', function() return #t end)";
  const auto loaded = registry_.Load(code, false, interpreter_, host_);
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message.find("not enough memory"), std::string::npos)
      << loaded.error().message;
  EXPECT_EQ(Call("small"), ":983040\r\n");
  EXPECT_EQ(Call("huge"), "absent");
}

TEST_F(FunctionLibraries, ARestoreThatFailsChangesNothing) {
  ASSERT_TRUE(registry_.Load(LargeLibrary("first"), false, interpreter_, host_).ok());
  const std::vector<std::string> codes = {LargeLibrary("second"), "#!lua name=third\nerror('no')"};
  ASSERT_FALSE(registry_.Restore(codes, RestorePolicy::kFlush, interpreter_, host_).ok());
  EXPECT_EQ(Call("first"), ":983040\r\n");
  EXPECT_EQ(Call("second"), "absent");
}

}  // namespace
}  // namespace mikura::engine::scripting
