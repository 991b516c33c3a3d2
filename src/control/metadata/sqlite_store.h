// SPDX-License-Identifier: Apache-2.0
// The metadata store of one machine: a SQLite file in WAL mode with synchronous=FULL, so a
// transaction that has been answered survives power loss.
//
// One connection, one lock: a transaction costs one fsync (about 2 ms on a plain disk), and readers
// wait for it. That only one process opens the file is the matter of DataDirLock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "control/metadata/metadata_store.h"
#include "control/metadata/store_watchers.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mikura::control {

class SqliteStore final : public MetadataStore {
 public:
  // Opens or creates the file. Errors: it is not writable, not a SQLite file, damaged, of another
  // program or of a newer version of this one.
  static Result<std::unique_ptr<SqliteStore>> Open(const std::string& path);
  ~SqliteStore() override;

  Result<std::optional<Revision>> Transact(const std::vector<Compare>& compares,
                                           const std::vector<Write>& writes) override
      EXCLUDES(mutex_);
  Result<std::optional<KeyValue>> Get(std::string_view key) override EXCLUDES(mutex_);
  Result<std::vector<KeyValue>> List(std::string_view prefix) override EXCLUDES(mutex_);
  std::shared_ptr<void> Watch(std::string prefix, std::function<void()> changed) override;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  SqliteStore(sqlite3* database, std::string path);

  Status Initialize() EXCLUDES(mutex_);
  Status CheckOwner() REQUIRES(mutex_);
  Status CheckVersion() REQUIRES(mutex_);
  Status PrepareAll() REQUIRES(mutex_);
  Status Prepare(const char* sql, Statement& out) REQUIRES(mutex_);
  Status Run(const char* sql) REQUIRES(mutex_);
  // The first column of the first row of `sql` as an integer.
  Result<int64_t> Number(const char* sql) REQUIRES(mutex_);
  Result<std::optional<Revision>> TransactLocked(const std::vector<Compare>& compares,
                                                 const std::vector<Write>& writes) REQUIRES(mutex_);
  Result<std::optional<KeyValue>> Find(std::string_view key) REQUIRES(mutex_);
  Result<bool> Holds(const Compare& compare) REQUIRES(mutex_);
  Status Apply(const Write& write, Revision revision) REQUIRES(mutex_);
  // The error of the last call, in words an operator can act on.
  Error Failure(std::string_view doing) const REQUIRES(mutex_);

  const std::string path_;
  StoreWatchers watchers_;
  Mutex mutex_;
  sqlite3* const database_ PT_GUARDED_BY(mutex_);
  Statement find_ GUARDED_BY(mutex_);
  Statement list_ GUARDED_BY(mutex_);
  Statement put_ GUARDED_BY(mutex_);
  Statement delete_ GUARDED_BY(mutex_);
  Statement delete_range_ GUARDED_BY(mutex_);
  Statement revision_ GUARDED_BY(mutex_);
};

}  // namespace mikura::control
