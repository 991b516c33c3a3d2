// SPDX-License-Identifier: Apache-2.0
// The program `mikura`: picks the role by its first word.

#include "control/main.h"

#include <cstdio>
#include <string_view>
#include <vector>

#include "engine/process/main.h"

namespace {

constexpr const char* kUsage =
    "usage: mikura ROLE ...\n"
    "\n"
    "  mikura up [--port 4566] [--bind 127.0.0.1] [--data-dir DIR]\n"
    "      the whole service on this machine: AWS-compatible API and the caches it creates\n"
    "  mikura engine [FILE.conf] [--name value ...]\n"
    "      one cache node, with redis.conf's options (like redis-server)\n"
    "  mikura memcached [-p PORT] [-l ADDRESS] [-m MEGABYTES] [-t THREADS] ...\n"
    "      one cache node, with memcached's options\n"
    "  mikura credentials create | list | delete ID [--data-dir DIR]\n"
    "      keys for an API that others can reach\n"
    "  mikura version\n";

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  const std::string_view role = words.empty() ? std::string_view() : words[0];
  const std::vector<std::string_view> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (role == "engine") return mikura::engine::EngineMain(rest);
  if (role == "memcached") return mikura::engine::MemcachedMain(rest);
  if (role == "up") return mikura::control::UpMain(rest, mikura::engine::CheckAccessRules);
  if (role == "credentials") return mikura::control::CredentialsMain(rest);
  if (role == "version" || role == "--version") {
    std::puts("mikura 0.1.0");
    return 0;
  }
  const bool asked = role == "help" || role == "--help" || role == "-h";
  std::fputs(kUsage, asked ? stdout : stderr);
  return asked ? 0 : 2;
}
