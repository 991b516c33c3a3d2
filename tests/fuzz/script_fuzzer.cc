// SPDX-License-Identifier: Apache-2.0
// A hostile script ends, within its memory, with one whole reply; and the next script finds
// everything as it was. Input: one byte of choices, the source text, and behind a zero byte what
// ARGV[1] is.
#include "base/check.h"
#include "engine/scripting/interpreter.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/reply_check.h"

namespace mikura::fuzz {
namespace {

using engine::scripting::AclVerdict;
using engine::scripting::FunctionEntry;
using engine::scripting::FunctionRegistry;
using engine::scripting::HookVerdict;
using engine::scripting::Interpreter;
using engine::scripting::MakeScript;
using engine::scripting::ScriptLogLevel;

constexpr size_t kMemoryMax = size_t{16} << 20;
constexpr int kHooksMax = 200;  // of a thousand steps each

// Of everything that scripts can reach: how much there is, and whether strings have their methods.
constexpr std::string_view kProbe =
    "local n = 0 for name, value in pairs(_G) do n = n + 1 if type(value) == 'table' then "
    "for _ in pairs(value) do n = n + 1 end end end "
    "return n .. tostring(('x').len == string.len) .. ('%d'):format(7) .. type(redis.call)";

// Answers as the words ask: every form of reply is to be had.
class FormsHost final : public engine::scripting::ScriptHost {
 public:
  void Call(std::span<const std::string_view> args, wire::RespWriter& reply) override {
    const char form = args[0].empty() ? ' ' : args[0].front();
    switch (form) {
      case 'i':
        return reply.Integer(static_cast<int64_t>(args.size()));
      case 'n':
        return reply.Null();
      case 'm':
        reply.Map(1);
        reply.Bulk("key");
        return reply.Bulk(args.back());
      case 's':
        reply.Set(1);
        return reply.Bulk(args.back());
      case 'e':
        return reply.Error("ERR", "of the command");
      case 'd':
        return reply.Double(1.5);
      case 'o':
        return reply.Ok();
      default:
        reply.Array(args.size());
        for (const std::string_view word : args) reply.Bulk(word);
    }
  }
  HookVerdict OnHook() override {
    return ++hooks_ > kHooksMax ? HookVerdict::kKill : HookVerdict::kContinue;
  }
  void Log(ScriptLogLevel, std::string_view) override {}
  AclVerdict CheckAcl(std::span<const std::string_view>) override { return AclVerdict::kAllowed; }

 private:
  int hooks_ = 0;
};

std::string Run(Interpreter& interpreter, std::string_view code, std::string_view argument,
                int resp) {
  const auto script = MakeScript(code);
  if (!script.ok()) return "-" + script.error().message;
  FormsHost host;
  wire::OutputBuffer out;
  wire::RespWriter reply(out, resp);
  const std::string_view keys[] = {"key"};
  const std::string_view args[] = {argument};
  interpreter.Run(*script, {keys, args}, host, reply);
  const auto rest = SkipReply(out.view());
  CHECK(rest && rest->empty());
  return std::string(out.view());
}

// Loads the text as a library and calls its functions.
void RunLibrary(Interpreter& interpreter, std::string_view code, std::string_view argument) {
  FunctionRegistry registry;
  FormsHost host;
  const std::string text = "#!lua name=lib\n" + std::string(code);
  const auto name = registry.Load(text, false, interpreter, host);
  if (!name.ok()) return;
  const auto functions = registry.Snapshot()->libraries.begin()->second->functions;
  const std::string_view args[] = {argument};
  for (const auto& function : functions) {
    const FunctionEntry* const found = interpreter.Functions(registry).Find(function.name);
    CHECK(found != nullptr);
    const FunctionEntry entry = *found;
    wire::OutputBuffer out;
    wire::RespWriter reply(out, 2);
    FormsHost each;
    interpreter.RunFunction(entry, {{}, args}, each, reply);
    const auto rest = SkipReply(out.view());
    CHECK(rest && rest->empty());
  }
}

}  // namespace
}  // namespace mikura::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mikura;
  using engine::scripting::Interpreter;
  static Interpreter* interpreter = new Interpreter({.memory_bytes_max = fuzz::kMemoryMax,
                                                     .hook_steps = 1'000,
                                                     .compiled_scripts_max = 100,
                                                     .load_millis_max = 500});
  static const std::string expected = fuzz::Run(*interpreter, fuzz::kProbe, "", 2);
  std::string_view input = fuzz::AsText(data, size);
  const uint8_t choices = fuzz::TakeByte(input);
  const size_t zero = input.find('\0');
  const fuzz::ExactCopy code(input.substr(0, zero));
  const std::string_view argument =
      zero == std::string_view::npos ? std::string_view() : input.substr(zero + 1);
  if ((choices & 1) != 0) {
    fuzz::RunLibrary(*interpreter, code.view(), argument);
  } else {
    fuzz::Run(*interpreter, code.view(), argument, (choices & 2) != 0 ? 3 : 2);
  }
  const Interpreter::Memory held = interpreter->memory();
  CHECK(held.scripts <= fuzz::kMemoryMax && held.functions <= fuzz::kMemoryMax);
  CHECK(fuzz::Run(*interpreter, fuzz::kProbe, "", 2) == expected);
  return 0;
}
