// SPDX-License-Identifier: Apache-2.0
// Every script in tests/protocol/scripts/ answers what redis-server answers, byte by byte.
//
// The files hold one script after the other, with a line "--" between them. "3:" in front of one
// asks for RESP3. "ours:" in front says that the answers differ, or that redis-server does not
// survive it: such a script runs here only.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/scripting/interpreter.h"
#include "engine/scripting/redis_peer.h"

namespace mikura::engine::scripting {
namespace {

// Runs commands of scripts on the peer, and words errors as they are inside of scripts.
class ForwardingHost final : public ScriptHost {
 public:
  explicit ForwardingHost(PeerClient& peer) : peer_(peer) {}

  void Call(std::span<const std::string_view> args, wire::RespWriter& reply) override {
    peer_.UseResp(reply.version());
    const std::string answer = peer_.Ask(args);
    if (answer.starts_with("-ERR unknown command")) {
      reply.Error("ERR", "Unknown Redis command called from script");
    } else if (answer.starts_with("-ERR wrong number of arguments for")) {
      reply.Error("ERR", "Wrong number of args calling Redis command from script");
    } else {
      reply.out().Append(answer);
    }
  }
  HookVerdict OnHook() override { return HookVerdict::kContinue; }
  void Log(ScriptLogLevel /*level*/, std::string_view /*text*/) override {}
  AclVerdict CheckAcl(std::span<const std::string_view> args) override {
    return args[0] == "nosuch" ? AclVerdict::kUnknownCommand : AclVerdict::kAllowed;
  }

 private:
  PeerClient& peer_;
};

struct Case {
  std::string code;
  int resp = 2;
  bool is_ours_only = false;
};

bool TakePrefix(std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.erase(0, prefix.size());
  return true;
}

std::vector<Case> ReadCases(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::string rest = text.str() + "--\n";
  std::vector<Case> cases;
  for (size_t end = 0; (end = rest.find("\n--\n")) != std::string::npos; rest.erase(0, end + 4)) {
    Case one;
    one.code = rest.substr(0, end);
    one.is_ours_only = TakePrefix(one.code, "ours:");
    if (TakePrefix(one.code, "3:")) one.resp = 3;
    cases.push_back(std::move(one));
  }
  return cases;
}

std::string AnswerOf(Interpreter& interpreter, const Case& one, ScriptHost& host) {
  wire::OutputBuffer out;
  wire::RespWriter reply(out, one.resp);
  auto script = MakeScript(one.code);
  if (script.ok()) {
    interpreter.Run(*script, {}, host, reply);
  } else {
    WriteErrorText(reply, script.error().message);
  }
  return std::string(out.view());
}

TEST(Oracle, ScriptsAnswerWhatRedisAnswers) {
  const auto peer = RedisPeer::Start();
  ASSERT_NE(peer, nullptr) << "no redis-server here: ./dev setup test installs it";
  PeerClient theirs(peer->socket_path());
  PeerClient commands(peer->socket_path());
  ForwardingHost host(commands);
  Interpreter interpreter;
  size_t compared = 0;
  for (const auto& file : std::filesystem::directory_iterator(MIKURA_SCRIPT_CASES)) {
    for (const Case& one : ReadCases(file.path())) {
      const std::string answer = AnswerOf(interpreter, one, host);
      ASSERT_FALSE(answer.empty()) << one.code;
      if (one.is_ours_only) continue;
      theirs.UseResp(one.resp);
      const std::string expected = theirs.Ask({"EVAL", one.code, "0"});
      EXPECT_EQ(answer, expected) << file.path().filename() << ": " << one.code;
      ASSERT_FALSE(expected.empty()) << "redis-server is gone";
      ++compared;
    }
  }
  EXPECT_GT(compared, 700u);
}

}  // namespace
}  // namespace mikura::engine::scripting
