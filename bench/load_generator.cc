// SPDX-License-Identifier: Apache-2.0
// load_generator: drives one server and prints one line of JSON. bench/side_by_side.py reads it.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "bench/load.h"

namespace mikura::bench {
namespace {

std::string InJson(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c >= ' ') out += c;
  }
  return out;
}

void Print(const LoadResult& result) {
  const auto micros = [&](double share) {
    return static_cast<double>(result.latency.Quantile(share)) / 1e3;
  };
  const double requests_in_window = result.requests_per_second * result.seconds;
  const auto per_request = [&](double seconds) {
    return requests_in_window > 0 ? seconds * 1e6 / requests_in_window : 0;
  };
  fmt::print(
      "{{\"requests\": {}, \"requests_per_second\": {:.0f}, \"seconds\": {:.3f}, \"hits\": {}, "
      "\"misses\": {}, \"stored\": {}, \"errors\": {}, \"verified\": {}, \"wrong\": {}, "
      "\"first_error\": \"{}\", \"p50_us\": {:.1f}, \"p99_us\": {:.1f}, \"p999_us\": {:.1f}, "
      "\"max_us\": {:.1f}, \"client_us_per_request\": {:.4f}, \"server_us_per_request\": {:.4f}, "
      "\"server_cores\": {:.3f}}}\n",
      result.requests, result.requests_per_second, result.seconds, result.hits, result.misses,
      result.stored, result.errors, result.verified, result.wrong, InJson(result.first_error),
      micros(0.5), micros(0.99), micros(0.999), micros(1), per_request(result.client_cpu_seconds),
      per_request(result.server_cpu_seconds),
      result.seconds > 0 ? result.server_cpu_seconds / result.seconds : 0);
}

int Main(int argc, char** argv) {
  LoadOptions options;
  std::string protocol = "resp";
  CLI::App app("Drives a RESP or memcached server and prints what it did as one line of JSON.");
  app.add_option("--host", options.host, "IPv4 address");
  app.add_option("--port", options.port, "Port")->required();
  app.add_option("--protocol", protocol, "resp; text, meta or mcbin (memcached)");
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 256));
  app.add_option("--connections", options.connections, "Over all threads")
      ->check(CLI::Range(1, 20000));
  app.add_option("--pipeline", options.pipeline, "Requests of a batch")
      ->check(CLI::Range(1, 10000));
  app.add_option("--keys", options.keys)->check(CLI::Range(uint64_t{1}, uint64_t{1} << 36));
  app.add_option("--key-bytes", options.shape.key_bytes)
      ->check(CLI::Range(int{RequestWriter::kKeyBytesMin}, 250));
  app.add_option("--value-bytes", options.shape.value_bytes)->check(CLI::Range(1, 1 << 24));
  app.add_option("--ttl", options.shape.ttl_seconds, "Expiry of what is stored, seconds; 0: none");
  app.add_option("--set-share", options.set_share, "0 to 1")->check(CLI::Range(0.0, 1.0));
  app.add_option(
      "--command", options.command,
      fmt::format("Instead of gets and sets, in RESP: {}", fmt::join(CommandFormNames(), ", ")));
  app.add_option("--elements", options.elements, "Of each key that --fill makes for a command")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--rate", options.rate, "Requests offered per second; 0: as fast as replies come");
  app.add_option("--seconds", options.seconds);
  app.add_option("--warm-up", options.warm_up_seconds, "Seconds before counting");
  app.add_flag("--fill", options.fill, "Store every key once");
  app.add_option("--verify-every", options.verify_every,
                 "Compare the value of each n-th hit; 0: of none");
  app.add_option("--server-pid", options.server_pid, "Measure the CPU of this process");
  CLI11_PARSE(app, argc, argv);
  const auto known = ParseProtocol(protocol);
  const bool speaks = known && (options.command.empty() || *known == Protocol::kResp);
  if (!speaks || options.threads > options.connections) {
    fmt::print(stderr,
               "load_generator: unknown protocol, a command in another than RESP, or fewer "
               "connections than threads\n");
    return 2;
  }
  options.shape.protocol = *known;
  const Result<LoadResult> result = RunLoad(options);
  if (!result.ok()) {
    fmt::print(stderr, "load_generator: {}\n", result.error().message);
    return 1;
  }
  Print(*result);
  return 0;
}

}  // namespace
}  // namespace mikura::bench

int main(int argc, char** argv) { return mikura::bench::Main(argc, argv); }
