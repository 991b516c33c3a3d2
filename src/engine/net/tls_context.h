// SPDX-License-Identifier: Apache-2.0
// What TLS connections are made with: certificate, key, authorities, ciphers. A context never
// changes; a new one takes its place, for connections that are made from then on.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/result.h"

struct ssl_ctx_st;

namespace mikura::engine {

// Which certificate a client has to show.
enum class TlsClients : uint8_t { kUnknown, kVerifiedIfShown, kVerified };

// Whether RESP listeners that are not made for TLS alone take TLS clients: by the side of others,
// or nobody else.
enum class TlsMode : uint8_t { kOff, kPreferred, kRequired };

// A certificate with its chain, and its key; PEM.
struct TlsIdentity {
  std::string cert_file;
  std::string key_file;
  std::string key_password;
};

struct TlsSettings {
  TlsIdentity node;  // shown to clients
  TlsIdentity link;  // shown to other nodes; without a certificate: `node`
  std::string dh_params_file;
  std::string ca_cert_file;
  std::string ca_cert_dir;
  bool verifies = true;   // authorities must be named
  std::string protocols;  // "TLSv1.2 TLSv1.3", which the empty text stands for
  std::string ciphers;
  std::string ciphersuites;
  bool prefers_own_ciphers = false;
  bool remembers_sessions = true;
  int64_t session_count_max = 20480;
  int64_t session_seconds = 300;
};

class TlsContext {
 public:
  // Reads the files. Errors: words that name the file or the setting, and OpenSSL's reason.
  static Result<std::shared_ptr<const TlsContext>> Make(const TlsSettings& settings);

  ssl_ctx_st* server() const { return server_.get(); }
  ssl_ctx_st* client() const { return client_.get(); }
  // When the certificate that clients are shown ends, in seconds since the Unix epoch; 0: unknown.
  int64_t EndOfCertificate() const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  using Owned = std::unique_ptr<ssl_ctx_st, Free>;

  TlsContext(Owned server, Owned client) : server_(std::move(server)), client_(std::move(client)) {}
  static Result<Owned> MakeOne(const TlsSettings& settings, const TlsIdentity& identity);

  const Owned server_;
  const Owned client_;
};

// The context in force. From any thread.
class TlsContexts {
 public:
  // Reads all files anew. On an error the context stays as it was.
  Status Configure(const TlsSettings& settings) EXCLUDES(mutex_);
  // Shared by this object and whoever makes a connection with it. Null: never configured.
  std::shared_ptr<const TlsContext> Current() const EXCLUDES(mutex_);

  void set_clients(TlsClients clients) { clients_.store(clients, std::memory_order_relaxed); }
  TlsClients clients() const { return clients_.load(std::memory_order_relaxed); }
  void set_mode(TlsMode mode) { mode_.store(mode, std::memory_order_relaxed); }
  TlsMode mode() const { return mode_.load(std::memory_order_relaxed); }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const TlsContext> current_ GUARDED_BY(mutex_);
  // Publishes nothing but itself, to loops that accept.
  std::atomic<TlsClients> clients_{TlsClients::kVerified};
  std::atomic<TlsMode> mode_{TlsMode::kOff};  // as above
};

}  // namespace mikura::engine
