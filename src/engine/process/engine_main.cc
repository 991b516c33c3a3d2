// SPDX-License-Identifier: Apache-2.0
// `mikura engine`: the command line and the configuration file of an engine.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "engine/process/main.h"
#include "engine/process/run_engine.h"
#include "wire/parameter_set.h"

namespace mikura::engine {
namespace {

Status LoadConfigFile(const std::string& path, wire::ParameterSet& parameters) {
  std::ostringstream text;
  if (path == "-") {
    text << std::ifstream("/dev/stdin").rdbuf();
  } else {
    std::ifstream file(path);
    if (!file) {
      return Error{fmt::format("cannot read the configuration {}: {}", path, std::strerror(errno))};
    }
    text << file.rdbuf();
  }
  return parameters.LoadText(text.str(), path);
}

}  // namespace

int EngineMain(std::span<const std::string_view> arguments) {
  const auto line = wire::ParseEngineCommandLine(arguments);
  if (!line.ok()) return Fail(line.error());
  wire::ParameterSet parameters;
  if (!line->config_file.empty()) {
    const Status status = LoadConfigFile(line->config_file, parameters);
    if (!status.ok()) return Fail(status.error());
  }
  for (const auto& option : line->options) {
    const Status status = parameters.Load(option.name, option.words);
    if (!status.ok()) return Fail(status.error());
  }
  MemcachedSettings memcached_settings;
  memcached_settings.item_size_max = parameters.Current()->memcached_max_item_size_bytes;
  memcached_settings.port = static_cast<int>(parameters.Current()->memcached_port);
  return RunEngine(parameters, line->config_file, memcached_settings);
}

}  // namespace mikura::engine
