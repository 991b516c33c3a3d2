// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/interpreter.h"

#include <gtest/gtest.h>

namespace mikura::engine::scripting {
namespace {

class EchoHost final : public ScriptHost {
 public:
  void Call(std::span<const std::string_view> args, wire::RespWriter& reply) override {
    reply.Array(args.size());
    for (const std::string_view word : args) reply.Bulk(word);
  }
  HookVerdict OnHook() override { return HookVerdict::kContinue; }
  void Log(ScriptLogLevel /*level*/, std::string_view /*text*/) override {}
  AclVerdict CheckAcl(std::span<const std::string_view> /*args*/) override {
    return AclVerdict::kAllowed;
  }
};

std::string Eval(std::string_view code) {
  Interpreter interpreter;
  EchoHost host;
  wire::OutputBuffer out;
  wire::RespWriter reply(out, 2);
  interpreter.Run(*MakeScript(code), {}, host, reply);
  return std::string(out.view());
}

TEST(Interpreter, Returns) { EXPECT_EQ(Eval("return 1"), ":1\r\n"); }

TEST(Interpreter, RepeatsTextsOfAnyLengthAnyNumberOfTimes) {
  EXPECT_EQ(Eval("for _, text in ipairs({'a', 'abc', ('x'):rep(17) .. 'y', ''}) do\n"
                 "  local made = ''\n"
                 "  for count = 0, 70 do\n"
                 "    if string.rep(text, count) ~= made then return text .. count end\n"
                 "    made = made .. text\n"
                 "  end\n"
                 "end\n"
                 "return 'right'"),
            "$5\r\nright\r\n");
  // Over the size of one step, which three does not divide.
  EXPECT_EQ(
      Eval("local long = string.rep('abc', 1000001)\n"
           "return #long .. long:sub(-3) .. tostring(long == ('abcabc'):rep(500000) .. 'abc')"),
      "$14\r\n3000003abctrue\r\n");
}

}  // namespace
}  // namespace mikura::engine::scripting
