// SPDX-License-Identifier: Apache-2.0
#include "control/main.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/logging.h"
#include "control/agent/host_agent.h"
#include "control/api/api_server.h"
#include "control/api/credentials.h"
#include "control/api/ec2/ec2_service.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/api/sts/sts_service.h"
#include "control/metadata/data_dir_lock.h"
#include "control/metadata/metadata_keys.h"
#include "control/metadata/sqlite_store.h"
#include "control/model/host_capacity.h"
#include "control/notification/notification_sender.h"
#include "control/reconciler/reconciler.h"

namespace mikura::control {
namespace {

constexpr char kStoreFile[] = "/metadata.sqlite";
constexpr std::chrono::milliseconds kPublishTimeout = std::chrono::seconds(3);

int Fail(const Error& error) {
  fmt::print(stderr, "mikura: {}\n", error.message);
  return 1;
}

// Signals that end the service are taken by one thread, in Wait(); they must be blocked before
// any other thread is started.
class EndingSignals {
 public:
  EndingSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  void Wait() const {
    int taken = 0;
    while (sigwait(&signals_, &taken) != 0) {
    }
  }

 private:
  sigset_t signals_{};
};

// The path of this program; the engine is a role of it.
Result<std::string> OwnBinary() {
  std::error_code failure;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (failure) return Error{"cannot find my own binary: " + failure.message()};
  return path.string();
}

// Everything of the service, in the order in which it is built; taken down in the other.
struct Service {
  std::unique_ptr<DataDirLock> lock;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<HostAgent> agent;
  std::unique_ptr<Reconciler> reconciler;
  std::unique_ptr<ApiServer> api;
  std::unique_ptr<NotificationSender> notifications;  // null: there is no endpoint
};

// The folder of buckets, absolute, made if need be and told to the actions; empty for none.
Result<std::string> OpenBuckets(const std::string& folder, MetadataStore& store) {
  if (folder.empty()) {
    RETURN_IF_ERROR(store.Transact({}, {Write::Delete(std::string(kBucketFolderKey))}));
    return std::string();
  }
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  const std::string path = std::filesystem::canonical(folder, failure).string();
  if (failure) return Error{folder + ": " + failure.message()};
  RETURN_IF_ERROR(store.Transact({}, {Write::Put(std::string(kBucketFolderKey), path)}));
  return path;
}

std::string FromEnvironment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// Who publishes; told to the actions, which refuse topics that nobody would publish to.
Result<std::unique_ptr<NotificationSender>> OpenNotifications(const std::string& endpoint,
                                                              const Clock& clock,
                                                              MetadataStore& store) {
  const std::string key(kSnsEndpointKey);
  if (endpoint.empty()) {
    RETURN_IF_ERROR(store.Transact({}, {Write::Delete(key)}));
    return std::unique_ptr<NotificationSender>();
  }
  const auto url = ParseHttpUrl(endpoint);
  if (!url.ok()) return Error{fmt::format("--sns-endpoint {}: {}", endpoint, url.error().message)};
  RETURN_IF_ERROR(store.Transact({}, {Write::Put(key, endpoint)}));
  SnsAccess access{*url, FromEnvironment("AWS_ACCESS_KEY_ID", "test"),
                   FromEnvironment("AWS_SECRET_ACCESS_KEY", "test")};
  return std::make_unique<NotificationSender>(
      store, clock, std::make_unique<SnsClient>(std::move(access), clock, kPublishTimeout));
}

// What the API may place on this machine.
Status NoteCapacity(const UpOptions& options, MetadataStore& store) {
  const HostCapacity capacity{
      .memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE),
      .scale_millionths = std::llround(options.memory_scale * 1'000'000)};
  RETURN_IF_ERROR(
      store.Transact({}, {Write::Put(std::string(kHostCapacityKey), ToJson(capacity))}));
  return Ok();
}

Status Build(const UpOptions& options, AccessRuleCheck check, const Clock& clock,
             Service& service) {
  ASSIGN_OR_RETURN(service.lock, DataDirLock::Take(options.data_dir));
  // Absolute, because engines are found again by the path of their config file.
  std::error_code failure;
  const std::string data_dir = std::filesystem::canonical(options.data_dir, failure).string();
  if (failure) return Error{options.data_dir + ": " + failure.message()};
  ASSIGN_OR_RETURN(service.store, SqliteStore::Open(data_dir + kStoreFile));
  RETURN_IF_ERROR(NoteCapacity(options, *service.store));
  ASSIGN_OR_RETURN(const std::string buckets, OpenBuckets(options.bucket_dir, *service.store));
  ASSIGN_OR_RETURN(service.notifications,
                   OpenNotifications(options.sns_endpoint, clock, *service.store));
  std::string binary = options.engine_binary;
  if (binary.empty()) {
    ASSIGN_OR_RETURN(binary, OwnBinary());
  }
  HttpServerOptions http;
  http.address = options.bind;
  http.port = options.port;
  service.api = std::make_unique<ApiServer>(
      http, *service.store, clock,
      std::vector<ApiService>{ElastiCacheService(), Ec2Service(), StsService()});
  service.api->SetAccessRuleCheck(std::move(check));
  // Who gets an answer of the API can rely on the agent holding what it found. The reconciler comes
  // last: a taken port must not start anything.
  ASSIGN_OR_RETURN(service.agent, HostAgent::Open({data_dir, binary, {}, buckets}));
  RETURN_IF_ERROR(service.api->Start());
  service.reconciler =
      std::make_unique<Reconciler>(*service.store, *service.agent, clock, ReconcilerTimings{});
  service.reconciler->SetMemoryScale(options.memory_scale);
  service.reconciler->Start();
  if (service.notifications != nullptr) service.notifications->Start();
  return Ok();
}

bool IsLoopback(const std::string& address) { return address.rfind("127.", 0) == 0; }

void PrintBanner(const UpOptions& options, const Service& service) {
  const bool loopback = IsLoopback(options.bind);
  const std::string host = options.bind == "0.0.0.0" ? "127.0.0.1" : options.bind;
  const std::string url = fmt::format("http://{}:{}", host, service.api->port());
  fmt::print(
      "Mikura is up.\n"
      "  API       {}   (elasticache, ec2, sts)\n"
      "  data      {}\n"
      "  keys      {}\n"
      "  try       export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} "
      "AWS_DEFAULT_REGION=ap-northeast-1\n"
      "            aws --endpoint-url {} elasticache describe-replication-groups\n"
      "  TLS       caches with TransitEncryptionEnabled: clients trust {}\n"
      "  stop      Ctrl-C; {}\n",
      url, options.data_dir,
      loopback ? "test / test (accepted because the API listens on this machine only)"
               : "made by: mikura credentials create",
      loopback ? "test" : "...", loopback ? "test" : "...", url, service.agent->authority_file(),
      options.stop_caches_on_exit ? "caches stop too"
                                  : "caches go on running, the next start takes them over");
  std::fflush(stdout);
}

void TakeDown(const UpOptions& options, Service& service) {
  service.api->Stop();
  service.reconciler->Stop();
  service.notifications.reset();
  const size_t running = service.agent->CountRunning();
  if (options.stop_caches_on_exit) {
    service.agent->StopAll();
    fmt::print("Mikura has stopped, with {} cache nodes.\n", running);
  } else {
    fmt::print("Mikura has stopped; {} cache nodes go on running.\n", running);
  }
  std::fflush(stdout);
}

// The store for a short look, also while the service runs: readers of credentials ask it anew for
// each request.
Result<std::unique_ptr<SqliteStore>> OpenBeside(const std::string& data_dir) {
  std::error_code failure;
  if (!std::filesystem::exists(data_dir + kStoreFile, failure)) {
    RETURN_IF_ERROR(DataDirLock::Take(data_dir));
  }
  return SqliteStore::Open(data_dir + kStoreFile);
}

int CreateKey(MetadataStore& store) {
  const auto made = CreateCredential(store, SystemClock());
  if (!made.ok()) return Fail(made.error());
  fmt::print("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", made->access_key_id, made->secret);
  return 0;
}

int ListKeys(MetadataStore& store) {
  const auto keys = ListCredentials(store);
  if (!keys.ok()) return Fail(keys.error());
  for (const Credential& key : *keys)
    fmt::print("{} account {}\n", key.access_key_id, key.account_id);
  return 0;
}

int DeleteKey(MetadataStore& store, const std::string& id) {
  const auto deleted = DeleteCredential(store, id);
  if (!deleted.ok()) return Fail(deleted.error());
  if (*deleted) return 0;
  return Fail({"there is no key " + id});
}

// Parses and returns nullopt, or the exit status when that is all there is to do.
std::optional<int> Parse(CLI::App& app, std::span<const std::string_view> arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return std::nullopt;
}

}  // namespace

