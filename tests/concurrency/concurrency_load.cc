// SPDX-License-Identifier: Apache-2.0
// concurrency_load: many clients of one server at once, whose replies are then held against what a
// server may do. Exit code 1 when something was wrong. concurrency_test.py runs it.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>

#include "tests/concurrency/background.h"
#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {
namespace {

struct Choice {
  const char* name;
  void (*run)(const Settings&, Report&);
};

constexpr Choice kScenarios[] = {{"single-keys", RunSingleKeys},
                                 {"bank", RunBank},
                                 {"moves", RunMoves},
                                 {"queues", RunQueues},
                                 {"fairness", RunFairness},
                                 {"tracking", RunTracking},
                                 {"endless-scripts", RunEndlessScripts}};

int Main(int argc, char** argv) {
  Settings settings;
  std::string only;
  bool quiet = false;
  CLI::App app("Runs clients of one server at once, and judges what they were answered.");
  app.add_option("--host", settings.host, "IPv4 address");
  app.add_option("--port", settings.port, "Port")->required();
  app.add_option("--seconds", settings.seconds, "Of each scenario");
  app.add_option("--seed", settings.seed, "What the clients do; not when they do it");
  app.add_option("--slowness", settings.slowness, "By how much deadlines are longer");
  app.add_option("--only", only, "One scenario");
  app.add_flag("--alone", quiet, "Nothing beside the scenario");
  CLI11_PARSE(app, argc, argv);
  Report report;
  bool known = false;
  for (const Choice& scenario : kScenarios) {
    if (!only.empty() && only != scenario.name) continue;
    known = true;
    fmt::print("{}, seed {}\n", scenario.name, settings.seed);
    std::unique_ptr<Background> background;
    if (!quiet) background = std::make_unique<Background>(settings, report);
    scenario.run(settings, report);
  }
  if (!known) {
    fmt::print(stderr, "concurrency_load: no scenario {}\n", only);
    return 2;
  }
  return report.Finish() ? 0 : 1;
}

}  // namespace
}  // namespace mikura::concurrency

int main(int argc, char** argv) { return mikura::concurrency::Main(argc, argv); }
