// SPDX-License-Identifier: Apache-2.0
#include "control/metadata/sqlite_store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace mikura::control {
namespace {

// "MKRA": tells our file from any other SQLite file.
constexpr int64_t kApplicationId = 0x4d4b5241;
constexpr int64_t kSchemaVersion = 1;
constexpr int kBusyTimeoutMillis = 5000;

constexpr char kCreateTables[] =
    "CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, create_rev INTEGER NOT NULL,"
    "                 mod_rev INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 0), rev INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES (0, 0);"
    "PRAGMA application_id = 1296781889;"
    "PRAGMA user_version = 1;";
static_assert(kApplicationId == 1296781889 && kSchemaVersion == 1);

void BindText(sqlite3_stmt* statement, int index, std::string_view text) {
  // The text outlives the step that uses it, so SQLite need not copy it.
  CHECK(sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()),
                          SQLITE_STATIC) == SQLITE_OK);
}

std::string TextColumn(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return text == nullptr
             ? std::string()
             : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement, column)));
}

// The smallest key after all keys that begin with `prefix`. Keys are ASCII paths.
std::string AfterPrefix(std::string_view prefix) {
  std::string after(prefix);
  if (after.empty()) return "\x7f";
  ++after.back();
  return after;
}

KeyValue RowOf(sqlite3_stmt* statement) {
  return {TextColumn(statement, 0), TextColumn(statement, 1), sqlite3_column_int64(statement, 2),
          sqlite3_column_int64(statement, 3)};
}