std::string DefaultDataDir() {
  const char* data_home = std::getenv("XDG_DATA_HOME");
  if (data_home != nullptr && data_home[0] == '/') return std::string(data_home) + "/mikura";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/share/mikura";
  return "mikura-data";
}

int RunUp(const UpOptions& asked, AccessRuleCheck check) {
  UpOptions options = asked;
  if (options.data_dir.empty()) options.data_dir = DefaultDataDir();
  const EndingSignals signals;
  const SystemClock clock;
  Service service;
  const Status built = Build(options, std::move(check), clock, service);
  if (!built.ok()) return Fail(built.error());
  PrintBanner(options, service);
  signals.Wait();
  TakeDown(options, service);
  return 0;
}

int UpMain(std::span<const std::string_view> arguments, AccessRuleCheck check) {
  UpOptions options;
  CLI::App app("The whole service on this machine: the API and the caches it creates.",
               "mikura up");
  app.add_option("--port", options.port, "port of the API (4566)");
  app.add_option("--bind", options.bind, "address of the API (127.0.0.1)");
  app.add_option("--data-dir", options.data_dir,
                 fmt::format("where everything is kept ({})", DefaultDataDir()));
  app.add_option(
      "--bucket-dir", options.bucket_dir,
      "a folder whose folders are the buckets of snapshots: CopySnapshot with TargetBucket "
      "writes to them, SnapshotArns reads from them (none)");
  app.add_option("--sns-endpoint", options.sns_endpoint,
                 "http://host:port of a server that speaks SNS: events of caches with a "
                 "NotificationTopicArn are published there (none)");
  app.add_flag("--stop-caches-on-exit", options.stop_caches_on_exit,
               "end the caches too; else they go on and the next start takes them over");
  app.add_option("--memory-scale", options.memory_scale,
                 "part of the memory of its type that a cache node gets, 0.001 to 1 (1): for "
                 "machines with less than caches are asked for")
      ->check(CLI::Range(0.001, 1.0));
  if (const auto status = Parse(app, arguments)) return *status;
  return RunUp(options, std::move(check));
}

int CredentialsMain(std::span<const std::string_view> arguments) {
  std::string data_dir = DefaultDataDir();
  std::string id;
  CLI::App app("Access keys for an API that others can reach.", "mikura credentials");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--data-dir", data_dir, fmt::format("as for mikura up ({})", data_dir));
  const auto* create = app.add_subcommand("create", "make a key and print it");
  const auto* list = app.add_subcommand("list", "print the ids of all keys");
  app.add_subcommand("delete", "remove a key")->add_option("ID", id)->required();
  if (const auto status = Parse(app, arguments)) return *status;
  const auto store = OpenBeside(data_dir);
  if (!store.ok()) return Fail(store.error());
  if (create->parsed()) return CreateKey(**store);
  if (list->parsed()) return ListKeys(**store);
  return DeleteKey(**store, id);
}

}  // namespace mikura::control
