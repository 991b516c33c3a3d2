// SPDX-License-Identifier: Apache-2.0
// The part of AppendLog that makes files: at the start, and for each new base.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/file_io.h"
#include "base/logging.h"
#include "engine/persistence/append_log.h"
#include "engine/persistence/rdb_file.h"

namespace mikura::engine {
namespace {

// The command with which a file begins whose first record is for that database.
std::string SelectOf(int database) {
  std::string select;
  if (database > 0) AppendSelect(select, database);
  return select;
}

}  // namespace

// What comes of a switch, told by the writer's thread.
struct AppendLog::SwitchOutcome {
  // Waits for it.
  Status Await(const std::function<bool()>& gives_up, const std::function<void()>& give_up) {
    bool is_given_up = false;
    MutexLock lock(mutex);
    while (!status) {
      changed.WaitFor(mutex, std::chrono::milliseconds(20));
      if (status || is_given_up || !gives_up()) continue;
      is_given_up = true;
      give_up();
    }
    return *status;
  }
  void Tell(const Status& outcome) {
    MutexLock lock(mutex);
    status = outcome;
    changed.NotifyAll();
  }

  Mutex mutex;
  CondVar changed;
  std::optional<Status> status GUARDED_BY(mutex);
  int64_t increment = 0;  // written before Tell()
};

Status AppendLog::Open(LogExecutor executor, LoadProgress& progress) {
  const UnixMillis began_at = clock_.NowMillis();
  is_enabled_.store(true, std::memory_order_relaxed);
  ASSIGN_OR_RETURN(AppendLogManifest manifest, folder_.Read());
  RETURN_IF_ERROR(folder_.AdoptSingleFile(manifest));
  bool cuts_tail = false;
  {
    MutexLock lock(mutex_);
    cuts_tail = settings_.cuts_tail;
  }
  if (!manifest.empty()) {
    AppendLogLoader loader(keyspace_, folder_, std::move(executor), cuts_tail, progress);
    RETURN_IF_ERROR(loader.Load(manifest));
    loaded_ = loader.count();
    Log(LogLevel::kNotice, "append-log", "loaded {}: {} keys, then {} records, {} ms",
        folder_.folder(), loaded_.keys, loader.records(), clock_.NowMillis() - began_at);
  }
  RETURN_IF_ERROR(CreateFiles(manifest));
  ASSIGN_OR_RETURN(auto file,
                   AppendLogFile::Open(folder_.PathOf(manifest.increments.back()), calls_));
  // What was loaded may be in the system's memory only: it is shown to clients from now on.
  if (file->Sync() != 0) return FileError("sync", file->path());
  ASSIGN_OR_RETURN(const uint64_t bytes, folder_.Size(manifest));
  closed_bytes_.store(bytes - file->size(), std::memory_order_relaxed);
  {
    MutexLock lock(mutex_);
    base_bytes_ = bytes;
  }
  {
    MutexLock lock(manifest_mutex_);
    manifest_ = std::move(manifest);
  }
  writer_.Start();
  RETURN_IF_ERROR(Attach(std::move(file)));
  is_established_.store(true, std::memory_order_relaxed);
  TellDurable();
  return Ok();
}

// What a folder lacks that is written for the first time, or after a rewrite while the log was off.
Status AppendLog::CreateFiles(AppendLogManifest& manifest) {
  RETURN_IF_ERROR(folder_.Create());
  folder_.DeleteLeftovers();
  AppendLogManifest next = manifest;
  if (next.empty()) {
    const NextBase base = PlanBase(next);
    RETURN_IF_ERROR(SaveRdb(keyspace_, slots_, folder_.PathOf(base.file), base.hooks));
    next.ReplaceBase(base.file, 0);
  }
  if (next.increments.empty()) {
    next.AddIncrement(next.NextIncrement(folder_.name()));
    auto created = AppendLogFile::Create(folder_.PathOf(next.increments.back()), calls_);
    if (!created.ok()) return std::move(created).error();
    RETURN_IF_ERROR(folder_.Store(next));
  }
  manifest = std::move(next);
  return folder_.DeleteHistory(manifest);
}

Status AppendLog::Attach(std::unique_ptr<AppendLogFile> file) {
  return at_rest_([&](int database) -> Status {
    ChangeLog& log = keyspace_.change_log();
    std::string select = SelectOf(database);
    keyspace_.WithGate({}, [&] {
      log.SetActive(true, LogUse::kAppendLog);
      writer_.Attach(std::move(file), log.head(), std::move(select));
    });
    log.Wake();  // from its long sleep: the first records are not to be noted late
    MutexLock lock(mutex_);
    is_attached_ = true;
    return Ok();
  });
}

AppendLog::NextBase AppendLog::PlanBase(const AppendLogManifest& manifest) const {
  MutexLock lock(mutex_);
  NextBase base{.file = manifest.NextBase(folder_.name(), settings_.base_is_rdb), .hooks = {}};
  base.hooks.aux = {{"aof-base", "1"}};
  if (settings_.base_is_rdb) return base;
  base.hooks.form = SnapshotForm::kCommands;
  if (settings_.notes_time) base.hooks.head = AppendLogWriter::NoteOf(clock_.NowMillis() / 1000);
  return base;
}

Status AppendLog::WriteBase(const NextBase& base,
                            const std::function<void(Lsn lsn, std::string select)>& at_gate) {
  const auto begin = [&]() -> Result<std::unique_ptr<Snapshot>> {
    std::unique_ptr<Snapshot> snapshot;
    RETURN_IF_ERROR(at_rest_([&](int database) -> Status {
      std::string select = SelectOf(database);
      auto begun = Snapshot::Begin(
          keyspace_, slots_, [&] { at_gate(keyspace_.change_log().head(), std::move(select)); },
          Snapshot::Waiter::kWriters, base.hooks.form);
      if (!begun.ok()) return std::move(begun).error();
      snapshot = std::move(begun).value();
      return Ok();
    }));
    keyspace_.change_log().Wake();
    return snapshot;
  };
  SaveHooks hooks = base.hooks;
  hooks.begin = begin;
  hooks.is_interrupted = [this] { return GivesUpRewrite(); };
  return SaveRdb(keyspace_, slots_, folder_.PathOf(base.file), hooks);
}

Status AppendLog::StoreManifest(AppendLogManifest next) {
  RETURN_IF_ERROR(folder_.Store(next));
  if (const Status deleted = folder_.DeleteHistory(next); !deleted.ok()) {
    Log(LogLevel::kWarning, "append-log", "{}", deleted.error().message);
  }
  uint64_t closed = 0;
  if (auto bytes = folder_.Size(next); bytes.ok())
    closed = *bytes - std::min(*bytes, writer_.file_bytes());
  closed_bytes_.store(closed, std::memory_order_relaxed);
  MutexLock lock(manifest_mutex_);
  manifest_ = std::move(next);
  return Ok();
}

Status AppendLog::Establish() {
  RETURN_IF_ERROR(folder_.Create());
  folder_.DeleteLeftovers();
  ASSIGN_OR_RETURN(AppendLogManifest next, folder_.Read());
  const std::string temporary = folder_.TemporaryIncrement();
  ASSIGN_OR_RETURN(auto file, AppendLogFile::Create(temporary, calls_));
  const NextBase base = PlanBase(next);
  closed_bytes_.store(0, std::memory_order_relaxed);
  bool is_attached = false;
  const Status written = WriteBase(base, [&](Lsn lsn, std::string select) {
    keyspace_.change_log().SetActive(true, LogUse::kAppendLog);
    writer_.Attach(std::move(file), lsn, std::move(select));
    is_attached = true;
  });
  {
    MutexLock lock(mutex_);
    is_attached_ = is_attached;
  }
  RETURN_IF_ERROR(written);
  const AppendLogManifest::File increment = next.NextIncrement(folder_.name());
  if (rename(temporary.c_str(), folder_.PathOf(increment).c_str()) != 0) {
    return FileError("rename to", folder_.PathOf(increment));
  }
  next.AddIncrement(increment);
  next.ReplaceBase(base.file, increment.sequence);
  RETURN_IF_ERROR(StoreManifest(std::move(next)));
  is_established_.store(true, std::memory_order_relaxed);
  TellDurable();
  return Ok();
}

// On the writer's thread.
Result<std::unique_ptr<AppendLogFile>> AppendLog::OpenNextIncrement(SwitchOutcome& outcome) {
  MutexLock lock(manifest_mutex_);
  AppendLogManifest next = manifest_;
  next.AddIncrement(next.NextIncrement(folder_.name()));
  const AppendLogManifest::File& increment = next.increments.back();
  ASSIGN_OR_RETURN(auto file, AppendLogFile::Create(folder_.PathOf(increment), calls_));
  // When this fails the manifest may have been replaced all the same: the file stays.
  RETURN_IF_ERROR(folder_.Store(next));
  closed_bytes_.fetch_add(writer_.file_bytes(), std::memory_order_relaxed);
  outcome.increment = increment.sequence;
  manifest_ = std::move(next);
  return file;
}

Status AppendLog::SwitchAndRewrite() {
  // Owned by this and by the order to the writer, which may be carried out after this has failed.
  const auto outcome = std::make_shared<SwitchOutcome>();
  AppendLogManifest before;
  {
    MutexLock lock(manifest_mutex_);
    before = manifest_;
  }
  const NextBase base = PlanBase(before);
  bool is_asked = false;
  const bool is_in_doubt = writer_.is_in_doubt();
  Status status = WriteBase(base, [&](Lsn lsn, std::string select) {
    keyspace_.change_log().ForgetDatabase();  // the new file begins in no database
    writer_.SwitchAt({.at = lsn,
                      .prefix = std::move(select),
                      .open = [this, outcome] { return OpenNextIncrement(*outcome); },
                      .done = [outcome](const Status& told) { outcome->Tell(told); }});
    is_asked = true;
  });
  if (is_asked) {
    const bool has_failed = !status.ok();
    const Status switched = outcome->Await([&] { return has_failed || GivesUpRewrite(); },
                                           [this] { writer_.CancelSwitch(); });
    if (status.ok()) status = switched;
  }
  if (!status.ok()) {
    unlink(folder_.PathOf(base.file).c_str());
    return status;
  }
  AppendLogManifest next;
  {
    MutexLock lock(manifest_mutex_);
    next = manifest_;
  }
  next.ReplaceBase(base.file, outcome->increment);
  RETURN_IF_ERROR(StoreManifest(std::move(next)));
  if (is_in_doubt) writer_.ClearDoubt();
  return Ok();
}

Status AppendLog::RewriteWhileOff() {
  RETURN_IF_ERROR(folder_.Create());
  ASSIGN_OR_RETURN(AppendLogManifest next, folder_.Read());
  const NextBase base = PlanBase(next);
  RETURN_IF_ERROR(WriteBase(base, [](Lsn, const std::string&) {}));
  next.ReplaceBase(base.file, next.last_increment + 1);
  return StoreManifest(std::move(next));
}

}  // namespace mikura::engine