// Puts a statement back to its start when the function that ran it returns.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(sqlite3_stmt* statement) : statement_(statement) {}
  ~ResetAtEnd() { sqlite3_reset(statement_); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

void SqliteStore::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqliteStore::SqliteStore(sqlite3* database, std::string path)
    : path_(std::move(path)), database_(database) {}

SqliteStore::~SqliteStore() {
  MutexLock lock(mutex_);
  for (Statement* statement : {&find_, &list_, &put_, &delete_, &delete_range_, &revision_}) {
    statement->reset();
  }
  sqlite3_close(database_);
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path) {
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int opened = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  if (opened != SQLITE_OK) {
    const int reason = database != nullptr ? sqlite3_system_errno(database) : ENOMEM;
    sqlite3_close(database);
    return Error{fmt::format("cannot open the metadata file {}: {}", path,
                             reason != 0 ? std::strerror(reason) : sqlite3_errstr(opened))};
  }
  std::unique_ptr<SqliteStore> store(new SqliteStore(database, path));
  RETURN_IF_ERROR(store->Initialize());
  return store;
}

Status SqliteStore::Initialize() {
  MutexLock lock(mutex_);
  sqlite3_extended_result_codes(database_, 1);
  sqlite3_busy_timeout(database_, kBusyTimeoutMillis);
  RETURN_IF_ERROR(CheckOwner());
  RETURN_IF_ERROR(Run("PRAGMA journal_mode = WAL"));
  RETURN_IF_ERROR(Run("PRAGMA synchronous = FULL"));
  RETURN_IF_ERROR(CheckVersion());
  return PrepareAll();
}

// Before anything is written: is this file ours, or new?
Status SqliteStore::CheckOwner() {
  ASSIGN_OR_RETURN(const int64_t application, Number("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t tables, Number("SELECT count(*) FROM sqlite_master"));
  if (application != kApplicationId && tables > 0) {
    return Error{fmt::format("{} is the SQLite file of another program", path_)};
  }
  return Ok();
}

Status SqliteStore::CheckVersion() {
  ASSIGN_OR_RETURN(const int64_t tables, Number("SELECT count(*) FROM sqlite_master"));
  if (tables == 0) {
    RETURN_IF_ERROR(Run("BEGIN IMMEDIATE"));
    RETURN_IF_ERROR(Run(kCreateTables));
    RETURN_IF_ERROR(Run("COMMIT"));
  }
  ASSIGN_OR_RETURN(const int64_t version, Number("PRAGMA user_version"));
  if (version != kSchemaVersion) {
    return Error{fmt::format("{} has format {}, this program reads format {}", path_, version,
                             kSchemaVersion)};
  }
  // quick_check answers "ok" or the first damage it finds.
  Statement check;
  RETURN_IF_ERROR(Prepare("PRAGMA quick_check(1)", check));
  if (sqlite3_step(check.get()) != SQLITE_ROW) return Failure("check");
  const std::string verdict = TextColumn(check.get(), 0);
  if (verdict != "ok") {
    return Error{fmt::format("the metadata file {} is damaged: {}", path_, verdict)};
  }
  return Ok();
}

Status SqliteStore::PrepareAll() {
  RETURN_IF_ERROR(Prepare("SELECT key, value, create_rev, mod_rev FROM kv WHERE key = ?", find_));
  RETURN_IF_ERROR(
      Prepare("SELECT key, value, create_rev, mod_rev FROM kv WHERE key >= ? AND key < ?"
              " ORDER BY key",
              list_));
  RETURN_IF_ERROR(
      Prepare("INSERT INTO kv VALUES (?1, ?2, ?3, ?3)"
              " ON CONFLICT (key) DO UPDATE SET value = ?2, mod_rev = ?3",
              put_));
  RETURN_IF_ERROR(Prepare("DELETE FROM kv WHERE key = ?", delete_));
  RETURN_IF_ERROR(Prepare("DELETE FROM kv WHERE key >= ? AND key < ?", delete_range_));
  return Prepare("UPDATE meta SET rev = rev + ? WHERE id = 0 RETURNING rev", revision_);
}

Status SqliteStore::Prepare(const char* sql, Statement& out) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) {
    return Failure("prepare");
  }
  out.reset(statement);
  return Ok();
}

Status SqliteStore::Run(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Failure("write");
  return Ok();
}

Result<int64_t> SqliteStore::Number(const char* sql) {
  Statement statement;
  RETURN_IF_ERROR(Prepare(sql, statement));
  if (sqlite3_step(statement.get()) != SQLITE_ROW) return Failure("read");
  return sqlite3_column_int64(statement.get(), 0);
}

Error SqliteStore::Failure(std::string_view doing) const {
  const int extended = sqlite3_extended_errcode(database_);
  const int system = sqlite3_system_errno(database_);
  switch (extended & 0xff) {
    case SQLITE_NOTADB:
      return Error{fmt::format("{} is not a SQLite file", path_)};
    case SQLITE_CORRUPT:
      return Error{
          fmt::format("the metadata file {} is damaged: {}", path_, sqlite3_errmsg(database_))};
    case SQLITE_FULL:
      return Error{fmt::format("no space left on the disk of {}", path_)};
    case SQLITE_READONLY:
      return Error{fmt::format("the metadata file {} is not writable", path_)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error{fmt::format("the metadata file {} is locked by another process", path_)};
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      if (system != 0) {
        return Error{
            fmt::format("cannot {} the metadata file {}: {}", doing, path_, std::strerror(system))};
      }
      break;
    default:
      break;
  }
  return Error{
      fmt::format("cannot {} the metadata file {}: {}", doing, path_, sqlite3_errmsg(database_))};
}

Result<std::optional<Revision>> SqliteStore::Transact(const std::vector<Compare>& compares,
                                                      const std::vector<Write>& writes) {
  std::optional<Revision> revision;
  {
    MutexLock lock(mutex_);
    RETURN_IF_ERROR(Run("BEGIN IMMEDIATE"));
    Result<std::optional<Revision>> applied = TransactLocked(compares, writes);
    const bool keep = applied.ok() && applied->has_value();
    if (keep) {
      const Status committed = Run("COMMIT");
      if (!committed.ok()) applied = committed.error();
    }
    // After some failures SQLite has already rolled back; autocommit says so.
    if (sqlite3_get_autocommit(database_) == 0) {
      sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    if (!applied.ok() || !applied->has_value()) return applied;
    revision = *applied;
  }
  watchers_.Notify(writes);
  return revision;
}

Result<std::optional<Revision>> SqliteStore::TransactLocked(const std::vector<Compare>& compares,
                                                            const std::vector<Write>& writes) {
  for (const Compare& compare : compares) {
    ASSIGN_OR_RETURN(const bool holds, Holds(compare));
    if (!holds) return std::optional<Revision>();
  }
  ResetAtEnd reset(revision_.get());
  sqlite3_bind_int64(revision_.get(), 1, writes.empty() ? 0 : 1);
  if (sqlite3_step(revision_.get()) != SQLITE_ROW) return Failure("write");
  const Revision revision = sqlite3_column_int64(revision_.get(), 0);
  // RETURNING rows are only final once the statement has run to its end.
  if (sqlite3_step(revision_.get()) != SQLITE_DONE) return Failure("write");
  for (const Write& write : writes) RETURN_IF_ERROR(Apply(write, revision));
  return std::optional<Revision>(revision);
}

Result<bool> SqliteStore::Holds(const Compare& compare) {
  ASSIGN_OR_RETURN(const std::optional<KeyValue> found, Find(compare.key));
  switch (compare.kind) {
    case Compare::Kind::kAbsent:
      return !found.has_value();
    case Compare::Kind::kPresent:
      return found.has_value();
    case Compare::Kind::kModRevision:
      return found.has_value() && found->mod_revision == compare.mod_revision;
  }
  return false;
}

Status SqliteStore::Apply(const Write& write, Revision revision) {
  sqlite3_stmt* statement = write.kind == Write::Kind::kPut      ? put_.get()
                            : write.kind == Write::Kind::kDelete ? delete_.get()
                                                                 : delete_range_.get();
  ResetAtEnd reset(statement);
  const std::string after = AfterPrefix(write.key);
  BindText(statement, 1, write.key);
  if (write.kind == Write::Kind::kPut) {
    BindText(statement, 2, write.value);
    sqlite3_bind_int64(statement, 3, revision);
  } else if (write.kind == Write::Kind::kDeletePrefix) {
    BindText(statement, 2, after);
  }
  if (sqlite3_step(statement) != SQLITE_DONE) return Failure("write");
  return Ok();
}

Result<std::optional<KeyValue>> SqliteStore::Find(std::string_view key) {
  ResetAtEnd reset(find_.get());
  BindText(find_.get(), 1, key);
  const int step = sqlite3_step(find_.get());
  if (step == SQLITE_DONE) return std::optional<KeyValue>();
  if (step != SQLITE_ROW) return Failure("read");
  return std::optional<KeyValue>(RowOf(find_.get()));
}

Result<std::optional<KeyValue>> SqliteStore::Get(std::string_view key) {
  MutexLock lock(mutex_);
  return Find(key);
}

Result<std::vector<KeyValue>> SqliteStore::List(std::string_view prefix) {
  MutexLock lock(mutex_);
  ResetAtEnd reset(list_.get());
  const std::string after = AfterPrefix(prefix);
  BindText(list_.get(), 1, prefix);
  BindText(list_.get(), 2, after);
  std::vector<KeyValue> listed;
  while (true) {
    const int step = sqlite3_step(list_.get());
    if (step == SQLITE_DONE) return listed;
    if (step != SQLITE_ROW) return Failure("read");
    listed.push_back(RowOf(list_.get()));
  }
}

std::shared_ptr<void> SqliteStore::Watch(std::string prefix, std::function<void()> changed) {
  return watchers_.Add(std::move(prefix), std::move(changed));
}

}  // namespace mikura::control
